/* base/num: whole numbers to text and back, beside the C library. */
#include "base/num.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/compiler.h"
#include "base/rng.h"
#include "tests/lib/tap.h"

static bool both_ways(int64_t n)
{
    char text[NUM_INT_MAX + 1], right[NUM_INT_MAX + 1];
    size_t len = num_format_int(text, n);
    int64_t back = ~n;

    snprintf(right, sizeof(right), "%" PRId64, n);
    return slice_eq(slice_make(text, len), slice_str(right)) &&
           num_parse_int(slice_make(text, len), &back) && back == n;
}

static void test_edges(void)
{
    uint64_t power = 1;

    ok(both_ways(INT64_MAX) && both_ways(INT64_MIN) && both_ways(0), "the largest and the least");
    for (int digits = 1; digits < 20; digits++, power *= 10) {
        bool right = true;

        for (int64_t d = -2; d <= 2; d++)
            right = right && both_ways((int64_t)(power + (uint64_t)d)) &&
                    both_ways((int64_t)(0 - power + (uint64_t)d));
        ok(right, "numbers of %d digits", digits);
    }
}

static void test_many(void)
{
    bool right = true;

    for (int64_t n = -20000; n <= 20000; n++)
        right = right && both_ways(n);
    for (int i = 0; i < 100000; i++)
        right = right && both_ways((int64_t)rng_next() >> rng_below(64));
    ok(right, "many numbers");
}

/* Only the one spelling of each is a number. */
static void test_no_numbers(void)
{
    static const char *const bad[] = {
        "",
        "-",
        "+1",
        "01",
        "-0",
        "-01",
        " 1",
        "1 ",
        "1a",
        "1.0",
        "0x1",
        "9223372036854775808",
        "-9223372036854775809",
        "99999999999999999999",
    };
    int64_t n = 7;

    for (size_t i = 0; i < COUNT_OF(bad); i++)
        ok(!num_parse_int(slice_str(bad[i]), &n) && n == 7, "no number: \"%s\"", bad[i]);
}

int main(void)
{
    test_edges();
    test_many();
    test_no_numbers();
    return tap_done();
}
