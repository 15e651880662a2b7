/*
 * A hash table of pointers that grows by one bucket at a time (linear hashing; Litwin, "Linear
 * Hashing: A New Tool for File and Table Addressing", 1980). No growth ever moves more than one
 * bucket's items, and memory follows the number of items smoothly instead of doubling.
 *
 * Bucket, one cache line:
 *
 *     byte 0      1 .. 9         10 .. 63
 *     +------+--------------+-----------------------------------+
 *     | meta | 9 tags, a    | 9 pointers of 6 bytes             |
 *     |      | byte each    |                                   |
 *     +------+--------------+-----------------------------------+
 *
 * A tag is a byte of the item's hash, 0 where the slot is free. When `meta` is BUCKET_CHAINED the
 * last pointer leads to a further bucket and its tag is 0. User-space addresses have 47 bits.
 *
 * Buckets lie in chunks that never move, but for the first while it is alone and grows to its size;
 * a directory leads to them. With n buckets and 2^k <= n < 2^(k+1), bucket i holds the hashes that
 * end in the k + 1 bits of i where that many are told apart already, else in its k bits. The table
 * does not own its items, and does not know their keys: a type's functions do.
 *
 * Not thread-safe, but for table_hint(), which reads without a lock: directories and buckets that
 * it may be reading are retired, not freed.
 */
#ifndef LK_STORAGE_TABLE_H
#define LK_STORAGE_TABLE_H

#include "base/compiler.h"
#include "base/slice.h"

#include <assert.h>
#if defined(__SSE2__)
#include <emmintrin.h>
#endif

enum {
    BUCKET_SLOTS = 9,
    BUCKET_CHAINED = 0x80,
    CHUNK_BITS = 4,
    CHUNK_BUCKETS = 1 << CHUNK_BITS,
};

struct bucket {
    CACHE_ALIGNED uint8_t meta;
    uint8_t tags[BUCKET_SLOTS];
    uint8_t ptrs[BUCKET_SLOTS][6];
};
static_assert(sizeof(struct bucket) == CACHE_LINE, "a bucket is one cache line");

typedef uint64_t table_hash_fn(const void *item);

struct table_dir {
    uint32_t cap;            /* of chunks */
    uint32_t first;          /* buckets of the first chunk: fewer while the table is small */
    struct bucket *chunks[]; /* NULL behind the last */
};

struct table {
    struct table_dir *dir; /* NULL while nothing was ever inserted */
    uint32_t buckets;      /* n */
    uint32_t mask;         /* 2^(k+1) - 1 */
    uint64_t count;
    uint32_t further; /* buckets that hang from others */
};

/* A slot that holds an item; valid until the table changes. */
struct table_place {
    struct bucket *bucket;
    unsigned slot;
};

ALWAYS_INLINE uint8_t table_tag(uint64_t hash)
{
    uint8_t tag = (uint8_t)(hash >> 46);

    return tag ? tag : 1;
}

ALWAYS_INLINE void *bucket_get(const struct bucket *b, unsigned slot)
{
    uint64_t word;

    /* Two bytes early, so that the last slot does not read beyond the line. */
    memcpy(&word, (const char *)b + 8 + slot * 6, sizeof(word));
    return (void *)(uintptr_t)(word >> 16);
}

static inline void bucket_put(struct bucket *b, unsigned slot, const void *item)
{
    uint64_t word = (uint64_t)(uintptr_t)item;

    memcpy(b->ptrs[slot], &word, 6);
}

static inline struct bucket *bucket_next(const struct bucket *b)
{
    return b->meta & BUCKET_CHAINED ? bucket_get(b, BUCKET_SLOTS - 1) : NULL;
}

/* A bit for each slot with this tag. */
#if defined(__SSE2__)
ALWAYS_INLINE unsigned bucket_match(const struct bucket *b, uint8_t tag)
{
    __m128i line = _mm_load_si128((const __m128i *)(const void *)b);
    int eq = _mm_movemask_epi8(_mm_cmpeq_epi8(line, _mm_set1_epi8((char)tag)));

    return ((unsigned)eq >> 1) & 0x1ff;
}
#else
ALWAYS_INLINE unsigned bucket_match(const struct bucket *b, uint8_t tag)
{
    unsigned bits = 0;

    for (unsigned i = 0; i < BUCKET_SLOTS; i++)
        bits |= (unsigned)(b->tags[i] == tag) << i;
    return bits;
}
#endif

/* A bit for each slot that holds an item. */
static inline unsigned bucket_used(const struct bucket *b)
{
    return ~bucket_match(b, 0) & 0x1ff;
}

ALWAYS_INLINE uint32_t table_index(uint32_t buckets, uint32_t mask, uint64_t hash)
{
    uint32_t i = (uint32_t)hash & mask;

    return i < buckets ? i : i & (mask >> 1);
}

static inline struct bucket *table_at(const struct table *t, uint32_t index)
{
    return &t->dir->chunks[index >> CHUNK_BITS][index & (CHUNK_BUCKETS - 1)];
}

/*
 * The item of this hash for which `is` says yes, or NULL. `is` is given at compile time, so that it
 * becomes part of the loop.
 */
ALWAYS_INLINE void *table_find(const struct table *t, uint64_t hash, struct slice key,
                               bool (*is)(const void *item, struct slice key),
                               struct table_place *place)
{
    uint8_t tag = table_tag(hash);

    if (!t->dir)
        return NULL;
    for (struct bucket *b = table_at(t, table_index(t->buckets, t->mask, hash)); b;
         b = bucket_next(b)) {
        for (unsigned bits = bucket_match(b, tag); bits; bits &= bits - 1) {
            unsigned slot = (unsigned)__builtin_ctz(bits);
            void *item = bucket_get(b, slot);

            if (LIKELY(is(item, key))) {
                *place = (struct table_place){b, slot};
                return item;
            }
        }
    }
    return NULL;
}

/* There must be no equal item yet. May grow the table by one bucket. */
void table_insert(struct table *t, uint64_t hash, void *item, table_hash_fn *hash_of);
/* Another item with the same key takes the place. */
static inline void table_replace(struct table_place place, const void *item)
{
    bucket_put(place.bucket, place.slot, item);
}
/* May shrink the table by one bucket. */
void table_remove(struct table *t, struct table_place place, uint64_t hash, table_hash_fn *hash_of);

/* Frees the buckets, not the items; the table is empty afterwards. */
void table_release(struct table *t);
size_t table_memory(const struct table *t);

/* An item drawn at random, fairly evenly; NULL when empty. */
void *table_random(const struct table *t);

typedef void table_visit_fn(void *item, void *opaque);

enum { TABLE_CURSOR_BITS = 32 };
/*
 * Visits one bucket's items and returns the cursor of the next, 0 after the last. What was there
 * from the first call to the last is visited at least once, however the table grows and shrinks in
 * between: the cursor is a place in the order of reversed hash bits, in which a bucket is always
 * one interval. The visitor must not change the table.
 */
uint64_t table_scan(const struct table *t, uint64_t cursor, table_visit_fn *visit, void *opaque);

/*
 * Visits the items whose hashes end in the `bits` low bits of `low`, and whose tags agree with
 * `tag` in the bits of `tag_mask`; some others too.
 */
void table_visit_low(const struct table *t, uint32_t low, unsigned bits, uint8_t tag,
                     uint8_t tag_mask, table_visit_fn *visit, void *opaque);

/* Going over all items without a function that is called; the table must not change meanwhile. */
struct table_walk {
    const struct table *table;
    const struct bucket *bucket; /* whose slots in `bits` are still to come */
    unsigned bits;
    uint32_t next; /* the bucket to begin with behind this chain */
};

static inline struct table_walk table_walk(const struct table *t)
{
    return (struct table_walk){.table = t};
}

bool table_walk_on(struct table_walk *w);
/* The next item, NULL behind the last. */
static inline void *table_walk_next(struct table_walk *w)
{
    unsigned slot;

    if (UNLIKELY(!w->bits) && !table_walk_on(w))
        return NULL;
    slot = (unsigned)__builtin_ctz(w->bits);
    w->bits &= w->bits - 1;
    return bucket_get(w->bucket, slot);
}

/* Visits all. The visitor may free the item but must not change the table. */
void table_each(const struct table *t, table_visit_fn *visit, void *opaque);

/*
 * Hints, without any lock, while inside the world: fetch the bucket of a hash; and, later, the
 * items that the tags point at. What is read may be out of date, and only prefetches come of it.
 */
void table_hint_bucket(const struct table *t, uint64_t hash);
void table_hint_item(const struct table *t, uint64_t hash);

#endif
