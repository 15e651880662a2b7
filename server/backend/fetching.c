/* Keys that are not in memory, see fetching.h. */
#include "server/backend/fetching.h"

#include "base/mem.h"
#include "server/access.h"
#include "server/backend/changed_there.h"
#include "server/backend/home.h"
#include "server/backend/pattern_keys.h"
#include "server/backend/reader.h"
#include "server/effects.h"
#include "server/expirer.h"
#include "server/handlers.h"
#include "server/reply.h"
#include "server/serving.h"
#include "server/touched_keys.h"
#include "server/transaction.h"
#include "server/waiter.h"

enum { IN_FLIGHT_MS = 5 }; /* after which it is asked again for what is being written */

/* A request that waits for rows. */
struct seek_place {
    struct list link; /* among the seekers of the key; its shard's lock, as all here */
    struct seeker *seeker;
    struct sought *sought; /* pinned, from when its row has come */
    unsigned shard;
};

struct seeker {
    struct waiter *waiter;
    _Atomic int missing;
    bool again; /* the request is run anew; else it is answered OK */
    bool got;
    int places_len;
    struct seek_place places[];
};

/* Keys of a request that are not known. */
struct unknown {
    struct slice *keys; /* owned */
    uint64_t *hashes;
    int n, cap;
};

/* ---- which keys ------------------------------------------------------------------------------ */

bool fetching_knows(const struct server *s, const struct shard *shard, struct slice key,
                    uint64_t hash)
{
    const struct sought *sought;

    if (lazy_is_whole(shard) ||
        space_find(keyspace_space(&s->keyspace, 0, shard_of(hash)), hash, key).entry)
        return true;
    sought = lazy_find(shard, key, hash);
    return (sought && sought->absent) || dirty_has(shard, key, hash);
}

static const char *copy_of(struct slice key)
{
    char *copy = mem_alloc(key.len + 1);

    memcpy(copy, key.ptr, key.len);
    return copy;
}

static void add(struct unknown *u, struct slice key, uint64_t hash)
{
    for (int i = 0; i < u->n; i++) {
        if (u->hashes[i] == hash && slice_eq(u->keys[i], key))
            return;
    }
    if (u->n == u->cap) {
        u->cap = u->cap ? u->cap * 2 : 8;
        u->keys = mem_realloc(u->keys, (size_t)u->cap * sizeof(*u->keys));
        u->hashes = mem_realloc(u->hashes, (size_t)u->cap * sizeof(*u->hashes));
    }
    u->keys[u->n] = slice_make(copy_of(key), key.len);
    u->hashes[u->n++] = hash;
}

/* Of commands on locks only one touches the key as well: LOCK.RELEASE with what to do to it. */
static bool is_lock_alone(const struct call *c, int flags)
{
    int at;

    if (!(flags & KEY_LOCK))
        return false;
    command_innermost(c->cmd, c->argv, c->argc, &at);
    return !(flags & KEY_UPDATE) || c->argc - at <= 3;
}

/* SET with nothing but a value and a time to live. */
static bool is_plain_set(const struct call *c)
{
    static const char *const times[] = {"ex", "px", "exat", "pxat"};
    bool plain = c->argc == 3;

    for (size_t i = 0; c->argc == 5 && i < COUNT_OF(times); i++)
        plain = plain || call_arg_is(c, 3, times[i]);
    return plain;
}

/* Whatever was there: neither what the key becomes, nor the reply, nor an event depends on it. */
static bool is_overwritten(const struct call *c)
{
    void (*run)(struct call *) = c->cmd->run;

    if (c->conf->notify_keyspace_events & CONF_EVENT_NEW)
        return false;
    return run == cmd_mset || run == cmd_setex || run == cmd_psetex ||
           (run == cmd_set && is_plain_set(c));
}

static void look_at(struct call *c, struct slice key, uint64_t hash, struct unknown *u)
{
    const struct shard *shard = &c->server->keyspace.shards[shard_of(hash)];

    if (!fetching_knows(c->server, shard, key, hash))
        add(u, key, hash);
}

static void look_at_named(struct call *c, struct slice key, void *opaque)
{
    look_at(c, key, hash_bytes(key), opaque);
}

static void look_at_key(struct call *c, int i, int db, int flags, void *opaque)
{
    if (db != 0 || is_lock_alone(c, flags) || is_overwritten(c))
        return;
    look_at(c, call_arg(c, i), call_hash(c, i), opaque);
    if (UNLIKELY(c->world) && c->db == 0)
        pattern_keys(c, look_at_named, opaque);
}

/* ---- asking ---------------------------------------------------------------------------------- */

static int timeout_ms(const struct server *s)
{
    return s->home->reading->options.timeout_ms;
}

static void ask(struct server *s, struct sought *sought)
{
    struct fetch *f;

    if (sought->asked)
        return;
    sought->asked = true;
    f = fetch_new(named_key_name(&sought->key), sought->key.hash);
    f->until_ms = clock_mono_ms() + timeout_ms(s);
    reader_ask(s->home->reading->reader, f, 0);
}

void fetching_ask_again(struct server *s, struct shard *shard, struct slice key, uint64_t hash)
{
    struct sought *sought = lazy_take(shard, key, hash);

    sought->refresh = true;
    sought->stale = sought->asked; /* what is on its way may be from before */
    ask(s, sought);
}

/* ---- waiting --------------------------------------------------------------------------------- */

static void refuse_slow(struct call *c)
{
    reading_count(&c->server->home->reading->counts.timeouts, 1);
    reply_error(c, "BACKEND the database has not answered within %d ms", timeout_ms(c->server));
}

static void refuse_down(struct call *c)
{
    reading_count(&c->server->home->reading->counts.timeouts, 1);
    reply_error(c, "BACKEND the database cannot be reached, and the key is not in memory");
}

/* Takes it out of all queues, and lets go of what it pinned. */
static void leave(struct keyspace *ks, struct seeker *seeker)
{
    for (int i = 0; i < seeker->places_len; i++) {
        struct seek_place *p = &seeker->places[i];
        struct shard *shard = &ks->shards[p->shard];

        lock_take(&shard->lock);
        list_remove(&p->link);
        if (p->sought) {
            p->sought->pins--;
            lazy_settle(shard, p->sought);
        }
        lock_release(&shard->lock);
    }
    mem_free(seeker);
}

/* The request is run anew, with its keys pinned meanwhile; or it has been answered. */
static void wait_ended(struct waiter *waiter)
{
    struct seeker *seeker = waiter->wait.subject;
    struct keyspace *ks = &waiter->worker->server->keyspace;
    struct conn *c = waiter->conn;

    if (c && seeker->got) {
        conn_extra(c)->fetched = seeker;
        c->flags |= CONN_FETCHED;
        return;
    }
    if (c && seeker->again) {
        c->in->answered = true;
        if (waiter->request->cmd->run == cmd_exec)
            transaction_drop(c);
    }
    leave(ks, seeker);
}

void fetching_over(struct conn *c)
{
    struct seeker *seeker = c->extra->fetched;

    c->extra->fetched = NULL;
    c->flags &= ~(uint32_t)CONN_FETCHED;
    leave(&c->worker->server->keyspace, seeker);
}

static struct seeker *seeker_new(const struct unknown *u)
{
    size_t places = (size_t)u->n * sizeof(struct seek_place);
    struct seeker *seeker = mem_zalloc(sizeof(*seeker) + places);

    seeker->places_len = u->n;
    atomic_store_explicit(&seeker->missing, u->n, memory_order_relaxed);
    for (int i = 0; i < u->n; i++) {
        seeker->places[i] = (struct seek_place){.seeker = seeker, .shard = shard_of(u->hashes[i])};
        list_init(&seeker->places[i].link);
    }
    return seeker;
}

/* False if the call cannot wait. */
static bool begin(struct call *c, const struct unknown *u, bool again)
{
    struct keyspace *ks = &c->server->keyspace;
    struct seeker *seeker = seeker_new(u);
    struct wait wait = {
        .in_vain = refuse_slow,
        .ended = wait_ended,
        .again = again,
        .subject = seeker,
        .until_us = wait_until_us(timeout_ms(c->server)),
    };

    seeker->again = again;
    if (!wait_begin(c, &wait)) {
        mem_free(seeker);
        return false;
    }
    seeker->waiter = c->conn->waiter;
    reading_count(&c->server->home->reading->counts.waits, 1);
    for (int i = 0; i < u->n; i++) {
        struct shard *shard = &ks->shards[seeker->places[i].shard];
        struct sought *sought = lazy_take(shard, u->keys[i], u->hashes[i]);

        list_push(&sought->seekers, &seeker->places[i].link);
        ask(c->server, sought);
    }
    return true;
}

static bool stops(struct call *c, struct unknown *u)
{
    bool any = u->n > 0;

    if (any && reader_is_down(c->server->home->reading->reader))
        refuse_down(c);
    else if (any)
        c->stopped = begin(c, u, true);
    for (int i = 0; i < u->n; i++)
        mem_free((void *)(uintptr_t)u->keys[i].ptr);
    mem_free(u->keys);
    mem_free(u->hashes);
    return any;
}

bool fetching_stops(struct call *c)
{
    struct unknown u = {0};

    touched_keys(c, look_at_key, &u);
    return stops(c, &u);
}

bool fetching_stops_exec(struct call *c, const struct transaction *t)
{
    struct unknown u = {0};

    touched_keys_exec(c, t, look_at_key, &u);
    return stops(c, &u);
}

static void note_if_unknown(struct call *c, struct slice key, void *opaque)
{
    uint64_t hash = hash_bytes(key);
    bool *unknown = opaque;

    *unknown = *unknown ||
               !fetching_knows(c->server, &c->server->keyspace.shards[shard_of(hash)], key, hash);
}

bool fetching_lacks_named(struct call *c)
{
    bool unknown = false;

    if (LIKELY(!c->server->home) || !c->world || c->db != 0)
        return false;
    pattern_keys(c, note_if_unknown, &unknown);
    if (unknown)
        reply_error(c, "BACKEND keys that the patterns name are not in memory, and what the "
                       "transaction has changed named them first");
    return unknown;
}

void fetching_refresh(struct call *c, int i)
{
    struct slice key = call_arg(c, i);
    uint64_t hash = call_hash(c, i);
    struct unknown one = {&key, &hash, 1, 1};

    if (reader_is_down(c->server->home->reading->reader)) {
        refuse_down(c);
        return;
    }
    fetching_ask_again(c->server, &c->server->keyspace.shards[shard_of(hash)], key, hash);
    if (c->at_once || !begin(c, &one, false))
        reply_ok(c);
}

/* ---- what has come --------------------------------------------------------------------------- */

/* The shard is locked, so that who leaves the queue meanwhile does not free the seeker. */
static void give_up(struct seeker *seeker, struct worker *by, const char *why)
{
    struct waiter *waiter = seeker->waiter;
    struct writer out = {.buf = &waiter->reply, .resp3 = waiter->resp3};

    if (!waiter_claim(waiter))
        return;
    write_error(&out, "BACKEND %s", why);
    waiter->answered = true;
    waiter_hand_over(waiter, by);
}

static void serve(struct seek_place *p, struct sought *sought, struct worker *by)
{
    struct seeker *seeker = p->seeker;
    struct waiter *waiter = seeker->waiter;

    p->sought = sought;
    sought->pins++;
    if (atomic_fetch_sub_explicit(&seeker->missing, 1, memory_order_acq_rel) != 1 ||
        !waiter_claim(waiter))
        return;
    seeker->got = seeker->again;
    if (!seeker->again) {
        buf_append_str(&waiter->reply, "+OK\r\n");
        waiter->answered = true;
    }
    waiter_hand_over(waiter, by);
}

static void serve_all(struct sought *sought, struct worker *by, const char *why)
{
    LIST_EACH_SAFE (p, &sought->seekers, struct seek_place, link) {
        list_remove(&p->link);
        if (why)
            give_up(p->seeker, by, why);
        else
            serve(p, sought, by);
    }
}

void fetching_put(struct worker *w, struct shard *shard, struct entry *e, uint64_t hash)
{
    e->version = versions_of_snapshot(&w->server->keyspace, shard, e->version);
    e->access_or_member = access_first(w->server->conf, w->now_ms, NULL);
    keyspace_insert(&w->server->keyspace, 0, hash, e);
    effect_arrived(w, 0, shard_of(hash), e);
}

/* A row whose time is over is none: it goes when the table is purged. */
static struct entry *take_entry(const struct worker *w, struct fetch *f)
{
    struct entry *e = f->outcome == FETCH_FOUND ? f->entry : NULL;

    f->entry = e ? NULL : f->entry;
    if (!e || !entry_is_gone(e, w->now_ms))
        return e;
    entry_free(e);
    return NULL;
}

/* Nothing was changed here since the row was asked for. */
static void take_in(struct worker *w, struct shard *shard, struct sought *s, struct fetch *f)
{
    struct space *space = keyspace_space(&w->server->keyspace, 0, shard_of(f->hash));
    struct found there = space_find(space, f->hash, fetch_key(f));
    struct entry *e = take_entry(w, f);

    if (s->refresh) {
        changed_there_settle(w, shard, s, there, e);
    } else if (there.entry || shard->lazy->whole) {
        if (e)
            entry_free(e);
    } else if (e) {
        lazy_unmark_absent(shard, s);
        fetching_put(w, shard, e, f->hash);
    } else {
        lazy_mark_absent(shard, s);
    }
}

/* In how many ms the key is to be asked for anew; -1: not. */
static int settle(struct worker *w, struct shard *shard, struct sought *s, struct fetch *f)
{
    const char *why = f->outcome >= FETCH_WRONG ? f->why : NULL;

    if (s->refresh && home_is_emptying(w->server->home))
        return IN_FLIGHT_MS;
    if (dirty_has(shard, fetch_key(f), f->hash)) {
        /* What is not on its way yet comes later than what others did; what is, perhaps not. */
        if (s->refresh && dirty_in_flight(shard, fetch_key(f), f->hash))
            return IN_FLIGHT_MS;
        why = NULL;
    } else if (f->outcome == FETCH_FAILED) {
        serve_all(s, w, why);
        if (s->refresh)
            return timeout_ms(w->server);
    } else if (s->stale) {
        return 0;
    } else if (!why) {
        take_in(w, shard, s, f);
    }
    serve_all(s, w, why);
    return -1;
}

static void deliver(struct worker *w, struct fetch *f)
{
    struct shard *shard = &w->server->keyspace.shards[shard_of(f->hash)];
    struct sought *s;
    int again_ms;

    lock_take(&shard->lock);
    s = lazy_find(shard, fetch_key(f), f->hash);
    again_ms = settle(w, shard, s, f);
    s->stale = false;
    if (again_ms < 0) {
        s->asked = s->refresh = false;
        lazy_settle(shard, s);
    } else {
        fetch_renew(f, timeout_ms(w->server));
        reader_ask(w->server->home->reading->reader, f, again_ms);
    }
    serving_unlock(w, shard_of(f->hash));
    effect_settle(w);
    if (again_ms < 0)
        fetch_free(f);
}

void fetching_deliver(struct worker *w, struct fetch *found)
{
    for (struct fetch *f = found, *next; f; f = next) {
        next = f->next;
        deliver(w, f);
    }
}
