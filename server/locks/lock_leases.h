/*
 * Leases: locks that end at a time of the monotonic clock, and what else the locks of a shard have
 * to be looked at for. As with keys (expirer.h), each worker looks after some of the shards, and
 * sleeps until the first of them is due.
 *
 * Of a lease that is about to end its holder is told once, when a third of it is left, or as long
 * before as `lock-expiring-notice` says if that is later.
 */
#ifndef LK_SERVER_LOCKS_LOCK_LEASES_H
#define LK_SERVER_LOCKS_LOCK_LEASES_H

#include "server/locks/latch.h"

struct worker;

/* The holder has it for so long from now on, whatever it had. Locked: the shard. */
void lock_lease_set(struct worker *w, struct holder *h, int64_t lease_us);
/* The same of one that it has had before. */
void lock_lease_renew(struct worker *w, struct holder *h, int64_t lease_us);
/* The same if it has it for less by now. */
void lock_lease_extend(struct worker *w, struct holder *h, int64_t lease_us);

/* All that the session holds; how many. No shard is locked, or the world is stopped. */
size_t lock_leases_renew(struct worker *w, struct lock_session *s, int64_t lease_us);

/* Nobody gets the latch for so long, however long it was before. Locked: the shard. */
void latch_close_for(struct worker *w, struct latch *l, int64_t us);

/* Ends what has reached its time by the beginning of this round. Locked: the shard. */
void lock_leases_settle(struct worker *w, unsigned shard);

void lock_leases_begin(struct worker *w);
/* There may be leases that it does not know of. In its thread, in a round. */
void lock_leases_look(struct worker *w);

#endif
