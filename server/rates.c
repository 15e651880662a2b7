/* Rates, see rates.h. */
#include "server/rates.h"

#include "base/clock.h"
#include "server/server.h"

static uint64_t mean(const uint64_t samples[RATE_SAMPLES])
{
    uint64_t sum = 0;

    for (int i = 0; i < RATE_SAMPLES; i++)
        sum += samples[i];
    return sum / RATE_SAMPLES;
}

static void sample(struct rates *r, enum rate which, uint64_t reading, int64_t passed_ms)
{
    /* A reset of the statistics takes the counter back to zero. */
    uint64_t grown = reading < r->last[which] ? reading : reading - r->last[which];

    r->last[which] = reading;
    r->samples[which][r->next] = passed_ms > 0 ? grown * 1000 / (uint64_t)passed_ms : 0;
    atomic_store_explicit(&r->a_second[which], mean(r->samples[which]), memory_order_relaxed);
}

void rates_sample(struct server *s)
{
    struct rates *r = &s->rates;
    int64_t now = clock_mono_ms(), passed = r->last_ms ? now - r->last_ms : 0;
    struct stats stats;

    server_sum_stats(s, &stats);
    sample(r, RATE_COMMANDS, stats.commands, passed);
    sample(r, RATE_INPUT, stats.net_input, passed);
    sample(r, RATE_OUTPUT, stats.net_output, passed);
    r->last_ms = now;
    r->next = (r->next + 1) % RATE_SAMPLES;
}
