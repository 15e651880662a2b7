/* What can be seen of locks, see lock_describe.h. */
#include "server/locks/lock_describe.h"

#include "base/glob.h"
#include "server/locks/lock_desk.h"
#include "server/locks/lock_leases.h"
#include "server/locks/lock_request.h"
#include "server/reply.h"

static void field_int(struct call *c, const char *name, int64_t v)
{
    reply_cstr(c, name);
    reply_int(c, v);
}

static void field_text(struct call *c, const char *name, struct slice v)
{
    reply_cstr(c, name);
    reply_bulk(c, v);
}

/* Milliseconds until then, rounded up; -1 for never. */
static int64_t left_ms(int64_t until_us)
{
    int64_t left = until_us - clock_mono_us();

    if (until_us == DEADLINE_NEVER)
        return -1;
    return left > 0 ? (left + 999) / 1000 : 0;
}

/* Two fields. A session in its grace has no address. */
static void describe_session(struct call *c, struct lock_session *s)
{
    field_text(c, "session", s ? lock_session_name(s) : SLICE(""));
    reply_cstr(c, "addr");
    if (s)
        lock_take(&s->lock);
    reply_cstr(c, s && s->address ? s->address : "");
    if (s)
        lock_release(&s->lock);
}

static const char *mode_name(bool shared, uint32_t permits)
{
    return permits ? "permits" : shared ? "shared" : "exclusive";
}

static void describe_holder(struct call *c, const struct holder *h)
{
    reply_map(c, 12);
    field_int(c, "token", (int64_t)h->token);
    field_text(c, "mode", slice_str(mode_name(h->shared, h->permits)));
    field_int(c, "permits", h->permits);
    field_int(c, "count", h->count);
    field_text(c, "owner", holder_owner(h));
    field_int(c, "client", (int64_t)h->client);
    describe_session(c, h->session);
    field_int(c, "detached", !h->session);
    field_int(c, "since-ms", h->since_ms);
    field_int(c, "lease-left-ms", left_ms(h->until_us));
    field_text(c, "data", holder_data(h));
}

static void describe_request(struct call *c, const struct lock_request *r)
{
    reply_map(c, 9);
    field_text(c, "mode", slice_str(mode_name(r->terms.shared, r->terms.permits)));
    field_int(c, "permits", r->terms.permits);
    field_int(c, "ticket", (int64_t)r->ticket);
    field_text(c, "owner", lock_request_owner(r));
    field_int(c, "client", (int64_t)r->client);
    describe_session(c, r->session);
    field_int(c, "since-ms", r->since_ms);
    field_text(c, "data", lock_request_data(r));
}

static void describe_holders(struct call *c, const struct latch *l)
{
    size_t begin = write_begin(&c->out);
    int64_t n = 0;

    for (const struct list *i = l ? l->holders.next : NULL; i && i != &l->holders; i = i->next, n++)
        describe_holder(c, CONTAINER_OF(i, struct holder, in_latch));
    write_end_array(&c->out, begin, n);
}

static void describe_queue(struct call *c, const struct latch *l)
{
    struct locks *locks = c->server->locks;
    size_t begin = write_begin(&c->out);
    int64_t n = 0;

    lock_take(&locks->waits);
    for (const struct list *i = l ? l->queue.next : NULL; i && i != &l->queue; i = i->next, n++)
        describe_request(c, CONTAINER_OF(i, struct lock_place, link)->request);
    lock_release(&locks->waits);
    write_end_array(&c->out, begin, n);
}

static const char *mode_of(const struct latch *l)
{
    const struct holder *h;

    if (!l || list_empty(&l->holders))
        return l && l->reopens.place ? "closed" : "free";
    h = CONTAINER_OF(l->holders.next, struct holder, in_latch);
    return mode_name(h->shared, h->permits);
}

void lock_describe(struct call *c, struct slice name, const struct latch *l)
{
    bool used = l && latch_in_use(l);

    reply_map(c, 8);
    field_text(c, "name", name);
    field_text(c, "mode", slice_str(mode_of(l)));
    field_int(c, "permits", used ? l->permits : 0);
    field_int(c, "taken", used ? l->taken : 0);
    field_int(c, "guards", l ? l->guards : 0);
    field_int(c, "closed-ms", l && l->reopens.place ? left_ms(l->reopens.at_us) : 0);
    reply_cstr(c, "holders");
    describe_holders(c, l);
    reply_cstr(c, "waiters");
    describe_queue(c, l);
}

struct listing {
    struct call *call;
    struct slice pattern;
    int64_t n;
};

static void list_latch(void *item, void *opaque)
{
    const struct latch *l = item;
    struct listing *listing = opaque;

    if (!glob_match(listing->pattern, latch_name(l), false))
        return;
    lock_describe(listing->call, latch_name(l), l);
    listing->n++;
}

static void list_shard(struct listing *listing, unsigned i)
{
    struct worker *w = listing->call->worker;
    struct key_locks locks = {0}, *held;

    key_locks_add(&locks, (uint64_t)i << (64 - SHARD_BITS));
    held = lock_shards(w, &locks);
    lock_leases_settle(w, i);
    if (w->server->keyspace.shards[i].locks)
        table_each(&w->server->keyspace.shards[i].locks->table, list_latch, listing);
    unlock_shards(w, held);
}

void locks_describe(struct call *c, struct slice pattern)
{
    struct listing listing = {.call = c, .pattern = pattern};
    size_t begin = write_begin(&c->out);

    for (unsigned i = 0; i < SHARDS; i++)
        list_shard(&listing, i);
    write_end_array(&c->out, begin, listing.n);
}

struct lock_sums locks_sum(const struct server *s)
{
    struct lock_sums sums = {0};

    for (unsigned i = 0; i < SHARDS; i++) {
        const struct latches *t = s->keyspace.shards[i].locks;

        if (!t)
            continue;
        sums.latches += t->table.count;
        sums.holders += t->holders;
        sums.waiters += t->waiters;
    }
    return sums;
}
