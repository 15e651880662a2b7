/* Small sorted sets, see zset_pack.h. */
#include "storage/zset_pack.h"

#include "base/mem.h"

/* Zero has no sign here. */
static struct pack_value pack_score(double score)
{
    return pack_value_double(score == 0 ? 0 : score);
}

struct entry *zset_pack_new(struct slice key)
{
    struct entry *e = entry_new_bytes(key, TYPE_ZSET, SLICE(""), EXPIRY_NONE);

    e->raw = 1;
    return e;
}

/* ---- looking --------------------------------------------------------------------------------- */

const char *zset_packed_at(const struct zset_packed *p, uint64_t rank)
{
    const char *at = p->first;

    while (rank--)
        at = zset_packed_next(p, at);
    return at;
}

static uint64_t count_to(const struct zset_packed *p, const char *end)
{
    uint64_t n = 0;

    for (const char *at = p->first; at < end; at = zset_packed_next(p, at))
        n++;
    return n;
}

uint64_t zset_pack_len(const struct entry *e)
{
    struct zset_packed p;

    if (LIKELY(e->few < FEW_MAX))
        return e->few;
    p = zset_packed(e);
    return count_to(&p, p.end);
}

static const char *find_even(const struct zset_packed *p, struct slice member)
{
    if (member.len != p->even)
        return NULL;
    for (const char *at = p->first; at < p->end; at = pack_next(at + member.len)) {
        if (bytes_eq(at, member.ptr, member.len))
            return at;
    }
    return NULL;
}

static const char *find(const struct zset_packed *p, struct slice member)
{
    struct pack_value v;

    if (p->even)
        return find_even(p, member);
    v = pack_value(member);
    return pack_find(slice_make(p->first, (size_t)(p->end - p->first)), &v, 2);
}

void zset_pack_seek(const struct entry *e, struct zset_spot *spot)
{
    struct zset_packed p = zset_packed(e);
    const char *at = find(&p, spot->member);

    spot->found = at;
    if (!at)
        return;
    spot->at = (size_t)(at - entry_bytes(e).ptr);
    spot->score = zset_packed_score(&p, at);
}

uint64_t zset_pack_rank(const struct entry *e, const struct zset_spot *spot)
{
    struct zset_packed p = zset_packed(e);

    return count_to(&p, entry_bytes(e).ptr + spot->at);
}

/* ---- changing -------------------------------------------------------------------------------- */

/* Whether the element there comes behind this score and member. */
static bool is_behind(const struct zset_packed *p, const char *at, double score,
                      struct slice member)
{
    double here = zset_packed_score(p, at);
    char digits[NUM_INT_MAX];

    if (here != score)
        return here > score;
    return slice_cmp(zset_packed_member(p, at, digits), member) > 0;
}

/*
 * Where the first element behind this score and member begins, in bytes from the value's beginning;
 * the end if there is none. `skip` is none of them.
 */
static size_t place_of(const struct entry *e, double score, struct slice member, const char *skip)
{
    struct zset_packed p = zset_packed(e);
    const char *at = p.first;

    while (at < p.end && (at == skip || !is_behind(&p, at, score, member)))
        at = zset_packed_next(&p, at);
    return (size_t)(at - entry_bytes(e).ptr);
}

/* Members become packed elements. */
static struct entry *make_uneven(struct entry *e)
{
    struct zset_packed p = zset_packed(e);
    /* An element is longer than its text by a byte at most. */
    char *bytes = mem_alloc(entry_bytes(e).len + zset_pack_len(e) + 1), *to = bytes;

    for (const char *at = p.first; at < p.end; at = zset_packed_next(&p, at)) {
        const char *score = at + p.even;
        struct pack_value v = pack_value(slice_make(at, p.even));

        to = pack_write(to, &v);
        memcpy(to, score, pack_size(score));
        to += pack_size(score);
    }
    e = entry_set_bytes(e, slice_make(bytes, (size_t)(to - bytes)));
    e->raw = 0;
    mem_free(bytes);
    return e;
}

/* Makes the form one in which a member of this length can be. */
static struct entry *make_room_for_len(struct entry *e, size_t len)
{
    char *value;

    if (!e->raw)
        return e;
    if (!entry_bytes(e).len && len && len <= PACK_TEXT_MAX) {
        e = entry_splice(e, 0, 0, 1, &value);
        value[0] = (char)len;
        return e;
    }
    return zset_packed(e).even == len && len ? e : make_uneven(e);
}

/* In a form that has room for it. */
static struct entry *insert_at(struct entry *e, size_t at, struct slice member, double score)
{
    struct pack_value number = pack_score(score), v = {.text = member};
    char *value;

    if (!e->raw)
        v = pack_value(member);
    e = entry_splice(e, at, 0, pack_value_size(&v) + pack_value_size(&number), &value);
    pack_write(pack_write(value + at, &v), &number);
    if (e->few < FEW_MAX)
        e->few++;
    return e;
}

struct entry *zset_pack_insert(struct entry *e, struct slice member, double score)
{
    e = make_room_for_len(e, member.len);
    return insert_at(e, place_of(e, score, member, NULL), member, score);
}

struct entry *zset_pack_append(struct entry *e, struct slice member, double score)
{
    e = make_room_for_len(e, member.len);
    return insert_at(e, entry_bytes(e).len, member, score);
}

/* The `len` bytes at `from` come to stand before what was at `to`, and what lies between moves. */
static void move_bytes(char *value, size_t from, size_t len, size_t to)
{
    char quick[256], *kept = len <= sizeof(quick) ? quick : mem_alloc(len);

    memcpy(kept, value + from, len);
    if (to > from) {
        memmove(value + from, value + from + len, to - from - len);
        memcpy(value + to - len, kept, len);
    } else {
        memmove(value + to + len, value + to, from - to);
        memcpy(value + to, kept, len);
    }
    if (kept != quick)
        mem_free(kept);
}

struct entry *zset_pack_rescore(struct entry *e, const struct zset_spot *spot, double score)
{
    struct zset_packed p = zset_packed(e);
    const char *here = entry_bytes(e).ptr + spot->at, *old = zset_packed_score_at(&p, here);
    struct pack_value number = pack_score(score);
    size_t member_len = (size_t)(old - here), old_len = pack_size(old);
    size_t number_len = pack_value_size(&number);
    size_t to = place_of(e, score, spot->member, here);
    char *value;

    e = entry_splice(e, spot->at + member_len, old_len, number_len, &value);
    pack_write(value + spot->at + member_len, &number);
    if (to > spot->at)
        to += number_len - old_len;
    move_bytes(value, spot->at, member_len + number_len, to);
    return e;
}

/* Takes out the bytes between, which are this many elements. */
static struct entry *cut_out(struct entry *e, const char *from, const char *to, uint64_t n)
{
    uint64_t left = zset_pack_len(e) - n;
    char *value;

    e = entry_splice(e, (size_t)(from - entry_bytes(e).ptr), (size_t)(to - from), 0, &value);
    e->few = left < FEW_MAX ? (uint8_t)left : FEW_MAX;
    return e;
}

struct entry *zset_pack_remove(struct entry *e, const struct zset_spot *spot)
{
    struct zset_packed p = zset_packed(e);
    const char *at = entry_bytes(e).ptr + spot->at;

    return cut_out(e, at, zset_packed_next(&p, at), 1);
}

struct entry *zset_pack_remove_span(struct entry *e, struct zset_span span)
{
    struct zset_packed p = zset_packed(e);
    const char *from = zset_packed_at(&p, span.from), *to = from;

    for (uint64_t i = span.from; i < span.to; i++)
        to = zset_packed_next(&p, to);
    return cut_out(e, from, to, span.to - span.from);
}

/* ---- ranges ---------------------------------------------------------------------------------- */

static bool is_before(const struct zset_packed *p, const char *at, const struct zset_cut *cut)
{
    char digits[NUM_INT_MAX];

    return cut->by == ZSET_BY_SCORE ? zset_score_is_before(zset_packed_score(p, at), cut)
                                    : zset_member_is_before(zset_packed_member(p, at, digits), cut);
}

/* From the first that is not before `min` for as long as they are before `max`. */
static struct zset_span span_forwards(const struct zset_packed *p, const struct zset_cut *min,
                                      const struct zset_cut *max)
{
    const char *at = p->first;
    struct zset_span span = {0};

    for (; at < p->end && is_before(p, at, min); at = zset_packed_next(p, at))
        span.from++;
    span.to = span.from;
    for (; at < p->end && is_before(p, at, max); at = zset_packed_next(p, at))
        span.to++;
    return span;
}

/* From the last that is before `max` back for as long as they are not before `min`. */
static struct zset_span span_backwards(const struct zset_packed *p, const struct zset_cut *min,
                                       const struct zset_cut *max)
{
    struct zset_span span = {0};
    uint64_t rank = 0, run = 0;

    for (const char *at = p->first; at < p->end; at = zset_packed_next(p, at), rank++) {
        if (is_before(p, at, min))
            run = rank + 1;
        if (is_before(p, at, max))
            span = (struct zset_span){run, rank + 1};
    }
    return span;
}

/*
 * Whether the range and the elements overlap, judged by the first and the last one. It matters
 * where the order of the elements is not that of the cuts.
 */
static bool overlap(const struct zset_packed *p, const struct zset_cut *min,
                    const struct zset_cut *max)
{
    const char *last = p->first;

    for (const char *next; (next = zset_packed_next(p, last)) < p->end;)
        last = next;
    return !is_before(p, last, min) && is_before(p, p->first, max);
}

struct zset_span zset_pack_between(const struct entry *e, const struct zset_cut *min,
                                   const struct zset_cut *max, bool backwards)
{
    struct zset_packed p = zset_packed(e);

    if (p.first == p.end || (min->by == ZSET_BY_MEMBER && !overlap(&p, min, max)))
        return (struct zset_span){0};
    return backwards ? span_backwards(&p, min, max) : span_forwards(&p, min, max);
}
