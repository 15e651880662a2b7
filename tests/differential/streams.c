/*
 * Random commands to the server under test and to the oracle, the replies compared. See rules.h
 * for the grammar.
 *
 *   streams [--seed N] [--count N] [--threads N] [--family F] [--events]
 *
 * Without --threads it runs with 1 and with 4, and for each of them without and with the
 * comparison of events (a tenth of the commands, since every command is followed by a mark). A
 * seed repeats a run, but for the clock.
 */
#include <stdio.h>

#include "base/rng.h"
#include "tests/differential/contest.h"
#include "tests/differential/options.h"
#include "tests/differential/template.h"
#include "tests/lib/raw.h"
#include "tests/lib/tap.h"

enum { DIFFERENCES_MAX = 20, COMMANDS = 200000, INSPECTION_EVERY = 20000 };

static bool ends_batch(const struct drawn *d)
{
    return d->rule->how == ITERATION || d->rule->how == ONE_KEY;
}

static int draw_batch(struct family *family, struct drawn *batch)
{
    int wanted = rng_below(4) == 0 ? 1 : 1 + (int)rng_below(BATCH_MAX), count = 0;
    int connection = (int)rng_below(TWIN_CLIENTS);

    while (count < wanted) {
        int more = rules_draw(family, &batch[count]);

        for (int i = 0; i < more; i++)
            batch[count + i].connection = connection;
        count += more;
        if (ends_batch(&batch[count - 1]))
            break;
    }
    return count;
}

/* Compares what is stored each time as many commands more have been sent. */
static void run_commands(struct contest *c, const struct options *o, unsigned long count)
{
    static struct drawn batch[BATCH_SPACE];
    unsigned long sent = 0, inspected = 0;

    while (sent < count && c->trail.differences < DIFFERENCES_MAX) {
        int n = draw_batch(o->family, batch);

        contest_exchange(c, batch, n);
        sent += (unsigned long)n;
        if (sent >= inspected + INSPECTION_EVERY || sent >= count) {
            inspected = sent;
            contest_compare_keyspaces(c);
        }
    }
}

static void run_phase(struct contest *c, const struct options *o, int threads, bool events)
{
    unsigned long count = events ? o->count / 10 : o->count;
    long long started = raw_now_ms();

    rng_seed(o->seed + events);
    c->observing = events;
    c->trail.differences = 0;
    c->index = 0;
    snprintf(c->where, sizeof(c->where), "--seed %lu --count %lu --threads %d%s%s%s", o->seed,
             o->count, threads, o->family != NULL ? " --family " : "",
             o->family != NULL ? o->family->name : "", events ? " --events" : "");
    contest_renew(c);
    run_commands(c, o, count);
    ok(c->trail.differences == 0, "%lu commands%s, threads %d, seed %lu", count,
       events ? " with their events" : "", threads, o->seed);
    if (events)
        ok(contest_compare_expiring(c), "the same keys expire, threads %d, seed %lu", threads,
           o->seed);
    diag("%s: %d differences, %lld ms", c->where, c->trail.differences, raw_now_ms() - started);
}

static void run_threads(const struct options *o, int threads)
{
    static struct contest c;

    contest_start(&c, threads);
    if (!o->events_only)
        run_phase(&c, o, threads, false);
    run_phase(&c, o, threads, true);
    contest_stop(&c);
}

int main(int argc, char **argv)
{
    struct options o = options_parse(argc, argv, COMMANDS);

    options_each(&o, run_threads);
    return tap_done();
}
