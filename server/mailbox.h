/*
 * What is on its way to the subscribers of one worker: any thread puts messages in, the worker
 * takes all of them at once. Unlike the worker's inbox it can be emptied in the middle of a round,
 * so that a subscription begins and ends at a definite place in the order of messages.
 */
#ifndef LK_SERVER_MAILBOX_H
#define LK_SERVER_MAILBOX_H

#include "base/inbox.h"
#include "base/slice.h"

struct channel;
struct worker;

/* A published message, shared by the workers that deliver it. */
struct message {
    _Atomic int refs;
    struct slice channel, payload; /* in `bytes` */
    char bytes[];
};

/* One refcount is the caller's. */
struct message *message_new(struct slice channel, struct slice payload);
void message_hold(struct message *m);
void message_drop(struct message *m);

/* A message for one worker, and to whose subscribers among its connections. */
struct delivery {
    struct delivery *next;
    struct message *message; /* one reference */
    size_t cost;             /* about the bytes to be written for it */
    size_t len;
    /* The channel itself, and patterns; each has subscribers at that worker. */
    struct channel *to[];
};

struct mailbox {
    CACHE_ALIGNED struct lock lock; /* head, tail, waking */
    struct delivery *head, **tail;
    bool waking;               /* `wake` is in the inbox */
    struct inbox_message wake; /* has the worker begin a round, at whose end it delivers */
    _Atomic size_t cost;       /* of all that is in it; 0 only if it is empty */
};

/* What it costs to give a message to one subscriber. */
static inline size_t delivery_cost(const struct message *m)
{
    enum { COST_EACH = 64 };

    return COST_EACH + m->channel.len + m->payload.len;
}

void mailbox_init(struct mailbox *box);
void mailbox_release(struct mailbox *box);
/* Takes ownership. `to` is the worker whose mailbox it is, `by` the calling one. */
void mailbox_put(struct mailbox *box, struct delivery *d, struct worker *to,
                 const struct worker *by);
/* All that is there, in order; NULL if nothing is. Each is freed with delivery_free. */
struct delivery *mailbox_take(struct mailbox *box);
void delivery_free(struct delivery *d);

#endif
