/* The expirer, see expirer.h. */
#include "server/expirer.h"

#include "base/mem.h"
#include "server/effects.h"
#include "server/serving.h"

enum {
    KEYS_A_LOCK = 64,    /* keys removed before the shard's lock is given up for a moment */
    KEYS_A_ROUND = 1024, /* keys removed before the worker serves its connections again */
    LOOK_EVERY_MS = 1,   /* no sooner again than this */
    TAKE_MAX = 16,
    CLOCK_STEP_MS = 20,          /* a change of the wall clock that is worth a look */
    CLOCK_JUMP_MS = 3600 * 1000, /* one that the index does not survive */
};

static void arm(struct worker *w, int64_t at)
{
    int64_t delay = at - w->now_ms;
    struct timeval tv;

    atomic_store(&w->expire_at, at);
    if (at == EXPIRY_NONE)
        return;
    if (at <= w->now_ms) /* a round cut short: goes on when connections were served */
        delay = 0;
    else if (delay < LOOK_EVERY_MS)
        delay = LOOK_EVERY_MS;
    if (delay > 3600 * 1000)
        delay = 3600 * 1000;
    tv = (struct timeval){.tv_sec = delay / 1000, .tv_usec = delay % 1000 * 1000};
    event_add(&w->expire_event, &tv);
}

/* The key or its parts, where they have reached their time; what is left of it comes again. */
static void expire_entry(struct worker *w, int db, struct space *space, struct entry *e,
                         int *removed)
{
    uint64_t hash = entry_hash(e);
    struct found f = space_find(space, hash, entry_key(e));

    *removed += (int)effect_expire(w, db, hash, &f, w->now_ms);
    if (f.entry)
        expiry_again(&space->expiry, &space->table, hash, entry_times_first(entry_times(f.entry)));
}

/* Removes what one item of the index leads to. False when nothing is due. */
static bool expire_item(struct worker *w, int db, struct space *space, int *removed)
{
    struct entry *due[TAKE_MAX];
    size_t n;

    if (!expiry_take(&space->expiry, &space->table, w->now_ms, due, TAKE_MAX, &n))
        return false;
    for (size_t i = 0; i < n; i++)
        expire_entry(w, db, space, due[i], removed);
    *removed += 1;
    return true;
}

/* One holding of the shard's lock. False when nothing more is due in it. */
static bool expire_some(struct worker *w, unsigned shard, int *removed)
{
    struct keyspace *ks = &w->server->keyspace;
    int64_t next = EXPIRY_NONE;
    int here = 0;

    lock_take(&ks->shards[shard].lock);
    for (int db = 0; db < ks->databases; db++) {
        struct space *space = keyspace_space(ks, db, shard);
        int64_t at;

        if (!keyspace_is_used(ks, db))
            continue;
        while (here < KEYS_A_LOCK && expire_item(w, db, space, &here))
            ;
        at = expiry_next(&space->expiry, w->now_ms);
        next = at < next ? at : next;
    }
    atomic_store_explicit(&ks->due[shard], next, memory_order_relaxed);
    serving_unlock(w, shard);
    effect_settle(w);
    *removed += here;
    return next <= w->now_ms;
}

/*
 * One shard after the other, beginning where the last round was cut short, so that none has to wait
 * for the others when more is due than can be removed.
 */
static void expire_due(struct worker *w)
{
    struct keyspace *ks = &w->server->keyspace;
    unsigned stride = (unsigned)w->server->workers_len;
    unsigned own = (SHARDS - (unsigned)w->index + stride - 1) / stride;
    unsigned begin = w->expire_cursor % own;
    int64_t next = EXPIRY_NONE;
    uint64_t start = ticks_now();
    int removed = 0;

    w->stats.expire_slices++;
    for (unsigned i = 0; i < own; i++) {
        unsigned nth = (begin + i) % own, s = (unsigned)w->index + nth * stride;
        int64_t at = atomic_load_explicit(&ks->due[s], memory_order_relaxed);

        while (at <= w->now_ms && removed < KEYS_A_ROUND && expire_some(w, s, &removed))
            ;
        if (removed < KEYS_A_ROUND)
            w->expire_cursor = nth + 1;
        at = atomic_load_explicit(&ks->due[s], memory_order_relaxed);
        next = at < next ? at : next;
    }
    w->stats.expire_ns += ticks_to_ns(ticks_now() - start);
    w->stats.expire_capped += next <= w->now_ms;
    arm(w, next);
}

/* While clients are paused nothing expires; the end of the pause is looked at in its time. */
static void expire_unless_paused(struct worker *w)
{
    const struct server *s = w->server;

    if (!atomic_load(&s->active_expire) || server_gate(s, GATE_LOADING))
        return;
    if (UNLIKELY(server_paused(s, w->mono_ms)))
        arm(w, w->now_ms + s->pause_until_ms - w->mono_ms);
    else
        expire_due(w);
}

/* The index orders times by their nearness to now, which has moved. */
static void refill(struct worker *w)
{
    struct keyspace *ks = &w->server->keyspace;

    for (unsigned s = (unsigned)w->index; s < SHARDS; s += (unsigned)w->server->workers_len) {
        lock_take(&ks->shards[s].lock);
        for (int db = 0; db < ks->databases; db++) {
            struct space *space = keyspace_space(ks, db, s);

            if (keyspace_is_used(ks, db))
                expiry_refill(&space->expiry, &space->table);
        }
        atomic_store_explicit(&ks->due[s], w->now_ms, memory_order_relaxed);
        lock_release(&ks->shards[s].lock);
    }
}

void expirer_check_clock(struct worker *w)
{
    int64_t offset = w->now_ms - w->mono_ms, step = offset - w->clock_offset_ms;

    if (step > -CLOCK_STEP_MS && step < CLOCK_STEP_MS)
        return;
    w->clock_offset_ms = offset;
    if (step < -CLOCK_JUMP_MS || step > CLOCK_JUMP_MS)
        refill(w);
    expire_unless_paused(w);
}

/*
 * While it looks, whoever sets an earlier time must not believe that it will be seen: expire_at
 * says "never" first, so that a wake-up is sent.
 */
static void on_timer(evutil_socket_t fd, short what, void *arg)
{
    struct worker *w = arg;

    (void)fd;
    (void)what;
    worker_round_begin(w);
    atomic_store(&w->expire_at, EXPIRY_NONE);
    expire_unless_paused(w);
    worker_round_end(w);
}

void expirer_init(struct worker *w)
{
    atomic_init(&w->expire_at, EXPIRY_NONE);
    w->clock_offset_ms = w->now_ms - w->mono_ms;
    event_assign(&w->expire_event, w->base, -1, 0, on_timer, w);
}

static void wake(struct worker *w, void *arg)
{
    (void)arg;
    atomic_store(&w->expire_at, EXPIRY_NONE);
    expire_unless_paused(w);
}

void expirer_note(struct worker *w, unsigned shard, int64_t at)
{
    struct server *s = w->server;
    struct worker *owner = &s->workers[shard % (unsigned)s->workers_len];
    int64_t planned = atomic_load(&owner->expire_at);

    if (UNLIKELY(server_gate(s, GATE_LOADING)))
        return; /* everybody is woken when that is over */
    while (at < planned) {
        if (!atomic_compare_exchange_weak(&owner->expire_at, &planned, at))
            continue;
        if (owner == w)
            arm(w, at);
        else
            worker_call(owner, wake, NULL);
        return;
    }
}

void expirer_wake_all(struct server *s)
{
    for (int i = 0; i < s->workers_len; i++)
        worker_call(&s->workers[i], wake, NULL);
}
