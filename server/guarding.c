/* Commands on guarded keys, see guarding.h. */
#include "server/guarding.h"

#include "base/mem.h"
#include "server/handlers.h"
#include "server/key_locks.h"
#include "server/locks/lock_guard.h"
#include "server/locks/lock_notice.h"
#include "server/reply.h"
#include "server/touched_keys.h"
#include "server/transaction.h"
#include "server/waiter.h"

/* Keys of a request that are guarded: from 1 on, as if they were its arguments. */
struct guarded {
    struct slice *names;
    uint64_t *hashes;
    int n, cap;
};

/* ---- which keys ------------------------------------------------------------------------------ */

static bool is_among(const struct guarded *g, struct slice name)
{
    for (int i = 1; i <= g->n; i++) {
        if (slice_eq(g->names[i], name))
            return true;
    }
    return false;
}

static void add(struct guarded *g, struct slice name, uint64_t hash)
{
    if (g->n + 1 >= g->cap) {
        g->cap = g->cap ? g->cap * 2 : 8;
        g->names = mem_realloc(g->names, (size_t)g->cap * sizeof(*g->names));
        g->hashes = mem_realloc(g->hashes, (size_t)g->cap * sizeof(*g->hashes));
    }
    g->n++;
    g->names[g->n] = name;
    g->hashes[g->n] = hash;
}

/* What names a lock is the business of the command itself. */
static void look_at_key(struct call *c, int i, int db, int flags, void *opaque)
{
    struct guarded *g = opaque;
    uint64_t hash = call_hash(c, i);
    struct slice key = call_arg(c, i);

    if (flags & KEY_LOCK || !c->server->keyspace.shards[shard_of(hash)].guards || is_among(g, key))
        return;
    if (lock_guards(c->worker, c->conn, db, key, hash))
        add(g, key, hash);
}

/* ---- waiting --------------------------------------------------------------------------------- */

static const struct holder *guard_of(const struct latch *l)
{
    LIST_EACH (h, &l->holders, struct holder, in_latch) {
        if (h->guard)
            return h;
    }
    return NULL;
}

/* True if somebody guards it, who is named. Locked: its shard. */
static bool refuse_for(struct call *c, const struct latch *l)
{
    const struct holder *h = l ? guard_of(l) : NULL;
    struct buf who = {0};

    if (!h)
        return false;
    lock_append_holder(&who, h);
    reply_error(c, "LOCKED %.*s is held by %.*s", (int)l->len, l->name, (int)who.len, who.ptr);
    buf_release(&who);
    return true;
}

/* The time is up: nobody knows better than by now who it is. */
static void answer_in_vain(struct call *c)
{
    const struct lock_request *r = c->conn->waiter->wait.subject;
    struct key_locks locks = {0}, *held;
    bool said = false;

    for (int i = 0; i < r->places_len; i++)
        key_locks_add(&locks, r->places[i].hash);
    held = lock_shards(c->worker, &locks);
    for (int i = 0; i < r->places_len && !said; i++)
        said = refuse_for(c, r->places[i].latch);
    unlock_shards(c->worker, held);
    if (!said)
        reply_error(c, "LOCKED others wait for the same keys");
}

/* Goes on with the request, which has its turn, or behind it. */
static void wait_ended(struct waiter *waiter)
{
    struct lock_request *r = waiter->wait.subject;
    struct conn *c = waiter->conn;

    if (lock_request_got(r, waiter)) {
        conn_extra(c)->pass = r;
        c->flags |= CONN_PASSES;
        return;
    }
    if (c) {
        c->in->answered = true;
        if (waiter->request->cmd->run == cmd_exec)
            transaction_drop(c);
    }
    lock_wait_ended(waiter);
}

int64_t guarding_timeout_ms(const struct conn *c)
{
    return c->extra && c->extra->has_lock_timeout ? c->extra->lock_timeout_ms
                                                  : c->worker->server->conf->lock_timeout;
}

/* The pass for other keys goes first: who waits with one in hand would keep others waiting. */
static void give_up_pass(struct conn *c)
{
    struct lock_request *r;

    if (!(c->flags & CONN_PASSES))
        return;
    r = c->extra->pass;
    c->extra->pass = NULL;
    c->flags &= ~(uint32_t)CONN_PASSES;
    lock_pass_over_locked(c->worker, r);
}

static void begin(struct call *c, const struct guarded *g, bool reads)
{
    int64_t ms = guarding_timeout_ms(c->conn);
    struct call named = *c;
    struct wait wait = {
        .in_vain = answer_in_vain,
        .ended = wait_ended,
        .again = true,
        .until_us = ms > 0 ? wait_until_us(ms) : 0,
    };
    struct lock_request *r;

    if (!ms) {
        refuse_for(c, latch_find(c->server->keyspace.shards[shard_of(g->hashes[1])].locks,
                                 g->names[1], g->hashes[1]));
        return;
    }
    named.argv = g->names;
    named.hashes = g->hashes;
    named.argc = g->n + 1;
    wait.subject = r = lock_pass_new(&named, g->n, reads);
    if (lock_request_begin(c, r, &wait))
        c->stopped = true;
    else
        reply_error(c, "DEADLOCK whoever guards a key that is asked for waits for this session");
}

static bool stops(struct call *c, struct guarded *g, bool reads)
{
    bool any = g->n > 0;

    if (any) {
        give_up_pass(c->conn);
        begin(c, g, reads);
    }
    mem_free(g->names);
    mem_free(g->hashes);
    return any;
}

static bool reads_only(const struct call *c)
{
    int flags = command_flags(c->cmd, c->argv, c->argc);

    return flags & CMD_READONLY && !(flags & CMD_WRITE);
}

bool guarding_stops(struct call *c)
{
    struct guarded g = {0};

    touched_keys(c, look_at_key, &g);
    return stops(c, &g, reads_only(c));
}

bool guarding_stops_exec(struct call *c, const struct transaction *t)
{
    struct guarded g = {0};

    touched_keys_exec(c, t, look_at_key, &g);
    return stops(c, &g, !(t->flags & CMD_WRITE));
}

void guarding_over(struct conn *c)
{
    struct lock_request *r = c->extra->pass;

    c->extra->pass = NULL;
    c->flags &= ~(uint32_t)CONN_PASSES;
    lock_pass_over(c->worker, r);
}

void guarding_forget(struct conn *c)
{
    if (c->extra)
        mem_free(c->extra->pass);
}
