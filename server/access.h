/*
 * When, or how often, an entry was used: 32 bits of it. Under an LFU policy a time of 24 bits and
 * an 8-bit logarithmic counter (Morris, "Counting large numbers of events in small registers",
 * 1978, as Redis applies it), under every other policy a time of 32 bits.
 *
 * Both times come round after about as long as Redis' do, which count seconds and minutes, but have
 * some 250 times their resolution: what a fast server uses within one second is not all the same
 * age. A time that is a little ahead is one that another worker, whose clock was read later, left.
 *
 * Where those bits are, keyspace_access() says.
 */
#ifndef LK_SERVER_ACCESS_H
#define LK_SERVER_ACCESS_H

#include "server/call.h"

enum { LFU_INITIAL = 5, ACCESS_TICK_BITS = 2 };

static inline bool access_is_lfu(const struct conf *conf)
{
    return conf->maxmemory_policy == CONF_ALLKEYS_LFU ||
           conf->maxmemory_policy == CONF_VOLATILE_LFU;
}

/* A use under LFU. */
void access_count(const struct conf *conf, int64_t now_ms, uint32_t *access);

/* That of a new entry; it takes over what is known of the one it replaces, if any. */
uint32_t access_first(const struct conf *conf, int64_t now_ms, const uint32_t *old);

/*
 * What another server knew of it: seconds since its last use, or the counter, whichever the policy
 * wants; the other, or a negative one, changes nothing.
 */
void access_set(const struct conf *conf, int64_t now_ms, uint32_t *access, int64_t idle_s,
                int64_t frequency);

/* Ticks of 4 ms; 2^32 of them are 198 days. */
static inline uint32_t access_ticks(int64_t now_ms)
{
    return (uint32_t)(now_ms >> ACCESS_TICK_BITS);
}

static inline void access_touch(const struct call *c, uint32_t *access)
{
    uint32_t now = access_ticks(c->worker->now_ms);

    if (UNLIKELY(access_is_lfu(c->conf)))
        access_count(c->conf, c->worker->now_ms, access);
    else if (UNLIKELY(*access != now))
        *access = now;
}

/* Seconds since the last use, where the policy is not LFU. */
uint64_t access_idle_s(int64_t now_ms, uint32_t access);
/* Milliseconds that have passed at least since then. */
uint64_t access_idle_ms_at_least(int64_t now_ms, uint32_t access);
/* The counter, decayed by the minutes that passed, where the policy is LFU. */
unsigned access_frequency(const struct conf *conf, int64_t now_ms, uint32_t access);
/*
 * How little the entry is worth keeping under the policy: the larger, the sooner it goes. Among
 * those used equally often, the one not used for longer.
 */
uint64_t access_dispensability(const struct conf *conf, int64_t now_ms, const struct entry *e,
                               uint32_t access);

#endif
