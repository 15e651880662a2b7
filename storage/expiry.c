/* The expiry index, see expiry.h. */
#include "storage/expiry.h"

#include "base/clock.h"
#include "base/mem.h"
#include "base/rng.h"

enum {
    LOW_BITS = 11,
    TAG_MASK = 31,
    /* Leftovers below this number are not worth a second heap. */
    FRESH_FROM = 64,
    FILL_BUCKETS = 4,
    /* No item is later than this from when it is made. */
    AHEAD_MAX_MS = INT32_MAX - 3600 * 1000,
};

/* An item as it is worked with. */
struct due {
    uint32_t time; /* low bits of the milliseconds */
    uint16_t who;
};

static struct expiry_item pack(struct due d)
{
    struct expiry_item item;

    memcpy(item.bytes, &d.time, sizeof(d.time));
    memcpy(item.bytes + sizeof(d.time), &d.who, sizeof(d.who));
    return item;
}

static struct due unpack(struct expiry_item item)
{
    struct due d;

    memcpy(&d.time, item.bytes, sizeof(d.time));
    memcpy(&d.who, item.bytes + sizeof(d.time), sizeof(d.who));
    return d;
}

static uint16_t who_of(uint64_t hash)
{
    return (uint16_t)((hash & ((1u << LOW_BITS) - 1)) |
                      (uint16_t)((table_tag(hash) & TAG_MASK) << LOW_BITS));
}

static struct due make_due(uint64_t hash, int64_t when)
{
    int64_t now = clock_wall_coarse_ms();

    if (when > now + AHEAD_MAX_MS)
        when = now + AHEAD_MAX_MS;
    else if (when < now)
        when = now;
    return (struct due){.time = (uint32_t)when, .who = who_of(hash)};
}

static bool earlier(struct expiry_item a, struct expiry_item b)
{
    return (int32_t)(unpack(a).time - unpack(b).time) < 0;
}

/* The full time that an item's low bits mean, near `now`. */
static int64_t full_time(struct expiry_item item, int64_t now_ms)
{
    return now_ms + (int32_t)(unpack(item).time - (uint32_t)now_ms);
}

static inline struct expiry_item *at(const struct expiry_heap *h, uint32_t i)
{
    return &h->chunks[i >> EXPIRY_CHUNK_BITS][i & (EXPIRY_CHUNK - 1)];
}

/* The first chunk begins small and doubles, the others have their full size. */
static void heap_grow(struct expiry_heap *h)
{
    if (h->first < EXPIRY_CHUNK) {
        if (!h->chunks_len) {
            h->chunks = mem_zalloc(sizeof(*h->chunks));
            h->chunks_len = 1;
        }
        h->first = h->first ? h->first * 2 : 4;
        h->chunks[0] = mem_realloc(h->chunks[0], h->first * sizeof(struct expiry_item));
        return;
    }
    h->chunks = mem_realloc(h->chunks, (h->chunks_len + 1) * sizeof(*h->chunks));
    h->chunks[h->chunks_len++] = mem_alloc(EXPIRY_CHUNK * sizeof(struct expiry_item));
}

static uint32_t heap_room(const struct expiry_heap *h)
{
    return h->first < EXPIRY_CHUNK ? h->first : h->chunks_len << EXPIRY_CHUNK_BITS;
}

static void heap_push(struct expiry_heap *h, struct due d)
{
    struct expiry_item item = pack(d);
    uint32_t i = h->len++, up;

    if (i == heap_room(h))
        heap_grow(h);
    for (; i > 0 && earlier(item, *at(h, up = (i - 1) / 4)); i = up)
        *at(h, i) = *at(h, up);
    *at(h, i) = item;
}

static uint32_t smallest_child(const struct expiry_heap *h, uint32_t i)
{
    uint32_t first = i * 4 + 1, least = first;

    for (uint32_t c = first + 1; c < first + 4 && c < h->len; c++) {
        if (earlier(*at(h, c), *at(h, least)))
            least = c;
    }
    return least;
}

static void heap_release(struct expiry_heap *h)
{
    for (uint32_t i = 0; i < h->chunks_len; i++)
        mem_free(h->chunks[i]);
    mem_free(h->chunks);
    *h = (struct expiry_heap){0};
}

static void heap_pop(struct expiry_heap *h)
{
    struct expiry_item last = *at(h, --h->len);
    uint32_t i = 0, down;

    while (i * 4 + 1 < h->len && earlier(*at(h, down = smallest_child(h, i)), last)) {
        *at(h, i) = *at(h, down);
        i = down;
    }
    if (!h->len) {
        heap_release(h);
        return;
    }
    *at(h, i) = last;
    /* One chunk stays empty behind the last, lest a push and a pop in turn allocate each time. */
    if (h->len + 2 * EXPIRY_CHUNK <= h->chunks_len << EXPIRY_CHUNK_BITS)
        mem_free(h->chunks[--h->chunks_len]);
}

static void fill_visit(void *item, void *opaque)
{
    const struct entry *e = item;
    int64_t first = entry_times_first(entry_times(e));
    struct expiry *x = opaque;

    if (first != EXPIRY_NONE)
        heap_push(&x->fresh, make_due(entry_hash(e), first));
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

static void push(struct expiry *x, const struct table *t, uint64_t hash, int64_t when)
{
    heap_push(x->filling ? &x->fresh : &x->heap, make_due(hash, when));
    if (!x->filling && x->heap.len > FRESH_FROM + 2 * (x->entries + x->parted)) {
        x->filling = true;
        x->fill_cursor = 0;
    }
    if (UNLIKELY(x->filling))
        fill_some(x, t);
}

void expiry_again(struct expiry *x, const struct table *t, uint64_t hash, int64_t when)
{
    push(x, t, hash, when);
}

/* While a second heap is filled, the item on which a later time relies may be in the first. */
void expiry_changed(struct expiry *x, const struct table *t, uint64_t hash, struct entry_times from,
                    struct entry_times to)
{
    int64_t was = entry_times_first(from), is = entry_times_first(to);

    x->entries += (uint64_t)(to.key != EXPIRY_NONE) - (from.key != EXPIRY_NONE);
    x->parted += (uint64_t)(to.part != EXPIRY_NONE) - (from.part != EXPIRY_NONE);
    if (is < was || (is != was && is != EXPIRY_NONE && x->filling))
        push(x, t, hash, is);
}

static struct expiry_heap *earlier_heap(const struct expiry *x)
{
    const struct expiry_heap *h = &x->heap, *f = &x->fresh;

    if (f->len && (!h->len || earlier(*at(f, 0), *at(h, 0))))
        h = f;
    return (struct expiry_heap *)(uintptr_t)h;
}

int64_t expiry_next(const struct expiry *x, int64_t now_ms)
{
    const struct expiry_heap *h = earlier_heap(x);

    return h->len ? full_time(*at(h, 0), now_ms) : EXPIRY_NONE;
}

struct take {
    struct expiry *x;
    int64_t now_ms;
    uint16_t who;
    struct entry **out;
    size_t max, n;
};

/* Whether the entry, found by tag, also ends in the low bits is known from its hash alone. */
static void take_visit(void *item, void *opaque)
{
    struct entry *e = item;
    int64_t first = entry_times_first(entry_times(e));
    struct take *take = opaque;
    uint64_t hash;

    if (first == EXPIRY_NONE)
        return;
    hash = entry_hash(e);
    if (who_of(hash) != take->who)
        return;
    if (first <= take->now_ms) {
        if (take->n < take->max)
            take->out[take->n++] = e;
    } else {
        heap_push(take->x->filling ? &take->x->fresh : &take->x->heap, make_due(hash, first));
    }
}

bool expiry_take(struct expiry *x, const struct table *t, int64_t now_ms, struct entry **out,
                 size_t max, size_t *n)
{
    struct expiry_heap *h = earlier_heap(x);
    struct take take = {.now_ms = now_ms, .out = out, .max = max, .x = x};
    struct due d;

    *n = 0;
    if (!h->len || full_time(*at(h, 0), now_ms) > now_ms)
        return false;
    d = unpack(*at(h, 0));
    heap_pop(h);
    take.who = d.who;
    table_visit_low(t, d.who, LOW_BITS, (uint8_t)(d.who >> LOW_BITS), TAG_MASK, take_visit, &take);
    if (take.n == max)
        heap_push(h, d);
    *n = take.n;
    return true;
}

static void visit_meant(const struct table *t, uint16_t who, table_visit_fn *visit, void *opaque)
{
    table_visit_low(t, who, LOW_BITS, (uint8_t)(who >> LOW_BITS), TAG_MASK, visit, opaque);
}

void expiry_visit(const struct expiry *x, const struct table *t, uint32_t item,
                  table_visit_fn *visit, void *opaque)
{
    visit_meant(t, unpack(*at(&x->heap, item)).who, visit, opaque);
}

struct sample {
    bool (*visit)(struct entry *e, void *opaque);
    void *opaque;
    bool any, enough;
};

static void sample_visit(void *item, void *opaque)
{
    struct entry *e = item;
    struct sample *s = opaque;

    if (!e->has_expiry || s->enough)
        return;
    s->any = true;
    s->enough = !s->visit(e, s->opaque);
}

/* The items of both heaps as if they were one. */
static void sample_item(const struct expiry *x, const struct table *t, uint32_t i, struct sample *s)
{
    const struct expiry_heap *h = i < x->heap.len ? &x->heap : &x->fresh;

    visit_meant(t, unpack(*at(h, i < x->heap.len ? i : i - x->heap.len)).who, sample_visit, s);
}

/* Leftovers lead to nothing: where there are many, entries are looked for in the table. */
static void sample_random(const struct expiry *x, const struct table *t, struct sample *s)
{
    enum { ATTEMPTS = 64, BUCKETS = 256 };
    uint32_t items = x->heap.len + x->fresh.len;
    uint64_t cursor = rng_below((uint64_t)1 << TABLE_CURSOR_BITS);

    for (int i = 0; i < ATTEMPTS && items && !s->enough; i++)
        sample_item(x, t, (uint32_t)rng_below(items), s);
    for (int i = 0; i < BUCKETS && !s->any; i++)
        cursor = table_scan(t, cursor, sample_visit, s);
}

void expiry_sample(const struct expiry *x, const struct table *t, bool next,
                   bool (*visit)(struct entry *e, void *opaque), void *opaque)
{
    enum { FIRST = 64 };
    const struct expiry_heap *h = earlier_heap(x);
    struct sample s = {.visit = visit, .opaque = opaque};

    for (uint32_t i = 0; next && i < h->len && i < FIRST && !s.enough; i++)
        visit_meant(t, unpack(*at(h, i)).who, sample_visit, &s);
    if (!s.any)
        sample_random(x, t, &s);
}

void expiry_refill(struct expiry *x, const struct table *t)
{
    uint64_t entries = x->entries, parted = x->parted;

    expiry_release(x);
    x->entries = entries;
    x->parted = parted;
    x->filling = true;
    while (x->filling)
        fill_some(x, t);
}

size_t expiry_memory(const struct expiry *x)
{
    return ((size_t)heap_room(&x->heap) + heap_room(&x->fresh)) * sizeof(struct expiry_item);
}

void expiry_release(struct expiry *x)
{
    heap_release(&x->heap);
    heap_release(&x->fresh);
    *x = (struct expiry){0};
}
