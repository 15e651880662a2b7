/*
 * Nodes of a long list, as long_list.c and long_list_edit.c have them in common. Nobody else
 * includes this.
 */
#ifndef LK_STORAGE_LIST_NODE_H
#define LK_STORAGE_LIST_NODE_H

#include "storage/long_list.h"

static inline size_t node_used(const struct list_node *n)
{
    return n->end - n->begin;
}

static inline size_t node_room(const struct list_node *n, enum list_end end)
{
    return end == LIST_HEAD ? n->begin : n->cap - n->end;
}

static inline struct list_node *node_at(const struct long_list *l, size_t i)
{
    return node_ring_node(&l->ring, i);
}

/* A snapshot has yet to save it. */
static inline bool node_is_shared(const struct long_list *l, const struct list_node *n)
{
    return UNLIKELY(l && l->saving) && n->generation != l->generation;
}

/* Node i, which will be changed; or the copy that has taken its place, if it is shared. */
struct list_node *node_own_copy(struct long_list *l, size_t i);
static inline struct list_node *node_own(struct long_list *l, size_t i)
{
    struct list_node *n = node_at(l, i);

    return LIKELY(!node_is_shared(l, n)) ? n : node_own_copy(l, i);
}

/* An empty one for `size` bytes at least. */
struct list_node *node_new(const struct long_list *l, size_t size);
/* It is in the list no more; NULL for a list that is gone. */
void node_free(const struct long_list *l, struct list_node *n);
/* The elements of `from`, which may be the node itself, to begin at `begin`. */
void node_fill(struct list_node *n, size_t begin, const struct list_node *from);

/*
 * Gives node i another capacity, most of what is not used at this end; `need` bytes at least, which
 * there are.
 */
struct list_node *node_resize(struct long_list *l, size_t i, size_t cap, enum list_end end,
                              size_t need);
/* Node i, which will not grow for now, gives away what it has too much. */
void node_trim(struct long_list *l, size_t i);

/* Whether nodes i and i + 1 are little enough together to be one. */
static inline bool node_may_join(const struct long_list *l, size_t i, struct list_limits max)
{
    return i + 1 < l->ring.len &&
           node_ring_count(&l->ring, i) + node_ring_count(&l->ring, i + 1) <= max.count / 2 &&
           node_used(node_at(l, i)) + node_used(node_at(l, i + 1)) <= max.bytes / 2;
}

/* Appends the elements of node j to node i and frees it; its place in the ring is the caller's. */
void node_append(struct long_list *l, size_t i, size_t j);
/* Makes one of nodes i and i + 1 if they are little enough. */
bool node_join_next(struct long_list *l, size_t i, struct list_limits max);

#endif
