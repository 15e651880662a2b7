/*
 * Values from snapshots and from what DUMP answered: in every encoding that Redis 2.8 to 7.4 and
 * Valkey write. Nothing of the bytes is believed. Pure; any thread.
 */
#ifndef LK_STORAGE_RDB_RDB_DECODE_H
#define LK_STORAGE_RDB_RDB_DECODE_H

#include "storage/entry.h"
#include "storage/long_list.h"
#include "storage/rdb/rdb_format.h"
#include "storage/rdb/rdb_in.h"
#include "storage/type_hash.h"
#include "storage/type_zset.h"

/* What encodings collections get here. */
struct rdb_limits {
    struct hash_limits hash;
    struct list_limits list;
    struct zset_limits zset;
    size_t intset;
};

/*
 * The next value, of this type, as a new entry; NULL where the bytes are not one, with the status
 * of `in`. The key is not part of `in`'s memory.
 */
struct entry *rdb_get_value(struct rdb_in *in, unsigned type, struct slice key, int64_t expiry,
                            const struct rdb_limits *limits);
/* Passes over the next value. Also of those types that there are not here. */
bool rdb_skip_value(struct rdb_in *in, unsigned type);
/* Passes over what a module has to say of itself. */
bool rdb_skip_module(struct rdb_in *in);

/* What such a value is called; NULL if it is of a type that there is here. */
const char *rdb_unsupported(unsigned type);

#endif
