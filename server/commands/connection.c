/* Commands about the connection itself. */
#include "server/reply.h"

/* PING [message]. To a RESP2 client in subscriber mode, whose replies are messages, a message. */
void cmd_ping(struct call *c)
{
    bool subscriber = c->conn->gates & CONN_GATE_SUBSCRIBER && !c->out.resp3;

    if (c->argc > 2) {
        reply_error(c, "ERR wrong number of arguments for 'ping' command");
        return;
    }
    if (subscriber) {
        reply_array(c, 2);
        reply_cstr(c, "pong");
        reply_bulk(c, c->argc == 2 ? call_arg(c, 1) : SLICE(""));
    } else if (c->argc == 2) {
        reply_bulk(c, call_arg(c, 1));
    } else {
        reply_simple(c, "PONG");
    }
}
