/* A ring of nodes, see node_ring.h. */
#include "storage/node_ring.h"

#include "base/mem.h"

#include <string.h>

void node_ring_init(struct node_ring *r)
{
    *r = (struct node_ring){.cap = RING_FEW};
    r->items = r->few;
}

void node_ring_release(struct node_ring *r)
{
    if (r->items != r->few)
        mem_free_sized(r->items, r->cap * sizeof(*r->items));
    node_ring_init(r);
}

size_t node_ring_memory(const struct node_ring *r)
{
    return r->items == r->few ? 0 : mem_good_size(r->cap * sizeof(*r->items));
}

static void set_capacity(struct node_ring *r, uint32_t cap)
{
    uint64_t few[RING_FEW] = {0};
    uint64_t *items = cap > RING_FEW ? mem_alloc(cap * sizeof(*items)) : few;

    for (uint32_t i = 0; i < r->len; i++)
        items[i] = *node_ring_item(r, i);
    if (r->items != r->few)
        mem_free_sized(r->items, r->cap * sizeof(*r->items));
    if (items == few)
        items = memcpy(r->few, few, sizeof(few));
    r->items = items;
    r->first = 0;
    r->cap = cap;
}

/* The shorter side makes room. */
void node_ring_insert(struct node_ring *r, size_t i, const void *node, size_t count)
{
    if (r->len == r->cap)
        set_capacity(r, r->cap * 2);
    if (i < r->len / 2) {
        r->first = (r->first - 1) & (r->cap - 1);
        for (size_t k = 0; k < i; k++)
            *node_ring_item(r, k) = *node_ring_item(r, k + 1);
    } else {
        for (size_t k = r->len; k > i; k--)
            *node_ring_item(r, k) = *node_ring_item(r, k - 1);
    }
    r->len++;
    node_ring_set(r, i, node, count);
}

void node_ring_remove(struct node_ring *r, size_t i, size_t n)
{
    size_t behind = r->len - i - n;
    uint32_t cap = r->cap;

    if (i < behind) {
        for (size_t k = i; k--;)
            *node_ring_item(r, k + n) = *node_ring_item(r, k);
        r->first = (r->first + (uint32_t)n) & (r->cap - 1);
    } else {
        for (size_t k = i; k < i + behind; k++)
            *node_ring_item(r, k) = *node_ring_item(r, k + n);
    }
    r->len -= (uint32_t)n;
    while (r->len < cap / 4 && cap > RING_FEW)
        cap /= 2;
    if (UNLIKELY(cap != r->cap))
        set_capacity(r, cap);
}

size_t node_ring_find(const struct node_ring *r, uint64_t index, uint64_t total, size_t *within)
{
    size_t i;

    if (index < total / 2) {
        for (i = 0; index >= node_ring_count(r, i); i++)
            index -= node_ring_count(r, i);
        *within = index;
        return i;
    }
    for (i = r->len - 1; total - node_ring_count(r, i) > index; i--)
        total -= node_ring_count(r, i);
    *within = index - (total - node_ring_count(r, i));
    return i;
}
