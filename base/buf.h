/* A growing run of bytes that its holder owns. All zero is a valid empty buffer. */
#ifndef LK_BASE_BUF_H
#define LK_BASE_BUF_H

#include "base/compiler.h"
#include "base/slice.h"

#include <stdarg.h>

struct buf {
    char *ptr;
    size_t len, cap;
};

/* Room for `more` bytes behind `len`; the address may change. */
void buf_grow(struct buf *b, size_t more);
void buf_release(struct buf *b);
void buf_printf(struct buf *b, const char *fmt, ...) PRINTF_LIKE(2, 3);
void buf_vprintf(struct buf *b, const char *fmt, va_list args) PRINTF_LIKE(2, 0);
/* Drops the first `n` bytes. */
void buf_consume(struct buf *b, size_t n);

/* A place for `more` bytes at the end. The caller adds to `len` what it wrote. */
static inline char *buf_reserve(struct buf *b, size_t more)
{
    if (UNLIKELY(b->cap - b->len < more))
        buf_grow(b, more);
    return b->ptr + b->len;
}

static inline void buf_append(struct buf *b, const void *ptr, size_t len)
{
    if (len)
        memcpy(buf_reserve(b, len), ptr, len);
    b->len += len;
}

static inline void buf_append_slice(struct buf *b, struct slice s)
{
    buf_append(b, s.ptr, s.len);
}

static inline void buf_append_str(struct buf *b, const char *str)
{
    buf_append(b, str, strlen(str));
}

static inline void buf_append_char(struct buf *b, char c)
{
    *buf_reserve(b, 1) = c;
    b->len++;
}

/* Borrowed until the buffer changes. */
static inline struct slice buf_slice(const struct buf *b)
{
    return slice_make(b->ptr, b->len);
}

#endif
