/* The invariants of locks, see lock_check.h. */
#include "server/locks/lock_check.h"

#include "server/locks/lock_desk.h"
#include "server/locks/lock_request.h"

/* Of one shard. */
struct tally {
    const struct latches *latches;
    unsigned shard;
    uint64_t holders, waiters, guards, deadlines;
};

static bool hangs_in(const struct list *ring, const struct list *link)
{
    return link->next->prev == link && link->prev->next == link && !list_empty(ring);
}

/* What has a deadline stands in its shard's heap, where it says. */
static void check_deadline(struct tally *t, const struct deadline *d, enum deadline_kind kind)
{
    if (!d->place)
        return;
    INVARIANT(d->kind == kind && d->place <= t->latches->deadlines.len);
    INVARIANT(t->latches->deadlines.v[d->place - 1] == d);
    t->deadlines++;
}

static void check_holder(struct tally *t, const struct latch *l, const struct holder *h)
{
    INVARIANT(h->latch == l && h->count > 0 && h->token);
    INVARIANT((h->until_us == DEADLINE_NEVER) == (h->lease.place == 0));
    if (h->session)
        INVARIANT(hangs_in(&h->session->holders, &h->in_session));
    check_deadline(t, &h->lease, DEADLINE_LEASE);
    t->holders++;
    t->guards += h->guard;
}

/* One writer, or readers, or as many as there are permits. */
static void check_holders(struct tally *t, const struct latch *l)
{
    uint64_t readers = 0, writers = 0, permits = 0, guards = 0;

    LIST_EACH (h, &l->holders, struct holder, in_latch) {
        check_holder(t, l, h);
        permits += h->permits;
        guards += h->guard;
        readers += h->shared;
        writers += !h->shared && !h->permits && !h->passing;
    }
    INVARIANT(permits == l->taken && guards == l->guards);
    INVARIANT(permits == 0 || permits <= l->permits);
    INVARIANT(writers <= 1 && (!writers || !readers));
}

static void check_queue(struct tally *t, const struct latch *l)
{
    uint64_t last = 0;

    LIST_EACH (p, &l->queue, struct lock_place, link) {
        INVARIANT(p->latch == l && p->request->hangs && !p->request->granted);
        INVARIANT(p->request->number > last);
        last = p->request->number;
        t->waiters++;
    }
}

/*
 * The first has his turn as soon as he can. More pins than places: somebody is about to look, who
 * is in the middle of a transaction.
 */
static void check_turn(const struct latch *l, uint64_t places)
{
    const struct lock_request *r;

    if (!places || l->pins > places)
        return;
    r = lock_queue_first(l);
    if (r->places_len == 1 && r->session && !lock_request_over(r))
        INVARIANT(!latch_admits(l, &r->terms));
}

static void check_latch(void *item, void *opaque)
{
    const struct latch *l = item;
    struct tally *t = opaque;
    uint64_t before;

    INVARIANT(shard_of(l->hash) == t->shard);
    INVARIANT(latch_in_use(l) || l->pins || l->reopens.place);
    check_holders(t, l);
    before = t->waiters;
    check_queue(t, l);
    check_turn(l, t->waiters - before);
    check_deadline(t, &l->reopens, DEADLINE_REOPENS);
}

void locks_check(const struct server *s)
{
    for (unsigned i = 0; i < SHARDS; i++) {
        const struct shard *shard = &s->keyspace.shards[i];
        struct tally t = {.latches = shard->locks, .shard = i};

        if (!shard->locks)
            continue;
        table_each(&shard->locks->table, check_latch, &t);
        INVARIANT(t.holders == shard->locks->holders && t.waiters == shard->locks->waiters);
        INVARIANT(t.guards == shard->guards && t.deadlines == shard->locks->deadlines.len);
        INVARIANT(atomic_load(&s->locks->due[i]) <= deadlines_next(&shard->locks->deadlines));
    }
}
