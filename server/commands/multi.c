/* MULTI and what belongs to it, see server/transaction.h. */
#include "server/transaction.h"

#include "server/reply.h"

/* MULTI */
void cmd_multi(struct call *c)
{
    if (transaction_begin(c->conn))
        reply_ok(c);
    else
        reply_error(c, "ERR MULTI calls can not be nested");
}

/* EXEC */
void cmd_exec(struct call *c)
{
    if (c->conn->flags & CONN_MULTI)
        transaction_exec(c);
    else
        reply_error(c, "ERR EXEC without MULTI");
}

/* DISCARD */
void cmd_discard(struct call *c)
{
    if (!(c->conn->flags & CONN_MULTI)) {
        reply_error(c, "ERR DISCARD without MULTI");
        return;
    }
    transaction_drop(c->conn);
    reply_ok(c);
}

/* A number as the last of three arguments, behind a word that makes it what it is. */
static bool read_guard(const struct call *c, int at, const char *word, uint64_t *n)
{
    int64_t v;

    if (c->argc != 4 || !call_arg_is(c, at, word) || !num_parse_int(call_arg(c, 3), &v) || v < 0)
        return false;
    *n = (uint64_t)v;
    return true;
}

/* WATCH key [key ...] | key VERSION version | LOCK name token */
void cmd_watch(struct call *c)
{
    uint64_t n;

    if (c->conn->flags & CONN_MULTI) {
        reply_error(c, "ERR WATCH inside MULTI is not allowed");
        return;
    }
    if (read_guard(c, 2, "version", &n)) {
        transaction_watch_version(c, 1, n);
    } else if (read_guard(c, 1, "lock", &n)) {
        transaction_watch_lock(c, 2, n);
    } else {
        for (int i = 1; i < c->argc; i++)
            transaction_watch(c, i);
    }
    reply_ok(c);
}

/* UNWATCH. Within EXEC nothing is watched any more. */
void cmd_unwatch(struct call *c)
{
    transaction_unwatch(c->conn);
    reply_ok(c);
}
