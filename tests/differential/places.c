/* See places.h. */
#include "tests/differential/places.h"

#include <stdio.h>

#include "base/compiler.h"
#include "base/rng.h"

static char text[64];

static struct slice said(const char *format, double v)
{
    int len;

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
    len = snprintf(text, sizeof(text), format, v);
#pragma GCC diagnostic pop
    return slice_make(text, (size_t)len);
}

static double between(double low, double high)
{
    return low + (high - low) * ((double)rng_below(1 << 30) / (1 << 30));
}

static struct slice degrees(const double *towns, size_t count, double max)
{
    double town = towns[rng_below(count)];

    switch (rng_below(12)) {
    case 0:
        return said("%.17g", between(-max, max));
    case 1:
        return said("%.8f", rng_below(2) == 0 ? max : -max);
    case 2:
        return said("%.0f", between(-max, max));
    case 3:
        return said("%.17g", between(-2 * max, 2 * max));
    case 4:
    case 5:
    case 6:
        return said("%.17g", town); /* many at the same place */
    default:
        return said("%.6f", town + between(-2, 2));
    }
}

struct slice place_draw_lon(void)
{
    static const double towns[] = {13.361389, 15.087269, -0.1, 179.5, -179.5};

    return degrees(towns, COUNT_OF(towns), 180);
}

struct slice place_draw_lat(void)
{
    static const double towns[] = {38.115556, 37.502669, 0.1, -67, 83};

    return degrees(towns, COUNT_OF(towns), 85.05112878);
}

struct slice place_draw_length(void)
{
    switch (rng_below(8)) {
    case 0:
        return said("%.0f", between(-2, 30));
    case 1:
        return said("%.17g", between(0, 1));
    case 2:
        return said("%.0fe3", between(0, 30000));
    case 3:
        return said("%.3f", between(0, 3e7));
    default:
        return said("%.1f", between(0, 1000));
    }
}
