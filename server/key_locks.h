/* The shards that a request needs, locked in ascending order. */
#ifndef LK_SERVER_KEY_LOCKS_H
#define LK_SERVER_KEY_LOCKS_H

#include "server/call.h"

enum { KEY_POSITIONS_QUICK = 64 };
/*
 * Where the call's keys are, and how many; mem_free() frees the array unless it is `quick`. Below 0
 * if the arguments make no sense.
 */
int key_positions(const struct call *c, struct key_position quick[KEY_POSITIONS_QUICK],
                  struct key_position **keys);

struct key_locks {
    uint64_t shards[SHARDS / 64]; /* a bit for each that is locked */
    bool any;
};

static inline void key_locks_add_shard(struct key_locks *locks, unsigned shard)
{
    locks->shards[shard / 64] |= (uint64_t)1 << shard % 64;
    locks->any = true;
}

static inline void key_locks_add(struct key_locks *locks, uint64_t hash)
{
    key_locks_add_shard(locks, shard_of(hash));
}
/*
 * Adds the shards of the call's keys, and puts their hashes where their arguments are. False if it
 * has no keys.
 */
bool key_locks_add_keys(struct key_locks *locks, const struct call *c, uint64_t *hashes);
/*
 * Locks what was added. True if keys there must be looked at before they are touched: locks guard
 * some (guarding.h), or not all are in memory (backend/fetching.h).
 */
bool key_locks_hold(const struct key_locks *locks, struct keyspace *ks);

/*
 * Has one shard more locked. False if all had to be let go for it and were taken again: what was
 * known of them may be out of date.
 */
bool key_locks_extend(struct key_locks *locks, struct keyspace *ks, uint64_t hash);

/* Hashes the keys of the call into c->hashes and locks their shards; true as above. */
bool key_locks_take(struct key_locks *locks, struct call *c);
void key_locks_release(const struct key_locks *locks, struct keyspace *ks);

#endif
