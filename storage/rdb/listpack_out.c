/* Making listpacks, see listpack_out.h. */
#include "storage/rdb/listpack_out.h"

#include "storage/pack.h"

enum {
    HEADER = 6,
    END = 0xff,
    INT13 = 0xc0,
    TEXT12 = 0xe0,
    TEXT32 = 0xf0,
    INT16 = 0xf1, /* and 24, 32, 64 bits */
    BACK_MAX = 5,
    COUNT_MAX = UINT16_MAX,
};

void listpack_begin(struct listpack_out *lp)
{
    lp->bytes.len = 0;
    lp->count = 0;
    buf_reserve(&lp->bytes, HEADER);
    lp->bytes.len = HEADER;
}

/*
 * How many bytes the size of an element takes. The bounds are those of Redis, which steps over as
 * many.
 */
static size_t back_len(size_t size)
{
    if (size <= 127)
        return 1;
    if (size < 16383)
        return 2;
    if (size < 2097151)
        return 3;
    return size < 268435455 ? 4 : BACK_MAX;
}

/* Behind an element of `size` bytes. */
static void put_back(struct listpack_out *lp, size_t size)
{
    size_t n = back_len(size);
    char *to = buf_reserve(&lp->bytes, BACK_MAX);

    for (size_t i = n; i--; size >>= 7)
        to[i] = (char)((size & 127) | (i ? 128 : 0));
    lp->bytes.len += n;
    lp->count++;
}

static void put_number(struct listpack_out *lp, unsigned head, int64_t n, size_t bytes)
{
    buf_append_char(&lp->bytes, (char)head);
    buf_append(&lp->bytes, &n, bytes);
    put_back(lp, 1 + bytes);
}

void listpack_put_int(struct listpack_out *lp, int64_t n)
{
    if (n >= 0 && n <= 127) {
        buf_append_char(&lp->bytes, (char)n);
        put_back(lp, 1);
    } else if (n >= -4096 && n <= 4095) {
        buf_append_char(&lp->bytes, (char)(INT13 | ((uint64_t)n >> 8 & 0x1f)));
        buf_append_char(&lp->bytes, (char)(n & 0xff));
        put_back(lp, 2);
    } else if (n >= INT16_MIN && n <= INT16_MAX) {
        put_number(lp, INT16, n, 2);
    } else if (n >= -(1 << 23) && n < 1 << 23) {
        put_number(lp, INT16 + 1, n, 3);
    } else if (n >= INT32_MIN && n <= INT32_MAX) {
        put_number(lp, INT16 + 2, n, 4);
    } else {
        put_number(lp, INT16 + 3, n, 8);
    }
}

void listpack_put_text(struct listpack_out *lp, struct slice s)
{
    size_t from = lp->bytes.len;
    uint32_t len = (uint32_t)s.len;

    if (s.len < 64) {
        buf_append_char(&lp->bytes, (char)(0x80 | s.len));
    } else if (s.len < 4096) {
        buf_append_char(&lp->bytes, (char)(TEXT12 | s.len >> 8));
        buf_append_char(&lp->bytes, (char)(s.len & 0xff));
    } else {
        buf_append_char(&lp->bytes, (char)TEXT32);
        buf_append(&lp->bytes, &len, sizeof(len));
    }
    buf_append_slice(&lp->bytes, s);
    put_back(lp, lp->bytes.len - from);
}

void listpack_put(struct listpack_out *lp, struct slice s)
{
    int64_t n;

    if (num_parse_int(s, &n))
        listpack_put_int(lp, n);
    else
        listpack_put_text(lp, s);
}

void listpack_put_packed(struct listpack_out *lp, const char *at)
{
    int64_t n;

    if (pack_int(at, &n))
        listpack_put_int(lp, n);
    else
        listpack_put_text(lp, pack_text(at, NULL));
}

struct slice listpack_end(struct listpack_out *lp)
{
    uint16_t count = (uint16_t)(lp->count < COUNT_MAX ? lp->count : COUNT_MAX);
    uint32_t len;

    buf_append_char(&lp->bytes, (char)END);
    len = (uint32_t)lp->bytes.len;
    memcpy(lp->bytes.ptr, &len, sizeof(len));
    memcpy(lp->bytes.ptr + sizeof(len), &count, sizeof(count));
    return buf_slice(&lp->bytes);
}
