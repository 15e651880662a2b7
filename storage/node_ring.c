/* A ring of nodes, and the tiers of many, see node_ring.h. */
#include "storage/node_ring.h"

#include "base/mem.h"

#include <string.h>

/* RING_TIER items, used as a ring. */
struct tier {
    uint64_t *items;
    uint64_t elements; /* of all its nodes */
    uint32_t first, len;
};

/* These too are used as a ring. */
struct node_tiers {
    uint32_t first, len, cap;
    struct tier v[];
};

static uint64_t elements_of(uint64_t item)
{
    return item >> RING_ADDRESS_BITS;
}

/* ---- one tier ------------------------------------------------------------------------------- */

static uint64_t *item_of(const struct tier *t, size_t i)
{
    return &t->items[(t->first + i) & (RING_TIER - 1)];
}

/* The shorter side makes room. */
static void tier_insert(struct tier *t, size_t i, uint64_t item)
{
    if (i < t->len / 2) {
        t->first = (t->first - 1) & (RING_TIER - 1);
        for (size_t k = 0; k < i; k++)
            *item_of(t, k) = *item_of(t, k + 1);
    } else {
        for (size_t k = t->len; k > i; k--)
            *item_of(t, k) = *item_of(t, k - 1);
    }
    t->len++;
    t->elements += elements_of(item);
    *item_of(t, i) = item;
}

static uint64_t tier_remove(struct tier *t, size_t i)
{
    uint64_t item = *item_of(t, i);

    t->len--;
    t->elements -= elements_of(item);
    if (i < t->len / 2) {
        for (size_t k = i; k; k--)
            *item_of(t, k) = *item_of(t, k - 1);
        t->first = (t->first + 1) & (RING_TIER - 1);
    } else {
        for (size_t k = i; k < t->len; k++)
            *item_of(t, k) = *item_of(t, k + 1);
    }
    return item;
}

/* ---- tiers ---------------------------------------------------------------------------------- */

static struct tier *tier_at(const struct node_ring *r, size_t k)
{
    struct node_tiers *tiers = r->tiers;

    return &tiers->v[(tiers->first + k) & (tiers->cap - 1)];
}

static size_t last_tier(const struct node_ring *r)
{
    return r->tiers->len - 1U;
}

static size_t directory_size(uint32_t cap)
{
    return sizeof(struct node_tiers) + cap * sizeof(struct tier);
}

static void grow_directory(struct node_ring *r)
{
    struct node_tiers *old = r->tiers, *t = mem_alloc(directory_size(old->cap * 2));

    t->first = 0;
    t->len = old->len;
    t->cap = old->cap * 2;
    for (uint32_t k = 0; k < old->len; k++)
        t->v[k] = *tier_at(r, k);
    mem_free_sized(old, directory_size(old->cap));
    r->tiers = t;
}

/* An empty tier more, in front of all or behind. */
static void add_tier(struct node_ring *r, bool front)
{
    if (r->tiers->len == r->tiers->cap)
        grow_directory(r);
    if (front)
        r->tiers->first = (r->tiers->first - 1) & (r->tiers->cap - 1);
    r->tiers->len++;
    *tier_at(r, front ? 0 : last_tier(r)) =
        (struct tier){.items = mem_alloc(RING_TIER * sizeof(uint64_t))};
}

static void drop_tier(struct node_ring *r, bool front)
{
    mem_free_sized(tier_at(r, front ? 0 : last_tier(r))->items, RING_TIER * sizeof(uint64_t));
    if (front)
        r->tiers->first = (r->tiers->first + 1) & (r->tiers->cap - 1);
    r->tiers->len--;
}

/* The tier in which item i is, or is to be inserted; *within is its number there. */
static size_t locate(const struct node_ring *r, size_t i, size_t *within)
{
    size_t head = tier_at(r, 0)->len, k;

    *within = i;
    if (i < head)
        return 0;
    k = 1 + (i - head) / RING_TIER;
    *within = (i - head) % RING_TIER;
    if (k <= last_tier(r))
        return k;
    *within = tier_at(r, k - 1)->len;
    return k - 1;
}

uint64_t *node_ring_tier_item(const struct node_ring *r, size_t i)
{
    size_t within, k = locate(r, i, &within);

    return item_of(tier_at(r, k), within);
}

void node_ring_tier_set(struct node_ring *r, size_t i, uint64_t item)
{
    size_t within;
    struct tier *t = tier_at(r, locate(r, i, &within));
    uint64_t *there = item_of(t, within);

    t->elements += elements_of(item) - elements_of(*there);
    *there = item;
}

/* Tiers before number k take one item each from the next, so that this one has room. */
static void insert_from_front(struct node_ring *r, size_t k, size_t within, uint64_t item)
{
    if (tier_at(r, 0)->len == RING_TIER) {
        add_tier(r, true);
        k++;
    }
    if (k > 0 && within == 0)
        within = tier_at(r, --k)->len;
    for (size_t t = 0; t < k; t++)
        tier_insert(tier_at(r, t), tier_at(r, t)->len, tier_remove(tier_at(r, t + 1), 0));
    tier_insert(tier_at(r, k), within - (k > 0), item);
}

static void insert_from_back(struct node_ring *r, size_t k, size_t within, uint64_t item)
{
    if (tier_at(r, last_tier(r))->len == RING_TIER)
        add_tier(r, false);
    if (within == tier_at(r, k)->len && k < last_tier(r)) {
        within = 0;
        k++;
    }
    for (size_t t = last_tier(r); t > k; t--)
        tier_insert(tier_at(r, t), 0, tier_remove(tier_at(r, t - 1), tier_at(r, t - 1)->len - 1U));
    tier_insert(tier_at(r, k), within, item);
}

static void insert_in_tiers(struct node_ring *r, size_t i, uint64_t item)
{
    size_t within, k = locate(r, i, &within);

    if (i < r->len / 2)
        insert_from_front(r, k, within, item);
    else
        insert_from_back(r, k, within, item);
    r->len++;
}

/* Item i is gone; from the nearer end on, each tier gives one to that which has one too few. */
static void remove_from_tiers(struct node_ring *r, size_t i)
{
    size_t within, k = locate(r, i, &within);

    tier_remove(tier_at(r, k), within);
    if (i < r->len / 2) {
        for (size_t t = k; t > 0; t--)
            tier_insert(tier_at(r, t), 0,
                        tier_remove(tier_at(r, t - 1), tier_at(r, t - 1)->len - 1U));
        if (!tier_at(r, 0)->len)
            drop_tier(r, true);
    } else {
        for (size_t t = k; t < last_tier(r); t++)
            tier_insert(tier_at(r, t), tier_at(r, t)->len, tier_remove(tier_at(r, t + 1), 0));
        if (!tier_at(r, last_tier(r))->len)
            drop_tier(r, false);
    }
    r->len--;
}

/* `n` items at an end are gone. */
static void cut_tiers(struct node_ring *r, bool front, size_t n)
{
    r->len -= (uint32_t)n;
    while (n) {
        struct tier *t = tier_at(r, front ? 0 : last_tier(r));

        if (t->len <= n) {
            n -= t->len;
            drop_tier(r, front);
            continue;
        }
        for (; n; n--)
            tier_remove(t, front ? 0 : t->len - 1U);
    }
}

/* Either by moving what is on the shorter side, or one by one. */
static void remove_many_from_tiers(struct node_ring *r, size_t i, size_t n)
{
    size_t behind = r->len - i - n, shorter = i < behind ? i : behind;

    if (shorter > n * (r->tiers->len + RING_TIER)) {
        for (; n; n--)
            remove_from_tiers(r, i);
    } else if (i < behind) {
        for (size_t k = i; k--;)
            node_ring_tier_set(r, k + n, *node_ring_tier_item(r, k));
        cut_tiers(r, true, n);
    } else {
        for (size_t k = i; k < i + behind; k++)
            node_ring_tier_set(r, k, *node_ring_tier_item(r, k + n));
        cut_tiers(r, false, n);
    }
}

/* The tier that has element number *index, which becomes its number there. */
static size_t find_tier(const struct node_ring *r, uint64_t *index, uint64_t total)
{
    size_t k;

    if (*index < total / 2) {
        for (k = 0; *index >= tier_at(r, k)->elements; k++)
            *index -= tier_at(r, k)->elements;
        return k;
    }
    for (k = last_tier(r); total - tier_at(r, k)->elements > *index; k--)
        total -= tier_at(r, k)->elements;
    *index -= total - tier_at(r, k)->elements;
    return k;
}

static size_t find_in_tiers(const struct node_ring *r, uint64_t index, uint64_t total,
                            size_t *within)
{
    size_t k = find_tier(r, &index, total), i = 0;
    const struct tier *t = tier_at(r, k);

    for (; index >= elements_of(*item_of(t, i)); i++)
        index -= elements_of(*item_of(t, i));
    *within = index;
    return k ? tier_at(r, 0)->len + (k - 1) * RING_TIER + i : i;
}

/* ---- few or many ---------------------------------------------------------------------------- */

void node_ring_init(struct node_ring *r)
{
    *r = (struct node_ring){.cap = RING_FEW};
    r->items = r->few;
}

void node_ring_release(struct node_ring *r)
{
    if (r->tiers) {
        while (r->tiers->len)
            drop_tier(r, true);
        mem_free_sized(r->tiers, directory_size(r->tiers->cap));
    } else if (r->items != r->few) {
        mem_free_sized(r->items, r->cap * sizeof(*r->items));
    }
    node_ring_init(r);
}

size_t node_ring_memory(const struct node_ring *r)
{
    if (r->tiers)
        return mem_good_size(directory_size(r->tiers->cap)) +
               r->tiers->len * RING_TIER * sizeof(uint64_t);
    return r->items == r->few ? 0 : mem_good_size(r->cap * sizeof(*r->items));
}

static void set_capacity(struct node_ring *r, uint32_t cap)
{
    uint64_t few[RING_FEW] = {0};
    uint64_t *items = cap > RING_FEW ? mem_alloc(cap * sizeof(*items)) : few;

    for (uint32_t i = 0; i < r->len; i++)
        items[i] = node_ring_item(r, i);
    if (r->items != r->few)
        mem_free_sized(r->items, r->cap * sizeof(*r->items));
    if (items == few)
        items = memcpy(r->few, few, sizeof(few));
    r->items = items;
    r->first = 0;
    r->cap = cap;
}

/* The ring, which is as large as a tier, becomes the first of several. */
static void make_tiers(struct node_ring *r)
{
    enum { TIERS_FIRST = 4 };
    struct node_tiers *tiers = mem_alloc(directory_size(TIERS_FIRST));
    struct tier t = {.items = r->items, .first = r->first, .len = r->len};

    for (size_t i = 0; i < t.len; i++)
        t.elements += elements_of(*item_of(&t, i));
    *tiers = (struct node_tiers){.len = 1, .cap = TIERS_FIRST};
    tiers->v[0] = t;
    r->items = NULL;
    r->tiers = tiers;
}

/* The last tier, if one is left, becomes a ring by itself. */
static void leave_tiers(struct node_ring *r)
{
    struct tier t = {.items = r->few};
    bool any = r->tiers->len > 0;

    if (any)
        t = *tier_at(r, 0);
    mem_free_sized(r->tiers, directory_size(r->tiers->cap));
    r->tiers = NULL;
    r->items = t.items;
    r->first = t.first;
    r->cap = any ? RING_TIER : RING_FEW;
}

void node_ring_insert(struct node_ring *r, size_t i, const void *node, size_t count)
{
    uint64_t item = (uint64_t)(uintptr_t)node | (uint64_t)count << RING_ADDRESS_BITS;

    if (r->len == r->cap && !r->tiers) {
        if (r->cap < RING_TIER)
            set_capacity(r, r->cap * 2);
        else
            make_tiers(r);
    }
    if (r->tiers) {
        insert_in_tiers(r, i, item);
        return;
    }
    r->len++;
    if (i < r->len / 2) {
        r->first = (r->first - 1) & (r->cap - 1);
        for (size_t k = 0; k < i; k++)
            node_ring_set_item(r, k, node_ring_item(r, k + 1));
    } else {
        for (size_t k = r->len - 1; k > i; k--)
            node_ring_set_item(r, k, node_ring_item(r, k - 1));
    }
    node_ring_set_item(r, i, item);
}

static void remove_from_ring(struct node_ring *r, size_t i, size_t n)
{
    size_t behind = r->len - i - n;

    if (i < behind) {
        for (size_t k = i; k--;)
            node_ring_set_item(r, k + n, node_ring_item(r, k));
        r->first = (r->first + (uint32_t)n) & (r->cap - 1);
    } else {
        for (size_t k = i; k < i + behind; k++)
            node_ring_set_item(r, k, node_ring_item(r, k + n));
    }
    r->len -= (uint32_t)n;
}

void node_ring_remove(struct node_ring *r, size_t i, size_t n)
{
    uint32_t cap;

    if (r->tiers) {
        remove_many_from_tiers(r, i, n);
        if (r->len > RING_TIER / 2 || r->tiers->len > 1)
            return;
        leave_tiers(r);
    } else {
        remove_from_ring(r, i, n);
    }
    for (cap = r->cap; r->len < cap / 4 && cap > RING_FEW;)
        cap /= 2;
    if (UNLIKELY(cap != r->cap))
        set_capacity(r, cap);
}

size_t node_ring_find(const struct node_ring *r, uint64_t index, uint64_t total, size_t *within)
{
    size_t i;

    if (r->tiers)
        return find_in_tiers(r, index, total, within);
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

/* ---- all of it ------------------------------------------------------------------------------ */

/* `cap` items used as a ring, of which the first `len` from `first` on are copied. */
static void copy_ring(const uint64_t *items, size_t cap, size_t first, size_t len, uint64_t *to)
{
    size_t before = first + len > cap ? cap - first : len;

    memcpy(to, items + first, before * sizeof(*to));
    memcpy(to + before, items, (len - before) * sizeof(*to));
}

void node_ring_copy(const struct node_ring *r, uint64_t *to)
{
    if (!r->tiers) {
        copy_ring(r->items, r->cap, r->first & (r->cap - 1), r->len, to);
        return;
    }
    for (size_t k = 0; k <= last_tier(r); k++) {
        const struct tier *t = tier_at(r, k);

        copy_ring(t->items, RING_TIER, t->first & (RING_TIER - 1), t->len, to);
        to += t->len;
    }
}
