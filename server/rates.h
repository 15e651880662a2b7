/*
 * How much is going on just now: counters that only grow, looked at ten times a second; a rate is
 * the mean of the latest samples. The main thread samples, any thread reads.
 */
#ifndef LK_SERVER_RATES_H
#define LK_SERVER_RATES_H

#include <stdatomic.h>
#include <stdint.h>

struct server;

enum rate { RATE_COMMANDS, RATE_INPUT, RATE_OUTPUT, RATE_COUNT };
enum { RATE_SAMPLES = 16, RATE_PERIOD_MS = 100 };

struct rates {
    _Atomic uint64_t a_second[RATE_COUNT]; /* the results */
    /* The main thread's own. */
    uint64_t samples[RATE_COUNT][RATE_SAMPLES], last[RATE_COUNT];
    int next;
    int64_t last_ms;
};

void rates_sample(struct server *s);

static inline uint64_t rates_get(const struct rates *r, enum rate which)
{
    return atomic_load_explicit(&r->a_second[which], memory_order_relaxed);
}

#endif
