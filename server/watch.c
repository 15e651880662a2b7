/* Watched keys, see watch.h. */
#include "server/watch.h"

#include "base/mem.h"
#include "server/locks/latch.h"
#include "server/named_keys.h"

struct watched {
    struct named_key key;
    uint64_t version; /* of the last removal since it is watched; 0: none */
    size_t watchers;
};

struct watched_lock {
    struct watched_lock *next;
    uint64_t hash, token;
    size_t len;
    char name[];
};

static struct watched *find(const struct shard *shard, int db, struct slice key, uint64_t hash)
{
    struct named_key *k = named_keys_find(shard->watched, db, key, hash);

    return k ? CONTAINER_OF(k, struct watched, key) : NULL;
}

static struct shard *shard_at(const struct keyspace *ks, const struct watched *k)
{
    return &ks->shards[shard_of(k->key.hash)];
}

/* The entry of the key in that database; NULL if there is none, or its time has come. */
static const struct entry *entry_in(const struct keyspace *ks, int db, const struct watched *k,
                                    int64_t now_ms)
{
    struct space *space = keyspace_space(ks, db, shard_of(k->key.hash));
    struct entry *e = space_find(space, k->key.hash, named_key_name(&k->key)).entry;

    return e && !entry_is_gone(e, now_ms) ? e : NULL;
}

/* A part that has reached its time is a change, though nobody may have seen it yet. */
static uint64_t version_of(const struct keyspace *ks, const struct watched *k, int64_t now_ms)
{
    const struct entry *e = entry_in(ks, k->key.db, k, now_ms);

    if (e && entry_is_due(e, now_ms))
        return UINT64_MAX;
    return e && e->version > k->version ? e->version : k->version;
}

/* ---- what a connection watches --------------------------------------------------------------- */

static struct watched *watched_new(struct shard *shard, int db, struct slice key, uint64_t hash)
{
    struct named_key *k = named_keys_add(&shard->watched, sizeof(struct watched), db, key, hash);

    return CONTAINER_OF(k, struct watched, key);
}

static bool is_among(const struct watches *ws, const struct watched *k)
{
    for (size_t i = 0; k->watchers && i < ws->len; i++) {
        if (ws->v[i].key == k)
            return true;
    }
    return false;
}

void watches_add(struct watches *ws, struct call *c, int i)
{
    struct keyspace *ks = &c->server->keyspace;
    uint64_t hash = call_hash(c, i);
    struct shard *shard = &ks->shards[shard_of(hash)];
    struct slice key = call_arg(c, i);
    struct watched *k;

    call_peek(c, i); /* drops one that has reached its time: that is no change */
    k = find(shard, c->db, key, hash);
    if (!k)
        k = watched_new(shard, c->db, key, hash);
    if (is_among(ws, k))
        return;
    if (ws->len == ws->cap) {
        ws->cap = ws->cap ? ws->cap * 2 : 4;
        ws->v = mem_realloc(ws->v, ws->cap * sizeof(*ws->v));
    }
    k->watchers++;
    ws->v[ws->len++] = (struct watch){k, version_of(ks, k, c->now_ms)};
    ws->memory += sizeof(*k) + key.len;
}

void watches_add_version(struct watches *ws, struct call *c, int i, uint64_t version)
{
    ws->failed = ws->failed || call_version(c, i, call_peek(c, i)) != version;
    watches_add(ws, c, i);
}

void watches_add_lock(struct watches *ws, struct call *c, int i, uint64_t token)
{
    struct slice name = call_arg(c, i);
    struct watched_lock *l = mem_alloc(sizeof(*l) + name.len);

    *l = (struct watched_lock){ws->locks, call_hash(c, i), token, name.len};
    memcpy(l->name, name.ptr, name.len);
    ws->locks = l;
    ws->memory += sizeof(*l) + name.len;
}

static bool has_changed(const struct watch *watch, const struct worker *w)
{
    return version_of(&w->server->keyspace, watch->key, w->now_ms) != watch->version;
}

static bool is_lost(const struct watched_lock *l, const struct worker *w)
{
    return !latch_is_held(&w->server->keyspace, slice_make(l->name, l->len), l->hash, l->token,
                          w->mono_ms * 1000);
}

bool watches_changed_locked(const struct watches *ws, const struct worker *w)
{
    bool changed = ws->failed;

    for (size_t i = 0; i < ws->len && !changed; i++)
        changed = has_changed(&ws->v[i], w);
    for (const struct watched_lock *l = ws->locks; l && !changed; l = l->next)
        changed = is_lost(l, w);
    return changed;
}

bool watches_changed(const struct watches *ws, const struct worker *w)
{
    const struct keyspace *ks = &w->server->keyspace;
    bool changed = ws->failed;

    for (size_t i = 0; i < ws->len && !changed; i++) {
        struct shard *shard = shard_at(ks, ws->v[i].key);

        lock_take(&shard->lock);
        changed = has_changed(&ws->v[i], w);
        lock_release(&shard->lock);
    }
    for (const struct watched_lock *l = ws->locks; l && !changed; l = l->next) {
        struct shard *shard = &ks->shards[shard_of(l->hash)];

        lock_take(&shard->lock);
        changed = is_lost(l, w);
        lock_release(&shard->lock);
    }
    return changed;
}

static void leave(struct keyspace *ks, struct watched *k)
{
    if (--k->watchers == 0)
        named_keys_drop(&shard_at(ks, k)->watched, &k->key);
}

static void forget(struct watches *ws)
{
    for (struct watched_lock *l = ws->locks, *next; l; l = next) {
        next = l->next;
        mem_free(l);
    }
    mem_free(ws->v);
    *ws = (struct watches){0};
}

void watches_release_locked(struct watches *ws, struct keyspace *ks)
{
    for (size_t i = 0; i < ws->len; i++)
        leave(ks, ws->v[i].key);
    forget(ws);
}

void watches_release(struct watches *ws, struct keyspace *ks)
{
    for (size_t i = 0; i < ws->len; i++) {
        struct shard *shard = shard_at(ks, ws->v[i].key);

        lock_take(&shard->lock);
        leave(ks, ws->v[i].key);
        lock_release(&shard->lock);
    }
    forget(ws);
}

/* ---- what happens to keys -------------------------------------------------------------------- */

void watch_removed(struct shard *shard, int db, struct slice key, uint64_t version)
{
    struct watched *k = find(shard, db, key, hash_bytes(key));

    if (k)
        k->version = version;
}

struct change {
    struct keyspace *ks;
    int a, b;
    int64_t now_ms;
};

/* A key that is on neither side does not change. */
static void change_watched(void *item, void *opaque)
{
    struct watched *k = item;
    const struct change *change = opaque;

    if (k->key.db != change->a && k->key.db != change->b)
        return;
    if (entry_in(change->ks, change->a, k, change->now_ms) ||
        (change->b >= 0 && entry_in(change->ks, change->b, k, change->now_ms)))
        k->version = keyspace_next_version(change->ks, shard_at(change->ks, k), 0);
}

void watch_databases(struct keyspace *ks, int a, int b, int64_t now_ms)
{
    struct change change = {ks, a, b, now_ms};

    for (unsigned i = 0; a != b && i < SHARDS; i++) {
        if (ks->shards[i].watched)
            table_each(ks->shards[i].watched, change_watched, &change);
    }
}
