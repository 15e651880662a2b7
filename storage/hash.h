/*
 * The hash of keys: XXH3 of libxxhash under a seed drawn at random when the process starts. Its
 * upper bits say in which shard of the keyspace a key is.
 */
#ifndef LK_STORAGE_HASH_H
#define LK_STORAGE_HASH_H

#include "base/slice.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

extern uint64_t hash_seed;
void hash_init(uint64_t seed);

static inline uint64_t hash_bytes(struct slice s)
{
    return XXH3_64bits_withSeed(s.ptr, s.len, hash_seed);
}

enum { SHARD_BITS = 10, SHARDS = 1 << SHARD_BITS };

static inline unsigned shard_of(uint64_t hash)
{
    return (unsigned)(hash >> (64 - SHARD_BITS));
}

#endif
