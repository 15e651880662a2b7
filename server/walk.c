/* Walking over a database, see walk.h. */
#include "server/walk.h"

#include "server/effects.h"
#include "server/policer.h"
#include "server/server.h"
#include "server/serving.h"

enum {
    EXPIRED_MAX = 64,      /* those found dropped at a time; the expirer finds the others */
    BUCKETS_A_LOCK = 64,   /* before a shard's lock is given up for a moment */
    RANDOM_ATTEMPTS = 100, /* draws that find keys whose time has come */
};

struct walk {
    struct call *call;
    unsigned shard; /* the one that is locked */
    walk_fn *visit;
    void *opaque;
    uint64_t visited;
    uint64_t expired[EXPIRED_MAX]; /* hashes */
    size_t expired_len;
};

static bool is_gone(const struct walk *walk, const struct entry *e)
{
    const struct call *c = walk->call;

    return entry_is_gone(e, c->now_ms) ||
           (e->policed && policer_has_ended(c->worker, c->db, walk->shard, e));
}

static void visit_item(void *item, void *opaque)
{
    const struct entry *e = item;
    struct walk *walk = opaque;
    bool gone;

    walk->visited++;
    if (LIKELY(!entry_may_end(e))) {
        walk->visit(walk->call, e, walk->opaque);
        return;
    }
    gone = is_gone(walk, e);
    if (!gone)
        walk->visit(walk->call, e, walk->opaque);
    if ((gone || entry_is_due(e, walk->call->now_ms)) && walk->expired_len < EXPIRED_MAX)
        walk->expired[walk->expired_len++] = entry_hash(e);
}

static void drop_expired(struct walk *walk, struct space *space)
{
    struct call *c = walk->call;

    if (UNLIKELY(server_paused(c->server, c->worker->mono_ms)))
        walk->expired_len = 0;
    while (walk->expired_len) {
        uint64_t hash = walk->expired[--walk->expired_len];
        struct found f = space_find_hash(space, hash);

        if (f.entry && f.entry->policed && policer_drop_ended(c->worker, c->db, hash, f))
            continue;
        if (f.entry && entry_is_due(f.entry, c->now_ms))
            effect_expire(c->worker, c->db, hash, &f, c->now_ms);
    }
}

static struct space *enter(struct walk *walk, unsigned shard)
{
    struct keyspace *ks = &walk->call->server->keyspace;

    lock_take(&ks->shards[shard].lock);
    walk->shard = shard;
    return keyspace_space(ks, walk->call->db, shard);
}

static void leave(struct walk *walk, unsigned shard, struct space *space)
{
    const struct call *c = walk->call;

    drop_expired(walk, space);
    /* With the world stopped it may be a part of a transaction, whose end serves. */
    if (c->world)
        lock_release(&c->server->keyspace.shards[shard].lock);
    else
        serving_unlock(c->worker, shard);
    effect_settle(walk->call->worker);
}

void walk_all(struct call *c, walk_fn *visit, void *opaque)
{
    struct walk walk = {.call = c, .visit = visit, .opaque = opaque};
    bool used = keyspace_is_used(&c->server->keyspace, c->db);

    for (unsigned shard = 0; used && shard < SHARDS; shard++) {
        struct space *space = enter(&walk, shard);

        table_each(&space->table, visit_item, &walk);
        leave(&walk, shard, space);
    }
}

/* One holding of the shard's lock. Returns the place to go on from, 0 at the shard's end. */
static uint64_t walk_shard(struct walk *walk, unsigned shard, uint64_t place, uint64_t count)
{
    struct space *space = enter(walk, shard);

    for (int n = 0; n < BUCKETS_A_LOCK && walk->visited < count; n++) {
        place = space->table.count ? table_scan(&space->table, place, visit_item, walk) : 0;
        if (!place)
            break;
    }
    leave(walk, shard, space);
    return place;
}

uint64_t walk_some(struct call *c, uint64_t cursor, uint64_t count, walk_fn *visit, void *opaque)
{
    struct walk walk = {.call = c, .visit = visit, .opaque = opaque};
    unsigned shard = cursor & (SHARDS - 1);
    uint64_t place = cursor >> SHARD_BITS & (((uint64_t)1 << TABLE_CURSOR_BITS) - 1);

    if (!keyspace_is_used(&c->server->keyspace, c->db))
        return 0;
    while (walk.visited < count) {
        place = walk_shard(&walk, shard, place, count);
        if (!place && ++shard == SHARDS)
            return 0;
    }
    return place << SHARD_BITS | shard;
}

bool walk_random(struct call *c, walk_fn *visit, void *opaque)
{
    struct walk walk = {.call = c, .visit = visit, .opaque = opaque};
    struct keyspace *ks = &c->server->keyspace;

    for (int i = 0; i < RANDOM_ATTEMPTS; i++) {
        unsigned shard;
        struct entry *e = keyspace_random_locked(ks, c->db, &shard);
        bool shown;

        if (!e)
            return false;
        walk.shard = shard;
        shown = !is_gone(&walk, e);
        visit_item(e, &walk);
        leave(&walk, shard, keyspace_space(ks, c->db, shard));
        if (shown)
            return true;
    }
    return false;
}
