/* When and how often entries are used, see access.h. */
#include "server/access.h"

#include "base/rng.h"

enum {
    COUNTER_BITS = 8,
    COUNTER_MAX = (1 << COUNTER_BITS) - 1,
    PARTS_BITS = 8, /* LFU's time counts parts of a minute, as many as this has values */
    TIME_BITS = 24,
};

/* A time ahead by less than a 256th of the circle is no time long ago. */
static uint32_t since(uint32_t now, uint32_t then, unsigned bits)
{
    uint32_t mask = (uint32_t)(((uint64_t)1 << bits) - 1), passed = (now - then) & mask;

    return passed > mask - (mask >> 8) ? 0 : passed;
}

static uint32_t minute_parts(int64_t now_ms)
{
    return (uint32_t)((now_ms << PARTS_BITS) / 60000) & ((1 << TIME_BITS) - 1);
}

unsigned access_frequency(const struct conf *conf, int64_t now_ms, uint32_t access)
{
    uint32_t then = access >> (COUNTER_BITS + PARTS_BITS);
    uint32_t passed = since(minute_parts(now_ms) >> PARTS_BITS, then, TIME_BITS - PARTS_BITS);
    uint32_t decay = conf->lfu_decay_time ? passed / (uint32_t)conf->lfu_decay_time : 0;
    uint32_t counter = access & COUNTER_MAX;

    return decay > counter ? 0 : counter - decay;
}

/* The larger the counter, the less likely a use makes it grow. */
static unsigned grown(const struct conf *conf, unsigned counter)
{
    double base = counter > LFU_INITIAL ? counter - LFU_INITIAL : 0;
    double chance = 1.0 / (base * (double)conf->lfu_log_factor + 1);

    if (counter == COUNTER_MAX)
        return counter;
    return counter + ((double)rng_below(1u << 30) / (double)(1u << 30) < chance);
}

void access_count(const struct conf *conf, int64_t now_ms, uint32_t *access)
{
    unsigned counter = grown(conf, access_frequency(conf, now_ms, *access));

    *access = minute_parts(now_ms) << COUNTER_BITS | counter;
}

uint32_t access_first(const struct conf *conf, int64_t now_ms, const uint32_t *old)
{
    uint32_t access;

    if (!access_is_lfu(conf))
        return access_ticks(now_ms);
    if (!old)
        return minute_parts(now_ms) << COUNTER_BITS | LFU_INITIAL;
    access = *old;
    access_count(conf, now_ms, &access);
    return access;
}

void access_set(const struct conf *conf, int64_t now_ms, uint32_t *access, int64_t idle_s,
                int64_t frequency)
{
    const int64_t longest_s = ((int64_t)UINT32_MAX << ACCESS_TICK_BITS) / 1000 * 9 / 10;

    if (access_is_lfu(conf)) {
        if (frequency >= 0)
            *access = minute_parts(now_ms) << COUNTER_BITS | (uint32_t)frequency;
    } else if (idle_s >= 0) {
        *access = access_ticks(now_ms - (idle_s < longest_s ? idle_s : longest_s) * 1000);
    }
}

static uint64_t idle_ticks(int64_t now_ms, uint32_t access)
{
    return since(access_ticks(now_ms), access, 32);
}

uint64_t access_idle_s(int64_t now_ms, uint32_t access)
{
    return (idle_ticks(now_ms, access) << ACCESS_TICK_BITS) / 1000;
}

/* The use may have been at the end of its tick, and now may be the beginning of this. */
uint64_t access_idle_ms_at_least(int64_t now_ms, uint32_t access)
{
    uint64_t ticks = idle_ticks(now_ms, access);

    return ticks ? (ticks - 1) << ACCESS_TICK_BITS : 0;
}

uint64_t access_dispensability(const struct conf *conf, int64_t now_ms, const struct entry *e,
                               uint32_t access)
{
    if (conf->maxmemory_policy == CONF_VOLATILE_TTL)
        return (uint64_t)(EXPIRY_NONE - entry_expiry(e));
    if (!access_is_lfu(conf))
        return since(access_ticks(now_ms), access, 32);
    return (uint64_t)(COUNTER_MAX - access_frequency(conf, now_ms, access)) << TIME_BITS |
           since(minute_parts(now_ms), access >> COUNTER_BITS, TIME_BITS);
}
