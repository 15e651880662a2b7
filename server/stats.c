/* Histograms of durations, see stats.h. */
#include "server/stats.h"

enum { PARTS = 1 << HISTOGRAM_PARTS_BITS };

static int bin_of(uint64_t ns)
{
    int top;

    if (ns < PARTS)
        return (int)ns;
    top = 63 - __builtin_clzll(ns);
    return ((top - HISTOGRAM_PARTS_BITS + 1) << HISTOGRAM_PARTS_BITS) +
           (int)((ns >> (top - HISTOGRAM_PARTS_BITS)) & (PARTS - 1));
}

uint64_t histogram_bin_top(int bin)
{
    int octave = bin >> HISTOGRAM_PARTS_BITS;
    uint64_t part = (uint64_t)bin & (PARTS - 1);

    return octave == 0 ? part : ((PARTS + part + 1) << (octave - 1)) - 1;
}

void histogram_add(struct histogram *h, uint64_t ns, uint64_t times)
{
    h->count += times;
    h->bins[bin_of(ns)] += times;
}

void histogram_merge(struct histogram *to, const struct histogram *from)
{
    to->count += from->count;
    for (int i = 0; i < HISTOGRAM_BINS; i++)
        to->bins[i] += from->bins[i];
}

uint64_t histogram_percentile(const struct histogram *h, double percent)
{
    double want = (double)h->count * percent / 100.0;
    uint64_t seen = 0;
    int last = 0;

    for (int i = 0; i < HISTOGRAM_BINS; i++) {
        if (!h->bins[i])
            continue;
        last = i;
        seen += h->bins[i];
        if ((double)seen >= want)
            break;
    }
    return histogram_bin_top(last);
}
