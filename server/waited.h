/*
 * Keys that somebody waits for: a queue for each thing that may be waited for, in order of arrival,
 * so that the first who can be served is found at once however many there are. Locked throughout:
 * the key's shard.
 */
#ifndef LK_SERVER_WAITED_H
#define LK_SERVER_WAITED_H

#include "server/named_keys.h"
#include "server/waiter.h"

struct waited {
    struct named_key key;
    struct list queues[WAIT_KINDS]; /* of struct hook */
    size_t hooks;                   /* in all of them */
    uint64_t signals;               /* a bit for each worker among whose `ready` keys it is */
};

/* NULL if nobody waits for it. */
struct waited *waited_find(const struct shard *shard, int db, struct slice key);
/* Puts a hook at the end of the key's queue; false if the same waiter hangs there. */
bool waited_hang(struct shard *shard, struct slice key, uint64_t hash, struct hook *h);
/* Takes it out. The key is forgotten when it was the last, and nobody is about to serve it. */
void waited_unhang(struct shard *shard, struct hook *h);
/* The same as that, for who was about to serve it. */
void waited_forget(struct shard *shard, struct waited *k);

/* Adds up; fails if anything does not fit together. The world is stopped. */
struct waited_sums {
    uint64_t keys, hooks;
};
void waited_check(const struct keyspace *ks, struct waited_sums *sums);

/* The first of a queue; NULL if it is empty. */
static inline struct hook *waited_first(const struct waited *k, enum wait_for what)
{
    const struct list *queue = &k->queues[what];

    return list_empty(queue) ? NULL : CONTAINER_OF(queue->next, struct hook, link);
}

#endif
