/* maxmemory: evicting keys when memory is above it. */
#ifndef LK_SERVER_EVICTION_H
#define LK_SERVER_EVICTION_H

#include "server/worker.h"

/*
 * Evicts keys by the policy until memory is below maxmemory. True if it is; the caller holds no shard.
 */
bool eviction_make_room(struct worker *w);

#endif
