/*
 * WATCH: keys whose change makes an EXEC void. A watcher remembers the key's version, and compares.
 *
 * A key that is not there has no entry to hold a version. As long as somebody watches it there is a
 * `struct watched` in its shard, one for all who watch it, that takes the version of its last
 * removal; so one that was made and deleted again has another version than before. Databases that
 * are emptied or change places give new versions there too. Writing to a key that is there concerns
 * its entry alone: who is not watched, and nearly everybody who is, pays nothing.
 *
 * Locks can be watched as well, which are to be held with a certain token.
 */
#ifndef LK_SERVER_WATCH_H
#define LK_SERVER_WATCH_H

#include "server/call.h"

struct watched;
struct watched_lock;

struct watch {
    struct watched *key;
    uint64_t version;
};

/* All that one connection watches. Zeroed to begin with. */
struct watches {
    struct watch *v;
    size_t len, cap;
    struct watched_lock *locks; /* a chain */
    size_t memory;              /* but for `v` */
    bool failed;                /* one of the keys had another version from the beginning */
};

/* Adds the key of argument i, whose shard is locked; nothing if it is among them. */
void watches_add(struct watches *ws, struct call *c, int i);
/* The same, of which this version is known, 0 for none: it counts as changed if it has another. */
void watches_add_version(struct watches *ws, struct call *c, int i, uint64_t version);
/* Adds the lock that argument i names, whose shard is locked. */
void watches_add_lock(struct watches *ws, struct call *c, int i, uint64_t token);
/*
 * Whether any of the keys was changed, made, deleted, or has reached its time, or a lock is not
 * held. By the clocks of this worker. Locked: their shards.
 */
bool watches_changed_locked(const struct watches *ws, const struct worker *w);
/* The same, locking one shard after the other. */
bool watches_changed(const struct watches *ws, const struct worker *w);
/* Forgets all. Locked: their shards. */
void watches_release_locked(struct watches *ws, struct keyspace *ks);
/* The same, locking one shard after the other. */
void watches_release(struct watches *ws, struct keyspace *ks);

/* ---- for effects.c --------------------------------------------------------------------------- */

/* A key of this shard, which has any that are watched, is gone; the version is new. Locked. */
void watch_removed(struct shard *shard, int db, struct slice key, uint64_t version);
/*
 * Database `a` will be emptied (b is -1), or change places with `b`. The world is stopped.
 */
void watch_databases(struct keyspace *ks, int a, int b, int64_t now_ms);

#endif
