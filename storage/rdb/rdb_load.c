/* Loading, see rdb_load.h. */
#include "storage/rdb/rdb_load.h"

#include "base/files.h"
#include "base/mem.h"
#include "base/world.h"
#include "storage/rdb/crc64.h"
#include "storage/rdb/rdb_keys_in.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

enum {
    WINDOW = 512 << 10,   /* bytes that are read at a time */
    WINDOW_MAX = 4 << 20, /* of a key that is longer the value is read as it comes */
    BATCHES_A_THREAD = 2, /* waiting to be worked off */
};

/* Keys for another thread: bytes, and what has to be known before them. */
struct batch {
    struct batch *next;
    char *bytes;
    size_t len;
    uint64_t offset; /* of the first byte, in the snapshot */
    struct rdb_state state;
};

/* Times of fields that were told behind their hash. */
struct late_times {
    struct late_times *next;
    struct buf bytes;
};

struct loading {
    struct rdb_load *l;
    struct rdb_in in; /* with `fill`: reads from the file */
    int fd;
    char *window; /* of which `in` reads; `had` bytes are in it */
    size_t cap;
    uint64_t offset; /* of the window, in the snapshot */
    uint64_t left;   /* bytes of the file behind the window */
    uint64_t crc;    /* of all before the window */
    bool checks;
    struct rdb_notes notes;
    struct rdb_state state;
    _Atomic uint64_t seq; /* lk-seq */

    pthread_mutex_t lock; /* what follows */
    pthread_cond_t wanted, taken;
    struct batch *first, **last;
    int waiting; /* batches in the queue */
    bool ended, failed;
    struct late_times *late;
};

/* ---- what goes wrong ------------------------------------------------------------------------- */

static void vfail(struct loading *g, uint64_t offset, const char *key, size_t key_len,
                  const char *what)
{
    offset += (uint64_t)g->l->base;
    pthread_mutex_lock(&g->lock);
    if (!g->failed) {
        g->failed = true;
        if (key)
            buf_printf(&g->l->error, "key '%.*s': ", (int)(key_len < 256 ? key_len : 256), key);
        buf_printf(&g->l->error, "%s, at byte %llu", what, (unsigned long long)offset);
    }
    pthread_cond_broadcast(&g->wanted);
    pthread_cond_broadcast(&g->taken);
    pthread_mutex_unlock(&g->lock);
}

static bool fail(struct loading *g, uint64_t offset, const char *what)
{
    vfail(g, offset, NULL, 0, what);
    return false;
}

static bool fail_key(struct loading *g, uint64_t offset, struct slice key, const char *what)
{
    vfail(g, offset, key.ptr, key.len, what);
    return false;
}

static bool has_failed(struct loading *g)
{
    bool failed;

    if (atomic_load_explicit(&g->l->cancelled, memory_order_relaxed))
        return fail(g, 0, "it was given up");
    pthread_mutex_lock(&g->lock);
    failed = g->failed;
    pthread_mutex_unlock(&g->lock);
    return failed;
}

/* ---- what a snapshot tells ------------------------------------------------------------------- */

static void keep_late(struct loading *g, struct slice value)
{
    struct late_times *late = mem_zalloc(sizeof(*late));

    buf_append_slice(&late->bytes, value);
    pthread_mutex_lock(&g->lock);
    late->next = g->late;
    g->late = late;
    pthread_mutex_unlock(&g->lock);
}

static void on_aux(void *arg, struct slice name, struct slice value)
{
    struct loading *g = arg;
    int64_t seq;

    if (slice_eq(name, SLICE(RDB_AUX_FIELD_TIMES)))
        keep_late(g, value);
    else if (slice_eq(name, SLICE(RDB_AUX_SEQ)) && num_parse_int(value, &seq))
        atomic_store(&g->seq, (uint64_t)seq);
    else if (g->l->aux)
        g->l->aux(g->l->arg, name, value);
}

static bool refuses(void *arg, const char *what)
{
    struct loading *g = arg;

    if (!g->l->skip_unsupported)
        return true;
    if (g->l->skipped)
        g->l->skipped(g->l->arg, 0, SLICE(""), what);
    return false;
}

/* Nothing is told of by who only looks where keys end. */
static const struct rdb_notes quiet = {0};

/* ---- keys ------------------------------------------------------------------------------------ */

static bool insert(struct loading *g, int db, struct entry *e, const struct rdb_key *key)
{
    struct keyspace *ks = g->l->keyspace;
    uint64_t hash = entry_hash(e);
    struct shard *shard = &ks->shards[shard_of(hash)];
    struct found f;

    if (g->l->settle)
        g->l->settle(g->l->arg, e, key->age);
    lock_take(&shard->lock);
    f = space_find(keyspace_space(ks, db, shard_of(hash)), hash, entry_key(e));
    if (f.entry && !g->l->replace) {
        lock_release(&shard->lock);
        return false;
    }
    if (f.entry)
        entry_free(keyspace_take(ks, db, hash, f));
    e->version = versions_of_snapshot(ks, shard, key->version);
    keyspace_insert(ks, db, hash, e);
    lock_release(&shard->lock);
    atomic_fetch_add_explicit(&g->l->keys, 1, memory_order_relaxed);
    return true;
}

/* The value is not wanted, or cannot be had. */
static bool pass(struct loading *g, struct rdb_in *in, struct rdb_state *s,
                 const struct rdb_key *key, struct slice name, uint64_t at)
{
    const char *what = rdb_unsupported(key->type);

    if (what && !g->l->skip_unsupported)
        return fail_key(g, at, name, what);
    if (!rdb_skip_value(in, key->type))
        return fail_key(g, at, name, in->what);
    if (what && g->l->skipped)
        g->l->skipped(g->l->arg, s->db, name, what);
    if (!what)
        atomic_fetch_add_explicit(&g->l->expired, 1, memory_order_relaxed);
    return true;
}

/* `at`: where the key stands in the snapshot. The name is not part of what is read. */
static bool load_key(struct loading *g, struct rdb_in *in, struct rdb_state *s,
                     const struct rdb_key *key, struct slice name, uint64_t at)
{
    struct entry *e;

    if (s->db >= g->l->keyspace->databases)
        return fail_key(g, at, name, "a key of a database that there is not: see 'databases'");
    if (rdb_unsupported(key->type) || key->expiry <= g->l->now_ms)
        return pass(g, in, s, key, name, at);
    in->times = buf_slice(&s->times);
    e = rdb_get_value(in, key->type, name, key->expiry, &g->l->limits);
    in->times = SLICE("");
    if (!e && in->status == RDB_EMPTY) {
        in->status = RDB_OK;
        if (g->l->skipped)
            g->l->skipped(g->l->arg, s->db, name, "a collection without elements");
        return true;
    }
    if (!e)
        return fail_key(g, at, name, in->what);
    if (insert(g, s->db, e, key))
        return true;
    entry_free(e);
    return fail_key(g, at, name, "it is there twice");
}

static void load_batch(struct loading *g, struct batch *b)
{
    struct rdb_in in = rdb_in_bytes(slice_make(b->bytes, b->len));
    struct rdb_key key;
    struct buf name = {0};

    while (in.at < in.end) {
        uint64_t at = b->offset + (uint64_t)(in.at - b->bytes);
        enum rdb_next next = rdb_next(&in, &b->state, &g->notes, &key);

        if (next == RDB_NEXT_STOP)
            fail(g, at, in.what);
        if (next != RDB_NEXT_KEY)
            break;
        if (UNLIKELY(key.key.ptr < b->bytes || key.key.ptr >= b->bytes + b->len)) {
            name.len = 0;
            buf_reserve(&name, key.key.len + 1);
            buf_append_slice(&name, key.key);
            key.key = buf_slice(&name);
        }
        if (!load_key(g, &in, &b->state, &key, key.key, at))
            break;
    }
    buf_release(&name);
    rdb_in_release(&in);
}

/* ---- batches --------------------------------------------------------------------------------- */

static void free_batch(struct batch *b)
{
    rdb_state_release(&b->state);
    mem_free(b->bytes);
    mem_free(b);
}

static struct batch *take_batch(struct loading *g)
{
    struct batch *b;

    pthread_mutex_lock(&g->lock);
    while (!g->first && !g->ended && !g->failed)
        pthread_cond_wait(&g->wanted, &g->lock);
    b = g->first;
    if (b) {
        g->first = b->next;
        if (!g->first)
            g->last = &g->first;
        g->waiting--;
        pthread_cond_signal(&g->taken);
    }
    pthread_mutex_unlock(&g->lock);
    return b;
}

static void *work(void *arg)
{
    struct loading *g = arg;
    struct batch *b;

    world_join();
    while ((b = take_batch(g))) {
        world_enter();
        if (!has_failed(g))
            load_batch(g, b);
        free_batch(b);
        world_leave();
    }
    mem_flush();
    world_quit();
    return NULL;
}

/* The first `len` bytes of the window, for whoever takes them; the rest becomes a new window. */
static void give_batch(struct loading *g, size_t len, const struct rdb_state *before)
{
    struct batch *b = mem_zalloc(sizeof(*b));
    size_t rest = (size_t)(g->in.end - g->window) - len;

    b->bytes = g->window;
    b->len = len;
    b->offset = g->offset;
    rdb_state_copy(&b->state, before);
    if (g->checks)
        g->crc = crc64(g->crc, g->window, len);
    g->cap = WINDOW > rest ? WINDOW : rest;
    g->window = mem_alloc(g->cap);
    memcpy(g->window, b->bytes + len, rest);
    g->offset += len;
    g->in.at = g->window;
    g->in.end = g->window + rest;
    if (!g->l->threads) {
        load_batch(g, b);
        free_batch(b);
        return;
    }
    pthread_mutex_lock(&g->lock);
    while (g->waiting >= g->l->threads * BATCHES_A_THREAD && !g->failed)
        pthread_cond_wait(&g->taken, &g->lock);
    *g->last = b;
    g->last = &b->next;
    g->waiting++;
    pthread_cond_signal(&g->wanted);
    pthread_mutex_unlock(&g->lock);
}

/* ---- reading --------------------------------------------------------------------------------- */

/* What was read is gone from the window, and there is room for `need` bytes. */
static void make_room(struct loading *g, size_t need)
{
    size_t used = (size_t)(g->in.at - g->window), rest = (size_t)(g->in.end - g->in.at);

    if (g->checks)
        g->crc = crc64(g->crc, g->window, used);
    memmove(g->window, g->in.at, rest);
    g->offset += used;
    if (need > g->cap) {
        g->cap = need;
        g->window = mem_realloc(g->window, need);
    }
    g->in.at = g->window;
    g->in.end = g->window + rest;
}

/* As much as there is room for. */
static bool read_more(struct loading *g)
{
    size_t had = (size_t)(g->in.end - g->window), room = g->cap - had;
    ssize_t n;

    room = room < g->left ? room : g->left;
    n = file_read_all(g->fd, g->window + had, room);
    if (n < 0)
        return rdb_in_fail(&g->in, RDB_FAILED, strerror((int)-n));
    g->in.end += n;
    g->left = (size_t)n < room ? 0 : g->left - (uint64_t)n;
    g->in.behind = g->left;
    atomic_store_explicit(&g->l->bytes, g->offset + (uint64_t)(g->in.end - g->window),
                          memory_order_relaxed);
    return true;
}

static bool fill(struct rdb_in *in, size_t need)
{
    struct loading *g = CONTAINER_OF(in, struct loading, in);

    if (need > rdb_in_left(in))
        return false;
    make_room(g, need > WINDOW ? need : WINDOW);
    return read_more(g) && (size_t)(in->end - in->at) >= need;
}

/* A key that is too long for a batch. */
static bool load_long(struct loading *g)
{
    uint64_t at = g->offset + (uint64_t)(g->in.at - g->window);
    struct rdb_key key;
    struct slice name;
    char *copy;
    bool good;

    if (rdb_next(&g->in, &g->state, &g->notes, &key) != RDB_NEXT_KEY)
        return fail(g, at, g->in.what ? g->in.what : "Short read: the data ends too early");
    copy = mem_strndup(key.key.ptr, key.key.len);
    name = slice_make(copy, key.key.len);
    world_enter();
    good = load_key(g, &g->in, &g->state, &key, name, at);
    world_leave();
    mem_free(copy);
    return good;
}

/*
 * How many bytes of the window are whole keys; `after` is what is known behind them. True at the
 * end of the snapshot, whose mark belongs to them.
 */
static bool find_whole(struct loading *g, size_t *whole, struct rdb_state *after, struct rdb_in *in)
{
    struct rdb_state s = {0};
    struct rdb_key key;
    enum rdb_next next;

    *whole = 0;
    *in = rdb_in_bytes(slice_make(g->window, (size_t)(g->in.end - g->window)));
    in->behind = g->left;
    rdb_state_copy(&s, &g->state);
    rdb_state_copy(after, &s);
    while ((next = rdb_next(in, &s, &quiet, &key)) == RDB_NEXT_KEY) {
        if (!rdb_skip_value(in, key.type)) {
            if (in->status != RDB_SHORT)
                fail_key(g, g->offset + *whole, key.key, in->what);
            break;
        }
        *whole = (size_t)(in->at - g->window);
        rdb_state_copy(after, &s);
    }
    if (next == RDB_NEXT_END)
        *whole = (size_t)(in->at - g->window);
    rdb_state_release(&s);
    rdb_in_release(in);
    return next == RDB_NEXT_END;
}

static bool load_window(struct loading *g, bool *ended)
{
    struct rdb_state after = {0};
    struct rdb_in in;
    size_t whole;
    bool good = true;

    *ended = find_whole(g, &whole, &after, &in);
    if (whole) {
        give_batch(g, whole, &g->state);
        rdb_state_release(&g->state);
        g->state = after;
        return *ended || in.status == RDB_SHORT || fail(g, g->offset, in.what);
    }
    rdb_state_release(&after);
    if (in.status != RDB_SHORT)
        return fail(g, g->offset, in.what);
    if (!g->left && !in.behind)
        return fail(g, g->offset, "Short read: the data ends too early");
    if (g->cap < WINDOW_MAX) {
        g->cap *= 2;
        g->window = mem_realloc(g->window, g->cap);
        g->in.end = g->window + (g->in.end - g->in.at);
        g->in.at = g->window;
        return true;
    }
    g->in.fill = fill;
    good = load_long(g);
    g->in.fill = NULL;
    make_room(g, WINDOW);
    return good;
}

static bool fail_checksum(struct loading *g, uint64_t told)
{
    char what[96];

    snprintf(what, sizeof(what), "Wrong RDB checksum expected: (%llx) but got (%llx)",
             (unsigned long long)told, (unsigned long long)g->crc);
    return fail(g, g->offset, what);
}

static bool check_end(struct loading *g)
{
    uint64_t crc;

    if (g->l->version < 5) {
        g->l->end = g->l->base + (int64_t)g->offset;
        return true;
    }
    g->in.fill = fill;
    g->checks = false;
    if (!rdb_get_copy(&g->in, (char *)&crc, sizeof(crc)))
        return fail(g, g->offset, "Short read: the checksum is missing");
    g->l->end = g->l->base + (int64_t)(g->offset + (uint64_t)(g->in.at - g->window));
    if (g->l->checksum && crc && crc != g->crc)
        return fail_checksum(g, crc);
    return true;
}

static bool load_all(struct loading *g)
{
    bool ended = false;
    const char *magic;
    char why[RDB_MAGIC_WHY];

    if (!read_more(g))
        return fail(g, 0, g->in.what);
    if (!rdb_get_bytes(&g->in, RDB_MAGIC_LEN, &magic))
        return fail(g, 0, "this is no snapshot, it is too short");
    g->l->version = rdb_read_magic(magic, why);
    if (!g->l->version)
        return fail(g, 0, why);
    g->checks = g->l->checksum && g->l->version >= 5;
    make_room(g, WINDOW);
    while (!ended) {
        if (has_failed(g) || (g->left && !read_more(g)))
            return g->in.what ? fail(g, g->offset, g->in.what) : false;
        if (!load_window(g, &ended))
            return false;
    }
    return check_end(g);
}

/* ---- the end --------------------------------------------------------------------------------- */

/* Database, length and name of the key, then of each field length, name and time. */
static void apply_late(struct loading *g, struct slice from)
{
    struct keyspace *ks = g->l->keyspace;
    uint64_t db, len, time, hash;
    struct slice key;
    struct found f;
    struct entry_times was;

    if (!rdb_take_number(&from, &db) || !rdb_take_number(&from, &len) || len > from.len ||
        db >= (uint64_t)ks->databases)
        return;
    key = slice_make(from.ptr, len);
    from = slice_make(from.ptr + len, from.len - len);
    hash = hash_bytes(key);
    lock_take(&ks->shards[shard_of(hash)].lock);
    f = space_find(keyspace_space(ks, (int)db, shard_of(hash)), hash, key);
    if (f.entry && f.entry->type == TYPE_HASH) {
        was = entry_times(f.entry);
        while (rdb_take_number(&from, &len) && len <= from.len) {
            struct slice name = slice_make(from.ptr, len);
            int64_t had;

            from = slice_make(from.ptr + len, from.len - len);
            if (!rdb_take_number(&from, &time) || time > FIELD_TIME_MAX)
                break;
            if (time && hash_time(f.entry, name, &had))
                hash_set_time(&f.entry, name, (int64_t)time);
        }
        keyspace_replace(ks, (int)db, hash, f.place, was, f.entry);
    }
    lock_release(&ks->shards[shard_of(hash)].lock);
}

static void finish(struct loading *g)
{
    struct late_times *late, *next;

    for (late = g->late; late; late = next) {
        next = late->next;
        apply_late(g, buf_slice(&late->bytes));
        buf_release(&late->bytes);
        mem_free(late);
    }
    versions_above_snapshot(g->l->keyspace, atomic_load(&g->seq), g->l->versions_ahead);
    rdb_state_release(&g->state);
    rdb_in_release(&g->in);
    mem_free(g->window);
    pthread_mutex_destroy(&g->lock);
    pthread_cond_destroy(&g->wanted);
    pthread_cond_destroy(&g->taken);
}

static void end_batches(struct loading *g)
{
    pthread_mutex_lock(&g->lock);
    g->ended = true;
    pthread_cond_broadcast(&g->wanted);
    pthread_mutex_unlock(&g->lock);
}

bool rdb_load(struct rdb_load *l, int fd, int64_t size)
{
    struct loading g = {.l = l, .fd = fd, .left = (uint64_t)(size - l->base), .cap = WINDOW};
    pthread_t threads[64];
    int started = 0;
    bool good;

    g.notes = (struct rdb_notes){&g, on_aux, refuses};
    g.window = mem_alloc(g.cap);
    g.in.at = g.in.end = g.window;
    g.last = &g.first;
    pthread_mutex_init(&g.lock, NULL);
    pthread_cond_init(&g.wanted, NULL);
    pthread_cond_init(&g.taken, NULL);
    while (started < l->threads && started < (int)COUNT_OF(threads) &&
           pthread_create(&threads[started], NULL, work, &g) == 0)
        started++;
    good = started == l->threads ? load_all(&g) : fail(&g, 0, "no thread can be started");
    end_batches(&g);
    for (int i = 0; i < started; i++)
        pthread_join(threads[i], NULL);
    good = good && !g.failed;
    finish(&g);
    return good;
}
