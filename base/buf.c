/* A growing run of bytes, see buf.h. */
#include "base/buf.h"

#include "base/mem.h"

#include <stdio.h>

void buf_grow(struct buf *b, size_t more)
{
    size_t need = b->len + more, cap = b->cap + b->cap / 2;

    if (cap < need)
        cap = need;
    if (cap < 64)
        cap = 64;
    b->cap = mem_good_size(cap);
    b->ptr = mem_realloc(b->ptr, b->cap);
}

void buf_release(struct buf *b)
{
    mem_free(b->ptr);
    *b = (struct buf){0};
}

void buf_vprintf(struct buf *b, const char *fmt, va_list args)
{
    va_list again;
    int n;

    va_copy(again, args);
    n = vsnprintf(NULL, 0, fmt, args);
    if (n > 0) {
        vsnprintf(buf_reserve(b, (size_t)n + 1), (size_t)n + 1, fmt, again);
        b->len += (size_t)n;
    }
    va_end(again);
}

void buf_printf(struct buf *b, const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    buf_vprintf(b, fmt, args);
    va_end(args);
}

void buf_consume(struct buf *b, size_t n)
{
    INVARIANT(n <= b->len);
    b->len -= n;
    if (b->len)
        memmove(b->ptr, b->ptr + n, b->len);
}
