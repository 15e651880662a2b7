/* Small sorted sets, see zset_pack.h. */
#include "storage/zset_pack.h"

#include "base/mem.h"

/* Zero has no sign here. */
static struct pack_value pack_score(double score)
{
    return pack_value_double(score == 0 ? 0 : score);
}

uint64_t zset_pack_len(const struct entry *e)
{
    return LIKELY(e->few < FEW_MAX) ? e->few : pack_count(entry_bytes(e)) / 2;
}

void zset_pack_seek(const struct entry *e, struct zset_spot *spot)
{
    struct slice bytes = entry_bytes(e);
    const char *at;

    spot->value = pack_value(spot->member);
    at = pack_find(bytes, &spot->value, 2);
    spot->found = at;
    if (!at)
        return;
    spot->at = (size_t)(at - bytes.ptr);
    spot->score = zset_pack_score(at);
}

uint64_t zset_pack_rank(const struct entry *e, const struct zset_spot *spot)
{
    struct slice bytes = entry_bytes(e);

    return pack_count(slice_make(bytes.ptr, spot->at)) / 2;
}

/* Whether the element there comes behind this score and member. */
static bool is_behind(const char *at, double score, struct slice member)
{
    double here = zset_pack_score(at);
    char digits[NUM_INT_MAX];

    if (here != score)
        return here > score;
    return slice_cmp(pack_text(at, digits), member) > 0;
}

/* The first pair behind this score and member, the end if there is none; `skip` is none of them. */
static const char *place_of(struct slice bytes, double score, struct slice member, const char *skip)
{
    const char *at = bytes.ptr, *end = pack_end(bytes);

    while (at < end && (at == skip || !is_behind(at, score, member)))
        at = zset_pack_next(at);
    return at;
}

static struct entry *insert_at(struct entry *e, size_t at, const struct pack_value *member,
                               double score)
{
    struct pack_value number = pack_score(score);
    char *value;

    e = entry_splice(e, at, 0, pack_value_size(member) + pack_value_size(&number), &value);
    pack_write(pack_write(value + at, member), &number);
    if (e->few < FEW_MAX)
        e->few++;
    return e;
}

struct entry *zset_pack_insert(struct entry *e, const struct zset_spot *spot, double score)
{
    struct slice bytes = entry_bytes(e);
    const char *at = place_of(bytes, score, spot->member, NULL);

    return insert_at(e, (size_t)(at - bytes.ptr), &spot->value, score);
}

struct entry *zset_pack_append(struct entry *e, struct slice member, double score)
{
    struct pack_value v = pack_value(member);

    return insert_at(e, entry_bytes(e).len, &v, score);
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
    struct slice bytes = entry_bytes(e);
    struct pack_value number = pack_score(score);
    size_t member_len = pack_value_size(&spot->value), number_len = pack_value_size(&number);
    size_t old_len = pack_size(bytes.ptr + spot->at + member_len);
    size_t to = (size_t)(place_of(bytes, score, spot->member, bytes.ptr + spot->at) - bytes.ptr);
    char *value;

    e = entry_splice(e, spot->at + member_len, old_len, number_len, &value);
    pack_write(value + spot->at + member_len, &number);
    if (to > spot->at)
        to += number_len - old_len;
    move_bytes(value, spot->at, member_len + number_len, to);
    return e;
}

/* Takes out the bytes between, which are this many pairs. */
static struct entry *cut_out(struct entry *e, const char *from, const char *to, uint64_t pairs)
{
    uint64_t len = zset_pack_len(e);
    char *value;

    e = entry_splice(e, (size_t)(from - entry_bytes(e).ptr), (size_t)(to - from), 0, &value);
    e->few = len - pairs < FEW_MAX ? (uint8_t)(len - pairs) : FEW_MAX;
    return e;
}

struct entry *zset_pack_remove(struct entry *e, size_t at)
{
    const char *pair = entry_bytes(e).ptr + at;

    return cut_out(e, pair, zset_pack_next(pair), 1);
}

struct entry *zset_pack_remove_span(struct entry *e, struct zset_span span)
{
    const char *from = pack_at(entry_bytes(e), span.from * 2), *to = from;

    for (uint64_t i = span.from; i < span.to; i++)
        to = zset_pack_next(to);
    return cut_out(e, from, to, span.to - span.from);
}

/* ---- ranges ---------------------------------------------------------------------------------- */

static bool is_before(const char *at, const struct zset_cut *cut)
{
    char digits[NUM_INT_MAX];

    return cut->by == ZSET_BY_SCORE ? zset_score_is_before(zset_pack_score(at), cut)
                                    : zset_member_is_before(pack_text(at, digits), cut);
}

/* From the first that is not before `min` for as long as they are before `max`. */
static struct zset_span span_forwards(struct slice bytes, const struct zset_cut *min,
                                      const struct zset_cut *max)
{
    const char *at = bytes.ptr, *end = pack_end(bytes);
    struct zset_span span = {0};

    for (; at < end && is_before(at, min); at = zset_pack_next(at))
        span.from++;
    span.to = span.from;
    for (; at < end && is_before(at, max); at = zset_pack_next(at))
        span.to++;
    return span;
}

/* From the last that is before `max` back for as long as they are not before `min`. */
static struct zset_span span_backwards(struct slice bytes, const struct zset_cut *min,
                                       const struct zset_cut *max)
{
    const char *end = pack_end(bytes);
    struct zset_span span = {0};
    uint64_t rank = 0, run = 0;

    for (const char *at = bytes.ptr; at < end; at = zset_pack_next(at), rank++) {
        if (is_before(at, min))
            run = rank + 1;
        if (is_before(at, max))
            span = (struct zset_span){run, rank + 1};
    }
    return span;
}

/*
 * Whether the range and the elements overlap, judged by the first and the last one. It matters
 * where the order of the elements is not that of the cuts.
 */
static bool overlap(struct slice bytes, const struct zset_cut *min, const struct zset_cut *max)
{
    const char *end = pack_end(bytes), *last = bytes.ptr;

    for (const char *next; (next = zset_pack_next(last)) < end;)
        last = next;
    return !is_before(last, min) && is_before(bytes.ptr, max);
}

struct zset_span zset_pack_between(struct slice bytes, const struct zset_cut *min,
                                   const struct zset_cut *max, bool backwards)
{
    if (!bytes.len || (min->by == ZSET_BY_MEMBER && !overlap(bytes, min, max)))
        return (struct zset_span){0};
    return backwards ? span_backwards(bytes, min, max) : span_forwards(bytes, min, max);
}
