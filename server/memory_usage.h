/* What memory is used for: the sums behind MEMORY STATS and INFO memory. */
#ifndef LK_SERVER_MEMORY_USAGE_H
#define LK_SERVER_MEMORY_USAGE_H

#include "base/mem.h"
#include "server/server.h"

struct memory_usage {
    size_t used, peak, startup, rss;
    size_t clients;  /* connections with their buffers */
    size_t tables;   /* of databases, beyond what an empty server has */
    size_t overhead; /* startup, clients and tables */
    size_t dataset;  /* the rest */
    uint64_t keys;
    struct mem_allocator_stats allocator;
};

/* The world is stopped. */
void memory_usage_measure(struct server *s, struct memory_usage *u);

/* What was used by keys per key, and its share of all that was used since the start in percent. */
size_t memory_usage_per_key(const struct memory_usage *u);
double memory_usage_dataset_percent(const struct memory_usage *u);

/* The ratio of two sizes, 0 where there is none. */
static inline double memory_ratio(size_t whole, size_t part)
{
    return part ? (double)whole / (double)part : 0;
}

#endif
