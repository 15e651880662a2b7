/* A waiter, for the files that make up waiting (waiting.h). */
#ifndef LK_SERVER_WAITER_H
#define LK_SERVER_WAITER_H

#include "server/kept.h"
#include "server/waiting.h"

struct waited;

/* A waiter's place in the queue of one key. */
struct hook {
    struct list link;   /* this and `key`: the shard's lock */
    struct waited *key; /* NULL: it hangs there no more */
    struct waiter *waiter;
    unsigned shard;
    int arg; /* which argument the key is */
};

struct waiter {
    _Atomic bool claimed;

    /* Fixed when it begins. */
    struct worker *worker;
    struct kept *request;
    struct wait wait;
    uint64_t client;
    int fd, db;
    uint32_t conn_flags; /* as they were */
    bool resp3;
    bool reads; /* see tracking_reads() */
    bool pins;  /* the key beside those that it waits for stays known, see backend/lazy.h */

    /* Whoever has claimed it. */
    const struct hook *served; /* off its queue already */
    uint64_t shown;            /* the version of the key as it was then */
    struct buf reply;
    uint64_t ns;                  /* that serving took */
    uint64_t seq;                 /* what the reply depends on, see durability.h; 0 for nothing */
    uint64_t epoch;               /* the same, see backend/home.h */
    bool unblocked;               /* by CLIENT UNBLOCK */
    bool answered;                /* from a queue of another kind */
    struct inbox_message message; /* brings it back to its worker... */
    struct list served_link;      /* ... unless that is whose thread it is */

    /* Its worker, or who has stopped the world. */
    struct conn *conn; /* NULL: closed */
    struct list link;  /* among the worker's waiters */
    struct event timer;
    uint64_t ran_ns; /* before it began to wait */
    bool given_up;   /* claimed for a connection that will be closed */

    int hooks_len;
    struct hook hooks[];
};

/* True for one caller only: the wait is over, and the caller's to end. Any thread. */
static inline bool waiter_claim(struct waiter *waiter)
{
    return !atomic_exchange_explicit(&waiter->claimed, true, memory_order_acq_rel);
}

/* Whether somebody has got true. */
static inline bool waiter_is_claimed(const struct waiter *waiter)
{
    return atomic_load_explicit(&waiter->claimed, memory_order_relaxed);
}

/*
 * The client may have closed, and its worker not have got to see it yet: what it were served would
 * be lost. The descriptor is open as long as the waiter hangs in a shard.
 */
bool waiter_peer_is_gone(const struct waiter *waiter);

/* The reply is written: it goes to the worker of the connection. `by` has claimed it. */
void waiter_hand_over(struct waiter *waiter, struct worker *by);

#endif
