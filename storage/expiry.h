/*
 * The expiry index of one table: which of its entries is next to go.
 *
 * A heap of 64-bit items, ordered by time: 42 bits of milliseconds, 8 bits of the entry's tag and 14 low bits
 * of its hash, by which the table finds the entries that are meant. Nothing is ever taken out of the
 * middle: an item is a promise to look. Invariant: for every entry with an expiry there is an item
 * that is not later than it. A time moved later costs nothing until its item comes up and is put
 * back; an entry deleted, or given an earlier time, leaves an item behind that does nothing.
 *
 * When more than half of the items may be such leftovers, a second heap is filled from the table, a
 * few buckets with each insertion, while both are looked at; then the first is dropped.
 */
#ifndef LK_STORAGE_EXPIRY_H
#define LK_STORAGE_EXPIRY_H

#include "storage/entry.h"
#include "storage/table.h"

struct expiry_heap {
    uint64_t *items;
    uint32_t len, cap;
};

struct expiry {
    struct expiry_heap heap, fresh;
    uint64_t entries;     /* of the table that have an expiry */
    uint64_t fill_cursor; /* how far `fresh` is filled */
    bool filling;
};

/* An entry of this hash, which had no expiry, was given one. */
void expiry_added(struct expiry *x, const struct table *t, uint64_t hash, int64_t at);
/* An entry's expiry was moved. */
void expiry_moved(struct expiry *x, const struct table *t, uint64_t hash, int64_t from, int64_t to);
/* An entry that had an expiry lost it or is gone. */
static inline void expiry_dropped(struct expiry *x)
{
    x->entries--;
}

/* Not after the time when the next entry is due; EXPIRY_NONE if there is none. */
int64_t expiry_next(const struct expiry *x);

/*
 * Removes one item that is due by `now_ms` and gives the due entries it leads to, at most `max` of them,
 * in `out`; the caller removes these from the table. *n of 0: a leftover. False: nothing is due.
 */
bool expiry_take(struct expiry *x, const struct table *t, int64_t now_ms, struct entry **out,
                 size_t max, size_t *n);

/*
 * For samples: how many items the index has, and the entries that may be meant by one of them (others
 * and leftovers too).
 */
static inline uint32_t expiry_items(const struct expiry *x)
{
    return x->heap.len;
}
void expiry_visit(const struct expiry *x, const struct table *t, uint32_t item,
                  table_visit_fn *visit, void *opaque);

/*
 * Visits entries that have an expiry until the visitor returns false, as far as bounded effort finds
 * them: the next to go if `next`, else any, drawn at random.
 */
void expiry_sample(const struct expiry *x, const struct table *t, bool next,
                   bool (*visit)(struct entry *e, void *opaque), void *opaque);

size_t expiry_memory(const struct expiry *x);
void expiry_release(struct expiry *x);

#endif
