/*
 * Writing a long value (long_save.h) on the snapshot's thread, a part at a time, each while the
 * shard of its key is locked or when it is not locked any more.
 */
#ifndef LK_STORAGE_LONG_WRITE_H
#define LK_STORAGE_LONG_WRITE_H

#include "base/world.h"
#include "storage/long_save.h"

struct long_write {
    struct keyspace *keyspace;
    struct rdb_writer *writer;
    const _Atomic bool *cancelled;
    bool compress;
    int64_t delay_us; /* for tests: behind each part */
};

/* All behind its head, which is written. Frees it. */
void long_write(const struct long_write *to, struct long_save *save);
/* Gives it up, and frees it. */
void long_write_give_up(struct keyspace *ks, struct long_save *save);
void long_write_delay(int64_t us);

/* A shard's lock for a thread outside of the world, or who has stopped it. */
static inline struct lock *snapshot_lock(const struct keyspace *ks, unsigned shard)
{
    if (!world_is_mine())
        world_enter();
    lock_take(&ks->shards[shard].lock);
    return &ks->shards[shard].lock;
}

static inline void snapshot_unlock(const struct keyspace *ks, unsigned shard)
{
    lock_release(&ks->shards[shard].lock);
    if (!world_is_mine())
        world_leave();
}

#endif
