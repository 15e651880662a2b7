/* Leases, see lock_leases.h. */
#include "server/locks/lock_leases.h"

#include "base/mem.h"
#include "server/locks/lock_desk.h"
#include "server/locks/lock_grant.h"
#include "server/locks/lock_log.h"
#include "server/locks/lock_notice.h"

enum {
    LEASES_A_LOCK = 64, /* ended before the shard's lock is given up for a moment */
    LOOK_EVERY_US = 500,
    SLEEP_MAX_US = 1000 * 1000 * 1000,
};

/* ---- the worker's alarm ---------------------------------------------------------------------- */

static void arm(struct worker *w, int64_t at_us)
{
    struct lock_desk *desk = lock_desk(w);
    int64_t delay = at_us - clock_mono_us();
    struct timeval tv;

    atomic_store(&desk->at_us, at_us);
    if (at_us == DEADLINE_NEVER)
        return;
    if (delay < LOOK_EVERY_US)
        delay = LOOK_EVERY_US;
    if (delay > SLEEP_MAX_US)
        delay = SLEEP_MAX_US;
    tv = (struct timeval){.tv_sec = delay / 1000000, .tv_usec = delay % 1000000};
    event_add(&desk->timer, &tv);
}

static void wake(struct worker *w, void *arg)
{
    (void)arg;
    arm(w, atomic_load(&lock_desk(w)->at_us));
}

/* The shard's first deadline may have changed, and its worker must be awake by then. */
static void note(struct worker *w, unsigned shard)
{
    struct server *s = w->server;
    int64_t at = deadlines_next(&s->keyspace.shards[shard].locks->deadlines);
    struct worker *owner = &s->workers[shard % (unsigned)s->workers_len];
    _Atomic int64_t *planned_at = &lock_desk(owner)->at_us;
    int64_t planned = atomic_load(planned_at);

    if (at >= atomic_load_explicit(&s->locks->due[shard], memory_order_relaxed))
        return;
    atomic_store_explicit(&s->locks->due[shard], at, memory_order_seq_cst);
    while (at < planned) {
        if (!atomic_compare_exchange_weak(planned_at, &planned, at))
            continue;
        if (owner == w)
            arm(w, at);
        else
            worker_call(owner, wake, NULL);
        return;
    }
}

/* ---- leases ---------------------------------------------------------------------------------- */

static struct latches *latches_of(const struct worker *w, const struct latch *l)
{
    return w->server->keyspace.shards[shard_of(l->hash)].locks;
}

void lock_lease_set(struct worker *w, struct holder *h, int64_t lease_us)
{
    int64_t notice_us = w->server->conf->lock_expiring_notice * 1000;
    int64_t before = lease_us / 3 < notice_us ? lease_us / 3 : notice_us;

    h->until_us = clock_mono_us() + lease_us;
    h->lease_us = lease_us;
    deadlines_set(&latches_of(w, h->latch)->deadlines, &h->lease, h->until_us - before);
    note(w, shard_of(h->latch->hash));
}

void lock_lease_renew(struct worker *w, struct holder *h, int64_t lease_us)
{
    lock_lease_set(w, h, lease_us);
    lock_log_lease(w, h);
}

void lock_lease_extend(struct worker *w, struct holder *h, int64_t lease_us)
{
    if (h->until_us != DEADLINE_NEVER && h->until_us < clock_mono_us() + lease_us)
        lock_lease_renew(w, h, lease_us);
}

static bool renew(struct worker *w, const struct lock_ref *ref, int64_t lease_us)
{
    unsigned shard = shard_of(ref->hash);
    struct key_locks locks = {0}, *held;
    struct holder *h;

    key_locks_add(&locks, ref->hash);
    held = lock_shards(w, &locks);
    lock_leases_settle(w, shard);
    h = latches_holder(w->server->keyspace.shards[shard].locks, ref->hash, ref->token);
    if (h)
        lock_lease_renew(w, h, lease_us);
    unlock_shards(w, held);
    return h != NULL;
}

size_t lock_leases_renew(struct worker *w, struct lock_session *s, int64_t lease_us)
{
    size_t n, renewed = 0;
    struct lock_ref *refs = lock_session_refs(s, &n);

    for (size_t i = 0; i < n; i++)
        renewed += renew(w, &refs[i], lease_us);
    mem_free(refs);
    return renewed;
}

void latch_close_for(struct worker *w, struct latch *l, int64_t us)
{
    if (us || l->reopens.place)
        lock_log_shut(w, l, us);
    if (!us) {
        deadlines_remove(&latches_of(w, l)->deadlines, &l->reopens);
        if (latch_contended(l))
            lock_note(w, l);
        return;
    }
    deadlines_set(&latches_of(w, l)->deadlines, &l->reopens, clock_mono_us() + us);
    note(w, shard_of(l->hash));
}

/* ---- what has come to its time --------------------------------------------------------------- */

/* Its holder is told before, however late it is noticed. */
static void lease_due(struct worker *w, struct latches *t, struct holder *h, int64_t now_us)
{
    if (h->lease.at_us < h->until_us) {
        lock_publish(w, h, LOCK_EXPIRING);
        lock_tell(w, h, LOCK_EXPIRING);
        deadlines_set(&t->deadlines, &h->lease, h->until_us);
    }
    if (now_us >= h->until_us)
        lock_take_back(w, h, LOCK_EXPIRED);
}

static void reopen(struct worker *w, struct latches *t, struct latch *l)
{
    deadlines_remove(&t->deadlines, &l->reopens);
    if (latch_contended(l))
        lock_note(w, l);
    else
        latch_drop_unused(&w->server->keyspace.shards[shard_of(l->hash)], l);
}

/* False if nothing is due. */
static bool settle_one(struct worker *w, struct latches *t, int64_t now_us)
{
    struct deadline *first = deadlines_first(&t->deadlines);

    if (!first || first->at_us > now_us)
        return false;
    if (first->kind == DEADLINE_LEASE)
        lease_due(w, t, CONTAINER_OF(first, struct holder, lease), now_us);
    else
        reopen(w, t, CONTAINER_OF(first, struct latch, reopens));
    return true;
}

void lock_leases_settle(struct worker *w, unsigned shard)
{
    struct latches *t = w->server->keyspace.shards[shard].locks;
    int64_t now_us = w->mono_ms * 1000;

    if (LIKELY(!t || deadlines_next(&t->deadlines) > now_us))
        return;
    while (settle_one(w, t, now_us))
        ;
}

/* One holding of the shard's lock. False when nothing more is due in it. */
static bool settle_some(struct worker *w, unsigned shard, int64_t now_us)
{
    struct keyspace *ks = &w->server->keyspace;
    struct key_locks locks = {0}, *held;
    struct latches *t;
    int64_t next;
    int n = 0;

    key_locks_add(&locks, (uint64_t)shard << (64 - SHARD_BITS));
    held = lock_shards(w, &locks);
    t = ks->shards[shard].locks;
    while (n < LEASES_A_LOCK && settle_one(w, t, now_us))
        n++;
    next = deadlines_next(&t->deadlines);
    atomic_store_explicit(&w->server->locks->due[shard], next, memory_order_relaxed);
    unlock_shards(w, held);
    return next <= now_us;
}

static int64_t settle_all(struct worker *w)
{
    struct server *s = w->server;
    int64_t now_us = clock_mono_us(), next = DEADLINE_NEVER;

    for (unsigned i = (unsigned)w->index; i < SHARDS; i += (unsigned)s->workers_len) {
        int64_t at = atomic_load(&s->locks->due[i]);

        while (at <= now_us && settle_some(w, i, now_us))
            ;
        at = atomic_load(&s->locks->due[i]);
        next = at < next ? at : next;
    }
    return next;
}

/*
 * While it looks, whoever sets an earlier time must not believe that it will be seen: at_us says
 * "never" first, so that a wake-up is sent.
 */
static void on_timer(evutil_socket_t fd, short what, void *arg)
{
    struct worker *w = arg;
    int64_t next, meanwhile;

    (void)fd;
    (void)what;
    worker_round_begin(w);
    atomic_store(&lock_desk(w)->at_us, DEADLINE_NEVER);
    next = settle_all(w);
    meanwhile = atomic_load(&lock_desk(w)->at_us);
    arm(w, next < meanwhile ? next : meanwhile);
    worker_round_end(w);
}

void lock_leases_begin(struct worker *w)
{
    atomic_init(&lock_desk(w)->at_us, DEADLINE_NEVER);
    event_assign(&lock_desk(w)->timer, w->base, -1, 0, on_timer, w);
}

void lock_leases_look(struct worker *w)
{
    arm(w, clock_mono_us());
}
