/* Parts of snapshots, see rdb_in.h. */
#include "storage/rdb/rdb_in.h"

#include "base/compiler.h"
#include "storage/rdb/lzf.h"
#include "storage/rdb/rdb_format.h"

#include <endian.h>

void rdb_in_release(struct rdb_in *in)
{
    buf_release(&in->unpacked);
}

bool rdb_in_fail(struct rdb_in *in, enum rdb_status status, const char *what)
{
    if (in->status == RDB_OK) {
        in->status = status;
        in->what = what;
    }
    return false;
}

bool rdb_in_need_more(struct rdb_in *in, size_t need)
{
    if (in->status == RDB_OK && in->fill && in->fill(in, need))
        return true;
    return rdb_in_fail(in, RDB_SHORT, "Short read: the data ends too early");
}

bool rdb_get_bytes(struct rdb_in *in, size_t n, const char **bytes)
{
    if (!rdb_in_need(in, n))
        return false;
    *bytes = in->at;
    in->at += n;
    return true;
}

bool rdb_get_copy(struct rdb_in *in, char *to, size_t n)
{
    while (n) {
        size_t here;

        if (!rdb_in_need(in, 1))
            return false;
        here = (size_t)(in->end - in->at);
        here = here < n ? here : n;
        memcpy(to, in->at, here);
        in->at += here;
        to += here;
        n -= here;
    }
    return true;
}

bool rdb_skip_bytes(struct rdb_in *in, uint64_t n)
{
    if (UNLIKELY(n > rdb_in_left(in)))
        return rdb_in_fail(in, RDB_SHORT, "Short read: the data ends too early");
    while (n) {
        uint64_t here;

        if (!rdb_in_need(in, 1))
            return false;
        here = (uint64_t)(in->end - in->at);
        here = here < n ? here : n;
        in->at += here;
        n -= here;
    }
    return true;
}

bool rdb_get_byte(struct rdb_in *in, unsigned *byte)
{
    if (UNLIKELY(!rdb_in_need(in, 1)))
        return false;
    *byte = (unsigned char)*in->at++;
    return true;
}

bool rdb_get_int64(struct rdb_in *in, int64_t *n)
{
    return rdb_get_copy(in, (char *)n, sizeof(*n));
}

bool rdb_get_double(struct rdb_in *in, double *d)
{
    return rdb_get_copy(in, (char *)d, sizeof(*d));
}

/* A length, or with *other the number that stands in its place. */
static bool get_len(struct rdb_in *in, uint64_t *len, bool *other)
{
    unsigned first, second;
    uint32_t middle;
    uint64_t wide;

    *other = false;
    if (!rdb_get_byte(in, &first))
        return false;
    switch (first & RDB_OTHER) {
    case RDB_LEN_6:
        *len = first;
        return true;
    case RDB_LEN_14:
        if (!rdb_get_byte(in, &second))
            return false;
        *len = (first & 0x3f) << 8 | second;
        return true;
    case RDB_OTHER:
        *len = first & 0x3f;
        *other = true;
        return true;
    default:
        break;
    }
    if (first == RDB_LEN_32) {
        if (!rdb_get_copy(in, (char *)&middle, sizeof(middle)))
            return false;
        *len = be32toh(middle);
        return true;
    }
    if (first != RDB_LEN_64)
        return rdb_in_fail(in, RDB_CORRUPT, "a length of no known kind");
    if (!rdb_get_copy(in, (char *)&wide, sizeof(wide)))
        return false;
    *len = be64toh(wide);
    return true;
}

bool rdb_get_len(struct rdb_in *in, uint64_t *len)
{
    bool other;

    if (!get_len(in, len, &other))
        return false;
    return !other || rdb_in_fail(in, RDB_CORRUPT, "a string where a length should be");
}

/* ---- strings --------------------------------------------------------------------------------- */

static bool get_number(struct rdb_in *in, enum rdb_string form, int64_t *n)
{
    unsigned narrow;
    int16_t middle;
    int32_t wide;

    switch (form) {
    case RDB_INT8:
        if (!rdb_get_byte(in, &narrow))
            return false;
        *n = narrow <= INT8_MAX ? (int64_t)narrow : (int64_t)narrow - UINT8_MAX - 1;
        return true;
    case RDB_INT16:
        if (!rdb_get_copy(in, (char *)&middle, sizeof(middle)))
            return false;
        *n = middle;
        return true;
    default:
        if (!rdb_get_copy(in, (char *)&wide, sizeof(wide)))
            return false;
        *n = wide;
        return true;
    }
}

static bool get_packed_head(struct rdb_in *in, struct rdb_string_head *head)
{
    head->packed = true;
    if (!rdb_get_len(in, &head->packed_len) || !rdb_get_len(in, &head->len))
        return false;
    return (head->packed_len <= SIZE_MAX / 128 && head->len <= lzf_most(head->packed_len)) ||
           rdb_in_fail(in, RDB_CORRUPT, "a compressed string of an impossible length");
}

bool rdb_get_string_head(struct rdb_in *in, struct rdb_string_head *head)
{
    bool other;

    *head = (struct rdb_string_head){0};
    if (!get_len(in, &head->len, &other))
        return false;
    if (!other) {
        head->plain = true;
        head->packed_len = head->len;
    } else if (head->len < RDB_LZF) {
        return get_number(in, (enum rdb_string)head->len, &head->number);
    } else if (head->len != RDB_LZF) {
        return rdb_in_fail(in, RDB_CORRUPT, "a string of no known form");
    } else if (!get_packed_head(in, head)) {
        return false;
    }
    return head->packed_len <= rdb_in_left(in) ||
           rdb_in_fail(in, RDB_SHORT, "Short read: the data ends too early");
}

bool rdb_get_string_body(struct rdb_in *in, const struct rdb_string_head *head, char *to)
{
    const char *packed;

    if (head->plain)
        return rdb_get_copy(in, to, head->len);
    if (!rdb_get_bytes(in, head->packed_len, &packed))
        return false;
    return lzf_decompress(slice_make(packed, head->packed_len), to, head->len) ||
           rdb_in_fail(in, RDB_CORRUPT, "a compressed string that cannot be unpacked");
}

bool rdb_get_string(struct rdb_in *in, struct slice *s)
{
    struct rdb_string_head head;
    const char *bytes;

    if (!rdb_get_string_head(in, &head))
        return false;
    if (LIKELY(head.plain)) {
        if (!rdb_get_bytes(in, head.len, &bytes))
            return false;
        *s = slice_make(bytes, head.len);
        return true;
    }
    if (!head.packed) {
        *s = slice_make(in->digits, num_format_int(in->digits, head.number));
        return true;
    }
    if (!rdb_in_need(in, head.packed_len))
        return false;
    in->unpacked.len = 0;
    *s = slice_make(buf_reserve(&in->unpacked, head.len + 1), head.len);
    return rdb_get_string_body(in, &head, in->unpacked.ptr);
}

bool rdb_skip_string(struct rdb_in *in)
{
    struct rdb_string_head head;

    return rdb_get_string_head(in, &head) && rdb_skip_bytes(in, head.packed_len);
}
