/*
 * A sequence of nodes, each with the number of elements in it. An item is one word, the node's
 * address in the lower 48 bits and the number of its elements above; whoever looks for an element
 * by its index reads these words alone, and no node.
 *
 * Items are in an array that is used as a ring, so that both ends are the same. Of many there are
 * tiers, rings of RING_TIER items, all of them full but the first and the last:
 *
 *     tiers     [ 3 items, 12 elements ][ 512, 3000 ][ 512, 2900 ][ 100, 650 ]
 *
 * An insertion moves items of one tier, and one item from each tier to the next as far as the
 * nearer end; an element is looked for by the sums of the tiers, and then within one of them. So
 * nothing takes long even with millions of nodes, and no growth copies more than the list of tiers.
 *
 * Nodes have indexes from 0. The ring does not own them.
 */
#ifndef LK_STORAGE_NODE_RING_H
#define LK_STORAGE_NODE_RING_H

#include "base/compiler.h"

#include <stdint.h>

enum {
    RING_FEW = 2,
    RING_TIER = 512,
    RING_COUNT_MAX = UINT16_MAX, /* elements of a node */
    RING_ADDRESS_BITS = 48,
};

struct node_tiers;

struct node_ring {
    uint64_t *items;
    uint32_t first, len, cap; /* `cap` is a power of two; `len` counts those of all tiers */
    struct node_tiers *tiers; /* in place of `items`, of many; or NULL */
    uint64_t few[RING_FEW];   /* where the items are while they are as few: never move a ring */
};

void node_ring_init(struct node_ring *r);
void node_ring_release(struct node_ring *r);
/* Bytes beyond the struct itself. */
size_t node_ring_memory(const struct node_ring *r);

uint64_t *node_ring_tier_item(const struct node_ring *r, size_t i);
void node_ring_tier_set(struct node_ring *r, size_t i, uint64_t item);

static inline uint64_t node_ring_item(const struct node_ring *r, size_t i)
{
    return LIKELY(!r->tiers) ? r->items[(r->first + i) & (r->cap - 1)] : *node_ring_tier_item(r, i);
}

static inline void *node_ring_node(const struct node_ring *r, size_t i)
{
    return (void *)(uintptr_t)(node_ring_item(r, i) & (((uint64_t)1 << RING_ADDRESS_BITS) - 1));
}

static inline size_t node_ring_count(const struct node_ring *r, size_t i)
{
    return node_ring_item(r, i) >> RING_ADDRESS_BITS;
}

static inline void node_ring_set_item(struct node_ring *r, size_t i, uint64_t item)
{
    if (LIKELY(!r->tiers))
        r->items[(r->first + i) & (r->cap - 1)] = item;
    else
        node_ring_tier_set(r, i, item);
}

static inline void node_ring_set(struct node_ring *r, size_t i, const void *node, size_t count)
{
    node_ring_set_item(r, i, (uint64_t)(uintptr_t)node | (uint64_t)count << RING_ADDRESS_BITS);
}

/* `more` may be negative. */
static inline void node_ring_add_count(struct node_ring *r, size_t i, int64_t more)
{
    node_ring_set_item(r, i, node_ring_item(r, i) + ((uint64_t)more << RING_ADDRESS_BITS));
}

/* All items, for which there is room. */
void node_ring_copy(const struct node_ring *r, uint64_t *to);

/* The node becomes number i; those from there on move up. */
void node_ring_insert(struct node_ring *r, size_t i, const void *node, size_t count);
/* Nodes i to i + n - 1 are no longer in it. */
void node_ring_remove(struct node_ring *r, size_t i, size_t n);

/*
 * The node that has element number `index` of `total`, which is how many there are in all nodes;
 * *within is its number there.
 */
size_t node_ring_find(const struct node_ring *r, uint64_t index, uint64_t total, size_t *within);

#endif
