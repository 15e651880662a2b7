/* storage/pack, and bytes edited within an entry: against a plain array of elements. */
#include "storage/pack.h"

#include "base/mem.h"
#include "base/rng.h"
#include "storage/entry.h"
#include "tests/lib/tap.h"

#include <math.h>
#include <stdio.h>

enum { MODEL_MAX = 300, TEXT_MAX = 400, STEPS = 60000 };

struct model {
    struct slice v[MODEL_MAX]; /* owned */
    size_t len;
};

static const int64_t edges[] = {0,
                                1,
                                63,
                                64,
                                -1,
                                4095,
                                4096,
                                -4096,
                                -4097,
                                32767,
                                32768,
                                -32768,
                                -32769,
                                INT32_MAX,
                                INT32_MIN,
                                (int64_t)1 << 47,
                                -((int64_t)1 << 47),
                                INT64_MAX,
                                INT64_MIN};

static struct slice random_text(char *to)
{
    size_t len = rng_below(10) ? rng_below(20) : rng_below(TEXT_MAX);

    if (rng_below(3) == 0)
        return slice_make(to, (size_t)snprintf(to, 64, "%lld",
                                               (long long)edges[rng_below(COUNT_OF(edges))] +
                                                   (long long)rng_below(2) * 0));
    for (size_t i = 0; i < len; i++)
        to[i] = (char)rng_below(256);
    return slice_make(to, len);
}

static const char *difference(const struct entry *e, const struct model *m)
{
    struct slice bytes = entry_bytes(e);
    const char *at = bytes.ptr;
    char digits[NUM_INT_MAX];

    if (!pack_valid(bytes) || pack_count(bytes) != m->len)
        return "the number of elements";
    for (size_t i = 0; i < m->len; i++, at = pack_next(at)) {
        struct pack_value v = pack_value(m->v[i]);
        const char *found = pack_find(bytes, &v, 1);

        if (!slice_eq(pack_text(at, digits), m->v[i]) || !pack_is(at, &v))
            return "an element";
        if (!found || found > at || !pack_is(found, &v) || pack_at(bytes, i) != at)
            return "what is found";
    }
    return at == pack_end(bytes) ? NULL : "the end";
}

static struct entry *put(struct entry *e, struct model *m, size_t index, bool replace,
                         struct slice s)
{
    struct slice bytes = entry_bytes(e);
    const char *at = pack_at(bytes, index);
    struct pack_value v = pack_value(s);
    size_t offset = (size_t)(at - bytes.ptr), old = replace ? pack_size(at) : 0;
    char *value;

    e = entry_splice(e, offset, old, pack_value_size(&v), &value);
    pack_write(value + offset, &v);
    if (replace) {
        mem_free((void *)(uintptr_t)m->v[index].ptr);
    } else {
        memmove(m->v + index + 1, m->v + index, (m->len - index) * sizeof(*m->v));
        m->len++;
    }
    m->v[index] = slice_make(mem_strndup(s.ptr, s.len), s.len);
    return e;
}

static struct entry *take(struct entry *e, struct model *m, size_t index)
{
    struct slice bytes = entry_bytes(e);
    const char *at = pack_at(bytes, index);
    char *value;

    e = entry_splice(e, (size_t)(at - bytes.ptr), pack_size(at), 0, &value);
    mem_free((void *)(uintptr_t)m->v[index].ptr);
    m->len--;
    memmove(m->v + index, m->v + index + 1, (m->len - index) * sizeof(*m->v));
    return e;
}

static void test_edits(void)
{
    struct entry *e = entry_new_bytes(SLICE("key"), TYPE_LIST, SLICE(""), 17);
    struct model m = {0};
    char text[TEXT_MAX];
    const char *wrong = NULL;

    for (int i = 0; i < STEPS && !wrong; i++) {
        bool grow = m.len < MODEL_MAX && rng_below(100) < (i / 5000 % 2 ? 40U : 55U);

        if (grow)
            e = put(e, &m, rng_below(m.len + 1), false, random_text(text));
        else if (m.len && rng_below(3) == 0)
            e = put(e, &m, rng_below(m.len), true, random_text(text));
        else if (m.len)
            e = take(e, &m, rng_below(m.len));
        if (i % 16 == 0)
            wrong = difference(e, &m);
    }
    ok(!wrong, "random edits leave what a plain array holds%s%s", wrong ? ", but not " : "",
       wrong ? wrong : "");
    ok(slice_eq(entry_key(e), SLICE("key")) && entry_expiry(e) == 17, "and key and expiry");
    while (m.len)
        e = take(e, &m, 0);
    entry_free(e);
}

static void test_numbers(void)
{
    bool right = true, reals = true;
    double out;

    for (size_t i = 0; i < COUNT_OF(edges); i++) {
        for (int64_t d = -1; d <= 1; d++) {
            int64_t n = (int64_t)((uint64_t)edges[i] + (uint64_t)d), back = 0;
            struct pack_value v = pack_value_int(n);
            char bytes[PACK_NUMBER_MAX + 8] = {0};

            pack_write(bytes, &v);
            right = right && pack_int(bytes, &back) && back == n && pack_size(bytes) == v.head_len;
        }
    }
    ok(right, "numbers at the edges of the forms");
    for (int i = 0; i < 10000; i++) {
        static const double some[] = {
            0, -0.0, 1.5, -3, 1e300, INFINITY, -INFINITY, 9007199254740992.0, 0.1};
        double d = i < (int)COUNT_OF(some) ? some[i] : ((double)rng_below(1u << 30) - 5e8) / 8;
        struct pack_value v = pack_value_double(d);
        char bytes[PACK_NUMBER_MAX] = {0};

        pack_write(bytes, &v);
        reals = reals && pack_double(bytes, &out) && out == d && !signbit(out) == !signbit(d);
    }
    ok(reals, "doubles");
}

/* What is not canonical, or longer than there are bytes, is refused. */
static void test_invalid(void)
{
    static const struct slice bad[] = {
        {"\x05"
         "abc",
         4},
        {"\xc0", 1},
        {"\xe0\x01", 2},
        {"\xe4\0\0\0\0\0\0\0", 8},
        {"\xe8\x05\x00"
         "abc",
         6},
        {"\xff", 1},
        {"\xe5", 1},
        {"\x01"
         "7",
         2},
        {"\xc0\x05", 2},
        {"\xe9\xff\xff\xff\xff", 5},
    };

    for (size_t i = 0; i < COUNT_OF(bad); i++)
        ok(!pack_valid(bad[i]), "bytes no. %zu are refused", i);
    ok(pack_valid(SLICE("")), "nothing is elements");
}

int main(void)
{
    test_numbers();
    test_edits();
    test_invalid();
    return tap_done();
}
