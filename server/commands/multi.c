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

/* WATCH key [key ...] */
void cmd_watch(struct call *c)
{
    if (c->conn->flags & CONN_MULTI) {
        reply_error(c, "ERR WATCH inside MULTI is not allowed");
        return;
    }
    for (int i = 1; i < c->argc; i++)
        transaction_watch(c, i);
    reply_ok(c);
}

/* UNWATCH. Within EXEC nothing is watched any more. */
void cmd_unwatch(struct call *c)
{
    transaction_unwatch(c->conn);
    reply_ok(c);
}
