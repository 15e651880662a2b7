/* See player.h: one run of all players. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/lib/raw.h"
#include "tests/lib/tap.h"
#include "tests/locks/player.h"

enum { ONLOOKER = PLAYERS, KILLER, THREADS, EMPTY_MS = 20000, HASTY_ROUNDS = 5 };

/* ---- what is left of it ---- */

static void read_lines(struct wire *w, struct game *g, int name, struct history *out)
{
    char line[100];
    struct answer *a;

    snprintf(line, sizeof(line), "LRANGE s%lu:%d:lines 0 -1", g->seed, name);
    wire_send(w, line);
    a = wire_next(w, RAW_TIMEOUT_MS);
    if (a == NULL || a->type != '*')
        out->ended_early = true;
    for (long i = 0; a != NULL && i < a->count; i++) {
        struct written *at = history_written(out);
        char *rest;

        at->name = name;
        at->token = strtoll(a->items[i]->text, &rest, 10);
        at->request = atoi(rest + 1);
    }
    answer_free(a);
}

/* Whatever had no release has had an end of its lease or of its link. */
static bool all_free(struct wire *w, const struct game *g)
{
    long long end = raw_now_ms() + EMPTY_MS;

    while (raw_now_ms() < end) {
        if (strcmp(wire_callf(w, "LOCK.LIST MATCH s%lu:*", g->seed), "[]") == 0)
            return true;
        raw_sleep_ms(1);
    }
    return false;
}

static const char *conclude(struct game *g, struct history *out)
{
    struct wire *w = wire_open(g->server, 2);
    const char *fault = NULL;

    for (int name = 0; name < NAMES; name++)
        read_lines(w, g, name, out);
    if (!all_free(w, g)) {
        diag("%s", w->last);
        fault = "locks are left though nobody is there";
    }
    wire_call(w, "FLUSHALL");
    wire_close(w);
    return fault;
}

/* ---- threads ---- */

static void start(struct game *g, struct player *players, pthread_t *threads)
{
    for (int i = 0; i < THREADS; i++) {
        void *(*life)(void *) = i < PLAYERS ? play : i == ONLOOKER ? look_on : kill_some;

        players[i].game = g;
        players[i].number = i;
        if (pthread_create(&threads[i], NULL, life, &players[i]) != 0)
            bail("no thread");
    }
}

static void finish(struct player *players, pthread_t *threads, struct history *out)
{
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    for (int i = 0; i < THREADS; i++) {
        history_append(out, &players[i].mine);
        history_release(&players[i].mine);
        answer_free(players[i].granted);
        wire_close(players[i].wire);
    }
}

const char *game_run(struct server *s, unsigned long seed, int rounds, struct history *out)
{
    struct game g = {.server = s, .seed = seed, .kills = seed % 4 != 0, .haste = seed % 5 < 2};
    struct player players[THREADS] = {0};
    pthread_t threads[THREADS];
    const char *fault;

    g.rounds = g.haste ? rounds * HASTY_ROUNDS : rounds;
    atomic_store(&g.busy, PLAYERS);
    pthread_mutex_init(&g.lock, NULL);
    start(&g, players, threads);
    finish(players, threads, out);
    fault = conclude(&g, out);
    pthread_mutex_destroy(&g.lock);
    return fault;
}
