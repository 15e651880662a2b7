/* Eviction, see eviction.h. */
#include "server/eviction.h"

#include "base/mem.h"
#include "base/rng.h"
#include "server/access.h"
#include "server/backend/leaving.h"
#include "server/effects.h"
#include "server/latency.h"
#include "server/locks/lock_guard.h"
#include "server/reaper.h"
#include "server/serving.h"
#include "storage/policed.h"

#include <event2/event.h>
#include <math.h>

enum {
    POOL_MAX = 16,
    EVICTIONS_A_CLOCK = 16, /* evicted before the clock is looked at */
    DATABASES_STAY_MS =
        100, /* the list of databases with keys is good for so long; an empty one for 1 */
    BUCKETS_A_LOOK = 64, /* of a table with hardly any items */
    LOOKS_MAX = 1000,    /* at random, without finding anything, before all is said to be gone */
};

/* A key worth evicting: by its hash, since that finds it and needs no memory of its own. */
struct candidate {
    uint64_t dispensability, hash;
    int db;
};

struct evictor {
    struct worker *worker;
    struct candidate pool[POOL_MAX]; /* the best at the end */
    int pool_len;
    int policy; /* of the pool */
    int *dbs;   /* databases with keys to evict */
    int dbs_len;
    int64_t dbs_until_ms; /* monotonic */
    struct event more;    /* goes on where time was up */
    int64_t above_since;  /* monotonic ms, of worker 0 only; 0: not above */
    int64_t looked_ms;    /* monotonic: when it was looked whether the table is behind */
    bool behind;
};

static bool only_volatile(const struct conf *conf)
{
    int policy = conf->maxmemory_policy;

    return policy == CONF_VOLATILE_LRU || policy == CONF_VOLATILE_LFU ||
           policy == CONF_VOLATILE_RANDOM || policy == CONF_VOLATILE_TTL;
}

/* Keys that live in a table may leave memory at any time: no policy is needed for that. */
static int policy_of(const struct server *s)
{
    int policy = s->conf->maxmemory_policy;

    return policy == CONF_NOEVICTION && s->home ? CONF_ALLKEYS_LRU : policy;
}

static bool may_be_evicted_from(const struct server *s, int db)
{
    return s->conf->maxmemory_policy != CONF_NOEVICTION || leaving_applies(s, db);
}

/* ---- how much ------------------------------------------------------------------------------- */

/*
 * What waits to be sent: evicting would not make it less, and its events would make it more. Of the
 * buffer that a worker gathers replies in, only when it is larger than what is kept of it.
 */
__attribute__((no_sanitize("thread"))) size_t eviction_not_counted(const struct server *s)
{
    size_t bytes = 0;

    for (int i = 0; i < s->workers_len; i++) {
        size_t gathering = s->workers[i].out.cap;

        bytes += s->workers[i].output_bytes + (gathering > WORKER_OUT_KEPT ? gathering : 0);
    }
    return bytes;
}

static bool above(const struct worker *w)
{
    size_t limit = (size_t)w->server->conf->maxmemory, used = mem_used();

    if (LIKELY(used <= limit))
        return false;
    return used - limit > eviction_not_counted(w->server);
}

/* As in Redis: from 0.05 ms at 0, over 0.5 at 10 and some minutes at 99, to no end at 100. */
static int64_t time_limit_us(const struct conf *conf)
{
    int64_t tenacity = conf->maxmemory_eviction_tenacity;

    if (tenacity <= 10)
        return 50 * tenacity;
    return tenacity < 100 ? (int64_t)(500.0 * pow(1.15, (double)tenacity - 10)) : INT64_MAX;
}

/* ---- where to look -------------------------------------------------------------------------- */

static void list_databases(struct evictor *ev)
{
    const struct worker *w = ev->worker;
    const struct keyspace *ks = &w->server->keyspace;
    bool expiring = only_volatile(w->server->conf);

    if (!ev->dbs)
        ev->dbs = mem_alloc((size_t)ks->databases * sizeof(*ev->dbs));
    ev->dbs_len = 0;
    for (int db = 0; db < ks->databases; db++) {
        if (may_be_evicted_from(w->server, db) &&
            (expiring ? keyspace_expiring(ks, db) : keyspace_count(ks, db)))
            ev->dbs[ev->dbs_len++] = db;
    }
    ev->dbs_until_ms = w->mono_ms + (ev->dbs_len ? DATABASES_STAY_MS : 1);
}

/* A shard drawn at random that seems to have keys of the kind; SHARDS if none has. */
__attribute__((no_sanitize("thread"))) static unsigned draw_shard(const struct evictor *ev, int db)
{
    const struct space *spaces = keyspace_space(&ev->worker->server->keyspace, db, 0);
    bool expiring = only_volatile(ev->worker->server->conf);
    unsigned start = (unsigned)rng_below(SHARDS);

    for (unsigned i = 0; i < SHARDS; i++) {
        const struct space *s = &spaces[(start + i) % SHARDS];

        if (expiring ? s->expiry.entries : s->table.count)
            return (start + i) % SHARDS;
    }
    return SHARDS;
}

/* ---- the pool ------------------------------------------------------------------------------- */

struct look {
    struct evictor *ev;
    int db;
    const struct space *space;
    size_t seen, enough;
};

static void offer(struct evictor *ev, struct candidate c)
{
    int at = ev->pool_len;

    while (at > 0 && ev->pool[at - 1].dispensability > c.dispensability)
        at--;
    for (int i = 0; i < ev->pool_len; i++) {
        if (ev->pool[i].hash == c.hash && ev->pool[i].db == c.db)
            return;
    }
    if (ev->pool_len == POOL_MAX) {
        memmove(ev->pool, ev->pool + 1, (size_t)(at - 1) * sizeof(c));
        at--;
    } else {
        memmove(ev->pool + at + 1, ev->pool + at, (size_t)(ev->pool_len - at) * sizeof(c));
        ev->pool_len++;
    }
    ev->pool[at] = c;
}

static void look_at(struct look *look, struct entry *e)
{
    struct evictor *ev = look->ev;
    struct candidate c = {.db = look->db};
    uint32_t access = e->access_or_member;

    look->seen++;
    if (UNLIKELY(e->policed))
        access = *policed_access(look->space, e);
    c.dispensability =
        access_dispensability(ev->worker->server->conf, ev->worker->now_ms, e, access);
    if (ev->pool_len == POOL_MAX && c.dispensability <= ev->pool[0].dispensability)
        return;
    c.hash = entry_hash(e);
    offer(ev, c);
}

static void look_at_item(void *item, void *opaque)
{
    look_at(opaque, item);
}

static bool look_at_expiring(struct entry *e, void *opaque)
{
    struct look *look = opaque;

    look_at(look, e);
    return look->seen < look->enough;
}

/* One bucket after the other from anywhere on; all of its items, since it is fetched anyway. */
static void look_into_table(struct look *look, const struct table *t)
{
    uint64_t cursor = rng_below((uint64_t)1 << TABLE_CURSOR_BITS);

    for (int i = 0; i < BUCKETS_A_LOOK && look->seen < look->enough; i++)
        cursor = table_scan(t, cursor, look_at_item, look);
}

/* False if the shard that was to be looked into could not be found. */
static bool look_into_shard(struct look *look)
{
    struct worker *w = look->ev->worker;
    struct keyspace *ks = &w->server->keyspace;
    int policy = w->server->conf->maxmemory_policy;
    unsigned shard = draw_shard(look->ev, look->db);
    const struct space *space;

    if (shard == SHARDS)
        return false;
    lock_take(&ks->shards[shard].lock);
    look->space = space = keyspace_space(ks, look->db, shard);
    if (only_volatile(w->server->conf))
        expiry_sample(&space->expiry, &space->table, policy == CONF_VOLATILE_TTL, look_at_expiring,
                      look);
    else
        look_into_table(look, &space->table);
    lock_release(&ks->shards[shard].lock);
    return true;
}

/* Looks at as many keys of each database as maxmemory-samples says. */
static void gather(struct evictor *ev)
{
    size_t enough = (size_t)ev->worker->server->conf->maxmemory_samples;

    for (int i = 0; i < ev->dbs_len; i++) {
        struct look look = {.ev = ev, .db = ev->dbs[i], .enough = enough};

        for (size_t n = 0; n < enough && look.seen < enough && look_into_shard(&look); n++)
            ;
    }
}

/* ---- evicting one key ----------------------------------------------------------------------- */

/* Nobody keeps it from going. Locked: its shard. */
static bool may_go(const struct evictor *ev, int db, const struct entry *e, uint64_t hash)
{
    const struct server *s = ev->worker->server;

    if (UNLIKELY(leaving_applies(s, db)) && !leaving_may(s, e, hash))
        return false;
    return !lock_guarded(&s->keyspace.shards[shard_of(hash)], db, entry_key(e), hash);
}

static void drop(struct evictor *ev, int db, uint64_t hash, struct found f)
{
    bool expired = entry_expired(f.entry, ev->worker->now_ms);

    if (UNLIKELY(leaving_applies(ev->worker->server, db)) && !expired) {
        leaving_drop(ev->worker, hash, f);
        return;
    }
    effect_drop(ev->worker, db, hash, f, expired ? EVENT_EXPIRED : EVENT_EVICTED);
}

/* False if the key is gone, or was used or changed since it came into the pool. */
static bool evict_candidate(struct evictor *ev, const struct candidate *c)
{
    struct worker *w = ev->worker;
    const struct conf *conf = w->server->conf;
    struct keyspace *ks = &w->server->keyspace;
    unsigned shard = shard_of(c->hash);
    struct found f;
    bool fits;

    lock_take(&ks->shards[shard].lock);
    f = space_find_hash(keyspace_space(ks, c->db, shard), c->hash);
    fits =
        f.entry && (f.entry->has_expiry || !only_volatile(conf)) &&
        may_go(ev, c->db, f.entry, c->hash) &&
        access_dispensability(conf, w->now_ms, f.entry,
                              *keyspace_access(ks, c->db, c->hash, f.entry)) >= c->dispensability;
    if (fits)
        drop(ev, c->db, c->hash, f);
    serving_unlock(w, shard);
    effect_settle(w);
    return fits;
}

static bool evict_best(struct evictor *ev)
{
    gather(ev);
    while (ev->pool_len > 0) {
        if (evict_candidate(ev, &ev->pool[--ev->pool_len]))
            return true;
    }
    return false;
}

static bool keep_drawn(struct entry *e, void *opaque)
{
    struct entry **drawn = opaque;

    *drawn = e;
    return false;
}

static struct entry *draw(const struct space *space, bool expiring)
{
    struct entry *drawn = NULL;

    if (!expiring)
        return table_random(&space->table);
    expiry_sample(&space->expiry, &space->table, false, keep_drawn, &drawn);
    return drawn;
}

static bool evict_random(struct evictor *ev)
{
    struct worker *w = ev->worker;
    struct keyspace *ks = &w->server->keyspace;
    int db = ev->dbs[rng_below((uint64_t)ev->dbs_len)];
    unsigned shard = draw_shard(ev, db);
    const struct space *space;
    struct entry *e;

    if (shard == SHARDS)
        return false;
    lock_take(&ks->shards[shard].lock);
    space = keyspace_space(ks, db, shard);
    e = draw(space, only_volatile(w->server->conf));
    if (e && !may_go(ev, db, e, entry_hash(e)))
        e = NULL;
    if (e)
        drop(ev, db, entry_hash(e), space_find(space, entry_hash(e), entry_key(e)));
    serving_unlock(w, shard);
    effect_settle(w);
    return e != NULL;
}

/* False if there is nothing to evict, as far as many looks can tell. */
static bool evict_one(struct evictor *ev)
{
    int policy = policy_of(ev->worker->server);
    bool random = policy == CONF_ALLKEYS_RANDOM || policy == CONF_VOLATILE_RANDOM;

    if (ev->policy != policy || ev->dbs_until_ms <= ev->worker->mono_ms)
        list_databases(ev);
    if (ev->policy != policy)
        ev->pool_len = 0;
    ev->policy = policy;
    for (int looks = 0; looks < LOOKS_MAX && ev->dbs_len; looks++) {
        if (random ? evict_random(ev) : evict_best(ev))
            return true;
        list_databases(ev);
    }
    return false;
}

/* ---- making room ---------------------------------------------------------------------------- */

/* The time above the limit is told by INFO; one worker's view of it is enough. */
static void note_above(struct evictor *ev, bool is_above)
{
    struct worker *w = ev->worker;

    if (w->index > 0 || is_above == (ev->above_since > 0))
        return;
    if (!is_above)
        w->stats.eviction_exceeded_ns += (uint64_t)(w->mono_ms - ev->above_since) * 1000000;
    ev->above_since = is_above ? w->mono_ms : 0;
}

int64_t eviction_exceeded_ms(const struct server *s)
{
    const struct evictor *ev = s->workers[0].evictor;

    return s->conf->maxmemory && ev->above_since ? clock_mono_ms() - ev->above_since : 0;
}

static void go_on_later(struct evictor *ev)
{
    struct timeval at_once = {0};

    if (!event_pending(&ev->more, EV_TIMEOUT, NULL))
        event_add(&ev->more, &at_once);
}

/* Until there is room, or time is up: true. False if nothing is left to evict. */
static bool evict(struct evictor *ev)
{
    struct worker *w = ev->worker;
    const struct server *s = w->server;
    int64_t start = clock_mono_us(), limit = time_limit_us(s->conf);
    bool ok = true;

    for (int n = 1; ok && above(w); n++) {
        if (n % EVICTIONS_A_CLOCK == 0 && clock_mono_us() - start > limit) {
            go_on_later(ev);
            break;
        }
        ok = evict_one(ev);
    }
    latency_note(s->latency, "eviction-cycle", (clock_mono_us() - start) / 1000, s->conf);
    return ok;
}

/* That is a look at all shards, and good for a moment. */
static bool table_is_behind(struct evictor *ev)
{
    struct worker *w = ev->worker;

    if (ev->looked_ms != w->mono_ms)
        ev->behind = leaving_is_behind(w->server);
    ev->looked_ms = w->mono_ms;
    return ev->behind;
}

bool eviction_make_room(struct worker *w)
{
    struct evictor *ev = w->evictor;
    bool ok = true;

    if (LIKELY(!above(w))) {
        note_above(ev, false);
        return LIKELY(!w->server->home) || !table_is_behind(ev);
    }
    if (server_paused(w->server, w->mono_ms) || server_gate(w->server, GATE_LOADING))
        return true;
    if (policy_of(w->server) == CONF_NOEVICTION)
        ok = false;
    else
        ok = evict(ev);
    /* What was flushed is still being freed. */
    if (!ok && reaper_pending(w->server->reaper))
        ok = true;
    note_above(ev, above(w));
    return ok;
}

/* ---- life ----------------------------------------------------------------------------------- */

static void on_more(evutil_socket_t fd, short what, void *arg)
{
    struct evictor *ev = arg;

    (void)fd;
    (void)what;
    worker_round_begin(ev->worker);
    if (server_gate(ev->worker->server, GATE_MEMORY))
        eviction_make_room(ev->worker);
    worker_round_end(ev->worker);
}

struct evictor *evictor_new(struct worker *w)
{
    struct evictor *ev = mem_zalloc(sizeof(*ev));

    ev->worker = w;
    event_assign(&ev->more, w->base, -1, 0, on_more, ev);
    return ev;
}

void evictor_free(struct evictor *ev)
{
    if (!ev)
        return;
    event_del(&ev->more);
    mem_free(ev->dbs);
    mem_free(ev);
}
