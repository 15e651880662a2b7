/* See player.h: who looks on, and who kills. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/rng.h"
#include "tests/lib/raw.h"
#include "tests/locks/player.h"

enum { LOOK_MS = 2, KILL_MS = 12 };

/* ---- looking ---- */

static const struct answer *field(const struct answer *map, const char *name)
{
    for (long i = 0; map->items != NULL && i + 1 < map->count; i += 2) {
        if (map->items[i]->text != NULL && strcmp(map->items[i]->text, name) == 0)
            return map->items[i + 1];
    }
    return NULL;
}

static bool says(const struct answer *map, const char *name, const char *value)
{
    const struct answer *a = field(map, name);

    return a != NULL && a->text != NULL && strcmp(a->text, value) == 0;
}

/* The owners are named after the requests. */
static int request_of(const struct answer *map)
{
    const struct answer *owner = field(map, "owner");

    return owner != NULL && owner->text != NULL && *owner->text == 'r' ? atoi(owner->text + 1) : 0;
}

static void see(struct player *p, int name, const struct answer *a, int64_t ended)
{
    const struct answer *holders = field(a, "holders"), *waiters = field(a, "waiters");
    struct sighting *s = history_sighting(&p->mine);

    s->name = name;
    s->ended = ended;
    for (long i = 0; holders != NULL && i < holders->count; i++) {
        s->holders++;
        s->exclusive_holders += says(holders->items[i], "mode", "exclusive");
    }
    for (long i = 0; waiters != NULL && i < waiters->count && s->count < SIGHTED_MAX; i++)
        s->requests[s->count++] = request_of(waiters->items[i]);
}

void *look_on(void *player)
{
    struct player *p = player;

    rng_seed(p->game->seed * 1000 + PLAYERS + 1);
    player_connect(p);
    while (atomic_load(&p->game->busy) > 0 && !p->gone) {
        int name = pick_of(NAMES);
        struct answer *a = player_ask(p, ANSWER_MS, "LOCK.INFO s%lu:%d", p->game->seed, name);

        if (a != NULL && a->items != NULL)
            see(p, name, a, now_ns());
        answer_free(a);
        raw_sleep_ms(pick_of(LOOK_MS));
    }
    mem_flush();
    return NULL;
}

/* ---- killing ---- */

static void kill_link(struct player *p)
{
    struct game *g = p->game;
    int i = pick_of(PLAYERS), link;
    long long id;
    size_t act;

    pthread_mutex_lock(&g->lock);
    link = g->present[i].link;
    id = g->present[i].id;
    pthread_mutex_unlock(&g->lock);
    if (id == 0)
        return;
    act = act_begin(p, CUT, 0, 0);
    p->mine.acts[act].link = link;
    p->mine.acts[act].outcome = DONE;
    answer_free(player_ask(p, ANSWER_MS, "CLIENT KILL ID %lld", id));
    p->mine.acts[act].ended = now_ns();
}

static void break_lock(struct player *p)
{
    int name = pick_of(NAMES);
    size_t act = act_begin(p, CUT, name, 0);

    p->mine.acts[act].link = 0;
    p->mine.acts[act].outcome = DONE;
    answer_free(player_ask(p, ANSWER_MS, "LOCK.BREAK s%lu:%d%s", p->game->seed, name,
                           pick_of(2) == 0 ? " DELAY 5" : ""));
    p->mine.acts[act].ended = now_ns();
}

void *kill_some(void *player)
{
    struct player *p = player;

    rng_seed(p->game->seed * 1000 + PLAYERS + 2);
    player_connect(p);
    while (p->game->kills && atomic_load(&p->game->busy) > 0) {
        raw_sleep_ms(1 + pick_of(KILL_MS));
        if (pick_of(4) == 0)
            break_lock(p);
        else
            kill_link(p);
    }
    mem_flush();
    return NULL;
}
