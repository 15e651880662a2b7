/* Large sorted sets, see zset_large.h. */
#include "storage/zset_large.h"

#include "base/mem.h"
#include "storage/hash.h"

/* ---- items ----------------------------------------------------------------------------------- */

static size_t item_size(size_t member_len)
{
    return offsetof(struct zset_item, bytes) + member_len;
}

struct zset_item *zset_item_new(struct slice member, double score)
{
    struct zset_item *item = mem_alloc(item_size(member.len));

    item->score = score;
    item->len = (uint32_t)member.len;
    if (member.len)
        memcpy(item->bytes, member.ptr, member.len);
    return item;
}

void zset_item_free(struct zset_item *item)
{
    mem_free_sized(item, item_size(item->len));
}

uint64_t zset_item_hash(const void *item)
{
    return hash_bytes(zset_item_member(item));
}

/* ---- the whole ------------------------------------------------------------------------------- */

struct zset_large *zset_large_new(void)
{
    return mem_zalloc(sizeof(struct zset_large));
}

void zset_large_free(void *object)
{
    struct zset_large *z = object;
    struct btree_place p = btree_at(&z->order, 0), next;

    for (; p.leaf; p = next) {
        next = btree_next(p);
        zset_item_free(btree_item(p));
    }
    btree_release(&z->order);
    table_release(&z->members);
    mem_free_sized(z, sizeof(*z));
}

size_t zset_large_effort(const void *object)
{
    const struct zset_large *z = object;

    return z->order.count;
}

void *zset_large_copy(const void *object)
{
    const struct zset_large *z = object;
    struct zset_large *copy = zset_large_new();
    struct zset_item **items = mem_alloc((z->order.count + 1) * sizeof(*items));
    const struct zset_item *item;
    uint64_t n = 0;

    for (struct btree_place p = btree_at(&z->order, 0); (item = btree_item(p)); p = btree_next(p))
        items[n++] = zset_item_new(zset_item_member(item), item->score);
    zset_large_fill(copy, NULL, items, n);
    mem_free(items);
    return copy;
}

size_t zset_large_memory(const void *object, size_t samples)
{
    const struct zset_large *z = object;

    (void)samples;
    return mem_good_size(sizeof(*z)) + table_memory(&z->members) + btree_memory(&z->order) +
           z->bytes;
}

/* ---- members --------------------------------------------------------------------------------- */

void zset_large_add(struct zset_large *z, struct slice member, uint64_t hash, double score)
{
    struct zset_item *item = zset_item_new(member, score);

    zset_large_will_change(z, hash);
    table_insert(&z->members, hash, item, zset_item_hash);
    z->bytes += mem_good_size(item_size(member.len));
    btree_insert(&z->order, item);
}

void zset_large_fill(struct zset_large *z, const struct table *members,
                     struct zset_item *const *items, uint64_t n)
{
    if (members)
        z->members = *members;
    for (uint64_t i = 0; i < n; i++) {
        z->bytes += mem_good_size(item_size(items[i]->len));
        if (z->members.count < n)
            table_insert(&z->members, zset_item_hash(items[i]), items[i], zset_item_hash);
    }
    btree_fill(&z->order, items, n);
}

/* It is in the tree no more. */
static void leave(struct zset_large *z, struct zset_item *item, uint64_t hash,
                  struct table_place place)
{
    zset_large_will_change(z, hash);
    table_remove(&z->members, place, hash, zset_item_hash);
    z->bytes -= mem_good_size(item_size(item->len));
    zset_item_free(item);
}

void zset_large_remove(struct zset_large *z, struct zset_item *item, uint64_t hash,
                       struct table_place place)
{
    btree_remove(&z->order, item);
    leave(z, item, hash, place);
}

/* For table_find(), where the item is known, and not to be looked at. */
static inline bool is_same_item(const void *item, struct slice known)
{
    return item == known.ptr;
}

void zset_large_remove_rank(struct zset_large *z, uint64_t rank)
{
    struct zset_item *item = btree_take(&z->order, rank);
    uint64_t hash = zset_item_hash(item);
    struct table_place place = {0};

    table_find(&z->members, hash, slice_make((const char *)item, 0), is_same_item, &place);
    leave(z, item, hash, place);
}

void zset_large_hint(const void *object, struct slice member, bool deep)
{
    const struct zset_large *z = object;

    if (deep)
        table_hint_item(&z->members, hash_bytes(member));
    else
        table_hint_bucket(&z->members, hash_bytes(member));
}
