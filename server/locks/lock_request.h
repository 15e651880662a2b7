/*
 * A request for locks that waits: it has a place in the queue of each latch that it names, from the
 * moment when it begins, and leaves all of them at once: when it gets all locks, or when its wait
 * is over. So the order in which requests came is the same in all queues.
 *
 * Behind it is a command that waits (waiting.h), or a ticket of LOCK.ACQUIRE … QUEUE. That is the
 * one mechanism for waiting as for keys, but the queues are of another kind: here somebody who is
 * not first may be the reason for which others wait, so that they have to be looked at when he
 * leaves; and who is first may be kept waiting by another queue.
 */
#ifndef LK_SERVER_LOCKS_LOCK_REQUEST_H
#define LK_SERVER_LOCKS_LOCK_REQUEST_H

#include "server/key_locks.h"
#include "server/locks/lock_grant.h"
#include "server/waiting.h"

struct waiter;

struct lock_place {
    struct list link; /* in the latch's queue; the shard's lock, and LOCK_WAITS */
    struct lock_request *request;
    struct latch *latch; /* pinned while the request waits */
    uint64_t hash;
    uint64_t token; /* that it got */
    bool own;       /* it is in no queue, since who asks holds that lock already */
};

struct lock_request {
    /* Fixed when it begins. */
    struct lock_terms terms;
    uint64_t ticket; /* 0: a command that waits */
    uint64_t client;
    int64_t since_ms;
    uint32_t owner_len, data_len;
    char *text; /* owner, then data; in the same allocation */

    /* LOCK_WAITS: */
    struct waiter *waiter; /* NULL: a ticket */
    struct list in_session;
    struct lock_session *session; /* whose wait it is; NULL: that has ended */
    struct lock_request *next;    /* for the walk of deadlock.h */
    uint64_t walk;                /* the last that came by */
    uint64_t number;              /* in the order of arrival */

    /* The locks of its shards: */
    bool hangs; /* in its queues */
    bool granted;

    int places_len;
    struct lock_place places[];
};

static inline struct slice lock_request_owner(const struct lock_request *r)
{
    return slice_make(r->text, r->owner_len);
}
static inline struct slice lock_request_data(const struct lock_request *r)
{
    return slice_make(r->text + r->owner_len, r->data_len);
}

/* The first of the queue of a latch that is contended. */
static inline struct lock_request *lock_queue_first(const struct latch *l)
{
    return CONTAINER_OF(l->queue.next, struct lock_place, link)->request;
}

/* ---- beginning; the shards of all that it names are locked ----------------------------------- */

/* Of these arguments, which are names; of arguments 1 to n for NULL. */
struct lock_request *lock_request_new(struct call *c, const struct lock_taker *taker,
                                      const int *args, int n);
/*
 * Takes its places, and has the connection wait in this way, unless it is a ticket. False if that
 * would close a cycle of those who wait for each other: it is freed then.
 */
bool lock_request_begin(struct call *c, struct lock_request *r, const struct wait *wait);

/* ---- for lock_grant.c; all its shards are locked --------------------------------------------- */

/* Its wait has ended otherwise. */
bool lock_request_over(const struct lock_request *r);
/* Whether it is first everywhere, and all latches admit it. */
bool lock_request_ready(struct worker *w, struct lock_request *r);
/* Gives it what it asks for, or finds that it is too late; it leaves the queues in any case. */
void lock_request_grant(struct worker *w, struct lock_request *r);
/* Leaves the queues without having got anything; those behind it are noted. */
void lock_request_unhang(struct worker *w, struct lock_request *r);

/* ---- ending ---------------------------------------------------------------------------------- */

/* The ticket leaves all queues with the next lock_serve(); false if there is none such. */
bool lock_request_cancel(struct worker *w, struct latch *l, const struct lock_session *s,
                         uint64_t ticket);
/* What the client (0: any) waits for in the session is given up. No shard is locked. */
void lock_requests_abandon(struct worker *w, struct lock_session *s, uint64_t client);
/* The command's wait has ended, one way or another; see waiting.h. */
void lock_wait_ended(struct waiter *waiter);
/* Whether it got its locks, and the connection can still be told. The wait has ended. */
bool lock_request_got(const struct lock_request *r, const struct waiter *waiter);
/* What a command is answered that has got its locks. */
void lock_write_tokens(struct writer *out, const struct lock_request *r);
/* Whether anybody waits in the session. */
bool lock_requests_any(struct worker *w, struct lock_session *s);

#endif
