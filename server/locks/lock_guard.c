/* Guarded keys, see lock_guard.h. */
#include "server/locks/lock_guard.h"

#include "base/mem.h"
#include "server/locks/lock_leases.h"

bool lock_guards(struct worker *w, const struct conn *c, int db, struct slice key, uint64_t hash)
{
    const struct shard *shard = &w->server->keyspace.shards[shard_of(hash)];
    const struct lock_session *s = lock_session_find(c);
    const struct latch *l;
    bool guarded = false;

    lock_leases_settle(w, shard_of(hash));
    l = latch_find(shard->locks, key, hash);
    if (!l || !l->guards)
        return false;
    LIST_EACH (h, &l->holders, struct holder, in_latch) {
        if (s && h->session ? h->session == s : h->client == c->id)
            return false;
        guarded |= h->guard && h->guard_db == (uint16_t)db;
    }
    return guarded;
}

bool lock_guarded(const struct shard *shard, int db, struct slice key, uint64_t hash)
{
    const struct latch *l = shard->guards ? latch_find(shard->locks, key, hash) : NULL;

    if (!l)
        return false;
    LIST_EACH (h, &l->holders, struct holder, in_latch) {
        if (h->guard && h->guard_db == (uint16_t)db)
            return true;
    }
    return false;
}

struct lock_request *lock_pass_new(struct call *c, int n, bool reads)
{
    struct lock_taker taker = {
        .terms = {.passing = true, .shared = reads},
        .session = lock_session_of(c->conn),
        .client = c->conn->id,
    };

    return lock_request_new(c, &taker, NULL, n);
}

void lock_pass_over_locked(struct worker *w, struct lock_request *r)
{
    for (int i = 0; i < r->places_len; i++) {
        const struct lock_place *p = &r->places[i];
        const struct shard *shard = &w->server->keyspace.shards[shard_of(p->hash)];
        struct holder *h = latches_holder(shard->locks, p->hash, p->token);

        if (h)
            lock_take_back(w, h, LOCK_RELEASED);
    }
    mem_free(r);
}

void lock_pass_over(struct worker *w, struct lock_request *r)
{
    for (int i = 0; i < r->places_len; i++)
        lock_give_back(w, r->places[i].hash, r->places[i].token, LOCK_RELEASED);
    mem_free(r);
}
