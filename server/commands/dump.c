/* DUMP and RESTORE: values as bytes, in the format of snapshots. */
#include "server/access.h"
#include "server/rdb_limits.h"
#include "server/reply.h"
#include "storage/rdb/rdb_encode.h"

/* DUMP key */
void cmd_dump(struct call *c)
{
    struct buf out = {0};
    struct entry *e;

    call_find(c, 1, TYPE_ANY, &e);
    if (!e) {
        reply_null(c);
        return;
    }
    rdb_put_dump(&out, e, c->conf->rdbcompression);
    reply_bulk(c, buf_slice(&out));
    buf_release(&out);
}

/* ---- RESTORE -------------------------------------------------------------------------------- */

struct restore {
    bool replace, absolute;
    int64_t idle_s, frequency; /* -1 where it was not given */
    int64_t ttl;
};

static bool restore_options(struct call *c, struct restore *r)
{
    *r = (struct restore){.idle_s = -1, .frequency = -1};
    for (int i = 4; i < c->argc; i++) {
        bool more = i + 1 < c->argc;

        if (call_arg_is(c, i, "replace")) {
            r->replace = true;
        } else if (call_arg_is(c, i, "absttl")) {
            r->absolute = true;
        } else if (call_arg_is(c, i, "idletime") && more && r->frequency == -1) {
            if (!call_int(c, ++i, &r->idle_s))
                return false;
            if (r->idle_s < 0) {
                reply_error(c, "ERR Invalid IDLETIME value, must be >= 0");
                return false;
            }
        } else if (call_arg_is(c, i, "freq") && more && r->idle_s == -1) {
            if (!call_int(c, ++i, &r->frequency))
                return false;
            if (r->frequency < 0 || r->frequency > UINT8_MAX) {
                reply_error(c, "ERR Invalid FREQ value, must be >= 0 and <= 255");
                return false;
            }
        } else {
            return call_syntax_error(c);
        }
    }
    return true;
}

/* False, and answered, if the key is there and to stay, or the time is none. */
static bool may_restore(struct call *c, struct restore *r)
{
    struct entry *there;

    call_find_write(c, 1, TYPE_ANY, &there);
    if (there && !r->replace) {
        reply_error(c, "BUSYKEY Target key name already exists.");
        return false;
    }
    if (!call_int(c, 2, &r->ttl))
        return false;
    if (r->ttl < 0) {
        reply_error(c, "ERR Invalid TTL value, must be >= 0");
        return false;
    }
    if (r->ttl && !r->absolute && __builtin_add_overflow(r->ttl, c->now_ms, &r->ttl))
        r->ttl = EXPIRY_NONE - 1;
    return true;
}

/* NULL, and answered, if the bytes are no value. */
static struct entry *value_of(struct call *c, int64_t expiry)
{
    const struct rdb_limits limits = rdb_limits_of(c->conf);
    struct slice payload;
    struct entry *e = NULL;
    struct rdb_in in;
    unsigned type;

    if (!rdb_check_dump(call_arg(c, 3), &payload)) {
        reply_error(c, "ERR DUMP payload version or checksum are wrong");
        return NULL;
    }
    in = rdb_in_bytes(payload);
    if (rdb_get_byte(&in, &type))
        e = rdb_get_value(&in, type, call_arg(c, 1), expiry, &limits);
    if (!e && in.status == RDB_UNSUPPORTED)
        reply_error(c, "ERR Bad data format: %s", in.what);
    else if (!e)
        reply_error(c, "ERR Bad data format");
    rdb_in_release(&in);
    return e;
}

/* With its end by the calendar; what Redis 7.0 cannot restore as the requests that make it. */
static void log_restored(struct call *c, const struct entry *e, int64_t end, bool was_there)
{
    char digits[NUM_INT_MAX];

    if (LIKELY(!call_logs(c)))
        return;
    if (!rdb_dump_is_newer(call_arg(c, 3))) {
        CALL_LOG(c, SLICE("RESTORE"), call_arg(c, 1),
                 slice_make(digits, num_format_int(digits, end)), call_arg(c, 3), SLICE("REPLACE"),
                 SLICE("ABSTTL"));
        return;
    }
    if (was_there)
        CALL_LOG(c, SLICE("DEL"), call_arg(c, 1));
    call_log_entry(c, e);
}

/* RESTORE key ttl serialized-value [REPLACE] [ABSTTL] [IDLETIME seconds] [FREQ frequency] */
void cmd_restore(struct call *c)
{
    struct restore r;
    struct entry *e;
    bool was_there;

    if (!restore_options(c, &r) || !may_restore(c, &r))
        return;
    e = value_of(c, r.ttl ? r.ttl : EXPIRY_NONE);
    if (!e)
        return;
    was_there = call_delete(c, 1);
    if (entry_expired(e, c->now_ms)) {
        entry_free(e);
        if (was_there) {
            call_removed(c, 1, EVENT_DEL);
            CALL_LOG(c, SLICE("DEL"), call_arg(c, 1));
        }
    } else {
        call_put(c, 1, e);
        access_set(c->conf, c->now_ms, call_access(c, 1, c->db, e), r.idle_s, r.frequency);
        call_changed(c, 1, EVENT_RESTORE);
        log_restored(c, e, r.ttl, was_there);
    }
    reply_ok(c);
}
