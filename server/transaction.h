/*
 * Transactions: what a connection has queued since MULTI, and what it watches.
 *
 * From MULTI on the last of the gates queues commands instead of letting them run (kept.h). The
 * shards that the queue needs are gathered on the way. EXEC locks all of them at once, in ascending
 * order, runs the commands, and unlocks; it stops the world instead when a command of the queue
 * does, or touches keys that its arguments do not name. (For one that needs the main thread, CONFIG
 * SET, the world goes on meanwhile.)
 */
#ifndef LK_SERVER_TRANSACTION_H
#define LK_SERVER_TRANSACTION_H

#include "server/key_locks.h"
#include "server/watch.h"

struct kept;

struct transaction {
    struct kept *first, *last;
    int64_t count;
    size_t memory;          /* of the queue */
    int flags;              /* of the queued commands, those that gates ask EXEC for */
    bool spoilt;            /* a command was refused: EXEC will not run */
    bool world;             /* EXEC is to stop the world */
    struct key_locks locks; /* of the queue's keys and the watched ones */
    struct watches watches;
};

/* MULTI. False if it has begun already. */
bool transaction_begin(struct conn *c);
/* WATCH of the key of argument i, whose shard is locked. */
void transaction_watch(struct call *c, int i);
/* The same, with the version that is known of it; or of the lock that argument i names. */
void transaction_watch_version(struct call *c, int i, uint64_t version);
void transaction_watch_lock(struct call *c, int i, uint64_t token);
/* UNWATCH. */
void transaction_unwatch(struct conn *c);
/* Ends it without running anything, and forgets what is watched. */
void transaction_drop(struct conn *c);
/* EXEC of one that was begun. Answers. */
void transaction_exec(struct call *c);

/* ---- for the gates --------------------------------------------------------------------------- */

/* Queues the call, and answers. */
void transaction_queue(struct call *c);
/* The call was refused and answered: it spoils the transaction, or ends it if it is EXEC. */
void transaction_refused(struct call *c);
/* The flags of the call's command, with those of the queue that it will run. */
int transaction_flags(const struct call *c);

/* ---- for descriptions ------------------------------------------------------------------------ */

/* How many commands are queued; -1 outside of MULTI. */
int64_t transaction_count(const struct conn *c);
size_t transaction_memory(const struct conn *c);
/* A key that it watches has changed, so that EXEC will do nothing. No shard of these is locked. */
bool transaction_is_void(const struct conn *c);

#endif
