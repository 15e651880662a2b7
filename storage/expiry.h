/*
 * The expiry index of one table: which of its entries is next to go.
 *
 * A heap of items of 6 bytes: 32 bits of milliseconds, the low ones of the time, and 16 bits by
 * which the table finds the entries that are meant: 11 low bits of the hash and 5 of the tag.
 * Nothing is ever taken out of the middle: an item is a promise to look. Invariant: for every entry
 * of which something ends by itself (the key, or a part of its value) there is an item that is not
 * later than the first of these times. A time moved later costs nothing until its item comes up and
 * is put back; an entry deleted, or given an earlier time, leaves an item behind that does nothing.
 *
 * Times are compared as serial numbers (RFC 1982), so those in a heap must lie within 24 days of
 * each other: a later expiry is entered as one in 24 days, and put back then. When the wall clock
 * jumps by days, expiry_refill() makes the heap anew.
 *
 * When more than half of the items may be such leftovers, a second heap is filled from the table, a
 * few buckets with each insertion, while both are looked at; then the first is dropped.
 */
#ifndef LK_STORAGE_EXPIRY_H
#define LK_STORAGE_EXPIRY_H

#include "storage/entry.h"
#include "storage/table.h"

struct expiry_item {
    uint8_t bytes[6];
};

enum { EXPIRY_CHUNK_BITS = 6, EXPIRY_CHUNK = 1 << EXPIRY_CHUNK_BITS };

/* In chunks, so that growing moves nothing and leaves no holes in memory. */
struct expiry_heap {
    struct expiry_item **chunks;
    uint32_t len, chunks_len;
    uint32_t first; /* items of the first chunk: fewer while the heap is small */
};

struct expiry {
    struct expiry_heap heap, fresh;
    uint64_t entries;     /* of the table that have an expiry */
    uint64_t parted;      /* of which parts have times */
    uint64_t fill_cursor; /* how far `fresh` is filled */
    bool filling;
};

#define ENTRY_TIMES_NONE ((struct entry_times){EXPIRY_NONE, EXPIRY_NONE})

/* The times of the entry of this hash were `from`, and are `to`. None: it is not there. */
void expiry_changed(struct expiry *x, const struct table *t, uint64_t hash, struct entry_times from,
                    struct entry_times to);
/* The item that led to the entry was taken, and the entry is still there, with this time. */
void expiry_again(struct expiry *x, const struct table *t, uint64_t hash, int64_t at);

/* Not after the time when the next entry is due; EXPIRY_NONE if there is none. */
int64_t expiry_next(const struct expiry *x, int64_t now_ms);

/*
 * Removes one item that is due by `now_ms` and gives the due entries it leads to, at most `max` of
 * them, in `out`; the caller removes these from the table, or says expiry_again(). *n of 0: a
 * leftover. False: nothing is due.
 */
bool expiry_take(struct expiry *x, const struct table *t, int64_t now_ms, struct entry **out,
                 size_t max, size_t *n);

/*
 * For samples: how many items the index has, and the entries that may be meant by one of them
 * (others and leftovers too).
 */
static inline uint32_t expiry_items(const struct expiry *x)
{
    return x->heap.len;
}
void expiry_visit(const struct expiry *x, const struct table *t, uint32_t item,
                  table_visit_fn *visit, void *opaque);

/*
 * Visits entries that have an expiry until the visitor returns false, as far as bounded effort
 * finds them: the next to go if `next`, else any, drawn at random.
 */
void expiry_sample(const struct expiry *x, const struct table *t, bool next,
                   bool (*visit)(struct entry *e, void *opaque), void *opaque);

/* Forgets all items and makes them anew from the table. */
void expiry_refill(struct expiry *x, const struct table *t);

size_t expiry_memory(const struct expiry *x);
void expiry_release(struct expiry *x);

#endif
