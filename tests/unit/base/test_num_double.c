/* base/num: doubles to text and back, against the C library. */
#include "base/num.h"

#include "base/compiler.h"
#include "base/rng.h"
#include "tests/lib/tap.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { ROUNDS = 300000 };

static double from_bits(uint64_t bits)
{
    double v;

    memcpy(&v, &bits, sizeof(v));
    return v;
}

static double draw(void)
{
    double v;

    switch (rng_below(6)) {
    case 0:
        v = from_bits(rng_next());
        return isnan(v) ? 1 : v;
    case 1:
        return (double)(int64_t)rng_next() / (double)(1 + rng_below(1000000));
    case 2:
        return (double)rng_below(1000000) / 1000;
    case 3:
        return (double)rng_below(1000) * pow(10, (double)rng_below(45) - 22);
    case 4: /* beside a power of ten, and of two */
        v = rng_below(2) ? pow(10, (double)rng_below(24) - 6) : ldexp(1, (int)rng_below(70) - 15);
        for (uint64_t i = rng_below(4); i > 0; i--)
            v = nextafter(v, rng_below(2) ? INFINITY : 0);
        return v;
    default:
        return -(double)(rng_next() >> 12) / (double)((uint64_t)1 << rng_below(64));
    }
}

static bool formats(double v)
{
    char want[64], got[64];
    size_t len = num_format_double(got, sizeof(got), v);

    snprintf(want, sizeof(want), "%.17g", v);
    if (len == strlen(want) && memcmp(got, want, len) == 0)
        return true;
    diag("%s is written %.*s", want, (int)len, got);
    return false;
}

static bool parses(const char *text)
{
    double want = strtod(text, NULL), got = 17;

    if (num_parse_double(slice_str(text), &got) && got == want && !signbit(got) == !signbit(want))
        return true;
    diag("%s is read as %.17g", text, got);
    return false;
}

static bool parses_as_written(double v)
{
    int precision = (int)rng_below(18);
    char text[400];

    if (rng_below(2))
        snprintf(text, sizeof(text), "%.*f", precision, v);
    else
        snprintf(text, sizeof(text), "%.*g", precision, v);
    return isinf(strtod(text, NULL)) || parses(text);
}

static void test_writing(void)
{
    static const double some[] = {0,
                                  -0.0,
                                  1,
                                  0.1,
                                  0.5,
                                  1e15,
                                  1e16,
                                  1e17,
                                  1e-4,
                                  0.00012,
                                  9.5e-5,
                                  1e22,
                                  1e23,
                                  5e-324,
                                  1.7e308,
                                  99999.5,
                                  0.3,
                                  0.1 + 0.2,
                                  1 / 3.0,
                                  1e-3,
                                  0.01,
                                  1234.5,
                                  INFINITY,
                                  123456,
                                  1e14,
                                  4503e12,
                                  4.5e15,
                                  1e100,
                                  0.00009,
                                  2e-3,
                                  9007199254740993.0,
                                  9007199254740991.0};
    bool right = true;

    for (size_t i = 0; i < COUNT_OF(some); i++)
        right = formats(some[i]) && formats(-some[i]) && right;
    ok(right, "doubles at the edges are written as printf writes them");
    for (int i = 0; i < ROUNDS && right; i++)
        right = formats(draw());
    ok(right, "random doubles are written as printf writes them");
}

static void test_reading(void)
{
    static const char *const texts[] = {
        "0",
        "-0",
        "5.",
        ".5",
        "-.5",
        "00012",
        "1.50",
        "1e5",
        "-inf",
        "0x10",
        "+5",
        "0.1",
        "123.456",
        "1e-9",
        "9007199254740993",
        "0.000000000000000001",
    };
    bool right = true;

    for (size_t i = 0; i < COUNT_OF(texts); i++)
        right = parses(texts[i]) && right;
    ok(right, "texts are read as strtod reads them");
    for (int i = 0; i < ROUNDS && right; i++)
        right = parses_as_written(draw());
    ok(right, "random texts are read as strtod reads them");
}

static void test_refusing(void)
{
    static const char *const bad[] = {"",   ".",  "-",   "-.",  "1.2.3",
                                      " 1", "1 ", "abc", "nan", "1e400"};
    double v;

    for (size_t i = 0; i < COUNT_OF(bad); i++)
        ok(!num_parse_double(slice_str(bad[i]), &v), "\"%s\" is no number", bad[i]);
}

int main(void)
{
    rng_seed(11);
    test_writing();
    test_reading();
    test_refusing();
    return tap_done();
}
