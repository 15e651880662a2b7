/*
 * The dispatcher: from a parsed request to its reply. It alone locks shards: it looks up in the
 * command's row where the keys are, locks their shards in ascending order, runs the handler,
 * unlocks. For what a transaction has queued, EXEC does so beforehand (transaction.h).
 */
#ifndef LK_SERVER_DISPATCH_H
#define LK_SERVER_DISPATCH_H

#include "server/call.h"
#include "server/worker.h"

/* Executes a request of the worker's batch. False: it must wait, and the connection with it. */
bool dispatch(struct worker *w, struct conn *c, const struct parsed *p);

/*
 * Does once more what the log says that was done: locks what it needs and runs it. Nobody is asked
 * whether it may, it counts as no command, and nothing waits.
 */
void dispatch_again(struct call *c);

/* Counts the call's reply, which is an error. */
void dispatch_count_error(struct call *c);

struct kept;
/* Runs a command of a transaction for EXEC, whose call has locked all that it needs. */
void dispatch_queued(const struct call *exec, const struct kept *q);
/* Runs the command that a request carries (struct command's `inner`), for the request's handler. */
void dispatch_inner(struct call *outer);

#endif
