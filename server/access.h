/*
 * When, or how often, an entry was used: 24 bits of it. Under an LFU policy 16 bits of minutes and an
 * 8-bit logarithmic counter (Morris, "Counting large numbers of events in small registers", 1978, as Redis
 * applies it), under every other policy the seconds of the wall clock.
 */
#ifndef LK_SERVER_ACCESS_H
#define LK_SERVER_ACCESS_H

#include "server/call.h"

enum { ACCESS_BITS = 24, ACCESS_MASK = (1 << ACCESS_BITS) - 1, LFU_INITIAL = 5 };

static inline bool access_is_lfu(const struct conf *conf)
{
    return conf->maxmemory_policy == CONF_ALLKEYS_LFU ||
           conf->maxmemory_policy == CONF_VOLATILE_LFU;
}

/* A use under LFU. */
void access_count(const struct conf *conf, int64_t now_ms, struct entry *e);

/* The entry is new; it takes over what is known of the one it replaces, if any. */
void access_init(const struct conf *conf, int64_t now_ms, struct entry *e, const struct entry *old);

static inline void access_touch(struct call *c, struct entry *e)
{
    uint32_t now = (uint32_t)(c->now_ms / 1000) & ACCESS_MASK;

    if (UNLIKELY(c->conn->flags & CONN_NO_TOUCH))
        return;
    if (UNLIKELY(access_is_lfu(c->conf)))
        access_count(c->conf, c->now_ms, e);
    else if (UNLIKELY(e->access != now))
        e->access = now;
}

/* Seconds since the last use, where the policy is not LFU. */
uint64_t access_idle_s(int64_t now_ms, const struct entry *e);
/* The counter, decayed by the minutes that passed, where the policy is LFU. */
unsigned access_frequency(const struct conf *conf, int64_t now_ms, const struct entry *e);

#endif
