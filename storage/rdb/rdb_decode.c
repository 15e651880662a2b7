/* Values from snapshots, see rdb_decode.h. */
#include "storage/rdb/rdb_decode.h"

#include "storage/intset.h"
#include "storage/rdb/packed_in.h"
#include "storage/rdb/rdb_writer.h"
#include "storage/string.h"
#include "storage/type_list.h"
#include "storage/type_set.h"
#include "storage/zset_builder.h"

#include <math.h>

/* What is being read. */
struct decoding {
    struct rdb_in *in;
    struct slice key;
    const struct rdb_limits *limits;
    bool packed;     /* it was a small collection where it was written */
    struct entry *e; /* as far as it has come, NULL for nothing yet */
};

static bool corrupt(const struct decoding *d, const char *what)
{
    return rdb_in_fail(d->in, RDB_CORRUPT, what);
}

/* How many elements follow; there is one at least. */
static bool get_count(const struct decoding *d, uint64_t *n)
{
    if (!rdb_get_len(d->in, n))
        return false;
    return *n || rdb_in_fail(d->in, RDB_EMPTY, "a collection without elements");
}

/* What a packed collection was gone over for must have been all of it, and something. */
static bool packed_was_good(const struct decoding *d, const struct packed_in *p)
{
    if (p->bad)
        return corrupt(d, "packed elements that are none");
    return d->e || rdb_in_fail(d->in, RDB_EMPTY, "a collection without elements");
}

/* ---- strings --------------------------------------------------------------------------------- */

/* Many bytes, which go where they are to stay. */
static bool get_long_string(struct decoding *d, const struct rdb_string_head *head, int64_t expiry)
{
    struct blob *b = blob_new(head->len, head->len);

    if (!rdb_get_string_body(d->in, head, b->data)) {
        blob_free(b);
        return false;
    }
    d->e = entry_new_blob(d->key, b, expiry);
    return true;
}

static bool get_string_value(struct decoding *d, int64_t expiry)
{
    enum { LONG_FROM = 64 << 10 };
    struct rdb_string_head head;
    char bytes[LONG_FROM];
    struct slice s;

    if (!rdb_in_need(d->in, 1))
        return false;
    if (LIKELY(((unsigned char)*d->in->at & RDB_OTHER) < RDB_LEN_32)) {
        if (!rdb_get_string(d->in, &s))
            return false;
        d->e = entry_new_string(d->key, s, expiry, true);
        return true;
    }
    if (!rdb_get_string_head(d->in, &head))
        return false;
    if (!head.plain && !head.packed) {
        d->e = entry_new_int(d->key, head.number, expiry);
        return true;
    }
    if (head.len > sizeof(bytes))
        return get_long_string(d, &head, expiry);
    if (!rdb_get_string_body(d->in, &head, bytes))
        return false;
    d->e = entry_new_string(d->key, slice_make(bytes, head.len), expiry, true);
    return true;
}

/* ---- lists ----------------------------------------------------------------------------------- */

enum { BATCH = 64 };

/* Elements on their way into the list. */
struct list_batch {
    struct decoding *d;
    size_t n;
    struct slice values[BATCH];
    char digits[BATCH][NUM_INT_MAX];
};

static void list_flush(struct list_batch *b)
{
    struct decoding *d = b->d;

    if (!b->n)
        return;
    if (d->e)
        lists_push(&d->e, LIST_TAIL, b->values, b->n, d->limits->list);
    else
        d->e = lists_new(d->key, LIST_TAIL, b->values, b->n, d->limits->list);
    b->n = 0;
}

static void list_push_one(struct decoding *d, struct slice value)
{
    struct list_batch b = {.d = d, .n = 1};

    b.values[0] = value;
    list_flush(&b);
}

static bool get_list_packed(struct decoding *d, enum packed_form form)
{
    struct list_batch b = {.d = d};
    struct packed_item item;
    struct packed_in p;
    struct slice bytes;

    if (!rdb_get_string(d->in, &bytes))
        return false;
    p = packed_in(form, bytes);
    while (packed_in_next(&p, &item)) {
        b.values[b.n] = packed_item_text(&item, b.digits[b.n]);
        if (++b.n == BATCH)
            list_flush(&b);
    }
    list_flush(&b);
    return packed_was_good(d, &p);
}

static bool get_list(struct decoding *d)
{
    struct slice value;
    uint64_t n;

    if (!get_count(d, &n))
        return false;
    while (n--) {
        if (!rdb_get_string(d->in, &value))
            return false;
        list_push_one(d, value);
    }
    return true;
}

static bool get_node(struct decoding *d, enum packed_form form)
{
    uint64_t kind = RDB_NODE_PACKED;
    struct slice value;

    if (form == PACKED_LISTPACK && !rdb_get_len(d->in, &kind))
        return false;
    if (kind == RDB_NODE_PACKED)
        return get_list_packed(d, form);
    if (kind != RDB_NODE_PLAIN)
        return corrupt(d, "a node of a list of no known kind");
    if (!rdb_get_string(d->in, &value))
        return false;
    list_push_one(d, value);
    return true;
}

/* Nodes may be empty, the list may not. */
static bool get_nodes(struct decoding *d, enum packed_form form)
{
    uint64_t n;

    if (!get_count(d, &n))
        return false;
    while (n--) {
        if (!get_node(d, form) && d->in->status != RDB_EMPTY)
            return false;
        if (d->in->status == RDB_EMPTY && n)
            d->in->status = RDB_OK;
    }
    if (d->e)
        d->in->status = RDB_OK;
    return d->e != NULL;
}

/* ---- sets ------------------------------------------------------------------------------------ */

static bool add_member(struct decoding *d, const struct set_member *m)
{
    if (!d->e)
        d->e = set_new(d->key, EXPIRY_NONE);
    return set_add(&d->e, m, d->limits->intset) || corrupt(d, "a set with a member twice");
}

static bool get_set(struct decoding *d)
{
    struct set_member m;
    struct slice text;
    uint64_t n;

    if (!get_count(d, &n))
        return false;
    while (n--) {
        if (!rdb_get_string(d->in, &text))
            return false;
        m = set_member(text);
        if (!add_member(d, &m))
            return false;
    }
    return true;
}

static int64_t intset_number(const char *at, uint32_t width)
{
    uint64_t n = 0;
    unsigned unused = 64 - 8 * width;

    memcpy(&n, at, width);
    return (int64_t)(n << unused) >> unused;
}

static bool get_intset(struct decoding *d)
{
    enum { HEAD = 8 };
    struct slice bytes;
    uint32_t width, count;

    if (!rdb_get_string(d->in, &bytes))
        return false;
    if (bytes.len < HEAD)
        return corrupt(d, "a set of integers that is none");
    memcpy(&width, bytes.ptr, sizeof(width));
    memcpy(&count, bytes.ptr + sizeof(width), sizeof(count));
    if ((width != 2 && width != 4 && width != 8) || bytes.len - HEAD != (uint64_t)width * count)
        return corrupt(d, "a set of integers that is none");
    if (!count)
        return rdb_in_fail(d->in, RDB_EMPTY, "a collection without elements");
    for (uint32_t i = 0; i < count; i++) {
        int64_t n = intset_number(bytes.ptr + HEAD + (size_t)i * width, width);
        struct set_member m = set_member_int(n);

        if (i && n <= intset_number(bytes.ptr + HEAD + (size_t)(i - 1) * width, width))
            return corrupt(d, "a set of integers that is not in order");
        if (!add_member(d, &m))
            return false;
    }
    return true;
}

static bool get_set_packed(struct decoding *d)
{
    struct packed_item item;
    struct packed_in p;
    struct slice bytes;

    if (!rdb_get_string(d->in, &bytes))
        return false;
    p = packed_in(PACKED_LISTPACK, bytes);
    while (packed_in_next(&p, &item)) {
        struct set_member m = item.is_number ? set_member_int(item.number) : set_member(item.text);

        if (!add_member(d, &m))
            return false;
    }
    return packed_was_good(d, &p);
}

/* ---- hashes ---------------------------------------------------------------------------------- */

/* What was packed was so by the configuration of its time: only too many elements unpack it. */
static struct hash_limits hash_limits_of(const struct decoding *d)
{
    struct hash_limits limits = d->limits->hash;

    if (d->packed)
        limits.value = SIZE_MAX;
    return limits;
}

/* `n` says how many fields come in all, 0 if that is not known. */
static bool set_field(struct decoding *d, struct slice name, struct slice value, int64_t time,
                      uint64_t n)
{
    struct hash_limits limits = hash_limits_of(d);
    uint64_t told;

    if (UNLIKELY(d->in->times.len) && rdb_take_number(&d->in->times, &told) && told)
        time = (int64_t)told;
    if (time != EXPIRY_NONE && (time < 0 || time > FIELD_TIME_MAX))
        return corrupt(d, "a field with an impossible time");
    if (!d->e && n > d->limits->hash.entries)
        d->e = entry_new_outside(d->key, TYPE_HASH, field_table_new(), EXPIRY_NONE);
    else if (!d->e)
        d->e = hash_new(d->key);
    return hash_set(&d->e, name, value, time, &limits) || corrupt(d, "a hash with a field twice");
}

/* A field's name must outlive the reading of its value. */
static bool get_field(struct decoding *d, struct buf *name, int64_t time, uint64_t n)
{
    struct slice s;

    if (!rdb_get_string(d->in, &s))
        return false;
    name->len = 0;
    buf_reserve(name, s.len + 1);
    buf_append_slice(name, s);
    return rdb_get_string(d->in, &s) && set_field(d, buf_slice(name), s, time, n);
}

static bool get_field_time(struct decoding *d, unsigned type, int64_t first, int64_t *time)
{
    uint64_t n;

    if (!rdb_get_len(d->in, &n))
        return false;
    if (n && type == RDB_HASH_TIMES)
        n += (uint64_t)first - 1;
    if (n > (uint64_t)FIELD_TIME_MAX)
        return corrupt(d, "a field with an impossible time");
    *time = n ? (int64_t)n : EXPIRY_NONE;
    return true;
}

static bool get_hash(struct decoding *d, unsigned type)
{
    int64_t first = 0, time = EXPIRY_NONE;
    struct buf name = {0};
    uint64_t n, i = 0;

    if (type == RDB_HASH_TIMES && !rdb_get_int64(d->in, &first))
        return false;
    if (!get_count(d, &n))
        return false;
    for (; i < n; i++) {
        if (type != RDB_HASH && !get_field_time(d, type, first, &time))
            break;
        if (!get_field(d, &name, time, n))
            break;
    }
    buf_release(&name);
    return i == n;
}

static bool hash_item_time(struct decoding *d, const struct packed_item *item, int64_t *time)
{
    if (!item->is_number)
        return corrupt(d, "a field whose time is no number");
    *time = item->number ? item->number : EXPIRY_NONE;
    return true;
}

static bool get_hash_packed(struct decoding *d, enum packed_form form, bool times)
{
    struct packed_item name, value, time;
    struct packed_in p;
    struct slice bytes;

    if (!rdb_get_string(d->in, &bytes))
        return false;
    p = packed_in(form, bytes);
    d->packed = form != PACKED_ZIPMAP;
    while (packed_in_next(&p, &name)) {
        char name_digits[NUM_INT_MAX], value_digits[NUM_INT_MAX];
        int64_t at = EXPIRY_NONE;

        if (!packed_in_next(&p, &value) || (times && !packed_in_next(&p, &time)))
            return corrupt(d, "a hash with a field that has no value");
        if (times && !hash_item_time(d, &time, &at))
            return false;
        if (!set_field(d, packed_item_text(&name, name_digits),
                       packed_item_text(&value, value_digits), at, 0))
            return false;
    }
    return packed_was_good(d, &p);
}

static bool get_hash_packed_times(struct decoding *d, unsigned type)
{
    int64_t first;

    if (type == RDB_HASH_LISTPACK_TIMES && !rdb_get_int64(d->in, &first))
        return false;
    return get_hash_packed(d, PACKED_LISTPACK, true);
}

/* ---- sorted sets ----------------------------------------------------------------------------- */

static bool add_scored(const struct decoding *d, struct zset_builder *b, struct slice member,
                       double score)
{
    bool fresh;

    if (isnan(score))
        return corrupt(d, "a sorted set with a score that is no number");
    zset_builder_find(b, member, score, &fresh);
    return fresh || corrupt(d, "a sorted set with a member twice");
}

/* A score as text, or a mark for what is none. */
static bool get_score_text(const struct decoding *d, double *score)
{
    enum { NAN_MARK = 253, INFINITE, MINUS_INFINITE };
    const char *text;
    unsigned len;

    if (!rdb_get_byte(d->in, &len))
        return false;
    if (len >= NAN_MARK) {
        *score = len == NAN_MARK ? (double)NAN : len == INFINITE ? HUGE_VAL : -HUGE_VAL;
        return true;
    }
    if (!rdb_get_bytes(d->in, len, &text))
        return false;
    return num_parse_double(slice_make(text, len), score) || corrupt(d, "a score that is none");
}

static bool get_scored(const struct decoding *d, unsigned type, struct zset_builder *b,
                       struct buf *member)
{
    struct slice s;
    double score;

    if (!rdb_get_string(d->in, &s))
        return false;
    member->len = 0;
    buf_reserve(member, s.len + 1);
    buf_append_slice(member, s);
    if (!(type == RDB_ZSET_2 ? rdb_get_double(d->in, &score) : get_score_text(d, &score)))
        return false;
    return add_scored(d, b, buf_slice(member), score);
}

static bool get_zset_items(const struct decoding *d, unsigned type, struct zset_builder *b)
{
    struct buf member = {0};
    uint64_t n, i = 0;

    if (!get_count(d, &n))
        return false;
    while (i < n && get_scored(d, type, b, &member))
        i++;
    buf_release(&member);
    return i == n;
}

static bool packed_score(const struct decoding *d, const struct packed_item *item, double *score)
{
    *score = (double)item->number;
    return item->is_number || num_parse_double(item->text, score) ||
           corrupt(d, "a score that is none");
}

static bool get_zset_packed(const struct decoding *d, enum packed_form form, struct zset_builder *b)
{
    struct packed_item member, score;
    struct packed_in p;
    struct slice bytes;

    if (!rdb_get_string(d->in, &bytes))
        return false;
    p = packed_in(form, bytes);
    while (packed_in_next(&p, &member)) {
        char digits[NUM_INT_MAX];
        double value;

        if (!packed_in_next(&p, &score))
            return corrupt(d, "a sorted set with a member that has no score");
        if (!packed_score(d, &score, &value) ||
            !add_scored(d, b, packed_item_text(&member, digits), value))
            return false;
    }
    if (p.bad)
        return corrupt(d, "packed elements that are none");
    return b->n || rdb_in_fail(d->in, RDB_EMPTY, "a collection without elements");
}

static bool get_zset(struct decoding *d, unsigned type)
{
    struct zset_limits limits = d->limits->zset;
    struct zset_builder b = {0};
    bool good;

    d->packed = type == RDB_ZSET_ZIPLIST || type == RDB_ZSET_LISTPACK;
    if (d->packed)
        limits.member_len = INT64_MAX;
    if (d->packed)
        good = get_zset_packed(d, type == RDB_ZSET_ZIPLIST ? PACKED_ZIPLIST : PACKED_LISTPACK, &b);
    else
        good = get_zset_items(d, type, &b);
    if (good)
        d->e = zset_builder_take(&b, d->key, &limits);
    else
        zset_builder_release(&b);
    return good;
}

/* ---- all ------------------------------------------------------------------------------------- */

static bool get_collection(struct decoding *d, unsigned type)
{
    switch (type) {
    case RDB_LIST:
        return get_list(d);
    case RDB_LIST_ZIPLIST:
        return get_list_packed(d, PACKED_ZIPLIST);
    case RDB_LIST_QUICKLIST:
        return get_nodes(d, PACKED_ZIPLIST);
    case RDB_LIST_QUICKLIST_2:
        return get_nodes(d, PACKED_LISTPACK);
    case RDB_SET:
        return get_set(d);
    case RDB_SET_INTSET:
        return get_intset(d);
    case RDB_SET_LISTPACK:
        return get_set_packed(d);
    case RDB_HASH:
    case RDB_HASH_TIMES_EARLY:
    case RDB_HASH_TIMES:
        return get_hash(d, type);
    case RDB_HASH_ZIPMAP:
        return get_hash_packed(d, PACKED_ZIPMAP, false);
    case RDB_HASH_ZIPLIST:
        return get_hash_packed(d, PACKED_ZIPLIST, false);
    case RDB_HASH_LISTPACK:
        return get_hash_packed(d, PACKED_LISTPACK, false);
    case RDB_HASH_LISTPACK_TIMES_EARLY:
    case RDB_HASH_LISTPACK_TIMES:
        return get_hash_packed_times(d, type);
    case RDB_ZSET:
    case RDB_ZSET_2:
    case RDB_ZSET_ZIPLIST:
    case RDB_ZSET_LISTPACK:
        return get_zset(d, type);
    default:
        return rdb_in_fail(d->in, rdb_unsupported(type) ? RDB_UNSUPPORTED : RDB_CORRUPT,
                           rdb_unsupported(type) ? rdb_unsupported(type)
                                                 : "a value of no known type");
    }
}

struct entry *rdb_get_value(struct rdb_in *in, unsigned type, struct slice key, int64_t expiry,
                            const struct rdb_limits *limits)
{
    struct decoding d = {.in = in, .key = key, .limits = limits};

    if (LIKELY(type == RDB_STRING))
        return get_string_value(&d, expiry) ? d.e : NULL;
    if (!get_collection(&d, type)) {
        if (d.e)
            entry_free(d.e);
        return NULL;
    }
    return expiry == EXPIRY_NONE ? d.e : entry_set_expiry(d.e, expiry);
}
