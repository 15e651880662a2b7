/* Packed elements, see pack.h. */
#include "storage/pack.h"

#include <math.h>

/* Bytes of the number behind a head from PACK_INT16 to PACK_INT64. */
static unsigned width_of(unsigned char head)
{
    return (head - PACK_INT16 + 1U) * 2;
}

size_t pack_size_long(const unsigned char *at)
{
    uint32_t len = 0;

    if (*at < PACK_INT13)
        return *at <= PACK_TEXT_MAX ? *at + 1U : 1;
    if (*at < PACK_INT16)
        return 2;
    if (*at <= PACK_INT64)
        return 1 + width_of(*at);
    if (*at == PACK_DOUBLE)
        return 1 + sizeof(double);
    if (*at == PACK_TEXT16) {
        memcpy(&len, at + 1, 2);
        return 3 + len;
    }
    memcpy(&len, at + 1, 4);
    return 5 + (size_t)len;
}

/* ---- making elements ------------------------------------------------------------------------- */

struct pack_value pack_value_int(int64_t n)
{
    struct pack_value v = {0};
    unsigned width = 2;

    if (n >= 0 && n < 64) {
        v.head_len = 1;
        v.head[0] = (unsigned char)(PACK_UINT6 + n);
        return v;
    }
    if (n >= -4096 && n < 4096) {
        uint64_t bits = (uint64_t)n & 0x1fff;

        v.head_len = 2;
        v.head[0] = (unsigned char)(PACK_INT13 + (bits >> 8));
        v.head[1] = (unsigned char)bits;
        return v;
    }
    while (width < 8 &&
           (n < -((int64_t)1 << (width * 8 - 1)) || n >= (int64_t)1 << (width * 8 - 1)))
        width += 2;
    v.head_len = (uint8_t)(1 + width);
    v.head[0] = (unsigned char)(PACK_INT16 + width / 2 - 1);
    memcpy(v.head + 1, &n, width);
    return v;
}

struct pack_value pack_value_text(struct slice s)
{
    struct pack_value v = {.text = s, .head_len = 1};
    uint32_t len = (uint32_t)s.len;

    if (LIKELY(s.len <= PACK_TEXT_MAX)) {
        v.head[0] = (unsigned char)s.len;
        return v;
    }
    v.head[0] = s.len <= UINT16_MAX ? PACK_TEXT16 : PACK_TEXT32;
    v.head_len = s.len <= UINT16_MAX ? 3 : 5;
    memcpy(v.head + 1, &len, v.head_len - 1U);
    return v;
}

struct pack_value pack_value(struct slice s)
{
    int64_t n;

    return num_parse_int(s, &n) ? pack_value_int(n) : pack_value_text(s);
}

struct pack_value pack_value_double(double d)
{
    const double whole_max = 9007199254740992.0; /* 2^53 */
    struct pack_value v = {.head_len = 1 + sizeof(d), .head = {PACK_DOUBLE}};

    if (d > -whole_max && d < whole_max && d == (double)(int64_t)d && !(d == 0 && signbit(d)))
        return pack_value_int((int64_t)d);
    memcpy(v.head + 1, &d, sizeof(d));
    return v;
}

/* ---- looking -------------------------------------------------------------------------------- */

const char *pack_find(struct slice bytes, const struct pack_value *v, unsigned every)
{
    const char *end = pack_end(bytes);

    for (const char *at = bytes.ptr; at < end;) {
        if (pack_is(at, v))
            return at;
        for (unsigned i = 0; i < every; i++)
            at = pack_next(at);
    }
    return NULL;
}

const char *pack_at(struct slice bytes, size_t index)
{
    const char *at = bytes.ptr;

    while (index--)
        at = pack_next(at);
    return at;
}

size_t pack_count(struct slice bytes)
{
    const char *end = pack_end(bytes);
    size_t n = 0;

    for (const char *at = bytes.ptr; at < end; at = pack_next(at))
        n++;
    return n;
}

bool pack_is_text(const char *at)
{
    unsigned char head = (unsigned char)*at;

    return head <= PACK_TEXT_MAX || head >= PACK_TEXT16;
}

static int64_t read_number(const unsigned char *at)
{
    uint64_t bits = 0;
    unsigned unused;

    if (*at < PACK_INT13)
        return *at - PACK_UINT6;
    if (*at < PACK_INT16)
        return (int64_t)((uint64_t)(*at - PACK_INT13) << 59 | (uint64_t)at[1] << 51) >> 51;
    memcpy(&bits, at + 1, width_of(*at));
    unused = 64 - width_of(*at) * 8;
    return (int64_t)(bits << unused) >> unused;
}

bool pack_int(const char *at, int64_t *out)
{
    unsigned char head = (unsigned char)*at;

    if (head <= PACK_TEXT_MAX || head > PACK_INT64)
        return false;
    *out = read_number((const unsigned char *)at);
    return true;
}

bool pack_double(const char *at, double *out)
{
    int64_t n;

    if ((unsigned char)*at == PACK_DOUBLE) {
        memcpy(out, at + 1, sizeof(*out));
        return true;
    }
    if (!pack_int(at, &n))
        return false;
    *out = (double)n;
    return true;
}

struct slice pack_text(const char *at, char digits[NUM_INT_MAX])
{
    unsigned char head = (unsigned char)*at;
    int64_t n;

    if (LIKELY(head <= PACK_TEXT_MAX))
        return slice_make(at + 1, head);
    if (pack_int(at, &n))
        return slice_make(digits, num_format_int(digits, n));
    head = head == PACK_TEXT16 ? 3 : 5;
    return slice_make(at + head, pack_size(at) - head);
}

/* ---- bytes from outside ---------------------------------------------------------------------- */

/* Bytes of the head, with which the size of the whole can be told; 0 for what is none. */
static size_t head_size(unsigned char head)
{
    if (head < PACK_TEXT16)
        return head <= PACK_DOUBLE;
    return head == PACK_TEXT16 ? 3 : head == PACK_TEXT32 ? 5 : 0;
}

/* Whether the element is written as it would be made. */
static bool is_canonical(const char *at)
{
    char digits[NUM_INT_MAX];
    struct pack_value v;
    double d;

    if ((unsigned char)*at == PACK_DOUBLE) {
        pack_double(at, &d);
        if (isnan(d))
            return false;
        v = pack_value_double(d);
    } else {
        v = pack_value(pack_text(at, digits));
    }
    return pack_size(at) == pack_value_size(&v) && pack_is(at, &v);
}

bool pack_valid(struct slice bytes)
{
    const char *at = bytes.ptr, *end = pack_end(bytes);

    while (at < end) {
        size_t head = head_size((unsigned char)*at), left = (size_t)(end - at);

        if (!head || head > left || pack_size(at) > left || !is_canonical(at))
            return false;
        at = pack_next(at);
    }
    return true;
}
