/*
 * Packed elements: a small collection as one run of bytes, within its entry or in a blob.
 *
 * Each element begins with a byte that says what it is:
 *
 *     00 .. 7f   text of that many bytes, which follow
 *     80 .. bf   a number from 0 to 63
 *     c0 .. df   a number from -4096 to 4095: five bits here, eight in the byte that follows
 *     e0 .. e3   a number of 2, 4, 6 or 8 bytes, little-endian, signed
 *     e4         a double of 8 bytes
 *     e8, e9     text: 2 or 4 bytes of length, and the bytes
 *
 * Numbers and their canonical spelling are the same element, and always stored as numbers in the
 * shortest form that holds them; so equal elements are equal bytes. Doubles are another kind: a
 * score that is a whole number is stored as a number.
 *
 * An element is an address within the bytes; what is written as `end` is the address behind the
 * last. Nothing here allocates: room is made by entry_splice().
 */
#ifndef LK_STORAGE_PACK_H
#define LK_STORAGE_PACK_H

#include "base/compiler.h"
#include "base/num.h"
#include "base/slice.h"

enum {
    PACK_TEXT_MAX = 0x7f, /* bytes of text with a head of one byte */
    PACK_UINT6 = 0x80,
    PACK_INT13 = 0xc0,
    PACK_INT16 = 0xe0,
    PACK_INT64 = 0xe3,
    PACK_DOUBLE = 0xe4,
    PACK_TEXT16 = 0xe8,
    PACK_TEXT32 = 0xe9,
    PACK_NUMBER_MAX = 9, /* bytes of the longest element that is no text */
};

/* An element as it is to be written, made once and compared with many. */
struct pack_value {
    struct slice text; /* of text; borrowed */
    uint8_t head_len;  /* of a number, all of it is head */
    unsigned char head[PACK_NUMBER_MAX];
};

/* Of bytes: a number where they spell one. */
struct pack_value pack_value(struct slice s);
/* Of bytes that are known to spell no number. */
struct pack_value pack_value_text(struct slice s);
struct pack_value pack_value_int(int64_t n);
/* A number where it is a whole one that a double holds exactly. Not for NaN. */
struct pack_value pack_value_double(double d);

static inline size_t pack_value_size(const struct pack_value *v)
{
    return v->head_len + v->text.len;
}

/* Writes it and returns the address behind. */
static inline char *pack_write(char *to, const struct pack_value *v)
{
    memcpy(to, v->head, v->head_len);
    to += v->head_len;
    if (v->text.len)
        memcpy(to, v->text.ptr, v->text.len);
    return to + v->text.len;
}

/* The size of an element that is no short text. */
size_t pack_size_long(const unsigned char *at);

/* The element behind this one. */
ALWAYS_INLINE const char *pack_next(const char *at)
{
    unsigned char head = (unsigned char)*at;

    return at + (LIKELY(head <= PACK_TEXT_MAX) ? (size_t)head + 1
                                               : pack_size_long((const unsigned char *)at));
}

static inline size_t pack_size(const char *at)
{
    return (size_t)(pack_next(at) - at);
}

/* Whether the element is this one. */
ALWAYS_INLINE bool pack_is(const char *at, const struct pack_value *v)
{
    return *at == (char)v->head[0] &&
           (LIKELY(v->head_len == 1) || memcmp(at + 1, v->head + 1, v->head_len - 1) == 0) &&
           bytes_eq(at + v->head_len, v->text.ptr, v->text.len);
}

/*
 * The first element that is this one among the 1st, the (1 + every)th …; NULL if none is. `every`
 * is 1 for a list of elements, 2 to look among the fields of pairs.
 */
const char *pack_find(struct slice bytes, const struct pack_value *v, unsigned every);
/* Element number `index`, from 0; the end if there are just as many. */
const char *pack_at(struct slice bytes, size_t index);
/* How many there are, by walking over all. */
size_t pack_count(struct slice bytes);
/*
 * Whether the bytes are elements to the last one, none of which is more than there is; and numbers
 * in their shortest form. For bytes from outside.
 */
bool pack_valid(struct slice bytes);

static inline const char *pack_end(struct slice bytes)
{
    return bytes.ptr + bytes.len;
}

bool pack_is_text(const char *at);
/* The number that the element is; false for text and doubles. */
bool pack_int(const char *at, int64_t *out);
/* The number that the element is, whole or not; false for text. */
bool pack_double(const char *at, double *out);
/* The element as bytes; those of a number are written to `digits`. Not for doubles. */
struct slice pack_text(const char *at, char digits[NUM_INT_MAX]);

#endif
