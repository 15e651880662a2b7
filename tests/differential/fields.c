/* See fields.h. Names are few, so that they meet again; lengths are those around the thresholds. */
#include "tests/differential/fields.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/compiler.h"
#include "base/rng.h"

static char text[1024];

static struct slice said(const char *format, ...) PRINTF_LIKE(1, 2);

static struct slice said(const char *format, ...)
{
    va_list ap;
    int len;

    va_start(ap, format);
    len = vsnprintf(text, sizeof(text), format, ap);
    va_end(ap);
    return slice_make(text, (size_t)len);
}

static long long between(long long low, long long high)
{
    return low + (long long)rng_below((uint64_t)(high - low) + 1);
}

static struct slice one_of(const struct slice *all, size_t count)
{
    return all[rng_below(count)];
}

#define ONE_OF(...)                                                                                \
    one_of((const struct slice[]){__VA_ARGS__},                                                    \
           sizeof((const struct slice[]){__VA_ARGS__}) / sizeof(struct slice))

static struct slice letters(size_t len, int alphabet)
{
    for (size_t i = 0; i < len; i++)
        text[i] = (char)('a' + rng_below((uint64_t)alphabet));
    return slice_make(text, len);
}

struct slice fields_draw_key(void)
{
    return said("hash%d", (int)rng_below(7));
}

struct slice fields_draw_big_key(void)
{
    return said("bighash%d", (int)rng_below(3));
}

struct slice fields_draw_name(void)
{
    switch (rng_below(30)) {
    case 0:
        return letters((size_t)between(62, 66), 1);
    case 1:
        return letters((size_t)between(120, 300), 1);
    case 2:
        return said("%lld", between(-70000, 70000));
    case 3:
        return ONE_OF(SLICE(""), SLICE("-0"), SLICE("01"), SLICE("9223372036854775807"),
                      SLICE("9223372036854775808"), SLICE("-9223372036854775808"), SLICE("1.5"),
                      SLICE("a\0b"), SLICE("\r\n"), SLICE("\xff\xfe"), SLICE("f*"));
    case 4:
    case 5:
    case 6:
    case 7:
        return said("%lld", between(0, 12));
    default:
        return said("f%lld", between(0, 15));
    }
}

struct slice fields_draw_many(void)
{
    return said("many:%03lld", between(0, 999));
}

static struct slice draw_number(void)
{
    switch (rng_below(5)) {
    case 0:
        return said("%lld", between(-5000, 5000));
    case 1:
        return said("%lld", between(-5000000000LL, 5000000000LL));
    case 2:
        return said("%lld.%lld", between(-500, 500), between(0, 999));
    case 3:
        return ONE_OF(SLICE("9223372036854775807"), SLICE("-9223372036854775808"), SLICE("1e3"),
                      SLICE("inf"), SLICE("1e4000"), SLICE(" 1"), SLICE("007"), SLICE("-0"),
                      SLICE("3.0e3"), SLICE("nan"));
    default:
        return said("%lld", between(-20, 70));
    }
}

struct slice fields_draw_value(void)
{
    switch (rng_below(12)) {
    case 0:
        return letters((size_t)between(60, 68), 3);
    case 1:
        return letters((size_t)between(100, 700), 3);
    case 2:
        return SLICE("");
    case 3:
    case 4:
    case 5:
    case 6:
        return draw_number();
    default:
        return letters((size_t)between(1, 20), 4);
    }
}
