/* See sortables.h. */
#include "tests/differential/sortables.h"

#include <stdio.h>

#include "base/compiler.h"
#include "base/rng.h"

static char text[32];

static struct slice numbered(const char *what, long long n)
{
    int len = snprintf(text, sizeof(text), "%s%lld", what, n);

    return slice_make(text, (size_t)len);
}

static long long between(long long low, long long high)
{
    return low + (long long)rng_below((uint64_t)(high - low) + 1);
}

struct slice sortables_draw_list(void)
{
    return numbered("sl", between(0, 3));
}

struct slice sortables_draw_set(void)
{
    return numbered("ss", between(0, 2));
}

struct slice sortables_draw_zset(void)
{
    return numbered("sz", between(0, 2));
}

struct slice sortables_draw_word_list(void)
{
    return numbered("wl", between(0, 2));
}

struct slice sortables_draw_value(void)
{
    static const char *const others[] = {"0x10", "1e2", "inf", "-inf", "-0",
                                         "01",   "+1",  "1.0", " 1",   "9007199254740993"};
    int len;

    if (rng_below(30) == 0)
        return slice_str(others[rng_below(COUNT_OF(others))]);
    if (rng_below(6) != 0)
        return numbered("", between(-12, 40));
    len = snprintf(text, sizeof(text), "%.2f", (double)between(-500, 500) / 100);
    return slice_make(text, (size_t)len);
}

struct slice sortables_draw_weight(void)
{
    return numbered("w", between(-12, 40));
}

struct slice sortables_draw_rated(void)
{
    return numbered("h", between(-12, 40));
}
