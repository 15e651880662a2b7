/* Coalescing of wake-ups, see coalescing.h. */
#include "server/coalescing.h"

#include "base/clock.h"
#include "server/worker.h"

#include <sys/resource.h>
#include <time.h>

enum {
    SPAN_NS = 10 * 1000 * 1000,
    TRIAL_EVERY = 16, /* spans */
    /* It is worth while where there is more than this. */
    NS_A_REQUEST = 50 * 1000,
    NS_A_SLEEP = 500 * 1000,
    CONNECTIONS = 8,
};

/* Less than this is lost by pausing: then it is done. */
static const double GAIN_LEAST = 0.96;

static bool worth_while(const struct coalescing *co, const struct coalescing_span *span)
{
    bool frequent = span->requests * NS_A_REQUEST >= (uint64_t)span->ns;
    bool many = span->connections >= CONNECTIONS;
    bool idle = co->pauses || span->sleeps * NS_A_SLEEP >= (uint64_t)span->ns;

    return frequent && many && idle;
}

bool coalescing_decide(struct coalescing *co, const struct coalescing_span *span)
{
    double rate = (double)span->requests / (double)span->ns, ratio;

    if (!worth_while(co, span)) {
        co->rate_before = 0;
        return co->pauses = co->trial = false;
    }
    if (!co->rate_before) {
        co->gain = 1;
        co->since = 0;
    }
    if (co->trial) {
        ratio = co->pauses ? rate / co->rate_before : co->rate_before / rate;
        /* A burst that begins or ends in between says nothing. */
        if (ratio > 0.5 && ratio < 2)
            co->gain += (ratio - co->gain) / 4;
        co->since = 0;
    }
    co->rate_before = rate;
    co->trial = ++co->since == TRIAL_EVERY;
    return co->pauses = (co->gain >= GAIN_LEAST) != co->trial;
}

/* How often this thread has gone to sleep. */
static uint64_t sleeps(void)
{
    struct rusage used;

    getrusage(RUSAGE_THREAD, &used);
    return (uint64_t)used.ru_nvcsw;
}

static void end_span(struct worker *w, struct coalescing *co, int64_t now_ns)
{
    uint64_t slept = sleeps();
    struct coalescing_span span = {
        .ns = now_ns - co->began_ns,
        .requests = w->stats.commands - co->requests_before,
        .connections = co->connections,
        .sleeps = slept - co->sleeps_before,
    };

    coalescing_decide(co, &span);
    co->began_ns = now_ns;
    co->requests_before = w->stats.commands;
    co->sleeps_before = slept;
    co->connections = 0;
    co->span++;
}

void coalescing_after_batch(struct worker *w)
{
    struct coalescing *co = &w->coalescing;
    int64_t now_ns;

    if (!co->pause_us)
        return;
    now_ns = clock_mono_ns();
    if (UNLIKELY(now_ns - co->began_ns >= SPAN_NS))
        end_span(w, co, now_ns);
    if (co->pauses) {
        struct timespec pause = {.tv_nsec = co->pause_us * 1000};

        nanosleep(&pause, NULL);
    }
}
