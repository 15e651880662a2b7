/* Fields by their times, see field_heap.h. */
#include "storage/field_heap.h"

#include "base/mem.h"

enum { CHUNK_BITS = 8, CHUNK_ITEMS = 1 << CHUNK_BITS, FIRST_ITEMS = 4, BRANCHES = 4, HALF = 6 };

static inline struct field_due *at(const struct field_heap *h, uint32_t i)
{
    return &h->chunks[i >> CHUNK_BITS][i & (CHUNK_ITEMS - 1)];
}

static inline int64_t time_at(const struct field_heap *h, uint32_t i)
{
    int64_t time = 0;

    memcpy(&time, at(h, i)->bytes, HALF);
    return time;
}

static inline struct field *field_at(const struct field_heap *h, uint32_t i)
{
    uint64_t address = 0;

    memcpy(&address, at(h, i)->bytes + HALF, HALF);
    return (struct field *)(uintptr_t)address;
}

static inline void put(struct field_heap *h, uint32_t i, int64_t time, struct field *f)
{
    uint64_t address = (uint64_t)(uintptr_t)f;

    memcpy(at(h, i)->bytes, &time, HALF);
    memcpy(at(h, i)->bytes + HALF, &address, HALF);
    field_set_place(f, i);
}

static uint32_t room(const struct field_heap *h)
{
    return h->first < CHUNK_ITEMS ? h->first : h->chunks_len << CHUNK_BITS;
}

/* The first chunk begins small and doubles, the others have their full size. */
static void grow(struct field_heap *h)
{
    if (h->first < CHUNK_ITEMS) {
        if (!h->chunks) {
            h->chunks = mem_zalloc(sizeof(*h->chunks));
            h->chunks_len = 1;
        }
        h->first = h->first ? h->first * 2 : FIRST_ITEMS;
        h->chunks[0] = mem_realloc(h->chunks[0], h->first * sizeof(struct field_due));
        return;
    }
    h->chunks = mem_realloc(h->chunks, (h->chunks_len + 1) * sizeof(*h->chunks));
    h->chunks[h->chunks_len++] = mem_alloc(CHUNK_ITEMS * sizeof(struct field_due));
}

/* Puts the item where it belongs, at place i, which is free, or above. */
static void sift_up(struct field_heap *h, uint32_t i, int64_t time, struct field *f)
{
    for (uint32_t up; i > 0 && time < time_at(h, up = (i - 1) / BRANCHES); i = up)
        put(h, i, time_at(h, up), field_at(h, up));
    put(h, i, time, f);
}

static uint32_t smallest_child(const struct field_heap *h, uint32_t i)
{
    uint32_t first = i * BRANCHES + 1, least = first;

    for (uint32_t c = first + 1; c < first + BRANCHES && c < h->len; c++) {
        if (time_at(h, c) < time_at(h, least))
            least = c;
    }
    return least;
}

/* The same, at place i or below. */
static void sift_down(struct field_heap *h, uint32_t i, int64_t time, struct field *f)
{
    uint32_t down;

    while (i * BRANCHES + 1 < h->len && time_at(h, down = smallest_child(h, i)) < time) {
        put(h, i, time_at(h, down), field_at(h, down));
        i = down;
    }
    put(h, i, time, f);
}

static void settle(struct field_heap *h, uint32_t i, int64_t time, struct field *f)
{
    if (i > 0 && time < time_at(h, (i - 1) / BRANCHES))
        sift_up(h, i, time, f);
    else
        sift_down(h, i, time, f);
}

void field_heap_add(struct field_heap *h, struct field *f)
{
    if (h->len == room(h))
        grow(h);
    h->len++;
    sift_up(h, h->len - 1, field_time(f), f);
}

/* One chunk stays empty behind the last, lest adding and removing in turn allocate each time. */
static void shrink(struct field_heap *h)
{
    if (!h->len)
        field_heap_release(h);
    else if (h->len + 2 * CHUNK_ITEMS <= h->chunks_len << CHUNK_BITS)
        mem_free(h->chunks[--h->chunks_len]);
}

void field_heap_remove(struct field_heap *h, const struct field *f)
{
    uint32_t i = field_place(f), last = h->len - 1;
    struct field *moved = field_at(h, last);
    int64_t time = time_at(h, last);

    INVARIANT(field_at(h, i) == f);
    h->len--;
    if (i != last)
        settle(h, i, time, moved);
    shrink(h);
}

void field_heap_moved(struct field_heap *h, const struct field *f)
{
    uint32_t i = field_place(f);

    settle(h, i, field_time(f), field_at(h, i));
}

struct field *field_heap_first(const struct field_heap *h)
{
    return h->len ? field_at(h, 0) : NULL;
}

int64_t field_heap_due(const struct field_heap *h)
{
    return h->len ? time_at(h, 0) : EXPIRY_NONE;
}

static uint32_t count_below(const struct field_heap *h, uint32_t i, int64_t until)
{
    uint32_t n = 1;

    if (time_at(h, i) > until)
        return 0;
    for (uint32_t c = i * BRANCHES + 1; c <= i * BRANCHES + BRANCHES && c < h->len; c++)
        n += count_below(h, c, until);
    return n;
}

uint32_t field_heap_count(const struct field_heap *h, int64_t until)
{
    return h->len ? count_below(h, 0, until) : 0;
}

/* The latest are among the leaves, of which the last ones came last. */
struct field *field_heap_later(const struct field_heap *h, int64_t time)
{
    for (uint32_t i = h->len; i-- > 0;) {
        if (time_at(h, i) > time)
            return field_at(h, i);
    }
    return NULL;
}

size_t field_heap_memory(const struct field_heap *h)
{
    return room(h) * sizeof(struct field_due) + h->chunks_len * sizeof(*h->chunks);
}

void field_heap_release(struct field_heap *h)
{
    for (uint32_t i = 0; i < h->chunks_len; i++)
        mem_free(h->chunks[i]);
    mem_free(h->chunks);
    *h = (struct field_heap){0};
}
