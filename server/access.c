/* When and how often entries are used, see access.h. */
#include "server/access.h"

#include "base/rng.h"

static uint32_t minutes(int64_t now_ms)
{
    return (uint32_t)(now_ms / 60000) & 0xffff;
}

unsigned access_frequency(const struct conf *conf, int64_t now_ms, const struct entry *e)
{
    uint32_t passed = (minutes(now_ms) - (e->access >> 8)) & 0xffff;
    uint32_t decay = conf->lfu_decay_time ? passed / (uint32_t)conf->lfu_decay_time : 0;
    uint32_t counter = e->access & 0xff;

    return decay > counter ? 0 : counter - decay;
}

/* The larger the counter, the less likely a use makes it grow. */
static unsigned grown(const struct conf *conf, unsigned counter)
{
    double base = counter > LFU_INITIAL ? counter - LFU_INITIAL : 0;
    double chance = 1.0 / (base * (double)conf->lfu_log_factor + 1);

    if (counter == 255)
        return counter;
    return counter + ((double)rng_below(1u << 30) / (double)(1u << 30) < chance);
}

void access_count(const struct conf *conf, int64_t now_ms, struct entry *e)
{
    unsigned counter = grown(conf, access_frequency(conf, now_ms, e));

    e->access = (minutes(now_ms) << 8 | counter) & ACCESS_MASK;
}

void access_init(const struct conf *conf, int64_t now_ms, struct entry *e, const struct entry *old)
{
    if (!access_is_lfu(conf)) {
        e->access = (uint32_t)(now_ms / 1000) & ACCESS_MASK;
    } else if (old) {
        e->access = old->access;
        access_count(conf, now_ms, e);
    } else {
        e->access = (minutes(now_ms) << 8 | LFU_INITIAL) & ACCESS_MASK;
    }
}

uint64_t access_idle_s(int64_t now_ms, const struct entry *e)
{
    return ((uint32_t)(now_ms / 1000) - e->access) & ACCESS_MASK;
}
