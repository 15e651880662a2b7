/* What encodings values that come from outside get, by the configuration. */
#ifndef LK_SERVER_RDB_LIMITS_H
#define LK_SERVER_RDB_LIMITS_H

#include "conf/conf.h"
#include "storage/rdb/rdb_decode.h"

static inline struct rdb_limits rdb_limits_of(const struct conf *conf)
{
    return (struct rdb_limits){
        .hash = {(size_t)conf->hash_max_listpack_entries, (size_t)conf->hash_max_listpack_value},
        .list = list_limits(conf->list_max_listpack_size),
        .zset = {conf->zset_max_listpack_entries, (int64_t)conf->zset_max_listpack_value},
        .intset = (size_t)conf->set_max_intset_entries,
    };
}

#endif
