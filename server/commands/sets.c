/* Sets, member by member: adding, removing, asking, moving. */
#include "server/commands/sets.h"
#include "server/scan_args.h"

/* ---- changing ------------------------------------------------------------------------------- */

/* SADD key member [member ...] */
void cmd_sadd(struct call *c)
{
    struct entry *e;
    int64_t added = 0;
    bool fresh;

    if (!call_find_write(c, 1, TYPE_SET, &e))
        return;
    fresh = !e;
    if (fresh)
        e = set_new(call_arg(c, 1), EXPIRY_NONE);
    for (int i = 2; i < c->argc; i++) {
        struct set_member m = set_member(call_arg(c, i));

        if (!set_add(&e, &m, intset_max(c)))
            continue;
        touch_member(c, 1, &m);
        added++;
    }
    if (fresh)
        call_put(c, 1, e);
    else
        call_moved(c, 1, e);
    if (added)
        call_changed(c, 1, EVENT_SADD);
    reply_int(c, added);
}

/* SREM key member [member ...] */
void cmd_srem(struct call *c)
{
    struct entry *e;
    int64_t removed = 0;

    if (!call_find_write(c, 1, TYPE_SET, &e))
        return;
    for (int i = 2; e && i < c->argc && set_count(e); i++) {
        struct set_member m = set_member(call_arg(c, i));

        if (!set_remove(&e, &m))
            continue;
        touch_member(c, 1, &m);
        removed++;
    }
    if (removed) {
        call_moved(c, 1, e);
        call_changed(c, 1, EVENT_SREM);
        if (!set_count(e))
            call_emptied(c, 1);
    }
    reply_int(c, removed);
}

static void take_from_source(struct call *c, const struct set_member *m)
{
    struct entry *from = call_peek(c, 1);

    set_remove(&from, m);
    call_moved(c, 1, from);
    touch_member(c, 1, m);
    call_changed(c, 1, EVENT_SREM);
    if (!set_count(from))
        call_emptied(c, 1);
}

static void put_into_destination(struct call *c, const struct set_member *m)
{
    struct entry *to = call_peek(c, 2);
    bool fresh = !to;

    if (fresh)
        to = set_new(call_arg(c, 2), EXPIRY_NONE);
    if (!set_add(&to, m, intset_max(c)))
        return;
    if (fresh)
        call_put(c, 2, to);
    else
        call_moved(c, 2, to);
    touch_member(c, 2, m);
    call_changed(c, 2, EVENT_SADD);
}

/* SMOVE source destination member */
void cmd_smove(struct call *c)
{
    struct set_member m = set_member(call_arg(c, 3));
    struct entry *from, *to = NULL;
    bool moves;

    if (!call_find_write(c, 1, TYPE_SET, &from) || (from && !call_find_write(c, 2, TYPE_SET, &to)))
        return;
    moves = from && set_has(from, &m);
    reply_int(c, moves);
    if (moves && from != to) {
        take_from_source(c, &m);
        put_into_destination(c, &m);
    }
}

/* ---- asking --------------------------------------------------------------------------------- */

/* SCARD key */
void cmd_scard(struct call *c)
{
    struct entry *e;

    if (call_find(c, 1, TYPE_SET, &e))
        reply_int(c, e ? (int64_t)set_count(e) : 0);
}

static void reply_whether(struct call *c, const struct entry *e, struct slice member)
{
    struct set_member m = set_member(member);

    reply_int(c, e && set_has(e, &m));
}

/* SISMEMBER key member */
void cmd_sismember(struct call *c)
{
    struct entry *e;

    if (call_find(c, 1, TYPE_SET, &e))
        reply_whether(c, e, call_arg(c, 2));
}

/* SMISMEMBER key member [member ...] */
void cmd_smismember(struct call *c)
{
    struct entry *e;

    if (!call_find(c, 1, TYPE_SET, &e))
        return;
    reply_array(c, c->argc - 2);
    for (int i = 2; i < c->argc; i++)
        reply_whether(c, e, call_arg(c, i));
}

/* SMEMBERS key */
void cmd_smembers(struct call *c)
{
    struct entry *e;

    if (!call_find(c, 1, TYPE_SET, &e))
        return;
    if (e)
        reply_members(c, e);
    else
        reply_set(c, 0);
}

/* ---- SSCAN ----------------------------------------------------------------------------------- */

struct sscan {
    struct call *call;
    struct scan_args args;
    int64_t shown;
};

static void show(const struct set_member *m, void *opaque)
{
    struct sscan *s = opaque;
    char digits[NUM_INT_MAX];

    if (!scan_args_fit(&s->args, set_member_text(m, digits)))
        return;
    reply_member(s->call, m);
    s->shown++;
}

/* SSCAN key cursor [MATCH pattern] [COUNT count] */
void cmd_sscan(struct call *c)
{
    struct sscan s = {.call = c};
    size_t begin = write_begin(&c->out);
    struct entry *e;
    uint64_t cursor;

    if (!scan_args_cursor(c, 2, &cursor) || !call_find(c, 1, TYPE_SET, &e))
        return;
    if (!e) {
        scan_reply_empty(c);
        return;
    }
    if (!scan_args_read(c, 3, 0, &s.args))
        return;
    cursor = set_scan(e, cursor, (uint64_t)s.args.count, show, &s);
    scan_reply(c, begin, cursor, s.shown);
}
