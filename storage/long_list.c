/* Long lists, see long_list.h. */
#include "storage/list_node.h"

#include "base/mem.h"

enum { NODE_FIRST_CAP = 1024 - sizeof(struct list_node) };

struct list_limits list_limits(int64_t max_listpack_size)
{
    enum { SMALLEST_KB = 4, SIZES = 5, BY_NUMBER_BYTES = 8 << 10, NUMBER_MAX = INT16_MAX };
    int64_t number = max_listpack_size;
    struct list_limits max = {BY_NUMBER_BYTES, RING_COUNT_MAX};

    if (number < 0)
        max.bytes = (SMALLEST_KB << 10) << (number > -SIZES ? -number - 1 : SIZES - 1);
    else
        max.count = number < 1 ? 1 : number < NUMBER_MAX ? (uint32_t)number : NUMBER_MAX;
    max.bytes -= sizeof(struct list_node);
    return max;
}

/* ---- nodes ---------------------------------------------------------------------------------- */

struct list_node *node_new(const struct long_list *l, size_t size)
{
    size_t whole = mem_good_size(sizeof(struct list_node) + size);
    struct list_node *n = mem_alloc(whole);

    n->cap = (uint32_t)(whole - sizeof(*n));
    n->begin = n->end = 0;
    n->generation = l->generation;
    return n;
}

void node_free(const struct long_list *l, struct list_node *n)
{
    if (UNLIKELY(node_is_shared(l, n) || n->generation == NODE_LENT)) {
        n->generation = NODE_LEFT;
        return;
    }
    mem_free_sized(n, sizeof(*n) + n->cap);
}

void node_fill(struct list_node *n, size_t begin, const struct list_node *from)
{
    size_t len = node_used(from);

    memmove(n->data + begin, from->data + from->begin, len);
    n->begin = (uint32_t)begin;
    n->end = (uint32_t)(begin + len);
}

struct list_node *node_own_copy(struct long_list *l, size_t i)
{
    struct list_node *old = node_at(l, i), *n = node_new(l, old->cap);

    node_fill(n, old->begin, old);
    node_ring_set(&l->ring, i, n, node_ring_count(&l->ring, i));
    node_free(l, old);
    return n;
}

/*
 * Where elements are to begin in a node of `cap` bytes: the other end keeps what it has, up to a
 * quarter of what is not used; the rest, `need` bytes at least, is at this end.
 */
static size_t begin_for(const struct list_node *n, size_t cap, enum list_end end, size_t need)
{
    size_t quarter = (cap - node_used(n) - need) / 4;
    size_t other = node_room(n, end == LIST_HEAD ? LIST_TAIL : LIST_HEAD);

    other = other < quarter ? other : quarter;
    return end == LIST_TAIL ? other : cap - node_used(n) - other;
}

struct list_node *node_resize(struct long_list *l, size_t i, size_t cap, enum list_end end,
                              size_t need)
{
    struct list_node *old = node_at(l, i), *n = node_new(l, cap);

    node_fill(n, begin_for(old, n->cap, end, need), old);
    node_ring_set(&l->ring, i, n, node_ring_count(&l->ring, i));
    node_free(l, old);
    return n;
}

void node_trim(struct long_list *l, size_t i)
{
    struct list_node *n = node_at(l, i);

    if (n->cap - node_used(n) > n->cap / 4)
        node_resize(l, i, node_used(n), LIST_TAIL, 0);
}

/* ---- the list ------------------------------------------------------------------------------- */

struct long_list *long_list_new(void)
{
    struct long_list *l = mem_alloc(sizeof(*l));

    l->count = 0;
    l->saving = NULL;
    l->generation = 0;
    node_ring_init(&l->ring);
    return l;
}

void long_list_free(void *list)
{
    struct long_list *l = list;

    for (size_t i = 0; i < l->ring.len; i++)
        node_free(l, node_at(l, i));
    node_ring_release(&l->ring);
    mem_free_sized(l, sizeof(*l));
}

size_t long_list_effort(const void *list)
{
    const struct long_list *l = list;

    return l->ring.len + 1U;
}

void *long_list_copy(const void *list)
{
    const struct long_list *l = list;
    struct long_list *copy = long_list_new();

    copy->count = l->count;
    for (size_t i = 0; i < l->ring.len; i++) {
        struct list_node *n = node_new(copy, node_used(node_at(l, i)));

        node_fill(n, 0, node_at(l, i));
        node_ring_insert(&copy->ring, i, n, node_ring_count(&l->ring, i));
    }
    return copy;
}

size_t long_list_memory(const void *list, size_t samples)
{
    const struct long_list *l = list;
    size_t sum = 0, n = samples && samples < l->ring.len ? samples : l->ring.len;

    for (size_t i = 0; i < n; i++)
        sum += sizeof(struct list_node) + node_at(l, i)->cap;
    if (n)
        sum = (size_t)((double)sum / (double)n * l->ring.len);
    return mem_good_size(sizeof(*l)) + node_ring_memory(&l->ring) + sum;
}

struct list_place long_list_find(const struct long_list *l, uint64_t index)
{
    struct list_place p;
    const struct list_node *n;
    size_t count;

    p.node = node_ring_find(&l->ring, index, l->count, &p.within);
    n = node_at(l, p.node);
    count = node_ring_count(&l->ring, p.node);
    if (p.within <= count / 2) {
        p.at = n->data + n->begin;
        for (size_t k = p.within; k; k--)
            p.at = trail_next(p.at);
    } else {
        p.at = n->data + n->end;
        for (size_t k = count - p.within; k; k--)
            p.at = trail_prev(p.at);
    }
    return p;
}

/* ---- both ends ------------------------------------------------------------------------------ */

/* A node more at the end, since that which is there is as large as it may be. */
static struct list_node *add_node(struct long_list *l, enum list_end end, size_t need,
                                  struct list_limits max)
{
    size_t last = end == LIST_HEAD ? 0 : l->ring.len - 1U, cap = NODE_FIRST_CAP;
    struct list_node *n;

    if (l->ring.len)
        node_trim(l, last);
    cap = cap < max.bytes ? cap : max.bytes;
    n = node_new(l, need > cap ? need : cap);
    n->begin = n->end = end == LIST_HEAD ? n->cap : 0;
    node_ring_insert(&l->ring, end == LIST_HEAD ? 0 : l->ring.len, n, 0);
    return n;
}

/*
 * Makes room at the end of the last node. Its elements are moved where that gains as many bytes at
 * least; so are they when it grows.
 */
static struct list_node *widen(struct long_list *l, enum list_end end, size_t need,
                               struct list_limits max)
{
    size_t i = end == LIST_HEAD ? 0 : l->ring.len - 1U, cap;
    struct list_node *n = node_own(l, i);

    if (n->cap - node_used(n) >= need && n->cap - node_used(n) >= node_used(n)) {
        node_fill(n, begin_for(n, n->cap, end, need), n);
        return n;
    }
    if (n->cap >= max.bytes)
        return add_node(l, end, need, max);
    cap = n->cap * (size_t)2;
    cap = cap > node_used(n) + need ? cap : node_used(n) + need;
    return node_resize(l, i, cap < max.bytes ? cap : max.bytes, end, need);
}

/* The node at the end, in which there is room for `need` bytes there. */
static struct list_node *room_for(struct long_list *l, enum list_end end, size_t need,
                                  struct list_limits max)
{
    size_t i = end == LIST_HEAD ? 0 : l->ring.len - 1U;
    struct list_node *n;

    if (UNLIKELY(!l->ring.len))
        return add_node(l, end, need, max);
    n = node_at(l, i);
    if (UNLIKELY(node_used(n) + need > max.bytes || node_ring_count(&l->ring, i) >= max.count))
        return add_node(l, end, need, max);
    return LIKELY(node_room(n, end) >= need) ? node_own(l, i) : widen(l, end, need, max);
}

char *long_list_push(struct long_list *l, enum list_end end, size_t size, struct list_limits max)
{
    size_t need = size + trail_size(size);
    struct list_node *n = room_for(l, end, need, max);
    char *at;

    if (end == LIST_HEAD) {
        n->begin -= (uint32_t)need;
        at = n->data + n->begin;
    } else {
        at = n->data + n->end;
        n->end += (uint32_t)need;
    }
    trail_write(at + size, size);
    node_ring_add_count(&l->ring, end == LIST_HEAD ? 0 : l->ring.len - 1U, 1);
    l->count++;
    return at;
}

void node_append(struct long_list *l, size_t i, size_t j)
{
    struct list_node *n = node_at(l, i), *from = node_at(l, j);
    size_t more = node_used(from);

    if (node_room(n, LIST_TAIL) < more)
        n = node_resize(l, i, node_used(n) + more, LIST_TAIL, more);
    else
        n = node_own(l, i);
    memcpy(n->data + n->end, from->data + from->begin, more);
    n->end += (uint32_t)more;
    node_ring_add_count(&l->ring, i, (int64_t)node_ring_count(&l->ring, j));
    node_free(l, from);
}

bool node_join_next(struct long_list *l, size_t i, struct list_limits max)
{
    if (!node_may_join(l, i, max))
        return false;
    node_append(l, i, i + 1);
    node_ring_remove(&l->ring, i + 1, 1);
    return true;
}

/* What is left of a list that was longer does not keep the memory that it had. */
static void slim(struct long_list *l, struct list_limits max)
{
    struct list_node *n;

    if (l->ring.len == 2)
        node_join_next(l, 0, max);
    n = l->ring.len == 1 ? node_at(l, 0) : NULL;
    if (n && n->cap > NODE_FIRST_CAP * 2 && node_used(n) < n->cap / 4)
        node_resize(l, 0, node_used(n) * 2, LIST_TAIL, 0);
}

static void drop_from_node(struct list_node *n, enum list_end end, size_t count)
{
    const char *at = end == LIST_HEAD ? n->data + n->begin : n->data + n->end;

    for (; count; count--)
        at = end == LIST_HEAD ? trail_next(at) : trail_prev(at);
    if (end == LIST_HEAD)
        n->begin = (uint32_t)(at - n->data);
    else
        n->end = (uint32_t)(at - n->data);
}

void long_list_drop(struct long_list *l, enum list_end end, size_t n, struct list_limits max)
{
    l->count -= n;
    while (n) {
        size_t i = end == LIST_HEAD ? 0 : l->ring.len - 1U;
        size_t count = node_ring_count(&l->ring, i);

        if (LIKELY(n < count)) {
            drop_from_node(node_own(l, i), end, n);
            node_ring_add_count(&l->ring, i, -(int64_t)n);
            break;
        }
        node_free(l, node_at(l, i));
        node_ring_remove(&l->ring, i, 1);
        n -= count;
    }
    if (UNLIKELY(l->ring.len <= 2))
        slim(l, max);
}

/* How many nodes at the end hold `n` elements, or fewer. */
static size_t whole_nodes(const struct long_list *l, enum list_end end, size_t n)
{
    size_t k = 0;

    while (k < l->ring.len) {
        size_t count = node_ring_count(&l->ring, end == LIST_HEAD ? k : l->ring.len - 1 - k);

        if (count > n)
            break;
        n -= count;
        k++;
    }
    return k;
}

struct long_list *long_list_cut(struct long_list *l, enum list_end end, size_t n)
{
    enum { MANY = 64 };
    size_t nodes = whole_nodes(l, end, n), first = end == LIST_HEAD ? 0 : l->ring.len - nodes;
    struct long_list *cut;

    if (nodes < MANY || l->saving)
        return NULL;
    cut = long_list_new();
    for (size_t i = first; i < first + nodes; i++) {
        size_t count = node_ring_count(&l->ring, i);

        node_ring_insert(&cut->ring, cut->ring.len, node_at(l, i), count);
        cut->count += count;
    }
    node_ring_remove(&l->ring, first, nodes);
    l->count -= cut->count;
    return cut;
}
