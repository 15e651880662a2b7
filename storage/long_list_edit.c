/* Changing long lists between their ends, see long_list.h. */
#include "storage/list_node.h"

/* Where an element is to be: in front of number `within` of node `node`, at this offset there. */
struct gap {
    size_t node, within, offset;
};

static struct gap gap_at(const struct long_list *l, uint64_t index)
{
    struct list_place p = long_list_find(l, index);
    const struct list_node *n = node_at(l, p.node);

    return (struct gap){p.node, p.within, (size_t)(p.at - n->data) - n->begin};
}

static bool fits(const struct long_list *l, size_t i, size_t need, struct list_limits max)
{
    return node_ring_count(&l->ring, i) < max.count && node_used(node_at(l, i)) + need <= max.bytes;
}

/* Makes room for `need` bytes within a node; whichever side is shorter moves if it can. */
static char *open_gap(struct long_list *l, size_t i, size_t offset, size_t need,
                      struct list_limits max)
{
    struct list_node *n = node_own(l, i);
    size_t grown = node_used(n) + node_used(n) / 4 + need;
    bool at_front;
    char *at;

    if (n->cap - node_used(n) < need)
        n = node_resize(l, i, grown < max.bytes ? grown : max.bytes, LIST_TAIL, need);
    else if (n->begin < need && node_room(n, LIST_TAIL) < need)
        node_fill(n, 0, n);
    at_front = n->begin >= need && (offset < node_used(n) / 2 || node_room(n, LIST_TAIL) < need);
    at = n->data + n->begin + offset;
    if (at_front) {
        memmove(n->data + n->begin - need, n->data + n->begin, offset);
        n->begin -= (uint32_t)need;
        return at - need;
    }
    memmove(at + need, at, node_used(n) - offset);
    n->end += (uint32_t)need;
    return at;
}

static void close_gap(struct list_node *n, size_t offset, size_t len)
{
    char *at = n->data + n->begin + offset;

    if (offset < node_used(n) / 2) {
        memmove(n->data + n->begin + len, n->data + n->begin, offset);
        n->begin += (uint32_t)len;
    } else {
        memmove(at, at + len, node_used(n) - offset - len);
        n->end -= (uint32_t)len;
    }
}

/* What is behind the gap becomes a node of its own. */
static void split(struct long_list *l, struct gap g)
{
    struct list_node *n = node_own(l, g.node), *rest;
    size_t moved = node_used(n) - g.offset, count = node_ring_count(&l->ring, g.node);

    rest = node_new(l, moved);
    memcpy(rest->data, n->data + n->end - moved, moved);
    rest->end = (uint32_t)moved;
    n->end -= (uint32_t)moved;
    node_ring_set(&l->ring, g.node, n, g.within);
    node_ring_insert(&l->ring, g.node + 1, rest, count - g.within);
}

/* Splits the gap's node of two elements or more in about the middle; returns where the gap is. */
static struct gap halve(struct long_list *l, struct gap g)
{
    const struct list_node *n = node_at(l, g.node);
    size_t count = node_ring_count(&l->ring, g.node);
    const char *begin = n->data + n->begin, *at = trail_next(begin);
    struct gap middle = {g.node, 1, 0};

    while (middle.within + 1 < count && (size_t)(at - begin) < node_used(n) / 2) {
        at = trail_next(at);
        middle.within++;
    }
    middle.offset = (size_t)(at - begin);
    split(l, middle);
    if (g.within <= middle.within)
        return g;
    return (struct gap){g.node + 1, g.within - middle.within, g.offset - middle.offset};
}

/* A node for the element alone. */
static char *insert_node(struct long_list *l, struct gap g, size_t need)
{
    struct list_node *n = node_new(l, need);

    if (g.within && g.within < node_ring_count(&l->ring, g.node))
        split(l, g);
    n->end = (uint32_t)need;
    node_ring_insert(&l->ring, g.node + (g.within > 0), n, 0);
    return n->data;
}

char *long_list_insert(struct long_list *l, uint64_t index, size_t size, struct list_limits max)
{
    size_t need = size + trail_size(size);
    struct gap g;
    char *at;

    if (index == 0 || index == l->count)
        return long_list_push(l, index ? LIST_TAIL : LIST_HEAD, size, max);
    g = gap_at(l, index);
    if (!fits(l, g.node, need, max)) {
        if (g.within)
            g = halve(l, g);
        else if (fits(l, g.node - 1, need, max))
            g = (struct gap){g.node - 1, node_ring_count(&l->ring, g.node - 1),
                             node_used(node_at(l, g.node - 1))};
    }
    if (fits(l, g.node, need, max)) {
        at = open_gap(l, g.node, g.offset, need, max);
    } else {
        at = insert_node(l, g, need);
        g.node += g.within > 0;
    }
    node_ring_add_count(&l->ring, g.node, 1);
    l->count++;
    trail_write(at + size, size);
    return at;
}

/* Node i became smaller: it may be one with a neighbour. */
static void join_around(struct long_list *l, size_t i, struct list_limits max)
{
    node_join_next(l, i, max);
    if (i > 0)
        node_join_next(l, i - 1, max);
}

/* The only element of a node is replaced with the node. */
static char *replace_node(struct long_list *l, size_t i, size_t need)
{
    struct list_node *n = node_new(l, need);

    n->end = (uint32_t)need;
    node_free(l, node_at(l, i));
    node_ring_set(&l->ring, i, n, 1);
    return n->data;
}

/* Makes element number `index`, of `old` bytes, one of `size`, and returns where it is. */
static char *replace(struct long_list *l, uint64_t index, size_t size, struct list_limits max)
{
    struct gap g = gap_at(l, index);
    struct list_node *n = node_own(l, g.node);
    const char *at = n->data + n->begin + g.offset;
    size_t old = (size_t)(trail_next(at) - at), need = size + trail_size(size);
    char *to = n->data + n->begin + g.offset;

    if (old != need && node_ring_count(&l->ring, g.node) == 1) {
        to = replace_node(l, g.node, need);
    } else if (old != need) {
        close_gap(n, g.offset, old);
        if (node_used(n) + need > max.bytes) {
            node_ring_add_count(&l->ring, g.node, -1);
            l->count--;
            return long_list_insert(l, index, size, max);
        }
        to = open_gap(l, g.node, g.offset, need, max);
    }
    trail_write(to + size, size);
    return to;
}

void long_list_set(struct long_list *l, uint64_t index, const struct pack_value *v,
                   struct list_limits max)
{
    size_t within;

    pack_write(replace(l, index, pack_value_size(v), max), v);
    join_around(l, node_ring_find(&l->ring, index, l->count, &within), max);
}

/* Takes what is this element out of node i, behind the first `skip` elements; at most `most`. */
static size_t sift(struct long_list *l, size_t i, const struct pack_value *v, size_t skip,
                   uint64_t most)
{
    struct list_node *n = node_own(l, i);
    const char *at = n->data + n->begin, *end = n->data + n->end;
    size_t removed = 0;
    char *to;

    while (skip--)
        at = trail_next(at);
    to = n->data + (at - n->data);
    while (at < end && removed < most) {
        const char *next = trail_next(at);

        if (pack_is(at, v)) {
            removed++;
        } else {
            memmove(to, at, (size_t)(next - at));
            to += next - at;
        }
        at = next;
    }
    memmove(to, at, (size_t)(end - at));
    n->end -= (uint32_t)(at - to);
    node_ring_add_count(&l->ring, i, -(int64_t)removed);
    return removed;
}

/*
 * Node i stays, `removed` of its elements went: it becomes number `kept`, or part of the one
 * before. Returns how many are kept with it.
 */
static size_t keep(struct long_list *l, size_t i, size_t kept, size_t removed,
                   struct list_limits max)
{
    node_ring_set(&l->ring, kept, node_at(l, i), node_ring_count(&l->ring, i));
    if (kept > 0 && node_may_join(l, kept - 1, max)) {
        node_append(l, kept - 1, kept);
        return kept;
    }
    if (removed)
        node_trim(l, kept);
    return kept + 1;
}

uint64_t long_list_remove(struct long_list *l, const struct pack_value *v, uint64_t from,
                          uint64_t most, struct list_limits max)
{
    uint64_t removed = 0;
    size_t within, i = node_ring_find(&l->ring, from, l->count, &within), kept = i;

    for (; i < l->ring.len && removed < most; i++, within = 0) {
        size_t some = sift(l, i, v, within, most - removed);

        removed += some;
        if (node_ring_count(&l->ring, i))
            kept = keep(l, i, kept, some, max);
        else
            node_free(l, node_at(l, i));
    }
    node_ring_remove(&l->ring, kept, i - kept);
    l->count -= removed;
    if (kept > 0)
        node_join_next(l, kept - 1, max);
    return removed;
}
