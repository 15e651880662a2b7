/* See crowd.h. */
#include "tests/race/crowd.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/rng.h"
#include "tests/lib/raw.h"
#include "tests/lib/tap.h"

enum {
    CLIENTS_MAX = 64,
    ROLES_MAX = 32,
    COMPLAINTS_KEPT = 5,
    ANSWER_S = 60,
    NO_INTEGER = -1000000
};

struct crowd {
    struct server *server;
    unsigned long seed;
    atomic_int busy; /* bounded clients at work */
    pthread_barrier_t start;
    pthread_mutex_t lock; /* of what follows */
    struct {
        const struct role *role;
        int count;
        char *texts[COMPLAINTS_KEPT];
    } complaints[ROLES_MAX];
};

bool crowd_busy(const struct client *c)
{
    return atomic_load(&c->crowd->busy) > 0;
}

int client_peers(const struct client *c)
{
    return c->role->clients;
}

int pick(int bound)
{
    return (int)rng_below((uint64_t)bound);
}

/* ---- complaints ---- */

static void keep_complaint(struct client *c, char *text)
{
    struct crowd *all = c->crowd;
    int i = 0;

    pthread_mutex_lock(&all->lock);
    while (all->complaints[i].role != c->role)
        i++;
    if (all->complaints[i].count < COMPLAINTS_KEPT)
        all->complaints[i].texts[all->complaints[i].count] = text;
    else
        free(text);
    all->complaints[i].count++;
    pthread_mutex_unlock(&all->lock);
}

void complain(struct client *c, const char *format, ...)
{
    char *text = NULL, *whole = NULL;
    va_list ap;

    va_start(ap, format);
    if (vasprintf(&text, format, ap) < 0)
        abort();
    va_end(ap);
    if (asprintf(&whole, "%s %d: %s", c->role->name, c->number, text) < 0)
        abort();
    free(text);
    keep_complaint(c, whole);
}

static void tell_complaints(struct crowd *all, int i)
{
    int count = all->complaints[i].count;

    ok(count == 0, "%s: %d clients", all->complaints[i].role->name,
       all->complaints[i].role->clients);
    for (int j = 0; j < count && j < COMPLAINTS_KEPT; j++) {
        diag("%s", all->complaints[i].texts[j]);
        free(all->complaints[i].texts[j]);
    }
    if (count > COMPLAINTS_KEPT)
        diag("... %d complaints in all", count);
}

/* ---- talking ---- */

bool client_connect(struct client *c)
{
    struct timeval limit = {ANSWER_S, 0};

    if (c->link != NULL)
        redisFree(c->link);
    c->link = redisConnect("127.0.0.1", c->crowd->server->port);
    if (c->link == NULL || c->link->err != 0) {
        complain(c, "no connection: %s", c->link != NULL ? c->link->errstr : "out of memory");
        return false;
    }
    redisSetTimeout(c->link, limit);
    return true;
}

redisReply *ask_tolerant(struct client *c, const char *format, ...)
{
    redisReply *r;
    va_list ap;

    va_start(ap, format);
    r = redisvCommand(c->link, format, ap);
    va_end(ap);
    return r;
}

static redisReply *ask_list(struct client *c, const char *format, va_list ap)
{
    redisReply *r = c->link != NULL ? redisvCommand(c->link, format, ap) : NULL;

    if (r == NULL) {
        complain(c, "no reply to %s: %s", format, c->link != NULL ? c->link->errstr : "closed");
        client_connect(c);
    } else if (r->type == REDIS_REPLY_ERROR) {
        complain(c, "%s: %s", format, r->str);
        freeReplyObject(r);
        r = NULL;
    }
    return r;
}

redisReply *ask(struct client *c, const char *format, ...)
{
    redisReply *r;
    va_list ap;

    va_start(ap, format);
    r = ask_list(c, format, ap);
    va_end(ap);
    return r;
}

long long ask_int(struct client *c, const char *format, ...)
{
    long long value = NO_INTEGER;
    redisReply *r;
    va_list ap;

    va_start(ap, format);
    r = ask_list(c, format, ap);
    va_end(ap);
    if (r != NULL && r->type == REDIS_REPLY_INTEGER)
        value = r->integer;
    else if (r != NULL)
        complain(c, "%s: no integer", format);
    if (r != NULL)
        freeReplyObject(r);
    return value;
}

void tell(struct client *c, const char *format, ...)
{
    redisReply *r;
    va_list ap;

    va_start(ap, format);
    r = ask_list(c, format, ap);
    va_end(ap);
    if (r != NULL)
        freeReplyObject(r);
}

/* ---- threads ---- */

static void *client_main(void *arg)
{
    struct client *c = arg;
    bool connected = client_connect(c);

    rng_seed(c->crowd->seed * 1000 + (unsigned long)(c->number + 1) * 7 + strlen(c->role->name));
    if (connected && c->role->prepare != NULL)
        c->role->prepare(c);
    pthread_barrier_wait(&c->crowd->start);
    if (connected)
        c->role->run(c);
    if (!c->role->endless)
        atomic_fetch_sub(&c->crowd->busy, 1);
    if (c->link != NULL)
        redisFree(c->link);
    mem_flush();
    return NULL;
}

static int enlist(struct crowd *all, const struct role *roles, int rounds, struct client *clients)
{
    int n = 0;

    for (int i = 0; roles[i].name != NULL; i++) {
        all->complaints[i].role = &roles[i];
        for (int j = 0; j < roles[i].clients; j++) {
            if (n == CLIENTS_MAX || i == ROLES_MAX)
                bail("a crowd too large");
            clients[n++] = (struct client){&roles[i], j, rounds, NULL, all};
            if (!roles[i].endless)
                atomic_fetch_add(&all->busy, 1);
        }
    }
    return n;
}

void crowd_run(struct server *s, const struct role *roles, int rounds, unsigned long seed)
{
    struct crowd all = {.server = s, .seed = seed};
    struct client clients[CLIENTS_MAX];
    pthread_t threads[CLIENTS_MAX];
    long long started = raw_now_ms();
    int n = enlist(&all, roles, rounds, clients);

    pthread_mutex_init(&all.lock, NULL);
    pthread_barrier_init(&all.start, NULL, (unsigned)n);
    for (int i = 0; i < n; i++) {
        if (pthread_create(&threads[i], NULL, client_main, &clients[i]) != 0)
            bail("no thread");
    }
    for (int i = 0; i < n; i++)
        pthread_join(threads[i], NULL);
    for (int i = 0; roles[i].name != NULL; i++)
        tell_complaints(&all, i);
    diag("%d clients, %d rounds, %lld ms", n, rounds, raw_now_ms() - started);
    pthread_barrier_destroy(&all.start);
    pthread_mutex_destroy(&all.lock);
}
