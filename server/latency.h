/* The latency monitor: spikes above latency-monitor-threshold, by the event that caused them. */
#ifndef LK_SERVER_LATENCY_H
#define LK_SERVER_LATENCY_H

#include "conf/conf.h"

struct latency;

struct latency *latency_new(void);
void latency_free(struct latency *l);
/* `event` (static) took `ms`: kept if the threshold is set and reached. Any thread. */
void latency_note(struct latency *l, const char *event, int64_t ms, const struct conf *conf);

#endif
