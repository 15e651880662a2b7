/*
 * Any bytes as a HyperLogLog: nothing reads or writes beyond them; what is sound remains so, and
 * its encodings agree with each other; and nothing takes longer than a sound value would.
 *
 * The first byte chooses the limit of sparse values, the second whether a header is put before the
 * rest. Every value is copied to the byte, so that the address sanitizer sees a read beyond it.
 */
#include "storage/hll.h"

#include <stdlib.h>

#include "base/mem.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void expect(bool what)
{
    if (!what)
        abort();
}

/* A buffer without a byte of room behind what it holds. */
static struct buf exact(struct slice s)
{
    struct buf b = {.ptr = mem_alloc(s.len), .len = s.len, .cap = s.len};

    memcpy(b.ptr, s.ptr, s.len);
    return b;
}

static void expect_registers(struct slice v, const struct hll_registers *wanted)
{
    struct hll_registers r = {{0}};
    uint64_t n;

    expect(hll_raise(&r, v));
    expect(memcmp(&r, wanted, sizeof(r)) == 0);
    expect(hll_count(v, &n) && n == hll_cardinality(wanted));
}

/* What is sound stays so, whatever is added. */
static void add_elements(struct buf *v, bool sound, size_t max)
{
    for (unsigned i = 0; i < 12; i++) {
        struct slice element = slice_make((const char *)&i, sizeof(i));
        struct hll_registers r = {{0}};
        size_t before = v->len;
        enum hll_result result = hll_add(v, element, max);

        expect(hll_is_valid(buf_slice(v)));
        expect(!sound || (result != HLL_CORRUPT && hll_raise(&r, buf_slice(v))));
        expect(result == HLL_CHANGED || v->len == before);
        expect(result == HLL_CORRUPT || hll_add(v, element, max) == HLL_SAME);
    }
}

static void merge(struct slice value, const struct hll_registers *r, size_t max)
{
    struct buf fresh = {0}, same = exact(value);

    hll_init(&fresh);
    hll_set(&fresh, r, max);
    expect_registers(buf_slice(&fresh), r);
    hll_set(&same, r, max);
    expect_registers(buf_slice(&same), r);
    buf_release(&fresh);
    buf_release(&same);
}

static void try_all(struct slice value, size_t max)
{
    struct buf v = exact(value), dense = exact(value), text = {0};
    struct hll_registers r = {{0}};
    bool sound = hll_raise(&r, buf_slice(&v));
    uint64_t n;

    expect(hll_count(buf_slice(&v), &n) == sound);
    expect(hll_to_dense(&dense) == sound);
    if (sound) {
        expect_registers(buf_slice(&dense), &r);
        merge(value, &r, max);
        hll_remember(dense.ptr, n >> 1);
        expect(hll_remembered(buf_slice(&dense), &n));
    }
    if (!hll_is_dense(value))
        hll_describe(value, &text);
    add_elements(&v, sound, max);
    buf_release(&v);
    buf_release(&dense);
    buf_release(&text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const size_t limits[] = {0, 20, 100, 3000, 40000, SIZE_MAX};
    struct buf v = {0};

    if (size < 2)
        return 0;
    if (data[1] & 1)
        hll_init(&v);
    if (data[1] & 2)
        v.len = v.len ? HLL_HEADER : 0;
    buf_append(&v, data + 2, size - 2);
    if (v.len > HLL_HEADER && data[1] & 4) {
        memset(buf_reserve(&v, HLL_DENSE_LEN), data[1], HLL_DENSE_LEN);
        v.len = HLL_DENSE_LEN;
        v.ptr[4] = 0;
    }
    if (hll_is_valid(buf_slice(&v)))
        try_all(buf_slice(&v), limits[data[0] % COUNT_OF(limits)]);
    buf_release(&v);
    return 0;
}
