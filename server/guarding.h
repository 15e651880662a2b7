/*
 * Commands on guarded keys (locks/lock_guard.h): whoever is about to run one, with its shards
 * locked, asks here if any of these has a guard.
 *
 * A command that must wait does nothing of what it is to do: its request stays with the connection,
 * as it was parsed, and is run anew from the beginning when its turn has come. Until it has been
 * run the connection has a pass, which keeps the next who would guard the keys waiting.
 */
#ifndef LK_SERVER_GUARDING_H
#define LK_SERVER_GUARDING_H

#include "server/call.h"

struct transaction;

/*
 * True if the call must not run: it waits (c->stopped), or is answered with an error. Locked: the
 * shards of its keys.
 */
bool guarding_stops(struct call *c);
/* The same for EXEC, by all keys of its queue. */
bool guarding_stops_exec(struct call *c, const struct transaction *t);

/* The request for which the connection had a pass has been run, or waits for something else. */
void guarding_over(struct conn *c);
/* The connection is closed; its session has given back what it had. */
void guarding_forget(struct conn *c);

/* CLIENT LOCK-TIMEOUT: how long its commands wait, -1 for ever. */
int64_t guarding_timeout_ms(const struct conn *c);

#endif
