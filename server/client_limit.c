/* maxmemory-clients, see client_limit.h. */
#include "server/client_limit.h"

#include "base/log.h"
#include "base/mem.h"
#include "base/world.h"
#include "server/clients.h"

#include <stdlib.h>

enum {
    LIMIT_MIN = 128 * 1024, /* with less nobody could tell the server that it is too little */
    CLASS_MIN_BITS = 15,    /* as Redis: those below 2^15 bytes are alike, and so are … */
    CLASS_MAX_BITS = 33,    /* … those from 2^33 on */
};

size_t client_limit_of(const struct conf *conf)
{
    uint64_t limit;

    if (!conf->maxmemory_clients || (conf->maxmemory_clients < 0 && !conf->maxmemory))
        return 0;
    limit = conf->maxmemory_clients > 0
                ? (uint64_t)conf->maxmemory_clients
                : (uint64_t)((double)conf->maxmemory * (double)-conf->maxmemory_clients / 100);
    return limit < LIMIT_MIN ? LIMIT_MIN : limit;
}

/* ---- counting ------------------------------------------------------------------------------- */

static void count(struct conn *c, size_t bytes)
{
    struct worker *w = c->worker;
    size_t all = atomic_load_explicit(&w->clients_bytes, memory_order_relaxed);

    atomic_store_explicit(&w->clients_bytes, all + bytes - c->counted, memory_order_relaxed);
    w->clients_grew = w->clients_grew || bytes > c->counted;
    c->counted = bytes;
}

void client_limit_measure(struct conn *c)
{
    if (!(c->flags & CONN_DOOMED) && !c->killed)
        count(c, conn_memory(c));
}

void client_limit_forget(struct conn *c)
{
    if (c->counted)
        count(c, 0);
}

static void measure_all(struct worker *w, void *arg)
{
    (void)arg;
    LIST_EACH (c, &w->conns, struct conn, link)
        client_limit_note(c);
    w->clients_grew = true;
}

void client_limit_changed(struct server *s)
{
    size_t limit = client_limit_of(s->conf);

    if (s->client_limit == limit)
        return;
    s->client_limit = limit;
    for (int i = 0; limit && i < s->workers_len; i++)
        worker_call(&s->workers[i], measure_all, NULL);
}

/* In haste, unless the world is stopped. */
static size_t bytes_of_all(const struct server *s)
{
    size_t bytes = 0;

    for (int i = 0; i < s->workers_len; i++)
        bytes += atomic_load_explicit(&s->workers[i].clients_bytes, memory_order_relaxed);
    return bytes;
}

/* ---- closing -------------------------------------------------------------------------------- */

static int class_of(const struct conn *c)
{
    int bits = 64 - __builtin_clzll(c->counted | 1);

    return bits < CLASS_MIN_BITS ? CLASS_MIN_BITS : bits > CLASS_MAX_BITS ? CLASS_MAX_BITS : bits;
}

static int largest_first(const void *a, const void *b)
{
    const struct conn *x = *(struct conn *const *)a, *y = *(struct conn *const *)b;
    int difference = class_of(y) - class_of(x);

    return difference ? difference : (x->id > y->id) - (x->id < y->id);
}

static void evict(struct worker *w, struct conn *c)
{
    struct buf text = {0};

    client_describe(c, &text);
    log_notice("Evicting client: %.*s", (int)text.len - 1, text.ptr);
    buf_release(&text);
    w->stats.evicted_clients++;
    client_limit_forget(c);
    client_kill(c, w);
}

/* With the world stopped. */
static void evict_largest(struct worker *w)
{
    struct server *s = w->server;
    struct conn **all;
    size_t n;

    all = clients_all(s, &n);
    qsort(all, n, sizeof(struct conn *), largest_first);
    for (size_t i = 0; i < n && bytes_of_all(s) >= s->client_limit; i++) {
        if (!(all[i]->flags & CONN_NO_EVICT))
            evict(w, all[i]);
    }
    mem_free(all);
    if (bytes_of_all(s) >= s->client_limit)
        log_warning("Over client maxmemory after evicting all evictable clients");
}

void client_limit_enforce(struct worker *w)
{
    struct server *s = w->server;

    w->clients_grew = false;
    if (!s->client_limit || bytes_of_all(s) < s->client_limit)
        return;
    world_stop();
    if (s->client_limit && bytes_of_all(s) >= s->client_limit)
        evict_largest(w);
    world_resume();
}
