/* Linear hashing over cache-line buckets, see table.h. */
#include "storage/table.h"

#include "base/mem.h"
#include "base/rng.h"
#include "base/world.h"

enum {
    /* Items a bucket, in tenths: above it the table grows, below it shrinks. */
    GROW_ABOVE = 68,
    SHRINK_BELOW = 30,
    GATHERED_MAX = 64,
};

static struct bucket *new_buckets(size_t n)
{
    return mem_zalloc_lines(n * sizeof(struct bucket));
}

static struct table_dir *new_dir(uint32_t cap)
{
    struct table_dir *dir = mem_zalloc(sizeof(*dir) + cap * sizeof(dir->chunks[0]));

    dir->cap = cap;
    return dir;
}

static void start(struct table *t)
{
    struct table_dir *dir = new_dir(1);

    dir->chunks[0] = new_buckets(1);
    dir->first = 1;
    t->buckets = 1;
    t->mask = 1;
    __atomic_store_n(&t->dir, dir, __ATOMIC_RELEASE);
}

/* Puts an item into a chain that has at least one bucket; a full chain gets one more. */
static void chain_insert(struct table *t, struct bucket *b, uint8_t tag, const void *item)
{
    unsigned free_slots, slot;

    for (;; b = bucket_next(b)) {
        free_slots = ~bucket_used(b) & (b->meta & BUCKET_CHAINED ? 0xff : 0x1ff);
        if (free_slots)
            break;
        if (!(b->meta & BUCKET_CHAINED)) {
            struct bucket *more = new_buckets(1);

            more->tags[0] = b->tags[BUCKET_SLOTS - 1];
            bucket_put(more, 0, bucket_get(b, BUCKET_SLOTS - 1));
            bucket_put(b, BUCKET_SLOTS - 1, more);
            b->tags[BUCKET_SLOTS - 1] = 0;
            b->meta |= BUCKET_CHAINED;
            t->further++;
        }
    }
    slot = (unsigned)__builtin_ctz(free_slots);
    bucket_put(b, slot, item);
    b->tags[slot] = tag;
}

static void prefetch_items(const struct bucket *b)
{
    for (; b; b = bucket_next(b)) {
        for (unsigned bits = bucket_used(b); bits; bits &= bits - 1)
            PREFETCH(bucket_get(b, (unsigned)__builtin_ctz(bits)));
    }
}

static void drop_further(struct table *t, struct bucket *b)
{
    t->further--;
    world_retire(b);
}

/* Empties the chain at `b` and inserts its items again, wherever they belong by now. */
static void redistribute(struct table *t, struct bucket *b, table_hash_fn *hash_of)
{
    struct bucket first = *b, *at = &first, *next;

    prefetch_items(b);
    memset(b, 0, sizeof(*b));
    for (; at; at = next) {
        next = bucket_next(at);
        for (unsigned bits = bucket_used(at); bits; bits &= bits - 1) {
            unsigned slot = (unsigned)__builtin_ctz(bits);
            void *item = bucket_get(at, slot);
            uint32_t to = table_index(t->buckets, t->mask, hash_of(item));

            chain_insert(t, table_at(t, to), at->tags[slot], item);
        }
        if (at != &first)
            drop_further(t, at);
    }
}

static void grow_dir(struct table *t)
{
    struct table_dir *old = t->dir, *dir = new_dir(old->cap + old->cap / 2 + 1);

    dir->first = old->first;
    memcpy(dir->chunks, old->chunks, old->cap * sizeof(old->chunks[0]));
    __atomic_store_n(&t->dir, dir, __ATOMIC_RELEASE);
    world_retire(old);
}

/* Few keys are to cost little: a first chunk begins with one bucket, and doubles. */
static void grow_first_chunk(struct table *t)
{
    struct table_dir *old = t->dir, *dir = new_dir(old->cap);
    struct bucket *chunk = old->chunks[0];

    dir->first = old->first * 2;
    dir->chunks[0] = new_buckets(dir->first);
    memcpy(dir->chunks[0], chunk, old->first * sizeof(*chunk));
    __atomic_store_n(&t->dir, dir, __ATOMIC_RELEASE);
    world_retire(old);
    world_retire(chunk);
}

static void grow(struct table *t, table_hash_fn *hash_of)
{
    uint32_t added = t->buckets, chunk = added >> CHUNK_BITS;

    if (chunk == t->dir->cap)
        grow_dir(t);
    if (added == t->dir->first && added < CHUNK_BUCKETS)
        grow_first_chunk(t);
    if (!t->dir->chunks[chunk])
        __atomic_store_n(&t->dir->chunks[chunk], new_buckets(CHUNK_BUCKETS), __ATOMIC_RELEASE);
    if (added > t->mask)
        __atomic_store_n(&t->mask, t->mask * 2 + 1, __ATOMIC_RELAXED);
    __atomic_store_n(&t->buckets, added + 1, __ATOMIC_RELEASE);
    redistribute(t, table_at(t, added & (t->mask >> 1)), hash_of);
}

static void shrink(struct table *t, table_hash_fn *hash_of)
{
    uint32_t removed = t->buckets - 1, chunk = removed >> CHUNK_BITS;

    __atomic_store_n(&t->buckets, removed, __ATOMIC_RELEASE);
    if (removed <= t->mask >> 1)
        __atomic_store_n(&t->mask, t->mask >> 1, __ATOMIC_RELAXED);
    redistribute(t, table_at(t, removed), hash_of);
    if ((removed & (CHUNK_BUCKETS - 1)) == 0) {
        struct bucket *unused = t->dir->chunks[chunk];

        __atomic_store_n(&t->dir->chunks[chunk], NULL, __ATOMIC_RELEASE);
        world_retire(unused);
    }
}

void table_insert(struct table *t, uint64_t hash, void *item, table_hash_fn *hash_of)
{
    if (UNLIKELY(!t->dir))
        start(t);
    chain_insert(t, table_at(t, table_index(t->buckets, t->mask, hash)), table_tag(hash), item);
    t->count++;
    if (UNLIKELY(t->count * 10 > (uint64_t)t->buckets * GROW_ABOVE))
        grow(t, hash_of);
}

/* Unlinks from the chain at `b` the buckets that hold nothing any more. */
static void trim_chain(struct table *t, struct bucket *b)
{
    struct bucket *next;

    while ((next = bucket_next(b))) {
        if (bucket_used(next)) {
            b = next;
            continue;
        }
        b->meta = next->meta;
        bucket_put(b, BUCKET_SLOTS - 1, bucket_get(next, BUCKET_SLOTS - 1));
        drop_further(t, next);
    }
}

void table_remove(struct table *t, struct table_place place, uint64_t hash, table_hash_fn *hash_of)
{
    struct bucket *home = table_at(t, table_index(t->buckets, t->mask, hash));

    place.bucket->tags[place.slot] = 0;
    if (home->meta & BUCKET_CHAINED)
        trim_chain(t, home);
    t->count--;
    if (UNLIKELY(t->count == 0))
        table_release(t);
    else if (UNLIKELY(t->count * 10 < (uint64_t)t->buckets * SHRINK_BELOW && t->buckets > 1))
        shrink(t, hash_of);
}

static void release_buckets(const struct table *t)
{
    for (uint32_t i = 0; t->dir && i < t->buckets; i++) {
        struct bucket *b = bucket_next(table_at(t, i)), *next;

        for (; b; b = next) {
            next = bucket_next(b);
            world_retire(b);
        }
    }
    for (uint32_t i = 0; t->dir && i < t->dir->cap; i++)
        world_retire(t->dir->chunks[i]);
    world_retire(t->dir);
}

void table_release(struct table *t)
{
    struct table old = *t;

    __atomic_store_n(&t->dir, NULL, __ATOMIC_RELEASE);
    t->buckets = t->mask = t->further = 0;
    t->count = 0;
    release_buckets(&old);
}

size_t table_memory(const struct table *t)
{
    size_t chunks = (t->buckets + CHUNK_BUCKETS - 1) / CHUNK_BUCKETS, buckets;

    if (!t->dir)
        return 0;
    buckets = (chunks > 1 ? chunks * CHUNK_BUCKETS : t->dir->first) + t->further;
    return sizeof(*t->dir) + t->dir->cap * sizeof(void *) + buckets * sizeof(struct bucket);
}

/*
 * Rejection: a chain as long as the longest likely one is thrown at, so that all are equally
 * likely.
 */
void *table_random(const struct table *t)
{
    enum { LIKELY_CHAIN = 4 };

    while (t->count) {
        const struct bucket *b = table_at(t, (uint32_t)rng_below(t->buckets));
        unsigned at = (unsigned)rng_below(BUCKET_SLOTS * LIKELY_CHAIN);

        for (; b && at >= BUCKET_SLOTS; at -= BUCKET_SLOTS)
            b = bucket_next(b);
        if (b && b->tags[at])
            return bucket_get(b, at);
    }
    return NULL;
}

static void visit_chain(const struct bucket *b, table_visit_fn *visit, void *opaque)
{
    for (; b; b = bucket_next(b)) {
        for (unsigned bits = bucket_used(b); bits; bits &= bits - 1)
            visit(bucket_get(b, (unsigned)__builtin_ctz(bits)), opaque);
    }
}

static uint32_t reverse_bits(uint32_t v)
{
    v = (v >> 1 & 0x55555555) | (v & 0x55555555) << 1;
    v = (v >> 2 & 0x33333333) | (v & 0x33333333) << 2;
    v = (v >> 4 & 0x0f0f0f0f) | (v & 0x0f0f0f0f) << 4;
    return __builtin_bswap32(v);
}

/* How many low bits of the hash the bucket at `index` tells apart. */
static unsigned depth_of(const struct table *t, uint32_t index)
{
    uint32_t half = (t->mask >> 1) + 1;
    unsigned k = (unsigned)__builtin_ctz(half);

    return index >= half || index + half < t->buckets ? k + 1 : k;
}

uint64_t table_scan(const struct table *t, uint64_t cursor, table_visit_fn *visit, void *opaque)
{
    uint64_t width;
    uint32_t index;

    if (!t->dir)
        return 0;
    index = table_index(t->buckets, t->mask, reverse_bits((uint32_t)cursor));
    prefetch_items(table_at(t, index));
    visit_chain(table_at(t, index), visit, opaque);
    width = (uint64_t)1 << (TABLE_CURSOR_BITS - depth_of(t, index));
    cursor = (cursor & ~(width - 1)) + width;
    return cursor >> TABLE_CURSOR_BITS ? 0 : cursor;
}

static void visit_tagged(const struct bucket *b, uint8_t tag, uint8_t tag_mask,
                         table_visit_fn *visit, void *opaque)
{
    for (; b; b = bucket_next(b)) {
        for (unsigned bits = bucket_used(b); bits; bits &= bits - 1) {
            unsigned slot = (unsigned)__builtin_ctz(bits);

            if ((b->tags[slot] & tag_mask) == (tag & tag_mask))
                visit(bucket_get(b, slot), opaque);
        }
    }
}

void table_visit_low(const struct table *t, uint32_t low, unsigned bits, uint8_t tag,
                     uint8_t tag_mask, table_visit_fn *visit, void *opaque)
{
    uint64_t step = (uint64_t)1 << bits, i = low & (step - 1);

    if (!t->dir)
        return;
    if (i >= t->buckets)
        i = table_index(t->buckets, t->mask, low);
    for (; i < t->buckets; i += step)
        visit_tagged(table_at(t, (uint32_t)i), tag, tag_mask, visit, opaque);
}

void table_each(const struct table *t, table_visit_fn *visit, void *opaque)
{
    for (uint32_t i = 0; t->dir && i < t->buckets; i++) {
        if (i + 1 < t->buckets)
            PREFETCH(table_at(t, i + 1));
        visit_chain(table_at(t, i), visit, opaque);
    }
}

/* To the next bucket that holds anything, while the items of the one behind it are fetched. */
bool table_walk_on(struct table_walk *w)
{
    const struct table *t = w->table;

    while (!w->bits) {
        w->bucket = w->bucket ? bucket_next(w->bucket) : NULL;
        if (!w->bucket) {
            if (!t->dir || w->next == t->buckets)
                return false;
            w->bucket = table_at(t, w->next++);
            if (w->next < t->buckets)
                prefetch_items(table_at(t, w->next));
        }
        w->bits = bucket_used(w->bucket);
    }
    return true;
}

/* The fields may be of different moments: an old directory can be too short for them. */
__attribute__((no_sanitize("thread"))) static struct bucket *hint(const struct table *t,
                                                                  uint64_t hash)
{
    const struct table_dir *dir = __atomic_load_n(&t->dir, __ATOMIC_ACQUIRE);
    struct bucket *chunk;
    uint32_t i;

    if (!dir)
        return NULL;
    i = table_index(t->buckets, t->mask, hash);
    if (i >> CHUNK_BITS >= dir->cap || (i < CHUNK_BUCKETS && i >= dir->first))
        return NULL;
    chunk = __atomic_load_n(&dir->chunks[i >> CHUNK_BITS], __ATOMIC_ACQUIRE);
    return chunk ? &chunk[i & (CHUNK_BUCKETS - 1)] : NULL;
}

void table_hint_bucket(const struct table *t, uint64_t hash)
{
    PREFETCH(hint(t, hash));
}

__attribute__((no_sanitize("thread"))) void table_hint_item(const struct table *t, uint64_t hash)
{
    const struct bucket *b = hint(t, hash);

    if (!b)
        return;
    for (unsigned bits = bucket_match(b, table_tag(hash)); bits; bits &= bits - 1) {
        const char *item = bucket_get(b, (unsigned)__builtin_ctz(bits));

        PREFETCH(item);
        PREFETCH(item + CACHE_LINE);
    }
}
