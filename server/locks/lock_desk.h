/*
 * Locks for clients: LOCK.ACQUIRE and its kin.
 *
 *     latch.h         a lock and its holders; the locks of a shard
 *     deadlines.h     moments to be noticed
 *     lock_session.h  who holds locks
 *     lock_request.h  who waits for them
 *     lock_grant.h    giving locks away, and taking them back
 *     deadlock.h      who waits for whom
 *     lock_leases.h   leases that end
 *     lock_notice.h   telling holders and subscribers
 *     lock_guard.h    keys that a lock guards
 *     lock_describe.h what can be seen of them
 *
 * This is what the server has of it: one, and a desk for each worker.
 */
#ifndef LK_SERVER_LOCKS_LOCK_DESK_H
#define LK_SERVER_LOCKS_LOCK_DESK_H

#include "base/lock.h"
#include "server/locks/deadlines.h"
#include "server/worker.h"
#include "storage/keyspace.h"

struct latch;
struct lock_request;

/* Of one worker: what its command has made possible for others. */
struct lock_desk {
    CACHE_ALIGNED struct event timer; /* of the leases in its shards, see lock_leases.h */
    _Atomic int64_t at_us;            /* when it will look next */
    struct latch **ready;             /* latches whose first waiter may have its turn; pinned */
    size_t ready_len, ready_cap;
    struct lock_request **over; /* requests that are to leave all their queues */
    size_t over_len, over_cap;
    struct list endings; /* sessions from which locks are still to be taken back */
    struct list graces;  /* timers of sessions without a connection */
};

struct locks {
    struct lock waits;         /* LOCK_WAITS, see latch.h */
    struct lock sessions_lock; /* SESSIONS: */
    struct table sessions;     /* the named ones */
    uint64_t walks, begun;     /* LOCK_WAITS: searches for circles; requests that waited */
    _Atomic uint64_t next_ticket;
    bool ending;                 /* no thread runs any more */
    _Atomic int64_t due[SHARDS]; /* per shard, not after its next deadline */
    struct lock_desk desks[];    /* by worker */
};

struct locks *locks_new(int workers);
void locks_free(struct server *s);
/* The worker's thread is about to begin; has ended. */
void locks_begin(struct worker *w);
void locks_end(struct worker *w);

static inline struct lock_desk *lock_desk(const struct worker *w)
{
    return &w->server->locks->desks[w->index];
}

#endif
