/*
 * maxmemory: evicting keys when memory is above it.
 *
 * Redis' way: a few keys are looked at, the best to evict are remembered in a small pool, and the
 * best of the pool goes. Each worker has a pool of its own and looks at random shards, one lock at
 * a time. Memory is measured again before each key goes, so that workers that evict at the same
 * time do not evict much more than is needed.
 */
#ifndef LK_SERVER_EVICTION_H
#define LK_SERVER_EVICTION_H

#include "server/worker.h"

/*
 * Evicts keys by the policy until memory is below maxmemory, or for as long as
 * maxmemory-eviction-tenacity allows; the rest is done when the worker has time. False if memory is
 * above and there is nothing to evict. The caller holds no shard.
 */
bool eviction_make_room(struct worker *w);

/* Bytes that do not count against maxmemory. Called from any thread; good for a moment. */
size_t eviction_not_counted(const struct server *s);

struct evictor *evictor_new(struct worker *w);
void evictor_free(struct evictor *ev);

/* For how long memory has been above maxmemory now, in ms; 0 if it is not. The world is stopped. */
int64_t eviction_exceeded_ms(const struct server *s);

#endif
