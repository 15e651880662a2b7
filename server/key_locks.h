/* The shards that a request needs, locked in ascending order. */
#ifndef LK_SERVER_KEY_LOCKS_H
#define LK_SERVER_KEY_LOCKS_H

#include "server/call.h"

struct key_locks {
    uint64_t shards[SHARDS / 64]; /* a bit for each that is locked */
    bool any;
};

/* Hashes the keys of the call into c->hashes and locks their shards. */
void key_locks_take(struct key_locks *locks, struct call *c);
void key_locks_release(struct key_locks *locks, struct keyspace *ks);

#endif
