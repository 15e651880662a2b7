/* A borrowed run of bytes, passed by value. Whoever hands one out says how long it lives. */
#ifndef LK_BASE_SLICE_H
#define LK_BASE_SLICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <strings.h>

struct slice {
    const char *ptr;
    size_t len;
};

/* A slice of a string literal. */
#define SLICE(literal) ((struct slice){(literal), sizeof(literal) - 1})

static inline struct slice slice_make(const char *ptr, size_t len)
{
    return (struct slice){ptr, len};
}

static inline struct slice slice_str(const char *str)
{
    return (struct slice){str, strlen(str)};
}

/*
 * Whether two runs of `len` bytes are the same: quicker than a call for the lengths that keys have.
 * The ends are looked at first, since names mostly begin alike.
 */
static inline bool bytes_eq(const char *a, const char *b, size_t len)
{
    uint32_t head[2], tail[2];
    uint64_t x, y;

    if (len > 32)
        return memcmp(a, b, len) == 0;
    if (len < 4)
        return len == 0 || (a[0] == b[0] && a[len / 2] == b[len / 2] && a[len - 1] == b[len - 1]);
    if (len < 8) {
        memcpy(&head[0], a, 4);
        memcpy(&head[1], b, 4);
        memcpy(&tail[0], a + len - 4, 4);
        memcpy(&tail[1], b + len - 4, 4);
        return head[0] == head[1] && tail[0] == tail[1];
    }
    memcpy(&x, a + len - 8, 8);
    memcpy(&y, b + len - 8, 8);
    for (size_t i = 0; x == y && i + 8 < len; i += 8) {
        memcpy(&x, a + i, 8);
        memcpy(&y, b + i, 8);
    }
    return x == y;
}

/* A copy of mostly few bytes, without a call for those: from both ends, which may overlap. */
static inline void bytes_copy(char *to, const char *from, size_t len)
{
    uint64_t a, b;
    uint32_t c, d;

    if (len > 32) {
        memcpy(to, from, len);
    } else if (len > 16) {
        char first[16], last[16];

        memcpy(first, from, 16);
        memcpy(last, from + len - 16, 16);
        memcpy(to, first, 16);
        memcpy(to + len - 16, last, 16);
    } else if (len >= 8) {
        memcpy(&a, from, 8);
        memcpy(&b, from + len - 8, 8);
        memcpy(to, &a, 8);
        memcpy(to + len - 8, &b, 8);
    } else if (len >= 4) {
        memcpy(&c, from, 4);
        memcpy(&d, from + len - 4, 4);
        memcpy(to, &c, 4);
        memcpy(to + len - 4, &d, 4);
    } else if (len) {
        to[0] = from[0];
        to[len / 2] = from[len / 2];
        to[len - 1] = from[len - 1];
    }
}

static inline bool slice_eq(struct slice a, struct slice b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.ptr, b.ptr, a.len) == 0);
}

/* True when `s` and the C string `str` are equal but for the case of ASCII letters. */
static inline bool slice_is(struct slice s, const char *str)
{
    return strlen(str) == s.len && strncasecmp(s.ptr, str, s.len) == 0;
}

/* Byte order, the shorter first where one is the beginning of the other. */
static inline int slice_cmp(struct slice a, struct slice b)
{
    size_t n = a.len < b.len ? a.len : b.len;
    int c = n ? memcmp(a.ptr, b.ptr, n) : 0;

    return c ? c : (a.len > b.len) - (a.len < b.len);
}

#endif
