/* The latency monitor: spikes above latency-monitor-threshold, by the event that caused them. */
#ifndef LK_SERVER_LATENCY_H
#define LK_SERVER_LATENCY_H

#include "base/lock.h"
#include "conf/conf.h"

enum { LATENCY_SAMPLES = 160, LATENCY_EVENTS_MAX = 16 };

struct latency_sample {
    int64_t time_s, ms;
};

struct latency_event {
    const char *name; /* static */
    int64_t max_ms;
    int next;                                       /* where the next sample goes; a ring */
    struct latency_sample samples[LATENCY_SAMPLES]; /* time_s 0: none */
};

struct latency {
    struct lock lock; /* everything below */
    struct latency_event *events[LATENCY_EVENTS_MAX];
    int events_len;
};

struct latency *latency_new(void);
void latency_free(struct latency *l);
/* `event` (static) took `ms`: kept if the threshold is set and reached. Any thread. */
void latency_note(struct latency *l, const char *event, int64_t ms, const struct conf *conf);

/* The lock is held. NULL if nothing is known of it. */
struct latency_event *latency_find_locked(struct latency *l, struct slice name);
/* The i-th of the samples, the oldest first; NULL for places not used yet. */
const struct latency_sample *latency_sample(const struct latency_event *e, int i);
/* Forgets one event; false if nothing was known of it. The lock is held. */
bool latency_forget_locked(struct latency *l, struct slice name);

#endif
