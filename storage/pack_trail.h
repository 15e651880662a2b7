/*
 * Packed elements (pack.h) that can be walked both ways: each is followed by a trailer that says
 * its size, seven bits to a byte, to be read from the last byte backwards; a byte of 0x80 or more
 * has another in front of it.
 *
 *     element        07 "latchkey"[0..6]   trailer   08
 *                    ^ at                            ^ behind - 1
 */
#ifndef LK_STORAGE_PACK_TRAIL_H
#define LK_STORAGE_PACK_TRAIL_H

#include "storage/pack.h"

enum {
    TRAIL_ONE = 0x7f, /* bytes of an element whose trailer is one byte */
    TRAIL_MAX = 5,
};

/* Bytes of the trailer of an element of `size` bytes. */
static inline size_t trail_size(size_t size)
{
    size_t n = 1;

    while (size > TRAIL_ONE) {
        size >>= 7;
        n++;
    }
    return n;
}

/* Writes the trailer and returns the address behind. */
static inline char *trail_write(char *to, size_t size)
{
    size_t n = trail_size(size);

    for (size_t i = n; i--;) {
        to[i] = (char)((size & TRAIL_ONE) | (i ? 0x80 : 0));
        size >>= 7;
    }
    return to + n;
}

/* The element behind this one. */
ALWAYS_INLINE const char *trail_next(const char *at)
{
    unsigned char head = (unsigned char)*at;
    size_t size;

    if (LIKELY(head < TRAIL_ONE))
        return at + head + 2;
    size = pack_size(at);
    return at + size + trail_size(size);
}

const char *trail_prev_long(const unsigned char *behind);

/* The element whose trailer ends at `behind`. */
ALWAYS_INLINE const char *trail_prev(const char *behind)
{
    unsigned char last = (unsigned char)behind[-1];

    return LIKELY(last <= TRAIL_ONE) ? behind - 1 - last
                                     : trail_prev_long((const unsigned char *)behind);
}

#endif
