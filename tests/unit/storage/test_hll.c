/*
 * storage/hll: the bytes that Redis makes of the same elements; and random elements and
 * unions against registers that are kept one by one, for every limit of sparse values.
 */
#include "storage/hll.h"

#include "base/num.h"
#include "base/rng.h"
#include "tests/lib/tap.h"

#include <stdio.h>

enum { UNLIMITED = 1 << 20 };

static struct buf v;

static void restart(struct buf *b)
{
    b->len = 0;
    hll_init(b);
}

static uint64_t fnv(struct slice s)
{
    uint64_t h = 0xcbf29ce484222325;

    for (size_t i = 0; i < s.len; i++)
        h = (h ^ (uint8_t)s.ptr[i]) * 0x100000001b3;
    return h;
}

/* ---- what Redis has ------------------------------------------------------------------------- */

static void test_vectors(void)
{
    static const struct {
        unsigned n, len;
        uint64_t sum;
    } wanted[] = {
        {1, 21, 0xa5f4a14adb6aebe9},     {2, 24, 0x143d16b228407938},
        {10, 48, 0x7b1e509d8e2da922},    {100, 288, 0xb40f63a4bc015ab5},
        {500, 1021, 0x3f68a0198eac3a3b}, {999, 1868, 0xc0b6f71cd8f650b2},
    };
    unsigned next = 0;
    uint64_t count = 0;
    char text[32];
    int len;

    restart(&v);
    for (unsigned i = 1; i < 1000; i++) {
        len = snprintf(text, sizeof(text), "element-%u", i);
        hll_add(&v, slice_make(text, (size_t)len), 3000);
        hll_forget(v.ptr);
        if (i != wanted[next].n)
            continue;
        is_int((long long)v.len, wanted[next].len, "%u elements: the length", i);
        ok(fnv(buf_slice(&v)) == wanted[next++].sum, "and the bytes");
        ok(hll_count(buf_slice(&v), &count), "are counted");
        hll_remember(v.ptr, count); /* as they were when Redis' bytes were taken */
    }
}

static void fill_dense(char value, size_t from, size_t n)
{
    restart(&v);
    hll_to_dense(&v);
    memset(v.ptr + HLL_HEADER + from, value, n);
}

static void test_estimates(void)
{
    uint64_t n = 0;

    fill_dense(0, 0, 0);
    ok(hll_count(buf_slice(&v), &n) && n == 0, "no elements");
    fill_dense((char)0xff, 0, 12288);
    ok(hll_count(buf_slice(&v), &n) && n == (uint64_t)1 << 63, "more than there can be");
    fill_dense((char)0xff, 0, 6000);
    ok(hll_count(buf_slice(&v), &n) && n == 12712, "half of the registers as high as can be");
    fill_dense((char)0xfc, 12287, 1);
    ok(hll_count(buf_slice(&v), &n) && n == 1, "the last register alone");
    ok(!hll_remembered(SLICE("HYLL\1\0\0\0\0\0\0\0\0\0\0\x80"), &n), "not remembered");
    ok(hll_remembered(SLICE("HYLL\1\0\0\0\5\0\0\0\0\0\0\0"), &n) && n == 5, "remembered");
}

/* ---- values that say other than 16384 registers --------------------------------------------- */

static void test_corrupt(void)
{
    static const struct {
        const char *what;
        struct slice runs;
        bool sound;
    } cases[] = {
        {"one run of all", SLICE("\x7f\xff"), true},
        {"two halves", SLICE("\x5f\xff\x5f\xff"), true},
        {"a value at the end", SLICE("\x7f\xfe\x80"), true},
        {"one missing", SLICE("\x7f\xfe"), false},
        {"a value beyond the end", SLICE("\x7f\xff\x80"), false},
        {"a value across the end", SLICE("\x7f\xfe\x81"), false},
        {"zeros beyond the end", SLICE("\x7f\xff\x00"), false},
        {"twice as many", SLICE("\x7f\xff\x7f\xff"), false},
        {"nothing", SLICE(""), false},
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct hll_registers r = {{0}};
        uint64_t n;

        restart(&v);
        v.len = HLL_HEADER;
        buf_append_slice(&v, cases[i].runs);
        ok(hll_is_valid(buf_slice(&v)), "%s: a header at least", cases[i].what);
        ok(hll_raise(&r, buf_slice(&v)) == cases[i].sound &&
               hll_count(buf_slice(&v), &n) == cases[i].sound && hll_to_dense(&v) == cases[i].sound,
           "%s: %s", cases[i].what, cases[i].sound ? "sound" : "corrupt");
    }
    ok(!hll_is_valid(SLICE("HYLL\1\0\0\0\0\0\0\0\0\0\0")), "too short for a header");
    ok(!hll_is_valid(SLICE("HYLK\1\0\0\0\0\0\0\0\0\0\0\0\x7f\xff")), "another word");
    ok(!hll_is_valid(SLICE("HYLL\2\0\0\0\0\0\0\0\0\0\0\0\x7f\xff")), "another encoding");
    ok(!hll_is_valid(SLICE("HYLL\0\0\0\0\0\0\0\0\0\0\0\0\x7f\xff")), "too short for a dense one");
}

/* A run that lacks its second byte is read as in Redis, but never changed. */
static void test_torn(void)
{
    struct hll_registers r = {{0}};

    restart(&v);
    v.len = HLL_HEADER;
    buf_append_slice(&v, SLICE("\x7f\xfe\x40"));
    ok(hll_raise(&r, buf_slice(&v)), "a torn run of one register");
    v.len = HLL_HEADER;
    buf_append_slice(&v, SLICE("\x7f"));
    is_int(hll_add(&v, SLICE("a"), UNLIMITED), HLL_CORRUPT, "a torn run that is to change");
    is_int((long long)v.len, HLL_HEADER + 1, "remains as it is");
}

/* ---- against a naive copy ------------------------------------------------------------------- */

/* The register and the value of an element, bit by bit and byte by byte. */
static unsigned naive_mark(struct slice s, uint8_t *value)
{
    const uint64_t m = 0xc6a4a7935bd1e995;
    uint64_t h = 0xadc83b19 ^ (s.len * m), k;
    size_t at = 0;

    for (; at + 8 <= s.len; at += 8) {
        k = 0;
        for (int i = 7; i >= 0; i--)
            k = k << 8 | (uint8_t)s.ptr[at + (size_t)i];
        k *= m;
        k ^= k >> 47;
        k *= m;
        h ^= k;
        h *= m;
    }
    for (size_t i = at; i < s.len; i++)
        h ^= (uint64_t)(uint8_t)s.ptr[i] << (i - at) * 8;
    h = at < s.len ? h * m : h;
    h ^= h >> 47;
    h *= m;
    h ^= h >> 47;
    for (*value = 1; *value <= 50 && !(h >> (13 + *value) & 1);)
        ++*value;
    return h & 16383;
}

static const char *wrong_value(const struct buf *b, const struct hll_registers *model, size_t max)
{
    struct hll_registers r = {{0}};
    uint64_t n;

    if (!hll_is_valid(buf_slice(b)) || !hll_raise(&r, buf_slice(b)))
        return "the value is corrupt";
    if (memcmp(&r, model, sizeof(r)) != 0)
        return "a register is wrong";
    if (!hll_is_dense(buf_slice(b)) && b->len > max && b->len > HLL_HEADER + 2)
        return "a sparse value is too long";
    if (!hll_count(buf_slice(b), &n) || n != hll_cardinality(model))
        return "the count is wrong";
    return NULL;
}

static struct slice draw_element(char *text)
{
    size_t len = (size_t)rng_below(40);

    for (size_t i = 0; i < len; i++)
        text[i] = (char)rng_next();
    return slice_make(text, len);
}

static const char *add_one(struct buf *b, struct hll_registers *model, size_t max)
{
    char text[40];
    struct slice element = draw_element(text);
    enum hll_result result = hll_add(b, element, max);
    uint8_t value;
    unsigned i = naive_mark(element, &value);

    if (result != (value > model->value[i] ? HLL_CHANGED : HLL_SAME))
        return "an element changed what it should not, or did not what it should";
    model->value[i] = value > model->value[i] ? value : model->value[i];
    return NULL;
}

/* Two values that grow, and now and then one takes what the other has. */
static const char *run_model(size_t max, int steps)
{
    static struct hll_registers model[2];
    struct buf values[2] = {{0}, {0}};
    const char *wrong = NULL;

    memset(model, 0, sizeof(model));
    hll_init(&values[0]);
    hll_init(&values[1]);
    for (int i = 0; i < steps && !wrong; i++) {
        unsigned which = (unsigned)rng_below(2);

        if (rng_below(400) == 0) {
            hll_raise(&model[which], buf_slice(&values[!which]));
            hll_set(&values[which], &model[which], max);
        } else {
            wrong = add_one(&values[which], &model[which], max);
        }
        if (!wrong && rng_below(20) == 0)
            wrong = wrong_value(&values[which], &model[which], max);
    }
    buf_release(&values[0]);
    buf_release(&values[1]);
    return wrong;
}

static void test_model(void)
{
    static const struct {
        size_t max;
        int steps;
    } runs[] = {{0, 50}, {40, 200}, {300, 1000}, {3000, 8000}, {3000, 60000}, {UNLIMITED, 40000}};

    for (size_t i = 0; i < COUNT_OF(runs); i++)
        is_str(run_model(runs[i].max, runs[i].steps), NULL, "%d elements, sparse up to %zu bytes",
               runs[i].steps, runs[i].max);
}

/*
 * A value set register by register is the same, byte for byte, as one that is set at once; if there
 * is no limit to what is sparse, or no room for it at all, since a value may be longer on the way
 * than it is in the end.
 */
static void test_set(void)
{
    static struct hll_registers r;
    struct buf one = {0}, many = {0};
    int differ = 0;

    for (int round = 0; round < 60; round++) {
        size_t max = round % 3 == 0 ? 0 : UNLIMITED;

        memset(&r, 0, sizeof(r));
        restart(&one);
        restart(&many);
        for (uint64_t n = 1 + rng_below(1500); n > 0; n--) {
            uint64_t i = rng_below(HLL_REGISTERS);

            r.value[i] = (uint8_t)(1 + rng_below(rng_below(9) == 0 ? 33 : 3));
        }
        hll_set(&one, &r, max);
        for (int i = 0; i < HLL_REGISTERS; i++) {
            struct hll_registers single = {{0}};

            if (!r.value[i])
                continue;
            hll_raise(&single, buf_slice(&many));
            single.value[i] = r.value[i];
            hll_set(&many, &single, max);
        }
        differ += !slice_eq(buf_slice(&one), buf_slice(&many));
    }
    is_int(differ, 0, "registers in any steps make the same bytes");
    buf_release(&one);
    buf_release(&many);
}

int main(void)
{
    test_vectors();
    test_estimates();
    test_corrupt();
    test_torn();
    test_model();
    test_set();
    is_str(hll_self_test(), NULL, "the self-test");
    buf_release(&v);
    return tap_done();
}
