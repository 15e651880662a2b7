/*
 * A large sorted set: a table that finds its items by member, and a tree that has them in order.
 * The items belong to it. For type_zset.c and zset_builder.c alone.
 */
#ifndef LK_STORAGE_ZSET_LARGE_H
#define LK_STORAGE_ZSET_LARGE_H

#include "storage/btree.h"
#include "storage/long_save.h"
#include "storage/table.h"

struct zset_large {
    struct table members;
    struct btree order;
    size_t bytes;             /* of the items' allocations */
    struct long_save *saving; /* a snapshot has not saved all of it, see long_save.h; or NULL */
};

struct zset_large *zset_large_new(void);
void zset_large_free(void *object);
void *zset_large_copy(const void *object);
size_t zset_large_effort(const void *object);
/* Exact, whatever `samples` is. */
size_t zset_large_memory(const void *object, size_t samples);
void zset_large_hint(const void *object, struct slice member, bool deep);

struct zset_item *zset_item_new(struct slice member, double score);
void zset_item_free(struct zset_item *item);
uint64_t zset_item_hash(const void *item);

static inline bool zset_item_is(const void *item, struct slice member)
{
    const struct zset_item *i = item;

    return i->len == member.len && bytes_eq(i->bytes, member.ptr, member.len);
}

static inline struct zset_item *zset_large_find(const struct zset_large *z, struct slice member,
                                                uint64_t hash, struct table_place *place)
{
    return table_find(&z->members, hash, member, zset_item_is, place);
}

/* A member of this hash will be changed: a snapshot that is being made saves it first. */
static inline void zset_large_will_change(struct zset_large *z, uint64_t hash)
{
    if (UNLIKELY(z->saving != NULL))
        long_save_first(z->saving, hash);
}

/* A member that is not there yet. */
void zset_large_add(struct zset_large *z, struct slice member, uint64_t hash, double score);
/*
 * The same for many in order, into an empty one, which owns them from then on; and the table that
 * has them all, if there is one already: else it is empty, or NULL.
 */
void zset_large_fill(struct zset_large *z, const struct table *members,
                     struct zset_item *const *items, uint64_t n);
/* An item that is there: takes it out and frees it. */
void zset_large_remove(struct zset_large *z, struct zset_item *item, uint64_t hash,
                       struct table_place place);
/* The item of this rank, which is there. */
void zset_large_remove_rank(struct zset_large *z, uint64_t rank);

#endif
