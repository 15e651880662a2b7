/* Hashes: setting, asking for and removing fields. Times of fields: hash_ttl.c. */
#include "server/commands/hashes.h"

#include <math.h>

/* ---- setting -------------------------------------------------------------------------------- */

bool hash_edit_find(struct call *c, struct hash_edit *h)
{
    h->fresh = false;
    if (!call_find_write(c, 1, TYPE_HASH, &h->e))
        return false;
    if (h->e)
        h->was = entry_times(h->e);
    return true;
}

bool hash_edit_make(struct call *c, struct hash_edit *h)
{
    if (!hash_edit_find(c, h))
        return false;
    h->fresh = !h->e;
    if (h->fresh)
        h->e = hash_new(call_arg(c, 1));
    return true;
}

void hash_edit_done(struct call *c, struct hash_edit *h)
{
    if (h->fresh)
        call_put(c, 1, h->e);
    else if (UNLIKELY(h->was.part != EXPIRY_NONE || entry_has_timed_parts(h->e)))
        call_retimed(c, 1, h->was, h->e);
    else
        call_moved(c, 1, h->e);
}

void hash_edit_undo(struct hash_edit *h)
{
    if (h->fresh)
        entry_free(h->e);
}

void hash_edit_removed(struct call *c, struct hash_edit *h, enum key_event event)
{
    DEBUG_ASSERT(h->e);
    hash_edit_done(c, h);
    call_changed(c, 1, event);
    if (hash_is_empty(h->e))
        call_emptied(c, 1);
}

/* The pairs from argument 2 on; false, and answered, if they are none. */
static bool set_pairs(struct call *c, int64_t *added)
{
    const struct hash_limits limits = hash_limits(c);
    struct hash_edit h;

    if (c->argc % 2) {
        reply_error(c, "ERR wrong number of arguments for '%s' command", c->cmd->full_name);
        return false;
    }
    if (!hash_edit_make(c, &h))
        return false;
    *added = 0;
    for (int i = 2; i < c->argc; i += 2) {
        *added += hash_set(&h.e, call_arg(c, i), call_arg(c, i + 1), EXPIRY_NONE, &limits);
        call_touched(c, 1, call_arg(c, i));
    }
    hash_edit_done(c, &h);
    call_changed(c, 1, EVENT_HSET);
    return true;
}

/* HSET key field value [field value ...] */
void cmd_hset(struct call *c)
{
    int64_t added;

    if (set_pairs(c, &added))
        reply_int(c, added);
}

/* HMSET key field value [field value ...] */
void cmd_hmset(struct call *c)
{
    int64_t added;

    if (set_pairs(c, &added))
        reply_ok(c);
}

/* HSETNX key field value */
void cmd_hsetnx(struct call *c)
{
    const struct hash_limits limits = hash_limits(c);
    struct slice value;
    char digits[NUM_INT_MAX];
    struct hash_edit h;

    if (!hash_edit_make(c, &h))
        return;
    if (hash_get(h.e, call_arg(c, 2), digits, &value)) {
        reply_int(c, 0);
        return;
    }
    hash_set(&h.e, call_arg(c, 2), call_arg(c, 3), EXPIRY_NONE, &limits);
    hash_edit_done(c, &h);
    call_touched(c, 1, call_arg(c, 2));
    call_changed(c, 1, EVENT_HSET);
    reply_int(c, 1);
}

/* ---- counting ------------------------------------------------------------------------------- */

/* A field that is not there is 0, and is made. */
static void set_number(struct call *c, struct hash_edit *h, struct slice text, enum key_event event)
{
    const struct hash_limits limits = hash_limits(c);

    hash_set(&h->e, call_arg(c, 2), text, FIELD_TIME_KEEP, &limits);
    hash_edit_done(c, h);
    call_touched(c, 1, call_arg(c, 2));
    call_changed(c, 1, event);
}

/* HINCRBY key field increment */
void cmd_hincrby(struct call *c)
{
    char digits[NUM_INT_MAX];
    int64_t by, value = 0;
    struct slice text;
    struct hash_edit h;

    if (!call_int(c, 3, &by) || !hash_edit_make(c, &h))
        return;
    if (hash_get(h.e, call_arg(c, 2), digits, &text) && !num_parse_int(text, &value)) {
        reply_error(c, "ERR hash value is not an integer");
    } else if (__builtin_add_overflow(value, by, &value)) {
        reply_error(c, "ERR increment or decrement would overflow");
    } else {
        text = slice_make(digits, num_format_int(digits, value));
        set_number(c, &h, text, EVENT_HINCRBY);
        reply_int(c, value);
        return;
    }
    hash_edit_undo(&h);
}

static bool read_increment(struct call *c, long double *by)
{
    if (!num_parse_long_double(call_arg(c, 3), by)) {
        reply_error(c, "ERR value is not a valid float");
        return false;
    }
    if (isinf(*by)) {
        reply_error(c, "ERR value is NaN or Infinity");
        return false;
    }
    return true;
}

/* HINCRBYFLOAT key field increment */
void cmd_hincrbyfloat(struct call *c)
{
    char digits[NUM_INT_MAX], sum[NUM_DOUBLE_MAX];
    long double by, value = 0;
    struct slice text;
    struct hash_edit h;

    if (!read_increment(c, &by) || !hash_edit_make(c, &h))
        return;
    if (hash_get(h.e, call_arg(c, 2), digits, &text) && !num_parse_long_double(text, &value)) {
        reply_error(c, "ERR hash value is not a float");
    } else if (value += by, isnan(value) || isinf(value)) {
        reply_error(c, "ERR increment would produce NaN or Infinity");
    } else {
        text = slice_make(sum, num_format_long_double(sum, sizeof(sum), value));
        set_number(c, &h, text, EVENT_HINCRBYFLOAT);
        hash_log_set(c, &h, 2, text);
        reply_bulk(c, text);
        return;
    }
    hash_edit_undo(&h);
}

/* ---- for the log ----------------------------------------------------------------------------- */

void hash_log_time(struct call *c, struct slice name, int64_t time)
{
    char digits[NUM_INT_MAX];

    if (LIKELY(!call_logs(c)))
        return;
    if (time == EXPIRY_NONE)
        CALL_LOG_NOTE(c, SLICE("HPERSIST"), call_arg(c, 1), SLICE("FIELDS"), SLICE("1"), name);
    else
        CALL_LOG_NOTE(c, SLICE("HPEXPIREAT"), call_arg(c, 1),
                      slice_make(digits, num_format_int(digits, time)), SLICE("FIELDS"), SLICE("1"),
                      name);
}

void hash_log_set(struct call *c, const struct hash_edit *h, int i, struct slice value)
{
    int64_t time;

    if (LIKELY(!call_logs(c)))
        return;
    CALL_LOG(c, SLICE("HSET"), call_arg(c, 1), call_arg(c, i), value);
    if (hash_time(h->e, call_arg(c, i), &time) && time != EXPIRY_NONE)
        hash_log_time(c, call_arg(c, i), time);
}

/* ---- removing ------------------------------------------------------------------------------- */

/* HDEL key field [field ...] */
void cmd_hdel(struct call *c)
{
    struct hash_edit h;
    int64_t gone = 0;

    if (!hash_edit_find(c, &h))
        return;
    for (int i = 2; h.e && i < c->argc && !hash_is_empty(h.e); i++) {
        if (!hash_remove(&h.e, call_arg(c, i)))
            continue;
        call_touched(c, 1, call_arg(c, i));
        gone++;
    }
    if (gone)
        hash_edit_removed(c, &h, EVENT_HDEL);
    reply_int(c, gone);
}

/* ---- asking for a field --------------------------------------------------------------------- */

void hash_reply_value(struct call *c, const struct entry *e, struct slice name)
{
    char digits[NUM_INT_MAX];
    struct slice value;

    if (e && hash_get(e, name, digits, &value))
        reply_bulk(c, value);
    else
        reply_null(c);
}

/* HGET key field */
void cmd_hget(struct call *c)
{
    struct entry *e;

    if (call_find(c, 1, TYPE_HASH, &e))
        hash_reply_value(c, e, call_arg(c, 2));
}

/* HMGET key field [field ...] */
void cmd_hmget(struct call *c)
{
    struct entry *e;

    if (!call_find(c, 1, TYPE_HASH, &e))
        return;
    reply_array(c, c->argc - 2);
    for (int i = 2; i < c->argc; i++)
        hash_reply_value(c, e, call_arg(c, i));
}

/* HEXISTS key field */
void cmd_hexists(struct call *c)
{
    char digits[NUM_INT_MAX];
    struct slice value;
    struct entry *e;

    if (call_find(c, 1, TYPE_HASH, &e))
        reply_int(c, e && hash_get(e, call_arg(c, 2), digits, &value));
}

/* HSTRLEN key field */
void cmd_hstrlen(struct call *c)
{
    char digits[NUM_INT_MAX];
    struct slice value = {0};
    struct entry *e;

    if (!call_find(c, 1, TYPE_HASH, &e))
        return;
    if (e)
        hash_get(e, call_arg(c, 2), digits, &value);
    reply_int(c, (int64_t)value.len);
}

/* HLEN key */
void cmd_hlen(struct call *c)
{
    struct entry *e;

    if (call_find(c, 1, TYPE_HASH, &e))
        reply_int(c, e ? (int64_t)hash_len(e) : 0);
}

/* ---- asking for all ------------------------------------------------------------------------- */

/* HGETALL key */
void cmd_hgetall(struct call *c)
{
    struct hash_item item;
    struct hash_walk w;
    struct entry *e;

    if (!call_find(c, 1, TYPE_HASH, &e))
        return;
    reply_map(c, e ? (int64_t)hash_len(e) : 0);
    if (!e)
        return;
    w = hash_walk(e);
    while (hash_walk_next(&w, &item)) {
        reply_bulk(c, item.name);
        reply_bulk(c, item.value);
    }
}

static void reply_all(struct call *c, bool values)
{
    struct hash_item item;
    struct hash_walk w;
    struct entry *e;

    if (!call_find(c, 1, TYPE_HASH, &e))
        return;
    reply_array(c, e ? (int64_t)hash_len(e) : 0);
    if (!e)
        return;
    w = hash_walk(e);
    while (hash_walk_next(&w, &item))
        reply_bulk(c, values ? item.value : item.name);
}

/* HKEYS key */
void cmd_hkeys(struct call *c)
{
    reply_all(c, false);
}

/* HVALS key */
void cmd_hvals(struct call *c)
{
    reply_all(c, true);
}
