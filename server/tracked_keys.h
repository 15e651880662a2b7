/*
 * The keys that were read by connections whose clients cache: in each shard a table of their names,
 * whatever the database, with the trackers that have read them. A key leaves it when it changes,
 * for the clients forget it then; or when there are more than tracking-table-max-keys, as if it had
 * changed.
 *
 * A shard's table is guarded by the shard's lock, and NULL while it is empty.
 */
#ifndef LK_SERVER_TRACKED_KEYS_H
#define LK_SERVER_TRACKED_KEYS_H

#include "server/tracker.h"
#include "storage/keyspace.h"

struct server;

/* The key of this hash was read. Locked: its shard. */
void tracked_keys_add(struct keyspace *ks, struct slice key, uint64_t hash, struct tracker *t);
/*
 * The key has changed: tells those who have read it, but for the connection `by` if it does not
 * want to be told of its own changes; 0 for none. Locked: its shard, which has tracked keys.
 */
void tracked_keys_changed(struct worker *w, struct shard *shard, struct slice key, uint64_t by);
/* Forgets all, without telling. The world is stopped; the memory is freed in the background. */
void tracked_keys_forget(struct server *s);

/* No shard is locked: */

/* As if some keys had changed, if there are more than the configuration allows. */
void tracked_keys_limit(struct worker *w);
/* Clears up a little behind connections that are closed, in this worker's part of the shards. */
void tracked_keys_sweep(struct worker *w);

/* At the end of the process. */
void tracked_keys_release(struct keyspace *ks);

#endif
