/*
 * Commands on strings as a whole and on parts of them. What SET can do beside is in string_set.c.
 */
#include "server/range.h"
#include "server/reply.h"

/* GET key */
void cmd_get(struct call *c)
{
    struct entry *e;

    if (call_find(c, 1, TYPE_STRING, &e))
        reply_string(c, e);
}

/* GETSET key value */
void cmd_getset(struct call *c)
{
    struct entry *e;

    if (!call_find(c, 1, TYPE_STRING, &e))
        return;
    reply_string(c, e);
    call_set_string(c, 1, 2, EXPIRY_NONE);
    call_changed(c, 1, EVENT_SET);
}

/* GETDEL key */
void cmd_getdel(struct call *c)
{
    struct entry *e;

    if (!call_find(c, 1, TYPE_STRING, &e))
        return;
    reply_string(c, e);
    if (e && call_delete(c, 1)) {
        call_removed(c, 1, EVENT_DEL);
        CALL_LOG(c, SLICE("DEL"), call_arg(c, 1));
    }
}

/* STRLEN key */
void cmd_strlen(struct call *c)
{
    struct entry *e;

    if (call_find(c, 1, TYPE_STRING, &e))
        reply_int(c, e ? (int64_t)string_len(e) : 0);
}

/* ---- several keys --------------------------------------------------------------------------- */

/* MGET key [key ...]: null for what is no string, too. */
void cmd_mget(struct call *c)
{
    struct entry *e;

    reply_array(c, c->argc - 1);
    for (int i = 1; i < c->argc; i++) {
        call_find(c, i, TYPE_ANY, &e);
        reply_string(c, e && e->type == TYPE_STRING ? e : NULL);
    }
}

static bool pairs_are_whole(struct call *c)
{
    if (LIKELY(c->argc % 2))
        return true;
    reply_error(c, "ERR wrong number of arguments for '%s' command", c->cmd->full_name);
    return false;
}

static void set_pairs(struct call *c)
{
    for (int i = 1; i < c->argc; i += 2) {
        call_set_string(c, i, i + 1, EXPIRY_NONE);
        call_changed(c, i, EVENT_SET);
    }
}

/* MSET key value [key value ...] */
void cmd_mset(struct call *c)
{
    if (!pairs_are_whole(c))
        return;
    set_pairs(c);
    reply_ok(c);
}

/* MSETNX key value [key value ...] */
void cmd_msetnx(struct call *c)
{
    struct entry *e = NULL;

    if (!pairs_are_whole(c))
        return;
    for (int i = 1; i < c->argc && !e; i += 2)
        call_find_write(c, i, TYPE_ANY, &e);
    if (!e)
        set_pairs(c);
    reply_int(c, !e);
}

/* ---- parts ---------------------------------------------------------------------------------- */

/* APPEND key value */
void cmd_append(struct call *c)
{
    struct slice tail = call_arg(c, 2);
    struct entry *e;
    size_t len = 0;

    if (!call_find_write(c, 1, TYPE_STRING, &e))
        return;
    if (e) {
        len = string_len(e);
        if (!call_fits(c, len, tail.len))
            return;
        memcpy(call_edit_string(c, 1, len + tail.len, len, tail.len) + len, tail.ptr, tail.len);
    } else {
        call_set_string(c, 1, 2, EXPIRY_NONE);
    }
    call_changed(c, 1, EVENT_APPEND);
    reply_int(c, (int64_t)(len + tail.len));
}

/* SETRANGE key offset value */
void cmd_setrange(struct call *c)
{
    struct slice part = call_arg(c, 3);
    struct entry *e;
    int64_t offset;
    size_t len, end;

    if (!call_int(c, 2, &offset))
        return;
    if (offset < 0) {
        reply_error(c, "ERR offset is out of range");
        return;
    }
    if (!call_find_write(c, 1, TYPE_STRING, &e))
        return;
    len = e ? string_len(e) : 0;
    if (part.len) {
        if (!call_fits(c, (uint64_t)offset, part.len))
            return;
        end = (size_t)offset + part.len;
        len = len < end ? end : len;
        memcpy(call_edit_string(c, 1, len, (size_t)offset, part.len) + offset, part.ptr, part.len);
        call_changed(c, 1, EVENT_SETRANGE);
    }
    reply_int(c, (int64_t)len);
}

/* GETRANGE key start end, and SUBSTR */
void cmd_getrange(struct call *c)
{
    char digits[NUM_INT_MAX];
    struct slice s = SLICE("");
    struct range r;
    struct entry *e;

    if (!call_int(c, 2, &r.start) || !call_int(c, 3, &r.end) || !call_find(c, 1, TYPE_STRING, &e))
        return;
    if (e)
        s = call_string(e, digits);
    if (range_is_backwards(r) || !range_clamp(&r, (int64_t)s.len))
        reply_cstr(c, "");
    else
        reply_bulk(c, slice_make(s.ptr + r.start, (size_t)(r.end - r.start + 1)));
}
