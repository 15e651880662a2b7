/* Sorted sets from members in any order, see zset_builder.h. */
#include "storage/zset_builder.h"

#include "base/mem.h"
#include "storage/hash.h"
#include "storage/zset_large.h"
#include "storage/zset_pack.h"

#include <stdlib.h>

static struct zset_item *append(struct zset_builder *b, struct slice member, double score)
{
    struct zset_item *item = zset_item_new(member, score);

    if (b->n == b->cap) {
        b->cap = b->cap ? b->cap * 2 : 16;
        b->items = mem_realloc(b->items, b->cap * sizeof(struct zset_item *));
    }
    b->items[b->n++] = item;
    if (member.len > b->longest)
        b->longest = member.len;
    return item;
}

void zset_builder_add(struct zset_builder *b, struct slice member, double score)
{
    append(b, member, score);
}

double *zset_builder_find(struct zset_builder *b, struct slice member, double score, bool *fresh)
{
    uint64_t hash = hash_bytes(member);
    struct table_place place;
    struct zset_item *item = table_find(&b->members, hash, member, zset_item_is, &place);

    *fresh = !item;
    if (!item) {
        item = append(b, member, score);
        table_insert(&b->members, hash, item, zset_item_hash);
    }
    return &item->score;
}

void zset_builder_release(struct zset_builder *b)
{
    for (uint64_t i = 0; i < b->n; i++)
        zset_item_free(b->items[i]);
    mem_free(b->items);
    table_release(&b->members);
    *b = (struct zset_builder){0};
}

/* ---- order ----------------------------------------------------------------------------------- */

/* With the score at hand, by which most are told apart. */
struct ranked {
    double score;
    struct zset_item *item;
};

static int by_rank(const void *a, const void *b)
{
    const struct ranked *x = a, *y = b;

    if (x->score != y->score)
        return x->score < y->score ? -1 : 1;
    return slice_cmp(zset_item_member(x->item), zset_item_member(y->item));
}

static bool is_sorted(const struct ranked *all, uint64_t n)
{
    for (uint64_t i = 1; i < n; i++) {
        if (by_rank(&all[i - 1], &all[i]) > 0)
            return false;
    }
    return true;
}

void zset_builder_sort(struct zset_builder *b)
{
    struct ranked *all = mem_alloc((b->n + 1) * sizeof(*all));

    for (uint64_t i = 0; i < b->n; i++)
        all[i] = (struct ranked){b->items[i]->score, b->items[i]};
    if (!is_sorted(all, b->n)) {
        qsort(all, b->n, sizeof(*all), by_rank);
        for (uint64_t i = 0; i < b->n; i++)
            b->items[i] = all[i].item;
    }
    mem_free(all);
}

/* ---- the sorted set -------------------------------------------------------------------------- */

static struct entry *take_packed(struct zset_builder *b, struct slice key)
{
    struct entry *e = zset_pack_new(key);

    for (uint64_t i = 0; i < b->n; i++)
        e = zset_pack_append(e, zset_item_member(b->items[i]), b->items[i]->score);
    zset_builder_release(b);
    return e;
}

/* The items are its own from now on, and so is the table if there is one. */
static struct entry *take_large(struct zset_builder *b, struct slice key)
{
    struct zset_large *z = zset_large_new();

    zset_large_fill(z, &b->members, b->items, b->n);
    mem_free(b->items);
    *b = (struct zset_builder){0};
    return entry_new_outside(key, TYPE_ZSET, z, EXPIRY_NONE);
}

struct entry *zset_builder_take(struct zset_builder *b, struct slice key,
                                const struct zset_limits *limits)
{
    if (!b->n) {
        zset_builder_release(b);
        return NULL;
    }
    zset_builder_sort(b);
    if (b->n <= (uint64_t)limits->members && b->longest <= (uint64_t)limits->member_len)
        return take_packed(b, key);
    return take_large(b, key);
}
