/*
 * A B+ tree of the items of a sorted set, in their order, with the number of items below each
 * branch, so that an item's rank and the item of a rank are found on one way down.
 *
 *                      +-------------------------------+
 *     inner node       | score[] first[] child[] count[] |     63 branches, 2 KB
 *                      +--|------------|---------------+
 *                         v            v
 *              +-------------+      +-------------+
 *     leaves   | 82 pointers | <--> | 82 pointers |            512 bytes
 *              +-------------+      +-------------+
 *                 |  |  |              |  |  |
 *                 items                items
 *
 * Inner nodes repeat the score of the first item below each branch: a way down does not look at
 * items but where scores are equal, until it is at the leaf. Leaves have pointers of 6 bytes alone.
 * A leaf that is full is divided; the last one is continued by a new one if the item comes behind
 * all, so that what is added in order fills leaves to the top.
 *
 * Invariants: every leaf and inner node but those at the right edge is filled to BTREE_LEAF_MIN or
 * BTREE_INNER_MIN at least; inner nodes have two branches at least; all leaves are equally deep.
 *
 * The tree does not own its items. Not thread-safe.
 */
#ifndef LK_STORAGE_BTREE_H
#define LK_STORAGE_BTREE_H

#include "base/compiler.h"
#include "storage/zset_order.h"

#include <assert.h>

enum {
    BTREE_LEAF_CAP = 82,
    BTREE_LEAF_MIN = BTREE_LEAF_CAP * 2 / 5,
    BTREE_INNER_CAP = 63,
    BTREE_INNER_MIN = BTREE_INNER_CAP * 2 / 5,
    BTREE_LEVELS_MAX = 12, /* of inner nodes: enough for any number of items */
};

struct btree_leaf {
    struct btree_leaf *prev, *next;
    uint16_t n;
    uint8_t items[BTREE_LEAF_CAP][6];
};
static_assert(sizeof(struct btree_leaf) == 512, "a leaf is of a size that is allocated as it is");

struct btree_inner {
    uint64_t n;
    double score[BTREE_INNER_CAP]; /* of the first item below the branch */
    struct zset_item *first[BTREE_INNER_CAP];
    void *child[BTREE_INNER_CAP]; /* inner nodes, on the lowest level leaves */
    uint64_t count[BTREE_INNER_CAP];
};
static_assert(sizeof(struct btree_inner) <= 2048, "an inner node is of a size that is allocated");

struct btree {
    void *root; /* a leaf if there are no levels of inner nodes; NULL for no items */
    unsigned levels;
    uint64_t count;
    size_t leaves, inners; /* nodes that there are */
};

/* Where an item is: valid until the tree changes. */
struct btree_place {
    struct btree_leaf *leaf;
    unsigned at;
};

static inline struct zset_item *btree_leaf_item(const struct btree_leaf *leaf, unsigned at)
{
    uint64_t word;

    /* Two bytes early, so that the last one does not read beyond the leaf. */
    memcpy(&word, (const char *)leaf->items + at * 6 - 2, sizeof(word));
    return (struct zset_item *)(uintptr_t)(word >> 16);
}
static_assert(offsetof(struct btree_leaf, items) >= 2, "there are two bytes before the items");

/* The item of a place; NULL for the place behind an end. */
static inline struct zset_item *btree_item(struct btree_place place)
{
    return place.leaf ? btree_leaf_item(place.leaf, place.at) : NULL;
}

/* The item is not there yet. */
void btree_insert(struct btree *t, struct zset_item *item);
/* The item is there. */
void btree_remove(struct btree *t, struct zset_item *item);
/* Gives an item that is there another score, and its place accordingly. */
void btree_rescore(struct btree *t, struct zset_item *item, double score);
/* Takes out the item of this rank, which is there. */
struct zset_item *btree_take(struct btree *t, uint64_t rank);
/* Fills an empty tree with items that are in order. */
void btree_fill(struct btree *t, struct zset_item *const *items, uint64_t n);
/* Frees the nodes, not the items. */
void btree_release(struct btree *t);

/* How many are before this item, which is there. */
uint64_t btree_rank(const struct btree *t, const struct zset_item *item);
/* How many are before the cut. */
uint64_t btree_rank_of_cut(const struct btree *t, const struct zset_cut *cut);
/* The place of this rank; that behind the end if there are fewer. */
struct btree_place btree_at(const struct btree *t, uint64_t rank);

/* The place behind, before; that behind the end if there is none. */
static inline struct btree_place btree_next(struct btree_place p)
{
    return ++p.at < p.leaf->n ? p : (struct btree_place){p.leaf->next, 0};
}

static inline struct btree_place btree_prev(struct btree_place p)
{
    if (p.at)
        return (struct btree_place){p.leaf, p.at - 1};
    return (struct btree_place){p.leaf->prev, p.leaf->prev ? p.leaf->prev->n - 1U : 0};
}

size_t btree_memory(const struct btree *t);

#endif
