/*
 * Evicting the keys of a policy in one database that were not used for longest, in the order of
 * their last use over all shards.
 */
#ifndef LK_SERVER_HERD_EVICTION_H
#define LK_SERVER_HERD_EVICTION_H

#include "server/worker.h"
#include "storage/policies.h"

/*
 * As many as must go, at most `max`; false if more must. True also if there is nothing to evict, as
 * far as some looks can tell. The herd is locked, so that nobody else evicts from it; no shard is.
 */
bool herd_evict(struct worker *w, const struct policy *policy, struct herd *h, int db, int max);

#endif
