/*
 * The input of a fuzzer as a list of steps: bytes, numbers and texts are taken from its front, and
 * are zero and empty behind its end.
 */
#ifndef TESTS_FUZZ_STEPS_H
#define TESTS_FUZZ_STEPS_H

#include "base/slice.h"

#include <stdlib.h>

struct steps {
    const uint8_t *at, *end;
    size_t count;
};

/* Ends the run, and is what the fuzzer reports. */
static inline void expect(bool what)
{
    if (!what)
        abort();
}

/*
 * Whether all is to be compared behind this step: while that is quick, and now and then; and at the
 * end.
 */
static inline bool steps_compare(struct steps *s, size_t effort)
{
    return s->count++ % (1 + effort / 64) == 0 || s->at == s->end;
}

static inline bool steps_left(const struct steps *s)
{
    return s->at < s->end;
}

static inline unsigned take_byte(struct steps *s)
{
    return steps_left(s) ? *s->at++ : 0;
}

/* Of a width that its first byte chooses, so that short input makes numbers of all of them. */
static inline int64_t take_number(struct steps *s)
{
    static const unsigned widths[] = {1, 1, 1, 2, 2, 4, 6, 8};
    unsigned what = take_byte(s), width = widths[what % 8];
    uint64_t bits = 0;

    for (unsigned i = 0; i < width; i++)
        bits |= (uint64_t)take_byte(s) << (i * 8);
    /* Around the powers of two, where one width or form ends. */
    if (what & 8)
        bits = ((uint64_t)1 << (what >> 5) * 8 << bits % 8) + bits / 8 % 3 - 1;
    return what & 16 ? (int64_t)(0 - bits) : (int64_t)bits;
}

/*
 * A text from the input, or one whose length is at the edge of something, made of `room`, which has
 * `room_len` bytes. Borrowed from either.
 */
static inline struct slice take_text(struct steps *s, char *room, size_t room_len)
{
    static const size_t edges[] = {63,  64,  65,  126, 127,  128,  129,   254,
                                   255, 256, 257, 500, 1000, 2047, 65535, 65536};
    size_t len = take_byte(s), left = (size_t)(s->end - s->at);
    const char *from = (const char *)s->at;

    if (len >= 0xf0) {
        len = edges[len - 0xf0] < room_len ? edges[len - 0xf0] : room_len;
        memset(room, 'a' + (int)(take_byte(s) % 26), len);
        return slice_make(room, len);
    }
    len %= 24;
    len = len < left ? len : left;
    s->at += len;
    return slice_make(from, len);
}

#endif
