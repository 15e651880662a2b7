/* Subscribing, publishing and delivering, see pubsub.h. */
#include "server/pubsub.h"

#include "base/glob.h"
#include "base/mem.h"
#include "base/world.h"
#include "resp/writer.h"
#include "server/keyvalue.h"
#include "server/pubsub_registry.h"
#include "server/worker.h"
#include "storage/hash.h"

enum {
    KEEP_SCRATCH_UP_TO = 64 * 1024,
    CONGESTED_FROM = 8 * 1024 * 1024, /* bytes that a worker is still to write */
};

/* One connection's subscription of one channel. */
struct subscription {
    struct channel *channel;
    struct conn *conn;
    struct list in_channel; /* channel->at[worker].members */
    struct list in_conn;    /* conn->subs->of[kind] */
};

struct subscriptions {
    struct list of[CHANNEL_KINDS];
    uint32_t counts[CHANNEL_KINDS];
};

/* What a worker needs; its thread alone touches it, but for the mailbox. */
struct desk {
    struct mailbox mailbox;
    struct table pairs; /* subscriptions by connection and channel */
    /* Scratch of publish(): the channel and patterns that have subscribers. */
    struct channel **heard;
    size_t heard_len, heard_cap;
    struct buf encoded;        /* scratch of deliver */
    struct buf made;           /* scratch of publish: a message that is made */
    struct mailbox *congested; /* where this worker put more than its owner can keep up with */
};

struct pubsub {
    struct registry registry;
    struct desk desks[]; /* by worker */
};

static struct desk *desk_of(const struct worker *w)
{
    return &w->server->pubsub->desks[w->index];
}

struct pubsub *pubsub_new(int workers)
{
    struct pubsub *p = mem_zalloc_lines(sizeof(*p) + (size_t)workers * sizeof(p->desks[0]));

    registry_init(&p->registry, workers);
    for (int i = 0; i < workers; i++)
        mailbox_init(&p->desks[i].mailbox);
    return p;
}

void pubsub_free(struct pubsub *p)
{
    if (!p)
        return;
    for (int i = 0; i < p->registry.workers; i++) {
        mailbox_release(&p->desks[i].mailbox);
        table_release(&p->desks[i].pairs);
        mem_free(p->desks[i].heard);
        buf_release(&p->desks[i].encoded);
        buf_release(&p->desks[i].made);
    }
    registry_release(&p->registry);
    mem_free(p);
}

/* ---- a worker's subscriptions --------------------------------------------------------------- */

struct pair {
    const struct conn *conn;
    enum channel_kind kind;
    struct slice name;
};

static uint64_t pair_hash(const struct conn *c, enum channel_kind kind, uint64_t channel_hash)
{
    return (channel_hash ^ (c->id * CHANNEL_KINDS + kind)) * 0x9e3779b97f4a7c15u;
}

static uint64_t hash_of_pair(const void *item)
{
    const struct subscription *s = item;

    return pair_hash(s->conn, s->channel->kind, s->channel->hash);
}

static bool is_pair(const void *item, struct slice key)
{
    const struct subscription *s = item;
    const struct pair *want = (const struct pair *)(const void *)key.ptr;

    return s->conn == want->conn && s->channel->kind == want->kind &&
           slice_eq(s->channel->name, want->name);
}

static struct subscription *find_pair(const struct conn *c, enum channel_kind kind,
                                      struct slice name, uint64_t hash, struct table_place *place)
{
    struct pair want = {c, kind, name};

    if (!c->subs || !c->subs->counts[kind])
        return NULL;
    return table_find(&desk_of(c->worker)->pairs, pair_hash(c, kind, hash),
                      slice_make((const char *)&want, sizeof(want)), is_pair, place);
}

static void add_pair(struct conn *c, struct channel *ch)
{
    struct subscription *s = mem_alloc(sizeof(*s));

    if (!c->subs) {
        c->subs = mem_zalloc(sizeof(*c->subs));
        for (int kind = 0; kind < CHANNEL_KINDS; kind++)
            list_init(&c->subs->of[kind]);
        c->gates |= CONN_GATE_SUBSCRIBER;
    }
    *s = (struct subscription){.channel = ch, .conn = c};
    list_push(&ch->at[c->worker->index].members, &s->in_channel);
    list_push(&c->subs->of[ch->kind], &s->in_conn);
    c->subs->counts[ch->kind]++;
    table_insert(&desk_of(c->worker)->pairs, hash_of_pair(s), s, hash_of_pair);
}

static void remove_pair(struct subscription *s, struct table_place place)
{
    struct conn *c = s->conn;
    struct subscriptions *subs = c->subs;

    table_remove(&desk_of(c->worker)->pairs, place, hash_of_pair(s), hash_of_pair);
    list_remove(&s->in_channel);
    list_remove(&s->in_conn);
    subs->counts[s->channel->kind]--;
    mem_free(s);
    if (subs->counts[CHANNEL_PLAIN] + subs->counts[CHANNEL_PATTERN] + subs->counts[CHANNEL_SHARD])
        return;
    mem_free(subs);
    c->subs = NULL;
    c->gates &= ~(uint32_t)CONN_GATE_SUBSCRIBER;
}

/* ---- delivering ----------------------------------------------------------------------------- */

/*
 * The message as RESP3 has it; in RESP2 only the first byte differs. What MONITOR shows is a line
 * that begins with + in both.
 */
static void encode(struct buf *out, const struct channel *ch, const struct message *m)
{
    static const char *const kinds[] = {"message", "pmessage", "smessage"};
    struct writer w = {.buf = out, .resp3 = true};

    out->len = 0;
    if (ch->kind == CHANNEL_KINDS) {
        buf_append_slice(out, m->payload);
        return;
    }
    write_push(&w, ch->kind == CHANNEL_PATTERN ? 4 : 3);
    write_cstr(&w, kinds[ch->kind]);
    if (ch->kind == CHANNEL_PATTERN)
        write_bulk(&w, ch->name);
    write_bulk(&w, m->channel);
    write_bulk(&w, m->payload);
}

static void deliver_to(struct worker *w, const struct channel *ch, const struct message *m)
{
    struct buf *encoded = &desk_of(w)->encoded;

    encode(encoded, ch, m);
    LIST_EACH (s, &ch->at[w->index].members, struct subscription, in_channel) {
        if (ch->kind != CHANNEL_KINDS)
            encoded->ptr[0] = s->conn->resp3 ? '>' : '*';
        conn_push(s->conn, buf_slice(encoded));
    }
    if (encoded->cap > KEEP_SCRATCH_UP_TO)
        buf_release(encoded);
}

static void deliver_all(struct worker *w, struct delivery *d)
{
    struct delivery *next;

    for (; d; d = next) {
        next = d->next;
        for (size_t i = 0; i < d->len; i++)
            deliver_to(w, d->to[i], d->message);
        delivery_free(d);
    }
}

void pubsub_deliver(struct worker *w)
{
    struct mailbox *box = &desk_of(w)->mailbox;

    if (LIKELY(atomic_load_explicit(&box->cost, memory_order_relaxed) == 0))
        return;
    deliver_all(w, mailbox_take(box));
}

bool pubsub_congested(struct worker *w)
{
    struct desk *desk = desk_of(w);

    if (LIKELY(!desk->congested))
        return false;
    if (atomic_load_explicit(&desk->congested->cost, memory_order_relaxed) < CONGESTED_FROM / 2)
        desk->congested = NULL;
    return desk->congested != NULL;
}

/* ---- subscribing ---------------------------------------------------------------------------- */

bool pubsub_subscribe(struct conn *c, enum channel_kind kind, struct slice name)
{
    struct worker *w = c->worker;
    struct registry *r = &w->server->pubsub->registry;
    uint64_t hash = hash_bytes(name);
    struct channel_part *part = registry_part(r, kind, hash);
    struct delivery *before;
    struct table_place place;
    struct channel *ch;

    if (find_pair(c, kind, name, hash, &place))
        return false;
    keyvalue_listen(w->server, kind, name);
    lock_take(&part->lock);
    ch = registry_make_locked(r, kind, name, hash);
    ch->total++;
    ch->at[w->index].count++;
    before = mailbox_take(&desk_of(w)->mailbox);
    lock_release(&part->lock);
    deliver_all(w, before);
    add_pair(c, ch);
    return true;
}

static void end_subscription(struct subscription *s, struct table_place place)
{
    struct worker *w = s->conn->worker;
    struct registry *r = &w->server->pubsub->registry;
    struct channel *ch = s->channel;
    struct channel_part *part = registry_part(r, ch->kind, ch->hash);
    struct delivery *before;
    bool last;

    lock_take(&part->lock);
    ch->at[w->index].count--;
    last = --ch->total == 0;
    if (last)
        registry_remove_locked(r, ch);
    before = mailbox_take(&desk_of(w)->mailbox);
    lock_release(&part->lock);
    deliver_all(w, before);
    remove_pair(s, place);
    keyvalue_unlisten(w->server, ch->kind, ch->name);
    /* Others may be delivering what they took from their mailboxes before they left the channel. */
    if (last)
        world_retire(ch);
}

bool pubsub_unsubscribe(struct conn *c, enum channel_kind kind, struct slice name)
{
    struct table_place place;
    struct subscription *s = find_pair(c, kind, name, hash_bytes(name), &place);

    if (!s)
        return false;
    end_subscription(s, place);
    return true;
}

void pubsub_drop(struct conn *c)
{
    for (int kind = 0; kind < CHANNEL_KINDS; kind++) {
        while (c->subs && !list_empty(&c->subs->of[kind])) {
            struct subscription *s =
                CONTAINER_OF(c->subs->of[kind].next, struct subscription, in_conn);
            struct table_place place;

            find_pair(c, s->channel->kind, s->channel->name, s->channel->hash, &place);
            end_subscription(s, place);
        }
    }
}

uint32_t pubsub_count(const struct conn *c, enum channel_kind kind)
{
    return c->subs ? c->subs->counts[kind] : 0;
}

bool pubsub_first(const struct conn *c, enum channel_kind kind, struct buf *out)
{
    const struct subscription *s;

    if (!pubsub_count(c, kind))
        return false;
    s = CONTAINER_OF(c->subs->of[kind].next, struct subscription, in_conn);
    out->len = 0;
    buf_append_slice(out, s->channel->name);
    return true;
}

size_t pubsub_memory(const struct conn *c)
{
    size_t n = 0;

    if (!c->subs)
        return 0;
    for (int kind = 0; kind < CHANNEL_KINDS; kind++)
        n += c->subs->counts[kind];
    return mem_size_of(c->subs) + n * mem_good_size(sizeof(struct subscription));
}

/* ---- publishing ----------------------------------------------------------------------------- */

static uint64_t hear(struct desk *desk, struct channel *ch)
{
    if (desk->heard_len == desk->heard_cap) {
        desk->heard_cap = desk->heard_cap ? desk->heard_cap * 2 : 16;
        desk->heard = mem_realloc(desk->heard, desk->heard_cap * sizeof(struct channel *));
    }
    desk->heard[desk->heard_len++] = ch;
    return ch->total;
}

/* A delivery for the subscribers at worker i; NULL if it has none. */
static struct delivery *delivery_for(const struct desk *desk, const struct message *m, int i)
{
    struct delivery *d;
    size_t n = 0, receivers = 0;

    for (size_t k = 0; k < desk->heard_len; k++) {
        n += desk->heard[k]->at[i].count > 0;
        receivers += desk->heard[k]->at[i].count;
    }
    if (!n)
        return NULL;
    d = mem_alloc(sizeof(*d) + n * sizeof(d->to[0]));
    d->len = 0;
    d->cost = receivers * delivery_cost(m);
    for (size_t k = 0; k < desk->heard_len; k++) {
        if (desk->heard[k]->at[i].count > 0)
            d->to[d->len++] = desk->heard[k];
    }
    return d;
}

static void post(struct worker *w, struct slice name, struct slice payload)
{
    struct server *s = w->server;
    struct desk *desk = desk_of(w);
    struct message *m = message_new(name, payload);

    for (int i = 0; i < s->workers_len; i++) {
        struct delivery *d = delivery_for(desk, m, i);
        struct mailbox *box = &s->pubsub->desks[i].mailbox;

        if (!d)
            continue;
        message_hold(m);
        d->message = m;
        mailbox_put(box, d, &s->workers[i], w);
        if (UNLIKELY(atomic_load_explicit(&box->cost, memory_order_relaxed) > CONGESTED_FROM)) {
            desk->congested = box;
            if (w->current)
                w->current->flags |= CONN_HELD;
        }
    }
    message_drop(m);
}

static bool matches(struct slice pattern, struct slice channel)
{
    return glob_match(pattern, channel, false);
}

static uint64_t hear_patterns(struct registry *r, struct desk *desk, const struct publication *p)
{
    uint64_t receivers = 0;

    LIST_EACH (ch, &r->pattern_list, struct channel, link) {
        if (p->suits(ch->name, p->channel))
            receivers += hear(desk, ch);
    }
    return receivers;
}

static void make_and_post(struct worker *w, const struct publication *p)
{
    struct buf *made = &desk_of(w)->made;

    if (!p->make) {
        post(w, p->channel, p->message);
        return;
    }
    made->len = 0;
    p->make(made, p->opaque);
    post(w, p->channel, buf_slice(made));
    if (made->cap > KEEP_SCRATCH_UP_TO)
        buf_release(made);
}

static uint64_t publish(struct worker *w, enum channel_kind kind, const struct publication *p)
{
    struct registry *r = &w->server->pubsub->registry;
    struct desk *desk = desk_of(w);
    uint64_t hash = hash_bytes(p->channel), receivers = 0;
    struct channel_part *part = registry_part(r, kind, hash);
    bool patterns = kind == CHANNEL_PLAIN && atomic_load(&r->counts[CHANNEL_PATTERN]);
    struct channel *ch;

    desk->heard_len = 0;
    lock_take(&part->lock);
    ch = registry_find_locked(part, kind, p->channel, hash);
    if (ch)
        receivers += hear(desk, ch);
    if (patterns) {
        lock_take(&r->patterns.lock);
        receivers += hear_patterns(r, desk, p);
    }
    if (desk->heard_len)
        make_and_post(w, p);
    if (patterns)
        lock_release(&r->patterns.lock);
    lock_release(&part->lock);
    return receivers;
}

bool pubsub_idle(const struct server *s)
{
    return pubsub_channels(s, CHANNEL_PLAIN) + pubsub_channels(s, CHANNEL_PATTERN) == 0;
}

uint64_t pubsub_publish_suiting(struct worker *w, const struct publication *p)
{
    return pubsub_idle(w->server) ? 0 : publish(w, CHANNEL_PLAIN, p);
}

uint64_t pubsub_publish(struct worker *w, struct slice channel, struct slice message)
{
    struct publication p = {.channel = channel, .message = message, .suits = matches};

    return pubsub_publish_suiting(w, &p);
}

uint64_t pubsub_publish_shard(struct worker *w, struct slice channel, struct slice message)
{
    struct publication p = {.channel = channel, .message = message};

    if (!pubsub_channels(w->server, CHANNEL_SHARD))
        return 0;
    return publish(w, CHANNEL_SHARD, &p);
}

/* ---- MONITOR -------------------------------------------------------------------------------- */

void pubsub_watch(struct conn *c)
{
    struct worker *w = c->worker;
    struct registry *r = &w->server->pubsub->registry;
    struct subscription *s = mem_alloc(sizeof(*s));
    struct delivery *before;

    *s = (struct subscription){.channel = r->monitors, .conn = c};
    lock_take(&r->monitors_lock);
    r->monitors->at[w->index].count++;
    if (r->monitors->total++ == 0)
        server_set_gate(w->server, GATE_MONITORED, true);
    before = mailbox_take(&desk_of(w)->mailbox);
    lock_release(&r->monitors_lock);
    deliver_all(w, before);
    list_push(&r->monitors->at[w->index].members, &s->in_channel);
    conn_extra(c)->watch = s;
}

void pubsub_unwatch(struct conn *c)
{
    struct worker *w = c->worker;
    struct registry *r = &w->server->pubsub->registry;

    lock_take(&r->monitors_lock);
    r->monitors->at[w->index].count--;
    if (--r->monitors->total == 0)
        server_set_gate(w->server, GATE_MONITORED, false);
    lock_release(&r->monitors_lock);
    list_remove(&c->extra->watch->in_channel);
    mem_free(c->extra->watch);
    c->extra->watch = NULL;
}

void pubsub_show(struct worker *w, struct slice line)
{
    struct registry *r = &w->server->pubsub->registry;
    struct desk *desk = desk_of(w);

    lock_take(&r->monitors_lock);
    desk->heard_len = 0;
    if (hear(desk, r->monitors))
        post(w, SLICE(""), line);
    lock_release(&r->monitors_lock);
}

/* ---- what there is -------------------------------------------------------------------------- */

uint64_t pubsub_channels(const struct server *s, enum channel_kind kind)
{
    return atomic_load_explicit(&s->pubsub->registry.counts[kind], memory_order_relaxed);
}

uint64_t pubsub_subscribers(struct server *s, enum channel_kind kind, struct slice name)
{
    uint64_t hash = hash_bytes(name);
    struct channel_part *part = registry_part(&s->pubsub->registry, kind, hash);
    const struct channel *ch;
    uint64_t n;

    lock_take(&part->lock);
    ch = registry_find_locked(part, kind, name, hash);
    n = ch ? ch->total : 0;
    lock_release(&part->lock);
    return n;
}

struct each {
    void (*visit)(struct slice channel, void *opaque);
    void *opaque;
};

static void visit_channel(void *item, void *opaque)
{
    const struct channel *ch = item;
    const struct each *each = opaque;

    each->visit(ch->name, each->opaque);
}

void pubsub_each(struct server *s, enum channel_kind kind,
                 void (*visit)(struct slice channel, void *opaque), void *opaque)
{
    struct registry *r = &s->pubsub->registry;
    struct each each = {visit, opaque};

    for (int i = 0; i < CHANNEL_PARTS; i++) {
        lock_take(&r->parts[i].lock);
        table_each(&r->parts[i].tables[kind], visit_channel, &each);
        lock_release(&r->parts[i].lock);
    }
}
