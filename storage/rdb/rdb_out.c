/* Parts of snapshots, see rdb_out.h. */
#include "storage/rdb/rdb_out.h"

#include "base/compiler.h"
#include "base/num.h"
#include "storage/rdb/lzf.h"
#include "storage/rdb/rdb_format.h"

#include <endian.h>

enum {
    NUMBER_LEN_MAX = 11, /* characters of a string that may spell 32 bits */
    COMPRESS_FROM = 21,  /* bytes of a string that is worth a try */
    COMPRESS_GAIN = 4,   /* bytes that it has to save */
};

void rdb_put_len(struct buf *out, uint64_t len)
{
    uint32_t middle = htobe32((uint32_t)len);
    uint64_t wide = htobe64(len);

    if (len < 1 << 6) {
        rdb_put_byte(out, (unsigned)len);
    } else if (len < 1 << 14) {
        rdb_put_byte(out, RDB_LEN_14 | (unsigned)(len >> 8));
        rdb_put_byte(out, (unsigned)len & 0xff);
    } else if (len <= UINT32_MAX) {
        rdb_put_byte(out, RDB_LEN_32);
        buf_append(out, &middle, sizeof(middle));
    } else {
        rdb_put_byte(out, RDB_LEN_64);
        buf_append(out, &wide, sizeof(wide));
    }
}

/* True if it has 32 bits, and was written as a number. */
static bool put_number(struct buf *out, int64_t n)
{
    int16_t middle = (int16_t)n;
    int32_t wide = (int32_t)n;

    if (n >= INT8_MIN && n <= INT8_MAX) {
        rdb_put_byte(out, RDB_OTHER | RDB_INT8);
        rdb_put_byte(out, (unsigned)n & 0xff);
    } else if (n >= INT16_MIN && n <= INT16_MAX) {
        rdb_put_byte(out, RDB_OTHER | RDB_INT16);
        buf_append(out, &middle, sizeof(middle));
    } else if (n >= INT32_MIN && n <= INT32_MAX) {
        rdb_put_byte(out, RDB_OTHER | RDB_INT32);
        buf_append(out, &wide, sizeof(wide));
    } else {
        return false;
    }
    return true;
}

/* ---- strings --------------------------------------------------------------------------------- */

/* A string that is to be compressed later: where its head begins, its own bytes, its length. */
struct place {
    size_t head, at, len;
};

void rdb_put_bytes(struct buf *out, struct slice s, struct buf *later)
{
    struct place p = {out->len, 0, s.len};

    rdb_put_len(out, s.len);
    p.at = out->len;
    buf_append_slice(out, s);
    if (later && s.len >= COMPRESS_FROM && s.len <= UINT32_MAX / 2)
        buf_append(later, &p, sizeof(p));
}

void rdb_put_packed_head(struct buf *out, size_t packed_len, size_t len)
{
    rdb_put_byte(out, RDB_OTHER | RDB_LZF);
    rdb_put_len(out, packed_len);
    rdb_put_len(out, len);
}

static bool put_compressed(struct buf *out, struct slice s)
{
    enum { HEAD_MAX = 1 + 2 * 9 };
    size_t room = s.len - COMPRESS_GAIN, len;
    char *to = buf_reserve(out, HEAD_MAX + room) + HEAD_MAX;

    len = lzf_compress(s, to, room);
    if (!len)
        return false;
    rdb_put_packed_head(out, len, s.len);
    memmove(out->ptr + out->len, to, len);
    out->len += len;
    return true;
}

void rdb_squeeze(struct buf *out, struct slice bytes, const struct buf *later)
{
    size_t done = 0;

    for (size_t i = 0; i < later->len / sizeof(struct place); i++) {
        struct place p;

        memcpy(&p, later->ptr + i * sizeof(p), sizeof(p));
        buf_append(out, bytes.ptr + done, p.head - done);
        done = put_compressed(out, slice_make(bytes.ptr + p.at, p.len)) ? p.at + p.len : p.head;
    }
    buf_append(out, bytes.ptr + done, bytes.len - done);
}

void rdb_put_string(struct buf *out, struct slice s, struct buf *later)
{
    int64_t n;

    if (s.len <= NUMBER_LEN_MAX && num_parse_int(s, &n) && put_number(out, n))
        return;
    rdb_put_bytes(out, s, later);
}

void rdb_put_int(struct buf *out, int64_t n)
{
    char digits[NUM_INT_MAX];

    if (!put_number(out, n))
        rdb_put_bytes(out, slice_make(digits, num_format_int(digits, n)), NULL);
}

void rdb_put_int64(struct buf *out, int64_t n)
{
    buf_append(out, &n, sizeof(n));
}

void rdb_put_double(struct buf *out, double d)
{
    buf_append(out, &d, sizeof(d));
}

void rdb_put_aux(struct buf *out, struct slice name, struct slice value)
{
    rdb_put_byte(out, RDB_AUX);
    rdb_put_string(out, name, NULL);
    rdb_put_string(out, value, NULL);
}
