/* Packed elements as bulks, see packed_reply.h. */
#include "server/packed_reply.h"

#include "storage/pack_trail.h"

/* A copy of a short text, most often of a few bytes; from both ends, which may overlap. */
ALWAYS_INLINE void copy_short(char *to, const char *from, size_t len)
{
    uint64_t a, b;
    uint32_t c, d;

    if (len >= 8 && len <= 16) {
        memcpy(&a, from, 8);
        memcpy(&b, from + len - 8, 8);
        memcpy(to, &a, 8);
        memcpy(to + len - 8, &b, 8);
    } else if (len >= 4 && len < 8) {
        memcpy(&c, from, 4);
        memcpy(&d, from + len - 4, 4);
        memcpy(to, &c, 4);
        memcpy(to + len - 4, &d, 4);
    } else if (len > 16) {
        memcpy(to, from, len);
    } else if (len) {
        to[0] = from[0];
        to[len / 2] = from[len / 2];
        to[len - 1] = from[len - 1];
    }
}

/* "$5\r\nhello\r\n" */
ALWAYS_INLINE void write_short(struct buf *out, const char *text, size_t len)
{
    enum { AROUND = 8 };
    char *to = buf_reserve(out, len + AROUND), *p = to;

    *p++ = '$';
    if (len >= 100)
        *p++ = '1';
    if (len >= 10)
        *p++ = (char)('0' + len / 10 % 10);
    *p++ = (char)('0' + len % 10);
    *p++ = '\r';
    *p++ = '\n';
    copy_short(p, text, len);
    p += len;
    *p++ = '\r';
    *p++ = '\n';
    out->len += (size_t)(p - to);
}

ALWAYS_INLINE void write_element(struct call *c, const char *at)
{
    unsigned char head = (unsigned char)*at;
    char digits[NUM_INT_MAX];

    if (LIKELY(head <= PACK_TEXT_MAX))
        write_short(c->out.buf, at + 1, head);
    else
        write_bulk(&c->out, pack_text(at, digits));
}

void reply_element(struct call *c, const char *at)
{
    write_element(c, at);
}

const char *reply_elements(struct call *c, const char *at, size_t n, bool trailed)
{
    for (; n; n--) {
        write_element(c, at);
        at = trailed ? trail_next(at) : pack_next(at);
    }
    return at;
}
