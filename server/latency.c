/* The latency monitor, see latency.h. */
#include "server/latency.h"

#include "base/clock.h"
#include "base/mem.h"

struct latency *latency_new(void)
{
    struct latency *l = mem_zalloc(sizeof(*l));

    lock_init(&l->lock, RANK_STATS, 2);
    return l;
}

void latency_free(struct latency *l)
{
    if (!l)
        return;
    for (int i = 0; i < l->events_len; i++)
        mem_free(l->events[i]);
    mem_free(l);
}

struct latency_event *latency_find_locked(struct latency *l, struct slice name)
{
    for (int i = 0; i < l->events_len; i++) {
        if (slice_eq(slice_str(l->events[i]->name), name))
            return l->events[i];
    }
    return NULL;
}

bool latency_forget_locked(struct latency *l, struct slice name)
{
    for (int i = 0; i < l->events_len; i++) {
        if (!slice_eq(slice_str(l->events[i]->name), name))
            continue;
        mem_free(l->events[i]);
        l->events[i] = l->events[--l->events_len];
        return true;
    }
    return false;
}

const struct latency_sample *latency_sample(const struct latency_event *e, int i)
{
    const struct latency_sample *s = &e->samples[(e->next + i) % LATENCY_SAMPLES];

    return s->time_s ? s : NULL;
}

static void add_sample(struct latency_event *e, int64_t time_s, int64_t ms)
{
    struct latency_sample *last = &e->samples[(e->next + LATENCY_SAMPLES - 1) % LATENCY_SAMPLES];

    if (ms > e->max_ms)
        e->max_ms = ms;
    if (last->time_s == time_s) { /* one a second, the worst of it */
        last->ms = ms > last->ms ? ms : last->ms;
        return;
    }
    e->samples[e->next] = (struct latency_sample){time_s, ms};
    e->next = (e->next + 1) % LATENCY_SAMPLES;
}

void latency_note(struct latency *l, const char *event, int64_t ms, const struct conf *conf)
{
    struct latency_event *e;

    if (!conf->latency_monitor_threshold || ms < conf->latency_monitor_threshold)
        return;
    lock_take(&l->lock);
    e = latency_find_locked(l, slice_str(event));
    if (!e && l->events_len < LATENCY_EVENTS_MAX) {
        e = l->events[l->events_len++] = mem_zalloc(sizeof(*e));
        e->name = event;
    }
    if (e)
        add_sample(e, clock_wall_ms() / 1000, ms);
    lock_release(&l->lock);
}
