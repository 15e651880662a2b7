/* server/coalescing: pauses where they cost nobody anything, and nowhere else. */
#include "server/coalescing.h"

#include "tests/lib/tap.h"

enum { SPANS = 400, SPAN_NS = 10000000 };

/* A worker: its requests a span without pauses, how many there are with them, in hundredths. */
struct load {
    uint64_t requests, percent, connections, sleeps;
};

/* In how many of the last 300 spans it pauses. */
static int pauses(const struct load *load)
{
    struct coalescing co = {0};
    int n = 0;

    for (int i = 0; i < SPANS; i++) {
        uint64_t requests = load->requests * (co.pauses ? load->percent : 100) / 100;
        struct coalescing_span span = {
            .ns = SPAN_NS,
            .requests = requests + (uint64_t)(i % 3),
            .connections = load->connections,
            .sleeps = load->sleeps,
        };

        n += co.pauses && i >= SPANS - 300;
        coalescing_decide(&co, &span);
    }
    return n;
}

int main(void)
{
    static const struct load neutral = {1000, 100, 50, 200}, better = {1000, 115, 50, 200},
                             worse = {1000, 70, 50, 200}, one = {1000, 115, 1, 200},
                             few = {100, 115, 50, 200}, busy = {1000, 115, 50, 0};
    int n = pauses(&neutral);

    ok(n > 270 && n < 300, "nobody gets less done: it pauses, but for trials (%d of 300 spans)", n);
    n = pauses(&better);
    ok(n > 270 && n < 300, "they get more done: the same (%d)", n);
    n = pauses(&worse);
    ok(n > 0 && n < 30, "they get less done: only trials (%d)", n);
    is_int(pauses(&one), 0, "not where one connection sends at a time");
    is_int(pauses(&few), 0, "not where there is little to do");
    is_int(pauses(&busy), 0, "not where the worker does not sleep");
    return tap_done();
}
