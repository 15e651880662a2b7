/* Locks as LOCK.INFO and LOCK.LIST show them, and what INFO counts. */
#ifndef LK_SERVER_LOCKS_LOCK_DESCRIBE_H
#define LK_SERVER_LOCKS_LOCK_DESCRIBE_H

#include "server/locks/latch.h"

struct call;
struct server;

/* Replies with a map; `l` may be NULL for one that is free. Locked: the shard. */
void lock_describe(struct call *c, struct slice name, const struct latch *l);
/* Replies with an array of such, of all names that match; locks shards, unless the world stands. */
void locks_describe(struct call *c, struct slice pattern);

struct lock_sums {
    uint64_t latches, holders, waiters;
};
/* The world is stopped. */
struct lock_sums locks_sum(const struct server *s);

#endif
