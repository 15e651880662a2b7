/*
 * The policer: sees to it that keys under policies end when they were not used, or not changed, for
 * as long as their policy says, and that no more of them stay than it allows.
 *
 * Each worker looks after its part of the shards, as for the expirer: it sleeps until the first of
 * their keys ends. A use or a change only makes that later, so it wakes nobody. When the set of
 * policies has changed, each surveys the keys that are there already, a little at a time.
 *
 * Who makes a policy exceed a limit evicts, as soon as the command is done and its shards are
 * unlocked: so the limit holds again before anything else that the same client has sent.
 */
#ifndef LK_SERVER_POLICER_H
#define LK_SERVER_POLICER_H

#include "server/call.h"
#include "server/worker.h"

struct policer *policer_new(struct worker *w);
void policer_free(struct policer *p);

/* A key under a policy was changed. Locked: its shard. */
void policer_changed(struct worker *w, int db, unsigned shard, const struct entry *e);
/* Whether a key under a policy has ended by it by now. Locked: its shard. */
bool policer_has_ended(const struct worker *w, int db, unsigned shard, const struct entry *e);
/* The same, and drops it then. */
bool policer_drop_ended(struct worker *w, int db, uint64_t hash, struct found f);

/* Drops a key under a policy, as expired or evicted by it. Locked: its shard. */
void policer_drop(struct worker *w, int db, uint64_t hash, struct found f, enum key_event event);

/* Evicts from policies that a change made exceed a limit; the worker's round, nothing is locked. */
void policer_evict(struct worker *w);

/*
 * The policies become these: few keys come under them at once, many in the course of time. The
 * world is stopped, or has not begun.
 */
void policer_apply(struct server *s, const struct conf_policies *to);
/* The worker evicts from all policies that exceed a limit when the command in hand is done. */
void policer_enforce_soon(struct worker *w);
/* DEBUG SET-ACTIVE-EXPIRE 1: looks anew. */
void policer_wake_all(struct server *s);

#endif
