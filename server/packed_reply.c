/* Packed elements as bulks, see packed_reply.h. */
#include "server/packed_reply.h"

#include "storage/pack_trail.h"

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
    bytes_copy(p, text, len);
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
