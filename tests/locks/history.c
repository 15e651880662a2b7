/*
 * Sixteen clients that acquire, use, renew, lose and release locks at random, are killed, leave,
 * and outsleep their leases; and a judge of the history of it (judge.h).
 *
 *   history [--seed N] [--rounds N]     one run, and then as many as LOCK_SEEDS says
 *
 * LOCK_SEEDS: how many seeds; LOCK_ROUNDS: how long each is.
 */
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/rng.h"
#include "tests/lib/raw.h"
#include "tests/lib/tap.h"
#include "tests/locks/judge.h"
#include "tests/locks/player.h"

enum { SEEDS = 10, ROUNDS = 30 };

struct options {
    unsigned long seed;
    int seeds, rounds;
};

static int from_environment(const char *name, int otherwise)
{
    const char *text = getenv(name);

    return text != NULL && *text != '\0' ? atoi(text) : otherwise;
}

static struct options parse_options(int argc, char **argv)
{
    static const struct option known[] = {
        {"seed", required_argument, NULL, 's'},
        {"rounds", required_argument, NULL, 'r'},
        {NULL, 0, NULL, 0},
    };
    struct options o = {rng_entropy() % 1000000, from_environment("LOCK_SEEDS", SEEDS),
                        from_environment("LOCK_ROUNDS", ROUNDS)};
    int c;

    while ((c = getopt_long(argc, argv, "", known, NULL)) >= 0) {
        if (c == 's') {
            o.seed = strtoul(optarg, NULL, 10);
        } else if (c == 'r') {
            o.rounds = atoi(optarg);
        } else {
            fprintf(stderr, "usage: history [--seed N] [--rounds N]\n");
            exit(2);
        }
    }
    return o;
}

/* ---- the story of a complaint ---- */

static const char *const deeds[] = {"acquire", "release", "commit", "renew",
                                    "check",   "write",   "read",   "cut"};
static const char *const outcomes[] = {"open", "done", "nothing", "refused", "unknown"};

static int by_begin(const void *x, const void *y)
{
    const struct act *a = x, *b = y;

    return (a->began > b->began) - (a->began < b->began);
}

/* All of the history in a file, for whoever looks for the fault. */
static void tell(struct history *h, unsigned long seed)
{
    char path[100];
    FILE *f;

    snprintf(path, sizeof(path), "build/history-%lu.txt", seed);
    f = fopen(path, "w");
    if (f == NULL)
        return;
    qsort(h->acts, h->n, sizeof(*h->acts), by_begin);
    for (size_t i = 0; i < h->n; i++) {
        const struct act *a = &h->acts[i];

        fprintf(f,
                "%" PRId64 " %" PRId64 " link %d name %d request %d %s %s token %" PRId64
                " mode %d permits %d lease %ld queued %" PRId64 " value %" PRId64 " %s\n",
                (a->began - h->acts[0].began) / 1000, (a->ended - h->acts[0].began) / 1000, a->link,
                a->name, a->request, deeds[a->deed], outcomes[a->outcome], a->token, (int)a->mode,
                a->permits, a->lease_ms, a->queued == 0 ? 0 : (a->queued - h->acts[0].began) / 1000,
                a->value, a->error);
    }
    fclose(f);
    diag("the whole history: %s", path);
}

static void run_seed(struct server *s, int threads, unsigned long seed, int rounds)
{
    struct history h = {0};
    long long started = raw_now_ms();
    const char *fault = game_run(s, seed, rounds, &h);
    long long took = raw_now_ms() - started;
    struct verdict v = judge(&h);

    if (fault == NULL && v.proven == 0)
        fault = "nothing was proven";
    if (!ok(v.count == 0 && fault == NULL, "history, threads %d, --seed %lu --rounds %d", threads,
            seed, rounds)) {
        diag("%d complaints%s%s", v.count, fault != NULL ? "; " : "", fault != NULL ? fault : "");
        for (int i = 0; i < (int)v.kept; i++)
            diag("%s", v.texts[i]);
        tell(&h, seed);
    }
    diag("%zu acts, %d grants (%d certain for a while, %d behind a wait), %d pairs in order, %d "
         "writes, %d refused, %lld ms, judged in %lld",
         h.n, v.grants, v.proven, v.handed_over, v.ordered, v.writes, v.refused, took,
         raw_now_ms() - started - took);
    verdict_release(&v);
    history_release(&h);
}

int main(int argc, char **argv)
{
    struct options o = parse_options(argc, argv);
    struct server *one = server_run_threads(1, ""), *four = server_run_threads(4, "");

    for (int i = 0; i < o.seeds; i++) {
        bool alone = (o.seed + (unsigned long)i) % 3 == 0;

        run_seed(alone ? one : four, alone ? 1 : 4, o.seed + (unsigned long)i, o.rounds);
    }
    server_stop(one);
    server_stop(four);
    return tap_done();
}
