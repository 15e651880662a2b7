/*
 * Keys by name, whether they are there or not: what a shard keeps for keys that are watched or
 * waited for. The table hangs from the shard and is NULL while it would be empty, so that whoever
 * changes a key sees at a glance that nobody cares. Locked: the shard.
 */
#ifndef LK_SERVER_NAMED_KEYS_H
#define LK_SERVER_NAMED_KEYS_H

#include "storage/keyspace.h"

/* Stands first in what is kept for the key; the bytes of the name are behind that. */
struct named_key {
    uint64_t hash;
    int db;
    uint32_t len;
    const char *name; /* in the same allocation */
};

static inline struct slice named_key_name(const struct named_key *k)
{
    return slice_make(k->name, k->len);
}

/* `t` may be NULL, as may the result. */
struct named_key *named_keys_find(const struct table *t, int db, struct slice key, uint64_t hash);
/* A new one of `size` bytes, zeroed behind its struct named_key; there is none of the name. */
struct named_key *named_keys_add(struct table **t, size_t size, int db, struct slice key,
                                 uint64_t hash);
/* Takes it out and frees it. */
void named_keys_drop(struct table **t, struct named_key *k);

#endif
