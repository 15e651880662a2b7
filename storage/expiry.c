/* The expiry index, see expiry.h. */
#include "storage/expiry.h"

#include "base/mem.h"
#include "base/rng.h"

enum {
    LOW_BITS = 14,
    TAG_BITS = 8,
    WHO_BITS = LOW_BITS + TAG_BITS,
    /* Leftovers below this number are not worth a second heap. */
    FRESH_FROM = 64,
    FILL_BUCKETS = 4,
};

#define LATEST ((int64_t)(UINT64_MAX >> WHO_BITS))

static uint64_t make_item(uint64_t hash, int64_t at)
{
    uint64_t time = at < 0 ? 0 : at > LATEST ? (uint64_t)LATEST : (uint64_t)at;

    return time << WHO_BITS | (uint64_t)table_tag(hash) << LOW_BITS |
           (hash & ((1u << LOW_BITS) - 1));
}

static int64_t item_time(uint64_t item)
{
    return (int64_t)(item >> WHO_BITS);
}

static void heap_push(struct expiry_heap *h, uint64_t item)
{
    uint32_t i = h->len++, up;

    if (i == h->cap) {
        h->cap = (uint32_t)(mem_good_size((h->cap + h->cap / 8 + 8) * sizeof(item)) / sizeof(item));
        h->items = mem_realloc(h->items, h->cap * sizeof(item));
    }
    for (; i > 0 && h->items[up = (i - 1) / 4] > item; i = up)
        h->items[i] = h->items[up];
    h->items[i] = item;
}

static uint32_t smallest_child(const struct expiry_heap *h, uint32_t i)
{
    uint32_t first = i * 4 + 1, least = first;

    for (uint32_t c = first + 1; c < first + 4 && c < h->len; c++) {
        if (h->items[c] < h->items[least])
            least = c;
    }
    return least;
}

static void heap_pop(struct expiry_heap *h)
{
    uint64_t last = h->items[--h->len];
    uint32_t i = 0, down;

    while (i * 4 + 1 < h->len && h->items[down = smallest_child(h, i)] < last) {
        h->items[i] = h->items[down];
        i = down;
    }
    if (h->len)
        h->items[i] = last;
    if (h->cap > 64 && h->len < h->cap / 4) {
        h->cap = h->cap / 2;
        h->items = mem_realloc(h->items, h->cap * sizeof(last));
    }
}

static void heap_release(struct expiry_heap *h)
{
    mem_free(h->items);
    *h = (struct expiry_heap){0};
}

static void fill_visit(void *item, void *opaque)
{
    const struct entry *e = item;
    struct expiry *x = opaque;

    if (e->has_expiry)
        heap_push(&x->fresh, make_item(entry_hash(e), entry_expiry(e)));
}

static void fill_some(struct expiry *x, const struct table *t)
{
    for (int i = 0; i < FILL_BUCKETS; i++) {
        x->fill_cursor = table_scan(t, x->fill_cursor, fill_visit, x);
        if (x->fill_cursor)
            continue;
        heap_release(&x->heap);
        x->heap = x->fresh;
        x->fresh = (struct expiry_heap){0};
        x->filling = false;
        return;
    }
}

static void push(struct expiry *x, const struct table *t, uint64_t hash, int64_t at)
{
    heap_push(x->filling ? &x->fresh : &x->heap, make_item(hash, at));
    if (!x->filling && x->heap.len > FRESH_FROM + 2 * x->entries) {
        x->filling = true;
        x->fill_cursor = 0;
    }
    if (UNLIKELY(x->filling))
        fill_some(x, t);
}

void expiry_added(struct expiry *x, const struct table *t, uint64_t hash, int64_t at)
{
    x->entries++;
    push(x, t, hash, at);
}

/* While a second heap is being filled, the item on which a later time relies may be in the first. */
void expiry_moved(struct expiry *x, const struct table *t, uint64_t hash, int64_t from, int64_t to)
{
    if (to < from || x->filling)
        push(x, t, hash, to);
}

static struct expiry_heap *earlier_heap(const struct expiry *x)
{
    const struct expiry_heap *h = &x->heap, *f = &x->fresh;

    if (f->len && (!h->len || f->items[0] < h->items[0]))
        h = f;
    return (struct expiry_heap *)(uintptr_t)h;
}

int64_t expiry_next(const struct expiry *x)
{
    const struct expiry_heap *h = earlier_heap(x);

    return h->len ? item_time(h->items[0]) : EXPIRY_NONE;
}

struct take {
    int64_t now_ms, item_time;
    uint32_t low;
    struct entry **out;
    size_t max, n;
    int64_t later; /* the expiry of an entry that relies on this item, but is not due */
    uint64_t later_hash;
    struct expiry *x;
};

/* Whether the entry, found by tag, also ends in the low bits is known from its hash alone. */
static void take_visit(void *item, void *opaque)
{
    struct entry *e = item;
    struct take *take = opaque;
    uint64_t hash;

    if (!e->has_expiry)
        return;
    hash = entry_hash(e);
    if ((hash & ((1u << LOW_BITS) - 1)) != take->low)
        return;
    if (entry_expired(e, take->now_ms)) {
        if (take->n < take->max)
            take->out[take->n++] = e;
    } else {
        heap_push(take->x->filling ? &take->x->fresh : &take->x->heap,
                  make_item(hash, entry_expiry(e)));
    }
}

bool expiry_take(struct expiry *x, const struct table *t, int64_t now_ms, struct entry **out,
                 size_t max, size_t *n)
{
    struct expiry_heap *h = earlier_heap(x);
    struct take take = {.now_ms = now_ms, .out = out, .max = max, .x = x};
    uint64_t item;

    *n = 0;
    if (!h->len || item_time(h->items[0]) > now_ms)
        return false;
    item = h->items[0];
    heap_pop(h);
    take.low = item & ((1u << LOW_BITS) - 1);
    table_visit_low(t, take.low, LOW_BITS, (uint8_t)(item >> LOW_BITS), take_visit, &take);
    if (take.n == max)
        heap_push(h, item);
    *n = take.n;
    return true;
}

static void visit_meant(const struct table *t, uint64_t item, table_visit_fn *visit, void *opaque)
{
    table_visit_low(t, (uint32_t)item & ((1u << LOW_BITS) - 1), LOW_BITS,
                    (uint8_t)(item >> LOW_BITS), visit, opaque);
}

void expiry_visit(const struct expiry *x, const struct table *t, uint32_t item,
                  table_visit_fn *visit, void *opaque)
{
    visit_meant(t, x->heap.items[item], visit, opaque);
}

struct sample {
    bool (*visit)(struct entry *e, void *opaque);
    void *opaque;
    bool enough;
};

static void sample_visit(void *item, void *opaque)
{
    struct entry *e = item;
    struct sample *s = opaque;

    if (e->has_expiry && !s->enough)
        s->enough = !s->visit(e, s->opaque);
}

/* Leftovers lead to nothing: behind some attempts at random, items are taken in a row. */
void expiry_sample(const struct expiry *x, const struct table *t, bool next,
                   bool (*visit)(struct entry *e, void *opaque), void *opaque)
{
    enum { AT_RANDOM = 16, ATTEMPTS = 4 * FRESH_FROM };
    const struct expiry_heap *h = next || !x->heap.len ? earlier_heap(x) : &x->heap;
    struct sample s = {.visit = visit, .opaque = opaque};

    for (uint32_t i = 0; i < h->len && i < ATTEMPTS && !s.enough; i++) {
        uint32_t at = !next && i < AT_RANDOM ? (uint32_t)rng_below(h->len) : i;

        visit_meant(t, h->items[at], sample_visit, &s);
    }
}

size_t expiry_memory(const struct expiry *x)
{
    return ((size_t)x->heap.cap + x->fresh.cap) * sizeof(uint64_t);
}

void expiry_release(struct expiry *x)
{
    heap_release(&x->heap);
    heap_release(&x->fresh);
    *x = (struct expiry){0};
}
