/* Serving those who wait, see serving.h. */
#include "server/serving.h"

#include "base/mem.h"
#include "server/backend/home.h"
#include "server/durability.h"
#include "server/effects.h"
#include "server/locks/lock_grant.h"
#include "server/tracking.h"
#include "server/waited.h"

struct serving {
    struct worker *worker;
    struct keyspace *keyspace;
    struct key_locks *held;
};

/* What an entry has to offer; WAIT_KINDS if nothing that is waited for. */
static enum wait_for offer_of(const struct entry *e)
{
    switch (e->type) {
    case TYPE_LIST:
        return WAIT_FOR_LIST;
    case TYPE_ZSET:
        return WAIT_FOR_ZSET;
    default:
        return WAIT_KINDS;
    }
}

/* ---- noting ---------------------------------------------------------------------------------- */

static uint64_t bit_of(const struct worker *w)
{
    return (uint64_t)1 << w->index;
}

/* Whether somebody waits for what has become of the key, NULL for nothing. */
static bool concerns_any(const struct waited *k, const struct entry *e)
{
    enum wait_for offer = e ? offer_of(e) : WAIT_KINDS;

    return waited_first(k, WAIT_FOR_CHANGE) || (offer != WAIT_KINDS && waited_first(k, offer));
}

static void note(struct worker *w, struct waited *k, const struct entry *e)
{
    if (!concerns_any(k, e) || k->signals & bit_of(w))
        return;
    k->signals |= bit_of(w);
    if (w->ready_len == w->ready_cap) {
        w->ready_cap = w->ready_cap ? w->ready_cap * 2 : 8;
        w->ready = mem_realloc(w->ready, w->ready_cap * sizeof(struct waited *));
    }
    w->ready[w->ready_len++] = k;
}

void serving_note(struct worker *w, int db, struct shard *shard, const struct entry *e,
                  struct slice key)
{
    struct waited *k = waited_find(shard, db, key);

    if (k)
        note(w, k, e);
}

/* All keys of a database in which somebody waits. */
struct noting {
    struct worker *worker;
    int db;
};

static void note_as_it_is(void *item, void *opaque)
{
    const struct noting *noting = opaque;
    struct waited *k = CONTAINER_OF((struct named_key *)item, struct waited, key);
    const struct keyspace *ks = &noting->worker->server->keyspace;

    if (k->key.db == noting->db)
        note(noting->worker, k,
             space_find(keyspace_space(ks, k->key.db, shard_of(k->key.hash)), k->key.hash,
                        named_key_name(&k->key))
                 .entry);
}

static void note_all(struct worker *w, int db)
{
    const struct keyspace *ks = &w->server->keyspace;
    struct noting noting = {w, db};

    for (unsigned i = 0; i < SHARDS; i++) {
        if (ks->shards[i].waited)
            table_each(ks->shards[i].waited, note_as_it_is, &noting);
    }
}

void serving_note_swap(struct worker *w, int a, int b)
{
    note_all(w, a);
    note_all(w, b);
}

/* Who waits for what a key has is served nothing: that is looked at when nothing is there. */
void serving_note_emptied(struct worker *w, int db)
{
    note_all(w, db);
}

/* ---- serving --------------------------------------------------------------------------------- */

/* What the key is by now, NULL for nothing. */
static const struct entry *entry_of(const struct serving *s, const struct waited *k)
{
    const struct named_key *key = &k->key;
    struct space *space = keyspace_space(s->keyspace, key->db, shard_of(key->hash));
    struct found f = space_find(space, key->hash, named_key_name(key));

    if (!f.entry || !entry_expired(f.entry, s->worker->now_ms))
        return f.entry;
    effect_drop(s->worker, key->db, key->hash, f, EVENT_EXPIRED);
    return NULL;
}

static uint64_t version_of(const struct serving *s, const struct waited *k)
{
    const struct entry *e = entry_of(s, k);

    return space_version(keyspace_space(s->keyspace, k->key.db, shard_of(k->key.hash)), e);
}

/* The first who can be served from what the key has. */
static struct hook *next_hook(const struct serving *s, const struct waited *k)
{
    const struct entry *e = entry_of(s, k);
    enum wait_for offer = e ? offer_of(e) : WAIT_KINDS;

    return offer == WAIT_KINDS ? NULL : waited_first(k, offer);
}

/*
 * Has the shard of the other key that the waiter's command touches. False if the locks were let go
 * for it, and things may be different.
 */
static bool hold_beside(struct serving *s, const struct waiter *waiter)
{
    const struct kept *request = waiter->request;
    int i = waiter->wait.beside;

    return !i || !s->held || key_locks_extend(s->held, s->keyspace, request->hashes[i]);
}

/* The number of the group of the log that the answer depends on. */
static uint64_t run_command(struct call *c, const struct key_locks *held)
{
    uint64_t seq;

    if (LIKELY(!server_gate(c->server, GATE_LOGGED))) {
        c->cmd->run(c);
        return 0;
    }
    recording_begin(c->worker);
    recording_run(c);
    seq = recording_end(c->worker);
    if (seq)
        durability_logged(c->server, held, seq);
    return durability_of(c->server, held);
}

/*
 * Runs the waiter's command. Its connection is another worker's, so a stand-in has what handlers
 * may ask of one.
 */
static void run(const struct serving *s, struct waiter *waiter, int come)
{
    struct worker *w = s->worker;
    const struct kept *request = waiter->request;
    struct conn stand_in = {
        .worker = w,
        .fd = -1,
        .flags = waiter->conn_flags,
        .id = waiter->client,
        .db = waiter->db,
        .resp3 = waiter->resp3,
    };
    struct call c = {
        .worker = w,
        .server = w->server,
        .conn = &stand_in,
        .conf = w->server->conf,
        .cmd = request->cmd,
        .argv = request->argv,
        .argc = request->argc,
        .db = waiter->db,
        .now_ms = w->now_ms,
        .out = {.buf = &waiter->reply, .resp3 = waiter->resp3},
        .first_hash = request->first_hash,
        .hashes = request->hashes,
        .holds_shards = true,
        .world = !s->held,
        .come = come,
    };
    uint64_t start = ticks_now();

    w->serving = waiter->client;
    waiter->seq = run_command(&c, s->held);
    if (UNLIKELY(server_gate(w->server, GATE_THROUGH)))
        waiter->epoch = home_epoch(w->server, s->held);
    w->serving = 0;
    waiter->ns = ticks_to_ns(ticks_now() - start);
}

static void serve(struct serving *s, struct shard *shard, struct hook *h)
{
    const struct waited *k = h->key;
    struct waiter *waiter = h->waiter;
    bool takes = waiter->wait.what != WAIT_FOR_CHANGE;
    bool mine = !(takes && waiter_peer_is_gone(waiter)) && waiter_claim(waiter);

    s->worker->stats.waiters_tried++;
    waited_unhang(shard, h);
    if (!mine)
        return;
    waiter->served = h;
    run(s, waiter, h->arg);
    if (UNLIKELY(waiter->reads))
        waiter->shown = version_of(s, k);
    tracking_before_replies(s->worker, s->worker->current);
    waiter_hand_over(waiter, s->worker);
}

/* All who know another version than the key has; none of them is in another's way. */
static void serve_changed(struct serving *s, struct shard *shard, const struct waited *k)
{
    uint64_t version = version_of(s, k);

    LIST_EACH_SAFE (h, &k->queues[WAIT_FOR_CHANGE], struct hook, link) {
        if (h->waiter->wait.since != version)
            serve(s, shard, h);
    }
}

/* The key stays known while its signal is set. */
static void serve_key(struct serving *s, struct waited *k)
{
    struct shard *shard = &s->keyspace->shards[shard_of(k->key.hash)];
    struct hook *h;

    while ((h = next_hook(s, k))) {
        if (hold_beside(s, h->waiter))
            serve(s, shard, h);
    }
    if (waited_first(k, WAIT_FOR_CHANGE))
        serve_changed(s, shard, k);
    k->signals &= ~bit_of(s->worker);
    waited_forget(shard, k);
}

void serving_run(struct worker *w, struct key_locks *held)
{
    struct serving s = {w, &w->server->keyspace, held};
    uint64_t start = ticks_now();

    for (size_t i = 0; i < w->ready_len; i++)
        serve_key(&s, w->ready[i]);
    w->ready_len = 0;
    if (w->locks_due)
        lock_serve(w, held);
    /* Not the time of the command that made it possible. */
    w->run_start += ticks_now() - start;
}

static NOINLINE void serve_and_unlock(struct worker *w, unsigned shard)
{
    struct key_locks held = {0};

    key_locks_add_shard(&held, shard);
    serving_run(w, &held);
    key_locks_release(&held, &w->server->keyspace);
}

void serving_unlock(struct worker *w, unsigned shard)
{
    if (UNLIKELY(serving_due(w)))
        serve_and_unlock(w, shard);
    else
        lock_release(&w->server->keyspace.shards[shard].lock);
}
