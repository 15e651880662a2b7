/*
 * A small set of integers: sorted, each in the same number of bytes, within an entry or in a blob.
 *
 *     +-------+--------+--------+-----
 *     | width | number | number | ...      little-endian, signed, ascending
 *     |     1 |   2, 4 or 8 bytes each
 *     +-------+--------+--------+-----
 *
 * The width is that which the largest number needs that ever was in it. An empty one may be no
 * bytes at all. Numbers lie at any address.
 */
#ifndef LK_STORAGE_INTSET_H
#define LK_STORAGE_INTSET_H

#include "storage/entry.h"

static inline unsigned intset_width(struct slice bytes)
{
    return bytes.len ? (unsigned char)*bytes.ptr : sizeof(int16_t);
}

static inline size_t intset_count(struct slice bytes)
{
    return bytes.len ? (bytes.len - 1) / intset_width(bytes) : 0;
}

int64_t intset_at(struct slice bytes, size_t index);
/* Whether the number is in it; *index is where it is, or where it would be. */
bool intset_find(struct slice bytes, int64_t n, size_t *index);
/* Whether bytes from outside are a set of integers: of a width that there is, and ascending. */
bool intset_valid(struct slice bytes);

/*
 * These take the entry over, whose bytes are such a set, and return what stands for it; `index` is
 * what intset_find() said.
 */
struct entry *intset_insert(struct entry *e, size_t index, int64_t n);
struct entry *intset_remove(struct entry *e, size_t index);

#endif
