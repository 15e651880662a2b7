/* Passing over values in snapshots, see rdb_decode.h. */
#include "storage/rdb/rdb_decode.h"

#include "base/compiler.h"

/* `n` times `each` strings, and `more` bytes behind every time. */
static bool skip_strings(struct rdb_in *in, unsigned each, unsigned more)
{
    uint64_t n;

    if (!rdb_get_len(in, &n))
        return false;
    while (n--) {
        for (unsigned i = 0; i < each; i++) {
            if (!rdb_skip_string(in))
                return false;
        }
        if (more && !rdb_skip_bytes(in, more))
            return false;
    }
    return true;
}

static bool skip_lens(struct rdb_in *in, unsigned n)
{
    uint64_t len;

    while (n--) {
        if (!rdb_get_len(in, &len))
            return false;
    }
    return true;
}

static bool skip_zset_of_texts(struct rdb_in *in)
{
    enum { MARKS_FROM = 253 };
    unsigned len;
    uint64_t n;

    if (!rdb_get_len(in, &n))
        return false;
    while (n--) {
        if (!rdb_skip_string(in) || !rdb_get_byte(in, &len) ||
            (len < MARKS_FROM && !rdb_skip_bytes(in, len)))
            return false;
    }
    return true;
}

static bool skip_nodes(struct rdb_in *in)
{
    uint64_t n;

    if (!rdb_get_len(in, &n))
        return false;
    while (n--) {
        if (!skip_lens(in, 1) || !rdb_skip_string(in))
            return false;
    }
    return true;
}

static bool skip_hash_times(struct rdb_in *in, bool has_first)
{
    uint64_t n;

    if ((has_first && !rdb_skip_bytes(in, sizeof(int64_t))) || !rdb_get_len(in, &n))
        return false;
    while (n--) {
        if (!skip_lens(in, 1) || !rdb_skip_string(in) || !rdb_skip_string(in))
            return false;
    }
    return true;
}

/* ---- streams and modules --------------------------------------------------------------------- */

enum { STREAM_ID = 16, STREAM_TIME = 8 };

/* What was delivered and not acknowledged. */
static bool skip_pending(struct rdb_in *in, unsigned bytes, unsigned lens)
{
    uint64_t n;

    if (!rdb_get_len(in, &n))
        return false;
    while (n--) {
        if (!rdb_skip_bytes(in, bytes) || !skip_lens(in, lens))
            return false;
    }
    return true;
}

static bool skip_group(struct rdb_in *in, unsigned type)
{
    uint64_t consumers;

    if (!rdb_skip_string(in) || !skip_lens(in, type == RDB_STREAM ? 2 : 3) ||
        !skip_pending(in, STREAM_ID + STREAM_TIME, 1) || !rdb_get_len(in, &consumers))
        return false;
    while (consumers--) {
        if (!rdb_skip_string(in) ||
            !rdb_skip_bytes(in, type == RDB_STREAM_3 ? 2 * STREAM_TIME : STREAM_TIME) ||
            !skip_pending(in, STREAM_ID, 0))
            return false;
    }
    return true;
}

static bool skip_stream(struct rdb_in *in, unsigned type)
{
    uint64_t groups;

    if (!skip_strings(in, 2, 0) || !skip_lens(in, type == RDB_STREAM ? 3 : 8) ||
        !rdb_get_len(in, &groups))
        return false;
    while (groups--) {
        if (!skip_group(in, type))
            return false;
    }
    return true;
}

bool rdb_skip_module(struct rdb_in *in)
{
    enum { END, SIGNED, UNSIGNED, FLOAT, DOUBLE, STRING };
    uint64_t what;

    if (!skip_lens(in, 1))
        return false;
    for (;;) {
        bool good;

        if (!rdb_get_len(in, &what))
            return false;
        if (what == END)
            return true;
        if (what == STRING)
            good = rdb_skip_string(in);
        else if (what == FLOAT || what == DOUBLE)
            good = rdb_skip_bytes(in, what == FLOAT ? sizeof(float) : sizeof(double));
        else if (what == SIGNED || what == UNSIGNED)
            good = skip_lens(in, 1);
        else
            good = rdb_in_fail(in, RDB_CORRUPT, "a module's value of no known kind");
        if (!good)
            return false;
    }
}

const char *rdb_unsupported(unsigned type)
{
    if (type == RDB_STREAM || type == RDB_STREAM_2 || type == RDB_STREAM_3)
        return "a stream, and there are none here";
    if (type == RDB_MODULE || type == RDB_MODULE_2)
        return "a value of a module, and there are none here";
    return NULL;
}

bool rdb_skip_value(struct rdb_in *in, unsigned type)
{
    switch (type) {
    case RDB_LIST:
    case RDB_SET:
    case RDB_LIST_QUICKLIST:
        return skip_strings(in, 1, 0);
    case RDB_HASH:
        return skip_strings(in, 2, 0);
    case RDB_ZSET_2:
        return skip_strings(in, 1, sizeof(double));
    case RDB_ZSET:
        return skip_zset_of_texts(in);
    case RDB_LIST_QUICKLIST_2:
        return skip_nodes(in);
    case RDB_HASH_TIMES_EARLY:
    case RDB_HASH_TIMES:
        return skip_hash_times(in, type == RDB_HASH_TIMES);
    case RDB_HASH_LISTPACK_TIMES:
        return rdb_skip_bytes(in, sizeof(int64_t)) && rdb_skip_string(in);
    case RDB_STREAM:
    case RDB_STREAM_2:
    case RDB_STREAM_3:
        return skip_stream(in, type);
    case RDB_MODULE_2:
        return rdb_skip_module(in);
    case RDB_MODULE:
        return rdb_in_fail(in, RDB_UNSUPPORTED, rdb_unsupported(type));
    default:
        break;
    }
    if (type < RDB_TYPES && type != 8)
        return rdb_skip_string(in);
    return rdb_in_fail(in, RDB_CORRUPT, "a value of no known type");
}
