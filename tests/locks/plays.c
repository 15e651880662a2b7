/* See player.h: what a player does, one round after the other. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/rng.h"
#include "tests/lib/raw.h"
#include "tests/locks/player.h"

enum { WORDS = 400 };

/* The most of a short pause, a lease, and a pause that outlives it. */
enum span { SOON, LEASE, PAUSE };

static int pick_ms(const struct player *p, enum span span)
{
    static const int calm[] = {5, 30, 50}, hasty[] = {1, 4, 4};

    return pick_of(p->game->haste ? hasty[span] : calm[span]);
}

const char name_kinds[] = "xxxxrp";

/* What is asked for at once. */
struct wish {
    int names[3], n;
    enum mode mode;
    int permits;
    long lease_ms;
    int wait_ms; /* FOREVER, or 0: once */
    bool queue, detached;
};

/* What was got: the index of the grant's act for each name. */
struct got {
    size_t grants[3];
    int n;
};

static int new_request(struct player *p)
{
    return atomic_fetch_add(&p->game->requests, 1) + 1;
}

/* ---- asking for locks ---- */

__attribute__((format(printf, 2, 3))) static void add(char *line, const char *format, ...)
{
    size_t len = strlen(line);
    va_list ap;

    va_start(ap, format);
    vsnprintf(line + len, WORDS - len, format, ap);
    va_end(ap);
}

static void put_options(const struct wish *w, int request, char *line)
{
    if (w->mode == SHARED)
        add(line, " SHARED");
    if (w->mode == PERMITS)
        add(line, " PERMITS %d OF %d", w->permits, PERMITS_MAX);
    if (w->lease_ms > 0)
        add(line, " LEASE %ld", w->lease_ms);
    if (w->queue)
        add(line, " QUEUE");
    else if (w->wait_ms != 0)
        add(line, " WAIT %d", w->wait_ms);
    if (w->detached)
        add(line, " DETACHED");
    add(line, " OWNER r%d", request);
}

static void put_wish(const struct player *p, const struct wish *w, int request, char *line)
{
    add(line, "LOCK.ACQUIRE");
    for (int i = 0; i < w->n; i++)
        add(line, " s%lu:%d", p->game->seed, w->names[i]);
    put_options(w, request, line);
}

static size_t begin_wish(struct player *p, const struct wish *w, int request)
{
    size_t first = p->mine.n;

    for (int i = 0; i < w->n; i++) {
        size_t at = act_begin(p, ACQUIRE, w->names[i], request);
        struct act *a = &p->mine.acts[at];

        a->mode = w->mode;
        a->permits = w->mode == PERMITS ? w->permits : 0;
        a->max = PERMITS_MAX;
        a->lease_ms = w->lease_ms;
        a->detached = w->detached;
    }
    return first;
}

/* The items of an array from the given one on are the tokens; one name has its token alone. */
static void end_wish(struct player *p, const struct wish *w, size_t first, const struct answer *a,
                     long at)
{
    for (int i = 0; i < w->n; i++) {
        bool array = a != NULL && a->count > at + i && a->items != NULL;

        act_end(p, first + (size_t)i, array ? a->items[at + i] : a);
    }
}

static bool granted(const struct player *p, const struct wish *w, size_t first, struct got *got)
{
    if (p->mine.acts[first].outcome != DONE)
        return false;
    got->n = w->n;
    for (int i = 0; i < w->n; i++)
        got->grants[i] = first + (size_t)i;
    return true;
}

static bool is_ticket(const struct answer *a)
{
    return a != NULL && a->count == 2 && a->items[0]->text != NULL &&
           strcmp(a->items[0]->text, "QUEUED") == 0;
}

/* The push behind name and ticket, or the ticket given back. */
static void await_turn(struct player *p, const struct wish *w, size_t first, const char *ticket)
{
    struct answer *push = player_grant(p, pick_of(2) == 0 ? ANSWER_MS : pick_ms(p, PAUSE));
    struct answer *a = NULL;
    bool given_back = false;

    if (push == NULL && !p->gone) {
        a = player_ask(p, ANSWER_MS, "LOCK.CANCEL s%lu:%d %s", p->game->seed, w->names[0], ticket);
        given_back = a != NULL && a->text != NULL && strcmp(a->text, "1") == 0;
    }
    if (push == NULL && !given_back && !p->gone)
        push = player_grant(p, ANSWER_MS);
    for (int i = 0; i < w->n; i++) {
        act_end(p, first + (size_t)i, push != NULL ? push->items[3 + w->n + i] : NULL);
        if (given_back)
            p->mine.acts[first + (size_t)i].outcome = NOTHING;
    }
    answer_free(push);
    answer_free(a);
}

static void take_ticket(struct player *p, const struct wish *w, size_t first,
                        const struct answer *a)
{
    for (int i = 0; i < w->n; i++)
        p->mine.acts[first + (size_t)i].queued = now_ns();
    await_turn(p, w, first, a->items[1]->text);
}

static bool acquire(struct player *p, const struct wish *w, struct got *got)
{
    int request = new_request(p);
    size_t first = begin_wish(p, w, request);
    char line[WORDS] = "";
    struct answer *a;

    put_wish(p, w, request, line);
    a = player_ask(p, ANSWER_MS, "%s", line);
    if (w->queue && is_ticket(a))
        take_ticket(p, w, first, a);
    else
        end_wish(p, w, first, a, 0);
    answer_free(a);
    return granted(p, w, first, got);
}

/* Goes away, if need be while it waits. */
static void acquire_and_leave(struct player *p, const struct wish *w)
{
    int request = new_request(p);
    size_t first = begin_wish(p, w, request);
    char line[WORDS] = "";
    struct answer *a = NULL;

    put_wish(p, w, request, line);
    wire_send(p->wire, line);
    if (pick_of(4) != 0)
        a = player_next(p, pick_ms(p, SOON));
    end_wish(p, w, first, a, 0);
    if (a == NULL) {
        for (int i = 0; i < w->n; i++)
            p->mine.acts[first + (size_t)i].outcome = UNKNOWN;
    }
    answer_free(a);
    player_cut(p, pick_of(ENDINGS));
}

/* ---- with locks ---- */

static size_t begin_use(struct player *p, enum deed deed, const struct act *grant)
{
    int name = grant->name;
    int64_t token = grant->token;
    size_t i = act_begin(p, deed, name, new_request(p));

    p->mine.acts[i].token = token;
    return i;
}

static void write_line(struct player *p, size_t grant)
{
    size_t i = begin_use(p, WRITE, &p->mine.acts[grant]);
    const struct act *a = &p->mine.acts[i];
    struct answer *reply = player_ask(
        p, ANSWER_MS, "WHEN HELD s%lu:%d %lld DO RPUSH s%lu:%d:lines %lld:%d", p->game->seed,
        a->name, (long long)a->token, p->game->seed, a->name, (long long)a->token, a->request);

    act_end(p, i, reply);
    answer_free(reply);
}

static void renew(struct player *p, size_t grant)
{
    long lease_ms = 1 + pick_ms(p, LEASE);
    size_t i = begin_use(p, RENEW, &p->mine.acts[grant]);
    struct act *a = &p->mine.acts[i];
    struct answer *reply;

    a->lease_ms = lease_ms;
    reply = player_ask(p, ANSWER_MS, "LOCK.RENEW s%lu:%d %lld LEASE %ld", p->game->seed, a->name,
                       (long long)a->token, lease_ms);
    act_end(p, i, reply);
    answer_free(reply);
}

static void check(struct player *p, size_t grant)
{
    size_t i = begin_use(p, CHECK, &p->mine.acts[grant]);
    const struct act *a = &p->mine.acts[i];
    struct answer *reply = player_ask(p, ANSWER_MS, "LOCK.CHECK s%lu:%d %lld", p->game->seed,
                                      a->name, (long long)a->token);

    act_end(p, i, reply);
    answer_free(reply);
}

/* What the last holder has committed. */
static void read_committed(struct player *p, size_t grant)
{
    size_t i = begin_use(p, READ, &p->mine.acts[grant]);
    struct answer *reply =
        player_ask(p, ANSWER_MS, "GET s%lu:%d", p->game->seed, p->mine.acts[i].name);

    act_end(p, i, reply);
    if (reply != NULL && reply->text != NULL)
        p->mine.acts[i].value = strtoll(reply->text, NULL, 10);
    answer_free(reply);
}

static void use(struct player *p, size_t grant)
{
    bool alone = p->mine.acts[grant].mode == EXCLUSIVE;
    int what = pick_of(10);

    if (what < 4 && alone)
        write_line(p, grant);
    else if (what < 5 && alone)
        read_committed(p, grant);
    else if (what < 6)
        check(p, grant);
    else if (what < 7 && p->mine.acts[grant].lease_ms > 0)
        renew(p, grant);
    else if (what < 8)
        raw_sleep_ms(pick_ms(p, SOON));
}

static void release(struct player *p, size_t grant)
{
    bool commits = p->mine.acts[grant].mode == EXCLUSIVE && pick_of(3) == 0;
    size_t i = begin_use(p, commits ? COMMIT : RELEASE, &p->mine.acts[grant]);
    const struct act *a = &p->mine.acts[i];
    struct answer *reply;
    char tail[40] = "";

    if (commits)
        snprintf(tail, sizeof(tail), " SET %lld", (long long)a->token);
    reply = player_ask(p, ANSWER_MS, "LOCK.RELEASE s%lu:%d %lld%s", p->game->seed, a->name,
                       (long long)a->token, tail);
    act_end(p, i, reply);
    answer_free(reply);
}

static void use_all(struct player *p, const struct got *got)
{
    for (int i = 0; i < got->n && !p->gone; i++) {
        if (p->mine.acts[got->grants[i]].mode == EXCLUSIVE)
            read_committed(p, got->grants[i]);
    }
    for (int left = pick_of(6); left > 0 && !p->gone; left--)
        use(p, got->grants[pick_of(got->n)]);
}

/* A pause that outlives the lease, and then a late use; or a timely release; or none at all. */
static void finish(struct player *p, const struct got *got)
{
    if (pick_of(6) == 0) {
        raw_sleep_ms(pick_ms(p, PAUSE));
        use_all(p, got);
    }
    if (pick_of(10) == 0 && !p->gone) {
        player_cut(p, pick_of(ENDINGS));
        return;
    }
    for (int i = 0; i < got->n && !p->gone; i++)
        release(p, got->grants[i]);
}

/* ---- rounds ---- */

static struct wish any_wish(const struct player *p, int name)
{
    struct wish w = {.names = {name}, .n = 1};

    if (name_kinds[name] == 'r' && pick_of(3) != 0)
        w.mode = SHARED;
    if (name_kinds[name] == 'p') {
        w.mode = PERMITS;
        w.permits = 1 + pick_of(PERMITS_MAX);
    }
    if (pick_of(2) == 0)
        w.lease_ms = 1 + pick_ms(p, LEASE);
    w.wait_ms = pick_of(5) == 0 ? pick_ms(p, LEASE) : FOREVER;
    w.queue = pick_of(5) == 0;
    w.detached = w.lease_ms > 0 && pick_of(5) == 0;
    return w;
}

/* Two or three of the names before the last, which are a prime number, in any order. */
static struct wish several(const struct player *p)
{
    int first = pick_of(NAMES - 1), step = 1 + pick_of(NAMES - 2);
    struct wish w = any_wish(p, 0);

    w.n = 2 + pick_of(2);
    for (int i = 0; i < w.n; i++)
        w.names[i] = (first + i * step) % (NAMES - 1);
    return w;
}

/* Holds one and waits for another: somebody else may do so the other way round. */
static void nest(struct player *p)
{
    struct wish outer = any_wish(p, pick_of(NAMES)), inner = any_wish(p, pick_of(NAMES));
    struct got first, second;

    if (inner.names[0] == outer.names[0])
        inner.names[0] = (outer.names[0] + 1) % NAMES;
    inner = any_wish(p, inner.names[0]);
    inner.queue = outer.queue = false;
    if (acquire(p, &outer, &first)) {
        if (acquire(p, &inner, &second)) {
            use_all(p, &second);
            finish(p, &second);
        }
        /* A cut has released the first too. */
        if (!p->gone && p->mine.acts[first.grants[0]].link == p->link)
            finish(p, &first);
    }
}

static void play_round(struct player *p)
{
    int kind = pick_of(20);
    struct wish w = kind < 4 ? several(p) : any_wish(p, pick_of(NAMES));
    struct got got;

    if (kind == 4 || kind == 5)
        nest(p);
    else if (kind == 6 || kind == 7)
        acquire_and_leave(p, &w);
    else if (acquire(p, &w, &got)) {
        use_all(p, &got);
        finish(p, &got);
    }
    if (p->gone)
        player_connect(p);
}

void *play(void *player)
{
    struct player *p = player;

    rng_seed(p->game->seed * 1000 + (unsigned long)p->number);
    player_connect(p);
    for (int i = 0; i < p->game->rounds; i++)
        play_round(p);
    player_cut(p, BY_CLOSE);
    atomic_fetch_sub(&p->game->busy, 1);
    mem_flush();
    return NULL;
}
