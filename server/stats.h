/* What is counted: per worker, without locks; whoever adds up stops the world or accepts haste. */
#ifndef LK_SERVER_STATS_H
#define LK_SERVER_STATS_H

#include <stdint.h>

struct stats {
#define STAT(field, what) uint64_t field;
#include "server/stats.def"
#undef STAT
};

/*
 * A histogram of durations in ns: for each power of two, 8 equal parts; so a value is known to an
 * eighth.
 */
enum { HISTOGRAM_PARTS_BITS = 3, HISTOGRAM_BINS = 64 << HISTOGRAM_PARTS_BITS };

struct histogram {
    uint64_t count, bins[HISTOGRAM_BINS];
};

void histogram_add(struct histogram *h, uint64_t ns, uint64_t times);
void histogram_merge(struct histogram *to, const struct histogram *from);
/* The value below which `percent` of the samples are, in ns. */
uint64_t histogram_percentile(const struct histogram *h, double percent);
/* The largest value, in ns, that a sample of this bin may have. */
uint64_t histogram_bin_top(int bin);

/* Per worker and command. */
struct command_stats {
    uint64_t calls, ns, rejected, failed;
    struct histogram *latency; /* NULL until the first call with latency-tracking */
};

#endif
