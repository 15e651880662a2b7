/* The keys of a snapshot, see rdb_keys_in.h. */
#include "storage/rdb/rdb_keys_in.h"

#include "base/compiler.h"
#include "storage/rdb/rdb_decode.h"

#include <limits.h>
#include <stdio.h>

static void copy_buf(struct buf *to, const char *from, size_t len)
{
    to->len = 0;
    buf_append(to, from, len);
}

void rdb_state_copy(struct rdb_state *to, const struct rdb_state *from)
{
    if (to->blocks != from->blocks || to->versions.len != from->versions.len)
        copy_buf(&to->versions, from->versions.ptr, from->versions.len);
    copy_buf(&to->times, from->times.ptr, from->times.len);
    to->db = from->db;
    to->blocks = from->blocks;
    to->versions_at = from->versions_at;
    to->last_version = from->last_version;
}

void rdb_state_release(struct rdb_state *s)
{
    buf_release(&s->versions);
    buf_release(&s->times);
}

static bool starts_with(struct slice bytes, struct slice with)
{
    return bytes.len >= with.len && memcmp(bytes.ptr, with.ptr, with.len) == 0;
}

bool rdb_has_magic(struct slice bytes)
{
    return starts_with(bytes, SLICE("REDIS")) || starts_with(bytes, SLICE("VALKEY"));
}

/* As far as there are digits. */
static int version_of(const char magic[RDB_MAGIC_LEN])
{
    int version = 0;

    for (int i = 5; i < RDB_MAGIC_LEN && magic[i] >= '0' && magic[i] <= '9'; i++)
        version = version * 10 + magic[i] - '0';
    return version;
}

int rdb_read_magic(const char magic[RDB_MAGIC_LEN], char why[RDB_MAGIC_WHY])
{
    int version = version_of(magic);

    if (!rdb_has_magic(slice_make(magic, RDB_MAGIC_LEN))) {
        snprintf(why, RDB_MAGIC_WHY, "Wrong signature trying to load DB from file");
        return 0;
    }
    if (magic[0] == 'V') {
        snprintf(why, RDB_MAGIC_WHY, "Can't handle snapshots of Valkey 9 and later (%.*s)",
                 RDB_MAGIC_LEN, magic);
        return 0;
    }
    if (version < 1 || version > RDB_VERSION_MAX) {
        snprintf(why, RDB_MAGIC_WHY, "Can't handle RDB format version %d", version);
        return 0;
    }
    return version;
}

static bool select_db(struct rdb_in *in, struct rdb_state *s)
{
    uint64_t db;

    if (!rdb_get_len(in, &db))
        return false;
    if (db > INT_MAX)
        return rdb_in_fail(in, RDB_CORRUPT, "a database of an impossible number");
    s->db = (int)db;
    return true;
}

/* The name and then the value; what is ours is kept, the rest told. */
static bool get_aux(struct rdb_in *in, struct rdb_state *s, const struct rdb_notes *notes)
{
    char name[64];
    struct slice text;
    size_t len;

    if (!rdb_get_string(in, &text))
        return false;
    len = text.len < sizeof(name) ? text.len : sizeof(name);
    memcpy(name, text.ptr, len);
    if (!rdb_get_string(in, &text))
        return false;
    if (slice_eq(slice_make(name, len), SLICE(RDB_AUX_VERSIONS))) {
        copy_buf(&s->versions, text.ptr, text.len);
        s->versions_at = 0;
        s->last_version = 0;
        s->blocks++;
    } else if (slice_eq(slice_make(name, len), SLICE(RDB_AUX_TIMES))) {
        copy_buf(&s->times, text.ptr, text.len);
    } else if (notes->aux) {
        notes->aux(notes->arg, slice_make(name, len), text);
    }
    return true;
}

static bool skip_lens(struct rdb_in *in, int n)
{
    uint64_t len;

    while (n--) {
        if (!rdb_get_len(in, &len))
            return false;
    }
    return true;
}

static bool pass_over(struct rdb_in *in, const struct rdb_notes *notes, const char *what)
{
    return !notes->refuses || !notes->refuses(notes->arg, what) ||
           rdb_in_fail(in, RDB_UNSUPPORTED, what);
}

/* What is neither a key nor the end. */
static bool get_mark(struct rdb_in *in, struct rdb_state *s, const struct rdb_notes *notes,
                     unsigned mark, struct rdb_key *key)
{
    uint64_t idle;
    unsigned frequency;
    int32_t seconds;

    switch (mark) {
    case RDB_EXPIRY_MS:
        return rdb_get_int64(in, &key->expiry);
    case RDB_EXPIRY_S:
        if (!rdb_get_copy(in, (char *)&seconds, sizeof(seconds)))
            return false;
        key->expiry = (int64_t)seconds * 1000;
        return true;
    case RDB_IDLE:
        if (!rdb_get_len(in, &idle))
            return false;
        key->age.idle_s = idle < INT32_MAX ? (int64_t)idle : INT32_MAX;
        return true;
    case RDB_FREQ:
        if (!rdb_get_byte(in, &frequency))
            return false;
        key->age.frequency = (int)frequency;
        return true;
    case RDB_SELECT_DB:
        return select_db(in, s);
    case RDB_RESIZE_DB:
        return skip_lens(in, 2);
    case RDB_SLOT_INFO:
        return skip_lens(in, 3);
    case RDB_AUX:
        return get_aux(in, s, notes);
    case RDB_FUNCTION:
        return pass_over(in, notes, "functions, and there are none here") && rdb_skip_string(in);
    case RDB_MODULE_AUX:
        return pass_over(in, notes, "data of a module, and there are none here") &&
               rdb_skip_module(in);
    default:
        return rdb_in_fail(in, RDB_CORRUPT, "a mark of no known kind");
    }
}

static uint64_t take_version(struct rdb_state *s)
{
    struct slice rest;
    uint64_t n;

    if (s->versions_at >= s->versions.len)
        return 0;
    rest = slice_make(s->versions.ptr + s->versions_at, s->versions.len - s->versions_at);
    if (!rdb_take_number(&rest, &n)) {
        s->versions_at = s->versions.len;
        return 0;
    }
    s->versions_at = s->versions.len - rest.len;
    s->last_version += n & 1 ? -(n >> 1) : n >> 1;
    return s->last_version;
}

enum rdb_next rdb_next(struct rdb_in *in, struct rdb_state *s, const struct rdb_notes *notes,
                       struct rdb_key *key)
{
    *key = (struct rdb_key){.expiry = EXPIRY_NONE, .age = {-1, -1}};
    s->times.len = 0;
    for (;;) {
        if (!rdb_get_byte(in, &key->type))
            return RDB_NEXT_STOP;
        if (key->type == RDB_EOF)
            return RDB_NEXT_END;
        if (key->type < RDB_TYPES)
            break;
        if (!get_mark(in, s, notes, key->type, key))
            return RDB_NEXT_STOP;
    }
    if (!rdb_get_string(in, &key->key))
        return RDB_NEXT_STOP;
    key->version = take_version(s);
    return RDB_NEXT_KEY;
}
