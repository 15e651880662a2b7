/*
 * The gates that a request passes before it runs: one small function each, in an order that is
 * Redis'. They are looked at only when the server or the connection has a reason (a bit in their
 * `gates`).
 */
#ifndef LK_SERVER_GATES_H
#define LK_SERVER_GATES_H

#include "server/call.h"

enum gate_result {
    GATE_PASS,
    GATE_REFUSED, /* and answered */
    GATE_WAIT,    /* the connection is to be parked */
    GATE_QUEUED,  /* it runs later, and is answered */
};

enum gate_result gates_check(struct call *c);

/* What CLIENT REPLY does to a reply that was written: it may take it back. */
void gates_after_reply(struct call *c);

#endif
