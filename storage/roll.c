/* Keys of a policy in the order of their use, see roll.h. */
#include "storage/roll.h"

#include "base/mem.h"

enum {
    FIRST_ROOM = 2,
    FREE_KEPT = ROLL_CHUNK,
    LEFTOVERS_KEPT = 64,
    EFFORT_MAX = 64, /* items put in order or dropped to find the oldest */
};

void roll_init(struct roll *r)
{
    *r = (struct roll){.free = ROLL_NONE};
}

void roll_release(struct roll *r)
{
    for (uint32_t i = 0; i < r->chunks_len; i++)
        mem_free(r->chunks[i]);
    mem_free(r->chunks);
    for (int order = 0; order < ROLL_ORDERS; order++)
        mem_free(r->heaps[order].v);
    roll_init(r);
}

static uint32_t room(const struct roll *r)
{
    return r->first < ROLL_CHUNK ? r->first : r->chunks_len << ROLL_CHUNK_BITS;
}

uint64_t roll_memory(const struct roll *r)
{
    uint64_t bytes = sizeof(*r) + room(r) * sizeof(struct member);

    for (int order = 0; order < ROLL_ORDERS; order++)
        bytes += r->heaps[order].cap * sizeof(struct roll_item);
    return bytes + r->chunks_len * sizeof(*r->chunks);
}

/* ---- heaps ---------------------------------------------------------------------------------- */

static uint64_t time_of(const struct roll_item *item)
{
    return (uint64_t)item->high << 32 | item->low;
}

static bool earlier(const struct roll_item *a, const struct roll_item *b)
{
    return time_of(a) < time_of(b);
}

static void sink(const struct roll_heap *h, uint32_t i, struct roll_item item)
{
    for (uint32_t least; (least = i * 4 + 1) < h->len; i = least) {
        uint32_t first = least;

        for (uint32_t c = first + 1; c < first + 4 && c < h->len; c++)
            least = earlier(&h->v[c], &h->v[least]) ? c : least;
        if (!earlier(&h->v[least], &item))
            break;
        h->v[i] = h->v[least];
    }
    h->v[i] = item;
}

static void rise(const struct roll_heap *h, uint32_t i, struct roll_item item)
{
    uint32_t up;

    for (; i > 0 && earlier(&item, &h->v[up = (i - 1) / 4]); i = up)
        h->v[i] = h->v[up];
    h->v[i] = item;
}

static uint64_t member_time(const struct member *m, enum roll_order order)
{
    return order == ROLL_BY_CHANGE ? m->changed : m->used;
}

static uint32_t *item_of(struct member *m, enum roll_order order)
{
    return order == ROLL_BY_CHANGE ? &m->change_item : &m->use_item;
}

/* Whether the member belongs into a heap; the item that leads to it may be a leftover. */
static bool belongs(const struct member *m, enum roll_order order)
{
    return !m->free && m->timed == (order == ROLL_BY_USE_TIMED);
}

static bool is_own(const struct roll *r, enum roll_order order, const struct roll_item *item)
{
    struct member *m;

    if (item->index >= r->len)
        return false;
    m = roll_at(r, item->index);
    return belongs(m, order) && *item_of(m, order) == item->low;
}

static bool is_littered(const struct roll *r, enum roll_order order)
{
    return r->heaps[order].len > 2 * r->count + LEFTOVERS_KEPT;
}

/* Leftovers go, and what stays is put in order. */
static void clean(struct roll *r, enum roll_order order)
{
    struct roll_heap *h = &r->heaps[order];
    uint32_t kept = 0;

    for (uint32_t i = 0; i < h->len; i++) {
        if (is_own(r, order, &h->v[i]))
            h->v[kept++] = h->v[i];
    }
    h->len = kept;
    for (uint32_t i = (kept + 2) / 4; kept && i-- > 0;)
        sink(h, i, h->v[i]);
    h->cap = kept + kept / 8 + 2;
    h->v = mem_realloc(h->v, h->cap * sizeof(*h->v));
}

static struct roll_item item_for(struct member *m, uint32_t i, enum roll_order order)
{
    uint64_t at = member_time(m, order);

    *item_of(m, order) = (uint32_t)at;
    return (struct roll_item){(uint32_t)at, (uint32_t)(at >> 32), i};
}

static void push(struct roll *r, enum roll_order order, uint32_t i)
{
    struct roll_heap *h = &r->heaps[order];

    if (is_littered(r, order))
        clean(r, order);
    if (h->len == h->cap) {
        h->cap += h->cap / 8 + 2;
        h->v = mem_realloc(h->v, h->cap * sizeof(*h->v));
    }
    h->len++;
    rise(h, h->len - 1, item_for(roll_at(r, i), i, order));
}

static void push_all(struct roll *r, uint32_t i)
{
    bool timed = roll_at(r, i)->timed;

    push(r, timed ? ROLL_BY_USE_TIMED : ROLL_BY_USE, i);
    if (r->by_change && !timed)
        push(r, ROLL_BY_CHANGE, i);
}

static void pop(struct roll_heap *h)
{
    struct roll_item last = h->v[--h->len];

    if (h->len)
        sink(h, 0, last);
}

bool roll_oldest(struct roll *r, enum roll_order order, uint32_t *i, uint64_t *at)
{
    struct roll_heap *h = &r->heaps[order];

    *i = ROLL_NONE;
    *at = ROLL_NEVER;
    for (int effort = 0; h->len; effort++) {
        struct roll_item top = h->v[0];
        bool own = is_own(r, order, &top);

        *at = time_of(&top);
        *i = top.index;
        if (own && member_time(roll_at(r, top.index), order) == *at)
            return true;
        if (effort == EFFORT_MAX)
            return false;
        if (own)
            sink(h, 0, item_for(roll_at(r, top.index), top.index, order));
        else
            pop(h);
        *i = ROLL_NONE;
        *at = ROLL_NEVER;
    }
    return true;
}

bool roll_least_used(struct roll *r, uint32_t *i, uint64_t *at)
{
    uint32_t timed;
    uint64_t timed_at;
    bool found = roll_oldest(r, ROLL_BY_USE, i, at);
    bool found_timed = roll_oldest(r, ROLL_BY_USE_TIMED, &timed, &timed_at);

    if (*at <= timed_at)
        return found;
    *i = timed;
    *at = timed_at;
    return found_timed;
}

uint64_t roll_least_use(const struct roll *r)
{
    uint64_t least = ROLL_NEVER;

    for (int order = ROLL_BY_USE; r->count && order <= ROLL_BY_USE_TIMED; order++) {
        const struct roll_heap *h = &r->heaps[order];
        uint64_t at = h->len ? time_of(&h->v[0]) : ROLL_NEVER;

        least = at < least ? at : least;
    }
    return least;
}

void roll_order_by_change(struct roll *r)
{
    if (r->by_change)
        return;
    r->by_change = true;
    for (uint32_t i = 0; i < r->len; i++) {
        if (belongs(roll_at(r, i), ROLL_BY_CHANGE))
            push(r, ROLL_BY_CHANGE, i);
    }
}

/* ---- records -------------------------------------------------------------------------------- */

/* The first chunk begins small and doubles, the others have their full size. */
static void grow(struct roll *r)
{
    if (r->first < ROLL_CHUNK) {
        if (!r->chunks_len) {
            r->chunks = mem_zalloc(sizeof(*r->chunks));
            r->chunks_len = 1;
        }
        r->first = r->first ? r->first * 2 : FIRST_ROOM;
        r->chunks[0] = mem_realloc(r->chunks[0], r->first * sizeof(struct member));
        return;
    }
    r->chunks = mem_realloc(r->chunks, (r->chunks_len + 1) * sizeof(*r->chunks));
    r->chunks[r->chunks_len++] = mem_alloc(ROLL_CHUNK * sizeof(struct member));
}

/*
 * Free records are linked by what is of no use to them: `hash` is the next one, `used` the one
 * before.
 */
static void link_free(struct roll *r, uint32_t i)
{
    *roll_at(r, i) = (struct member){.free = 1, .hash = r->free, .used = ROLL_NONE};
    if (r->free != ROLL_NONE)
        roll_at(r, r->free)->used = i;
    r->free = i;
}

static void unlink_free(struct roll *r, uint32_t i)
{
    uint32_t next = (uint32_t)roll_at(r, i)->hash, before = (uint32_t)roll_at(r, i)->used;

    if (next != ROLL_NONE)
        roll_at(r, next)->used = before;
    if (before != ROLL_NONE)
        roll_at(r, before)->hash = next;
    else
        r->free = next;
}

static uint32_t take_record(struct roll *r)
{
    uint32_t i = r->free;

    r->count++;
    if (i != ROLL_NONE) {
        unlink_free(r, i);
        return i;
    }
    if (r->len == room(r))
        grow(r);
    return r->len++;
}

uint32_t roll_add(struct roll *r, struct member m)
{
    uint32_t i = take_record(r);

    m.free = 0;
    *roll_at(r, i) = m;
    push_all(r, i);
    return i;
}

void roll_remove(struct roll *r, uint32_t i)
{
    if (--r->count == 0) {
        bool by_change = r->by_change;

        roll_release(r);
        r->by_change = by_change;
        return;
    }
    link_free(r, i);
}

void roll_changed(struct roll *r, uint32_t i, uint64_t now, bool timed)
{
    struct member *m = roll_at(r, i);
    bool was_timed = m->timed;

    m->used = m->changed = now;
    m->timed = timed;
    if (timed != was_timed)
        push_all(r, i);
}

/* ---- giving room back ----------------------------------------------------------------------- */

static void drop_last(struct roll *r)
{
    r->len--;
    /* One chunk stays empty behind the last, lest an addition and a removal allocate in turn. */
    if (r->len + 2 * ROLL_CHUNK <= r->chunks_len << ROLL_CHUNK_BITS)
        mem_free(r->chunks[--r->chunks_len]);
}

uint32_t roll_excess(struct roll *r)
{
    uint32_t spare = r->len - r->count;

    if (LIKELY(spare <= r->count + FREE_KEPT))
        return ROLL_NONE;
    for (int order = 0; order < ROLL_ORDERS; order++) {
        if (is_littered(r, order))
            clean(r, order);
    }
    while (r->len > r->count && roll_at(r, r->len - 1)->free) {
        unlink_free(r, r->len - 1);
        drop_last(r);
    }
    return r->len > r->count ? r->len - 1 : ROLL_NONE;
}

uint32_t roll_move(struct roll *r, uint32_t last)
{
    uint32_t to = r->free;

    unlink_free(r, to);
    *roll_at(r, to) = *roll_at(r, last);
    drop_last(r);
    push_all(r, to);
    return to;
}
