/* See scored.h. Members are few, so that they meet again; scores are often equal. */
#include "tests/differential/scored.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/compiler.h"
#include "base/rng.h"

static char text[256];

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

static struct slice one_of(const char *const *all, size_t count)
{
    return slice_str(all[rng_below(count)]);
}

#define ONE_OF(...)                                                                                \
    one_of((const char *const[]){__VA_ARGS__},                                                     \
           sizeof((const char *const[]){__VA_ARGS__}) / sizeof(char *))

/* Of lengths around the one up to which a sorted set may be packed. */
static struct slice long_member(void)
{
    size_t len = (size_t)between(60, 70);

    memset(text, 'a' + (int)rng_below(3), len);
    return slice_make(text, len);
}

struct slice scored_draw_member(void)
{
    switch (rng_below(40)) {
    case 0:
        return long_member();
    case 1:
    case 2:
        return said("%lld", between(-70000, 70000));
    case 3:
        return ONE_OF("", "0", "-0", "01", "9223372036854775807", "-9223372036854775808",
                      "9223372036854775808", "1.5", "\xff\xfe", "a b", "A", "nx", "ch");
    case 4:
    case 5:
    case 6:
    case 7:
    case 8:
        return said("%lld", between(0, 30));
    case 9:
    case 10:
        return said("m%03lld", between(0, 300));
    default:
        return said("%c", (char)between('a', 'z'));
    }
}

struct slice scored_draw_score(void)
{
    switch (rng_below(12)) {
    case 0:
        return said("%lld.%lld", between(-1000, 1000), between(0, 99999));
    case 1:
        return said("%.17g", (double)between(-1000000000, 1000000000) / 7);
    case 2:
        return said("%llde%lld", between(-99, 99), between(-20, 20));
    case 3:
        return ONE_OF("inf", "-inf", "+inf", "0", "-0", "1e400", "-1e400", "1e-400", "5e-324",
                      "1.7976931348623157e308", "nan", "0x1p3", " 1", "1 ", "", "abc", "1_0",
                      "9007199254740993", "9223372036854775807", "9223372036854775808",
                      "12345678901234567890", "3.", ".5", "Infinity", "+5", "1e3");
    case 4:
        return said("%lld", between(-1000000000000LL, 1000000000000LL));
    case 5:
    case 6:
        return said("%lld", between(-5000, 5000));
    default:
        return said("%lld", between(-4, 4));
    }
}

struct slice scored_draw_score_end(void)
{
    char score[64];
    struct slice s;

    switch (rng_below(6)) {
    case 0:
        return ONE_OF("-inf", "+inf", "inf", "(inf", "(-inf", "(", "", "((1", "[1", "(nan", "nan",
                      " 2", "( 2", "-", "+", "1e400", "(0x3");
    case 1:
        return ONE_OF("-inf", "+inf");
    default:
        s = scored_draw_score();
        snprintf(score, sizeof(score), "%.*s", (int)s.len, s.ptr);
        return said("%s%s", rng_below(3) == 0 ? "(" : "", score);
    }
}

struct slice scored_draw_member_end(void)
{
    char member[100];
    struct slice s;

    switch (rng_below(6)) {
    case 0:
        return ONE_OF("-", "+", "a", "", "[", "(", "--", "+a", "[\xff", "(-");
    case 1:
        return ONE_OF("-", "+");
    default:
        s = scored_draw_member();
        snprintf(member, sizeof(member), "%.*s", (int)s.len, s.ptr);
        return said("%c%s", rng_below(3) == 0 ? '(' : '[', member);
    }
}
