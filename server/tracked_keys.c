/* Which clients have read which keys, see tracked_keys.h. */
#include "server/tracked_keys.h"

#include "base/mem.h"
#include "base/rng.h"
#include "resp/writer.h"
#include "server/reaper.h"
#include "server/tracking.h"
#include "server/worker.h"

enum {
    LIMIT_EFFORT = 100, /* keys forgotten at a time */
    SWEEP_BUCKETS = 8,  /* of a table, looked at with its shard locked … */
    SWEEP_EFFORT = 256, /* … and at a time */
    SWEEP_KEYS = 256,
};

struct tracked {
    uint64_t hash;
    struct tracker_set by;
    uint32_t key_len;
    char key[];
};

static struct slice key_of(const struct tracked *k)
{
    return slice_make(k->key, k->key_len);
}

static uint64_t hash_of(const void *item)
{
    return ((const struct tracked *)item)->hash;
}

static bool is_key(const void *item, struct slice key)
{
    return slice_eq(key_of(item), key);
}

static bool is_itself(const void *item, struct slice key)
{
    return item == key.ptr;
}

static struct tracked *tracked_new(struct slice key, uint64_t hash)
{
    struct tracked *k = mem_alloc(sizeof(*k) + key.len);

    k->hash = hash;
    k->by = (struct tracker_set){0};
    k->key_len = (uint32_t)key.len;
    memcpy(k->key, key.ptr, key.len);
    return k;
}

static void tracked_free(void *item, void *opaque)
{
    struct tracked *k = item;

    (void)opaque;
    tracker_set_release(&k->by);
    mem_free(k);
}

static void drop_table(struct shard *shard)
{
    table_release(shard->tracked);
    mem_free(shard->tracked);
    shard->tracked = NULL;
}

static void count(struct tracking *t, int64_t keys, int64_t items)
{
    if (keys)
        atomic_fetch_add_explicit(&t->keys, keys, memory_order_relaxed);
    atomic_fetch_add_explicit(&t->items, items, memory_order_relaxed);
}

void tracked_keys_add(struct keyspace *ks, struct slice key, uint64_t hash, struct tracker *t)
{
    struct shard *shard = &ks->shards[shard_of(hash)];
    struct table_place place;
    struct tracked *k;

    if (!shard->tracked)
        shard->tracked = mem_zalloc(sizeof(*shard->tracked));
    k = table_find(shard->tracked, hash, key, is_key, &place);
    if (!k) {
        k = tracked_new(key, hash);
        table_insert(shard->tracked, hash, k, hash_of);
        count(t->home, 1, 0);
    }
    if (tracker_set_add(&k->by, t))
        count(t->home, 0, 1);
}

/* Takes the key, which is in the table at `place`, out of it. */
static void take(struct tracking *t, struct shard *shard, struct tracked *k,
                 struct table_place place)
{
    count(t, -1, -(int64_t)k->by.len);
    table_remove(shard->tracked, place, k->hash, hash_of);
    DEBUG_ASSERT(shard->tracked);
    if (!shard->tracked->count)
        drop_table(shard);
}

/* ---- changes -------------------------------------------------------------------------------- */

static void tell_all(struct worker *w, const struct tracked *k, uint64_t by)
{
    enum { WANTED = TRACKER_ON | TRACKER_BROADCAST };
    struct writer writer = {.buf = &w->notice};

    w->notice.len = 0;
    write_array(&writer, 1);
    write_bulk(&writer, key_of(k));
    for (uint32_t i = 0; i < k->by.len; i++) {
        struct tracker *t = tracker_set_all(&k->by)[i];
        uint32_t flags = tracker_flags(t);

        if ((flags & WANTED) == TRACKER_ON && !(flags & TRACKER_NOLOOP && t->id == by))
            tracker_tell(t, w, NOTICE_KEYS, buf_slice(&w->notice));
    }
}

void tracked_keys_changed(struct worker *w, struct shard *shard, struct slice key, uint64_t by)
{
    uint64_t hash = hash_bytes(key);
    struct table_place place;
    struct tracked *k = table_find(shard->tracked, hash, key, is_key, &place);

    if (!k)
        return;
    take(w->server->tracking, shard, k, place);
    tell_all(w, k, by);
    tracked_free(k, NULL);
}

/* ---- all at once ---------------------------------------------------------------------------- */

/* What the tables of all shards held. */
struct forgotten {
    size_t len;
    struct table tables[SHARDS];
};

static void free_forgotten(void *arg)
{
    struct forgotten *f = arg;

    for (size_t i = 0; i < f->len; i++) {
        table_each(&f->tables[i], tracked_free, NULL);
        table_release(&f->tables[i]);
    }
    mem_free(f);
}

static struct forgotten *detach(struct keyspace *ks)
{
    struct forgotten *f = NULL;

    for (unsigned i = 0; i < SHARDS; i++) {
        struct shard *shard = &ks->shards[i];

        if (!shard->tracked)
            continue;
        if (!f)
            f = mem_zalloc(sizeof(*f));
        f->tables[f->len++] = *shard->tracked;
        mem_free(shard->tracked);
        shard->tracked = NULL;
    }
    return f;
}

void tracked_keys_forget(struct server *s)
{
    struct forgotten *f;

    if (!atomic_load_explicit(&s->tracking->keys, memory_order_relaxed))
        return;
    f = detach(&s->keyspace);
    atomic_store_explicit(&s->tracking->keys, 0, memory_order_relaxed);
    atomic_store_explicit(&s->tracking->items, 0, memory_order_relaxed);
    if (f)
        reaper_run(s->reaper, free_forgotten, f);
}

void tracked_keys_release(struct keyspace *ks)
{
    struct forgotten *f = detach(ks);

    if (f)
        free_forgotten(f);
}

/* ---- the limit ------------------------------------------------------------------------------ */

static bool over_limit(const struct worker *w)
{
    int64_t max = w->server->conf->tracking_table_max_keys;

    return max && atomic_load_explicit(&w->server->tracking->keys, memory_order_relaxed) > max;
}

/* False if the shard has none. */
static bool forget_one(struct worker *w, struct shard *shard)
{
    bool any;

    lock_take(&shard->lock);
    any = shard->tracked != NULL;
    if (any) {
        struct tracked *k = table_random(shard->tracked);

        tracked_keys_changed(w, shard, key_of(k), 0);
    }
    lock_release(&shard->lock);
    return any;
}

void tracked_keys_limit(struct worker *w)
{
    struct shard *shards = w->server->keyspace.shards;

    for (int n = 0; n < LIMIT_EFFORT && over_limit(w); n++) {
        unsigned start = (unsigned)rng_below(SHARDS), i = 0;

        while (i < SHARDS && !forget_one(w, &shards[(start + i) % SHARDS]))
            i++;
    }
}

/* ---- sweeping ------------------------------------------------------------------------------- */

struct sweep {
    struct tracking *tracking;
    struct tracked *empty[SWEEP_KEYS]; /* nobody is left who has read them */
    size_t len;
};

static void sweep_key(void *item, void *opaque)
{
    struct tracked *k = item;
    struct sweep *sweep = opaque;

    for (uint32_t i = k->by.len; i-- > 0;) {
        struct tracker *t = tracker_set_all(&k->by)[i];

        if (!(tracker_flags(t) & TRACKER_GONE))
            continue;
        tracker_set_remove(&k->by, t);
        count(sweep->tracking, 0, -1);
    }
    if (!k->by.len && sweep->len < SWEEP_KEYS)
        sweep->empty[sweep->len++] = k;
}

static void forget_empty(struct tracking *t, struct shard *shard, const struct sweep *sweep)
{
    for (size_t i = 0; i < sweep->len; i++) {
        struct tracked *k = sweep->empty[i];
        struct table_place place;

        table_find(shard->tracked, k->hash, slice_make((const char *)k, 0), is_itself, &place);
        take(t, shard, k, place);
        tracked_free(k, NULL);
    }
}

/* Goes on from the cursor and leaves it where to go on, 0 at the end of the shard. */
static int sweep_some(struct tracking *t, struct shard *shard, uint64_t *cursor)
{
    struct sweep sweep = {.tracking = t};
    int n = 0;

    lock_take(&shard->lock);
    while (shard->tracked && n < SWEEP_BUCKETS && sweep.len < SWEEP_KEYS / 2) {
        *cursor = table_scan(shard->tracked, *cursor, sweep_key, &sweep);
        n++;
        if (!*cursor)
            break;
    }
    if (!shard->tracked)
        *cursor = 0;
    forget_empty(t, shard, &sweep);
    lock_release(&shard->lock);
    return n;
}

void tracked_keys_sweep(struct worker *w)
{
    struct server *s = w->server;
    unsigned stride = (unsigned)s->workers_len;
    int effort = 0;

    for (unsigned n = 0; n < SHARDS && effort < SWEEP_EFFORT; n++) {
        if (!atomic_load_explicit(&s->tracking->gone, memory_order_relaxed))
            return;
        effort += sweep_some(s->tracking, &s->keyspace.shards[w->sweep_shard], &w->sweep_cursor);
        if (w->sweep_cursor)
            continue;
        w->sweep_shard += stride;
        if (w->sweep_shard >= SHARDS)
            w->sweep_shard = (unsigned)w->index;
    }
}
