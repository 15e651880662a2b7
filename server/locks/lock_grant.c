/* Giving and taking back, see lock_grant.h. */
#include "server/locks/lock_grant.h"

#include "base/mem.h"
#include "base/world.h"
#include "server/locks/lock_desk.h"
#include "server/locks/lock_leases.h"
#include "server/locks/lock_log.h"
#include "server/locks/lock_notice.h"
#include "server/locks/lock_request.h"

static struct shard *shard_at(const struct worker *w, uint64_t hash)
{
    return &w->server->keyspace.shards[shard_of(hash)];
}

/* ---- giving ---------------------------------------------------------------------------------- */

struct holder *lock_give(struct worker *w, struct latch *l, const struct lock_taker *taker,
                         struct list *fresh)
{
    struct shard *shard = shard_at(w, l->hash);
    struct holder *h = holder_new(l, &taker->terms, taker->owner, taker->data);

    h->token = keyspace_next_version(&w->server->keyspace, shard, 0);
    h->client = taker->client;
    h->since_ms = w->now_ms;
    h->session = taker->terms.detached ? NULL : taker->session;
    holder_join(shard->locks, h);
    shard->guards += h->guard;
    if (!taker->terms.detached)
        list_push(fresh, &h->in_session);
    if (taker->terms.lease_us)
        lock_lease_set(w, h, taker->terms.lease_us);
    if (!h->passing) {
        w->stats.locks_acquired++;
        lock_publish(w, h, LOCK_ACQUIRED);
        lock_log_holder(w, h);
    }
    return h;
}

/* A detached lock is asked for again by whoever names the same owner. */
struct holder *lock_find_own(const struct latch *l, const struct lock_taker *taker)
{
    const struct lock_session *session = taker->terms.detached ? NULL : taker->session;

    if (!l || (!session && !taker->owner.len))
        return NULL;
    LIST_EACH (h, &l->holders, struct holder, in_latch) {
        if (h->session == session && slice_eq(holder_owner(h), taker->owner) &&
            (!h->shared || taker->terms.shared) && h->permits >= taker->terms.permits)
            return h;
    }
    return NULL;
}

void lock_take_again(struct worker *w, struct holder *h, int64_t lease_us)
{
    h->count++;
    lock_log_count(w, h);
    if (lease_us)
        lock_lease_extend(w, h, lease_us);
}

bool lock_give_up(struct worker *w, struct holder *h, enum lock_event why)
{
    if (h->count == 1) {
        lock_take_back(w, h, why);
        return true;
    }
    h->count--;
    lock_log_count(w, h);
    return false;
}

/* ---- taking back ----------------------------------------------------------------------------- */

/* Out of the latch, which stays. */
static void detach(struct worker *w, struct latch *l, struct holder *h)
{
    struct shard *shard = shard_at(w, l->hash);
    struct locks *locks = w->server->locks;
    bool contended = latch_contended(l);

    if (contended)
        lock_take(&locks->waits);
    holder_leave(shard->locks, h);
    if (contended)
        lock_release(&locks->waits);
    shard->guards -= h->guard;
    deadlines_remove(&shard->locks->deadlines, &h->lease);
}

static void count(struct worker *w, enum lock_event why)
{
    w->stats.locks_released += why == LOCK_RELEASED;
    w->stats.locks_expired += why == LOCK_EXPIRED;
    w->stats.locks_broken += why == LOCK_BROKEN;
    w->stats.locks_lost += why == LOCK_LOST;
}

static void tell(struct worker *w, const struct holder *h, enum lock_event why)
{
    count(w, why);
    lock_publish(w, h, why);
    if (why != LOCK_RELEASED)
        lock_tell(w, h, why);
}

void lock_take_back(struct worker *w, struct holder *h, enum lock_event why)
{
    struct latch *l = h->latch;

    lock_log_free(w, h);
    detach(w, l, h);
    if (!h->passing)
        tell(w, h, why);
    lock_session_drop(h);
    mem_free(h);
    if (UNLIKELY(latch_contended(l)))
        lock_note(w, l);
    else
        latch_drop_unused(shard_at(w, l->hash), l);
}

bool lock_is_held(struct worker *w, struct slice name, uint64_t hash, uint64_t token)
{
    lock_leases_settle(w, shard_of(hash));
    return latch_holder(latch_find(shard_at(w, hash)->locks, name, hash), token) != NULL;
}

struct key_locks *lock_shards(struct worker *w, struct key_locks *locks)
{
    if (world_is_mine())
        return NULL;
    key_locks_hold(locks, &w->server->keyspace);
    return locks;
}

void unlock_shards(struct worker *w, struct key_locks *locks)
{
    lock_serve(w, locks);
    if (locks)
        key_locks_release(locks, &w->server->keyspace);
}

void lock_give_back(struct worker *w, uint64_t hash, uint64_t token, enum lock_event why)
{
    struct key_locks locks = {0}, *held;
    struct holder *h;

    key_locks_add(&locks, hash);
    held = lock_shards(w, &locks);
    h = latches_holder(shard_at(w, hash)->locks, hash, token);
    if (h)
        lock_take_back(w, h, why);
    unlock_shards(w, held);
}

/* ---- serving those who wait ------------------------------------------------------------------ */

void lock_note(struct worker *w, struct latch *l)
{
    struct lock_desk *desk = lock_desk(w);

    if (desk->ready_len == desk->ready_cap) {
        desk->ready_cap = desk->ready_cap ? desk->ready_cap * 2 : 8;
        desk->ready = mem_realloc(desk->ready, desk->ready_cap * sizeof(struct latch *));
    }
    l->pins++;
    desk->ready[desk->ready_len++] = l;
    w->locks_due = true;
}

/* False if locks were let go for it: then nothing that was known holds any more. */
static bool hold_all(struct worker *w, struct key_locks *held, const struct lock_request *r)
{
    for (int i = 0; held && i < r->places_len; i++) {
        if (!key_locks_extend(held, &w->server->keyspace, r->places[i].hash))
            return false;
    }
    return true;
}

/* True if the first of the queue has left it. */
static bool serve_first(struct worker *w, struct latch *l)
{
    struct lock_request *r = lock_queue_first(l);

    if (lock_request_over(r)) {
        lock_request_unhang(w, r);
        return true;
    }
    if (!lock_request_ready(w, r))
        return false;
    lock_request_grant(w, r);
    return true;
}

/* When the server ends nobody gets anything. */
static void serve_latch(struct worker *w, struct key_locks *held, struct latch *l)
{
    bool ending = w->server->locks->ending;

    while (!ending && latch_contended(l) && latch_admits(l, &lock_queue_first(l)->terms)) {
        if (hold_all(w, held, lock_queue_first(l)) && !serve_first(w, l))
            break;
    }
    l->pins--;
    latch_drop_unused(shard_at(w, l->hash), l);
}

static void finish_over(struct worker *w, struct key_locks *held, struct lock_request *r)
{
    while (!hold_all(w, held, r))
        ;
    lock_request_unhang(w, r);
    mem_free(r);
}

void lock_serve(struct worker *w, struct key_locks *held)
{
    struct lock_desk *desk = lock_desk(w);

    for (size_t i = 0; i < desk->over_len; i++)
        finish_over(w, held, desk->over[i]);
    desk->over_len = 0;
    for (size_t i = 0; i < desk->ready_len; i++)
        serve_latch(w, held, desk->ready[i]);
    desk->ready_len = 0;
    w->locks_due = false;
}
