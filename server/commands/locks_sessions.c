/* LOCK.SESSION and LOCK.CANCEL: what a connection does with its session and its tickets. */
#include "server/commands/locks.h"
#include "server/durability.h"
#include "server/locks/lock_request.h"

static bool read_grace(struct call *c, int64_t *ms)
{
    *ms = c->conf->lock_session_grace;
    if (c->argc == 2)
        return true;
    if (c->argc != 4 || !call_arg_is(c, 2, "GRACE"))
        return call_syntax_error(c);
    return call_int_between(c, 3, 0, INT32_MAX, ms, "ERR grace is not an integer or out of range");
}

static void name_session(struct call *c)
{
    const struct lock_session *s = lock_session_find(c->conn);

    if (s && s->name_len)
        reply_bulk(c, lock_session_name(s));
    else
        reply_null(c);
}

/* LOCK.SESSION [id [GRACE ms]] */
void cmd_lock_session(struct call *c)
{
    uint64_t logged;
    int64_t ms;

    if (c->argc == 1)
        name_session(c);
    else if (!read_grace(c, &ms))
        return;
    else if (!call_arg(c, 1).len)
        reply_error(c, "ERR a session has a name");
    else if (!lock_session_attach(c->conn, call_arg(c, 1), ms, &logged))
        reply_error(c, "ERR the connection has locks already that belong to no session");
    else {
        durability_depend(c, logged);
        reply_ok(c);
    }
}

/* LOCK.CANCEL name ticket */
void cmd_lock_cancel(struct call *c)
{
    struct latch *l = lock_latch(c, 1);
    int64_t ticket;

    if (call_int(c, 2, &ticket))
        reply_int(c, l && lock_request_cancel(c->worker, l, lock_session_find(c->conn),
                                              (uint64_t)ticket));
}
