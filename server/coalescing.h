/*
 * Coalescing of wake-ups. A worker that keeps up with many clients falls asleep and is woken again
 * for every handful of requests, and the sleeping costs it, and those that wake it, more than the
 * requests do. So behind a batch it may pause for a moment instead of asking for events at once:
 * what arrives meanwhile is worked off in one go.
 *
 * A pause is right where requests come from many connections and nobody gets less done for it. Who
 * sends one request after the other waits longer for each, so it is not assumed but tried: in spans
 * of 10 ms with and without pauses the requests are counted, and if there are fewer with them the
 * worker goes without, but for a trial now and then. With few connections, or few requests, it
 * never pauses.
 */
#ifndef LK_SERVER_COALESCING_H
#define LK_SERVER_COALESCING_H

#include <stdbool.h>
#include <stdint.h>

struct worker;

/* What a worker did in one span. */
struct coalescing_span {
    int64_t ns;
    uint64_t requests;
    uint64_t connections; /* that sent something */
    uint64_t sleeps;
};

struct coalescing {
    bool pauses;        /* in this span */
    bool trial;         /* which is the opposite of what is thought best */
    unsigned since;     /* spans since the last trial */
    double gain;        /* of requests by pausing: a running mean of ratios */
    double rate_before; /* requests per ns, in the span before */

    int64_t pause_us; /* as configured; 0 for never */
    int64_t began_ns;
    uint64_t sleeps_before, requests_before;
    uint64_t connections;
    uint32_t span; /* its number, 0 for none yet */
};

/* Takes a span into account and says whether to pause in the next one. Pure. */
bool coalescing_decide(struct coalescing *co, const struct coalescing_span *span);

/* Behind a batch of the worker, outside of rounds: may pause. */
void coalescing_after_batch(struct worker *w);

#endif
