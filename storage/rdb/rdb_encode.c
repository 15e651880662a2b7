/* Values as snapshots have them, see rdb_encode.h. */
#include "storage/rdb/rdb_encode.h"

#include "base/mem.h"
#include "storage/intset.h"
#include "storage/rdb/crc64.h"
#include "storage/rdb/listpack_out.h"
#include "storage/rdb/rdb_out.h"
#include "storage/string.h"
#include "storage/type_hash.h"
#include "storage/type_list.h"
#include "storage/type_set.h"
#include "storage/type_zset.h"

#include <math.h>

enum { PLAIN_FROM = 1 << 30, DOUBLE_TEXT_MAX = 64 };

static bool is_timed(const struct entry *e)
{
    return entry_has_timed_parts(e) && entry_part_time(e) != EXPIRY_NONE;
}

static enum rdb_type type_of_hash(const struct entry *e, const struct rdb_encoding *how)
{
    bool timed = how->field_times && is_timed(e);

    if (hash_is_packed(e))
        return timed ? RDB_HASH_LISTPACK_TIMES : RDB_HASH_LISTPACK;
    return timed ? RDB_HASH_TIMES : RDB_HASH;
}

enum rdb_type rdb_type_of(const struct entry *e, const struct rdb_encoding *how)
{
    switch ((enum type)e->type) {
    case TYPE_LIST:
        return RDB_LIST_QUICKLIST_2;
    case TYPE_SET:
        return set_is_intset(e) ? RDB_SET_INTSET : RDB_SET;
    case TYPE_ZSET:
        return e->form == FORM_OUTSIDE ? RDB_ZSET_2 : RDB_ZSET_LISTPACK;
    case TYPE_HASH:
        return type_of_hash(e, how);
    default:
        return RDB_STRING;
    }
}

/* ---- lists ----------------------------------------------------------------------------------- */

/* A node whose one element is too long to be packed. */
static bool put_plain(struct buf *out, const struct list_run *run, struct buf *later)
{
    struct slice text;

    if (run->count != 1 || !pack_is_text(run->at))
        return false;
    text = pack_text(run->at, NULL);
    if (text.len < PLAIN_FROM)
        return false;
    rdb_put_len(out, RDB_NODE_PLAIN);
    rdb_put_bytes(out, text, later);
    return true;
}

void rdb_put_list_run(struct buf *out, struct list_run run, struct listpack_out *lp,
                      struct buf *later)
{
    if (put_plain(out, &run, later))
        return;
    listpack_begin(lp);
    while (run.count)
        listpack_put_packed(lp, list_run_take(&run));
    rdb_put_len(out, RDB_NODE_PACKED);
    rdb_put_bytes(out, listpack_end(lp), later);
}

static void put_list(struct buf *out, const struct entry *e, struct buf *later)
{
    struct listpack_out lp = {0};
    struct list_run run;

    rdb_put_len(out, lists_is_long(e) ? lists_long(e)->ring.len : 1);
    for (run = lists_run(e, 0); run.count; list_run_next(&run))
        rdb_put_list_run(out, run, &lp, later);
    buf_release(&lp.bytes);
}

/* ---- sets ------------------------------------------------------------------------------------ */

static void put_intset(struct buf *out, const struct entry *e, struct buf *later)
{
    struct slice bytes = entry_bytes(e);
    uint32_t head[2] = {intset_width(bytes), (uint32_t)intset_count(bytes)};
    struct buf whole = {0};

    buf_append(&whole, head, sizeof(head));
    if (bytes.len)
        buf_append(&whole, bytes.ptr + 1, bytes.len - 1);
    rdb_put_bytes(out, buf_slice(&whole), later);
    buf_release(&whole);
}

static void put_member(struct buf *out, const struct set_member *m, struct buf *later)
{
    if (m->is_number)
        rdb_put_int(out, m->number);
    else
        rdb_put_bytes(out, m->text, later);
}

static void put_set(struct buf *out, const struct entry *e, struct buf *later)
{
    struct set_walk w = set_walk(e);
    struct set_member m;

    rdb_put_len(out, set_count(e));
    while (set_walk_next(&w, &m))
        put_member(out, &m, later);
}

/* ---- hashes ---------------------------------------------------------------------------------- */

static int64_t time_or_zero(int64_t time)
{
    return time == EXPIRY_NONE ? 0 : time;
}

static void put_hash_packed(struct buf *out, const struct entry *e, bool times, struct buf *later)
{
    struct hash_walk w = hash_walk(e);
    struct hash_item item;
    struct listpack_out lp = {0};

    if (times)
        rdb_put_int64(out, time_or_zero(entry_part_time(e)));
    listpack_begin(&lp);
    while (hash_walk_next(&w, &item)) {
        listpack_put(&lp, item.name);
        listpack_put(&lp, item.value);
        if (times)
            listpack_put_int(&lp, time_or_zero(item.time));
    }
    rdb_put_bytes(out, listpack_end(&lp), later);
    buf_release(&lp.bytes);
}

static void put_hash_table(struct buf *out, const struct entry *e, bool times, struct buf *later)
{
    int64_t first = times ? entry_part_time(e) : 0;
    struct hash_walk w = hash_walk(e);
    struct hash_item item;

    if (times)
        rdb_put_int64(out, first);
    rdb_put_len(out, hash_len(e));
    while (hash_walk_next(&w, &item)) {
        if (times)
            rdb_put_len(out, item.time == EXPIRY_NONE ? 0 : (uint64_t)(item.time - first + 1));
        rdb_put_string(out, item.name, later);
        rdb_put_string(out, item.value, later);
    }
}

static void put_hash(struct buf *out, const struct entry *e, const struct rdb_encoding *how)
{
    bool times = how->field_times && is_timed(e);

    if (hash_is_packed(e))
        put_hash_packed(out, e, times, how->later);
    else
        put_hash_table(out, e, times, how->later);
}

/* ---- sorted sets ----------------------------------------------------------------------------- */

static bool whole_number(double d, int64_t *n)
{
    if (!(d >= -9007199254740992.0 && d <= 9007199254740992.0) || (d == 0 && signbit(d)))
        return false;
    *n = (int64_t)d;
    return (double)*n == d;
}

static void listpack_put_double(struct listpack_out *lp, double d)
{
    char text[DOUBLE_TEXT_MAX];
    int64_t n;

    if (whole_number(d, &n))
        listpack_put_int(lp, n);
    else
        listpack_put(lp, slice_make(text, num_format_double(text, sizeof(text), d)));
}

static void put_zset_packed(struct buf *out, const struct entry *e, struct buf *later)
{
    struct listpack_out lp = {0};
    struct zset_iter it;

    zset_iter_begin(&it, e, 0, false);
    listpack_begin(&lp);
    while (zset_iter_next(&it)) {
        listpack_put(&lp, it.member);
        listpack_put_double(&lp, it.score);
    }
    rdb_put_bytes(out, listpack_end(&lp), later);
    buf_release(&lp.bytes);
}

/* The last comes first, so that who puts them into a list does so at its head. */
static void put_zset_large(struct buf *out, const struct entry *e, struct buf *later)
{
    uint64_t len = zset_len(e);
    struct zset_iter it;

    rdb_put_len(out, len);
    zset_iter_begin(&it, e, len - 1, true);
    while (zset_iter_next(&it)) {
        rdb_put_string(out, it.member, later);
        rdb_put_double(out, it.score);
    }
}

/* ---- all ------------------------------------------------------------------------------------- */

void rdb_put_value(struct buf *out, const struct entry *e, const struct rdb_encoding *how)
{
    switch (rdb_type_of(e, how)) {
    case RDB_LIST_QUICKLIST_2:
        put_list(out, e, how->later);
        break;
    case RDB_SET_INTSET:
        put_intset(out, e, how->later);
        break;
    case RDB_SET:
        put_set(out, e, how->later);
        break;
    case RDB_ZSET_LISTPACK:
        put_zset_packed(out, e, how->later);
        break;
    case RDB_ZSET_2:
        put_zset_large(out, e, how->later);
        break;
    case RDB_STRING:
        if (e->form == FORM_INT)
            rdb_put_int(out, entry_int(e));
        else
            rdb_put_string(out, entry_bytes(e), how->later);
        break;
    default:
        put_hash(out, e, how);
        break;
    }
}

void rdb_put_dump(struct buf *out, const struct entry *e, bool compress)
{
    struct buf plain = {0}, later = {0};
    const struct rdb_encoding how = {.later = compress ? &later : NULL, .field_times = true};
    enum rdb_type type = rdb_type_of(e, &how);
    bool times = type == RDB_HASH_TIMES || type == RDB_HASH_LISTPACK_TIMES;
    size_t from = out->len;
    uint64_t crc;

    rdb_put_byte(out, type);
    rdb_put_value(&plain, e, &how);
    rdb_squeeze(out, buf_slice(&plain), &later);
    rdb_put_byte(out, times ? RDB_VERSION_FIELD_TIME : RDB_VERSION);
    rdb_put_byte(out, 0);
    crc = crc64(0, out->ptr + from, out->len - from);
    buf_append(out, &crc, sizeof(crc));
    buf_release(&plain);
    buf_release(&later);
}

enum { DUMP_FOOTER = 2 + RDB_CHECKSUM_LEN };

static uint16_t dump_version(struct slice dump)
{
    uint16_t version;

    memcpy(&version, dump.ptr + dump.len - DUMP_FOOTER, sizeof(version));
    return version;
}

bool rdb_check_dump(struct slice dump, struct slice *payload)
{
    uint64_t crc;

    if (dump.len < DUMP_FOOTER)
        return false;
    memcpy(&crc, dump.ptr + dump.len - RDB_CHECKSUM_LEN, sizeof(crc));
    *payload = slice_make(dump.ptr, dump.len - DUMP_FOOTER);
    return dump_version(dump) <= RDB_VERSION_MAX &&
           crc == crc64(0, dump.ptr, dump.len - RDB_CHECKSUM_LEN);
}

bool rdb_dump_is_newer(struct slice dump)
{
    return dump_version(dump) > RDB_VERSION;
}
