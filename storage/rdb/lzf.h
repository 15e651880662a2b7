/*
 * LZF, the compression of strings in snapshots: runs of up to 32 bytes as they are, and references
 * to what was there up to 8 KB before.
 *
 *     000nnnnn                      n + 1 bytes follow
 *     nnnooooo oooooooo             n + 2 bytes, n from 1 to 6, from o + 1 bytes before
 *     111ooooo nnnnnnnn oooooooo    n + 9 bytes, the same
 */
#ifndef LK_STORAGE_RDB_LZF_H
#define LK_STORAGE_RDB_LZF_H

#include "base/slice.h"

/*
 * Writes the compressed bytes to `out` and returns their number; 0 if they would be more than
 * `room`. Any thread.
 */
size_t lzf_compress(struct slice in, char *out, size_t room);

/* Room in which the compressed form of any `len` bytes fits. */
static inline size_t lzf_room(size_t len)
{
    return len + len / 16 + 16;
}

/* True if `in` is the compressed form of just `len` bytes, which `out` has then. Any thread. */
bool lzf_decompress(struct slice in, char *out, size_t len);

/* No `len` compressed bytes can stand for more than these. */
static inline size_t lzf_most(size_t len)
{
    return len * 88 + 264;
}

#endif
