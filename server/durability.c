/* Which replies wait for the disk, see durability.h. */
#include "server/durability.h"

#include "base/mem.h"
#include "server/backend/home.h"
#include "server/batch.h"
#include "server/reply.h"
#include "server/waiting.h"
#include "storage/log/journal.h"

/* ---- whose commands ------------------------------------------------------------------------- */

static const char *const names[] = {
    [DURABILITY_OF_SERVER] = "default",
    [DURABILITY_NO] = "no",
    [DURABILITY_EVERYSEC] = "everysec",
    [DURABILITY_ALWAYS] = "always",
};

int durable_inner(const struct slice *argv, int argc)
{
    (void)argv;
    return argc > 2 ? 2 : 0;
}

const char *durability_name(enum durability d)
{
    return names[d];
}

bool durability_read(struct call *c, int i, bool any, enum durability *out)
{
    for (size_t d = any ? DURABILITY_OF_SERVER : DURABILITY_NO; d < COUNT_OF(names); d++) {
        if (call_arg_is(c, i, names[d])) {
            *out = (enum durability)d;
            return true;
        }
    }
    reply_error(c, "ERR durability must be one of always, everysec, no%s", any ? ", default" : "");
    return false;
}

bool durability_possible(struct call *c, enum durability d)
{
    if (d != DURABILITY_ALWAYS || server_gate(c->server, GATE_LOGGED))
        return true;
    reply_error(c, "ERR nothing can be made durable, since appendonly is off");
    return false;
}

void durability_set(struct conn *c, enum durability d)
{
    c->durability = (uint8_t)d;
    if (d == DURABILITY_OF_SERVER)
        c->gates &= ~(uint32_t)CONN_GATE_DURABILITY;
    else
        c->gates |= CONN_GATE_DURABILITY;
}

/* For this command. */
static bool is_wanted(const struct conn *c)
{
    unsigned mine = c->durable_once ? c->durable_once : c->durability;

    if (mine != DURABILITY_OF_SERVER)
        return mine == DURABILITY_ALWAYS;
    return server_gate(c->worker->server, GATE_DURABLE);
}

enum { KEY_BITS = 8, KEY_SHIFT = 38 };

/* ---- what it depends on --------------------------------------------------------------------- */

/* By shard and a part of the hash that neither shards nor tables go by. Locked: the shard. */
static uint64_t *of_key(const struct server *s, uint64_t hash)
{
    return &s->logged_of_keys[shard_of(hash) << KEY_BITS |
                              (hash >> KEY_SHIFT & ((1u << KEY_BITS) - 1))];
}

void durability_begin(struct server *s)
{
    if (!s->logged_of_keys)
        s->logged_of_keys = mem_zalloc(((size_t)SHARDS << KEY_BITS) * sizeof(uint64_t));
}

void durability_logged_in(struct server *s, unsigned shard, uint64_t seq)
{
    s->keyspace.shards[shard].logged = s->keyspace.shards[shard].logged_widely = seq;
}

void durability_logged_key(struct server *s, uint64_t hash, uint64_t seq)
{
    s->keyspace.shards[shard_of(hash)].logged = seq;
    *of_key(s, hash) = seq;
}

void durability_logged(struct server *s, const struct key_locks *held, uint64_t seq)
{
    if (!held) {
        atomic_store_explicit(&s->logged_for_all, seq, memory_order_relaxed);
        return;
    }
    for (unsigned word = 0; word < SHARDS / 64; word++) {
        for (uint64_t bits = held->shards[word]; bits; bits &= bits - 1)
            durability_logged_in(s, word * 64 + (unsigned)__builtin_ctzll(bits), seq);
    }
}

uint64_t durability_of(const struct server *s, const struct key_locks *held)
{
    uint64_t seq = atomic_load_explicit(&s->logged_for_all, memory_order_relaxed);

    if (!held)
        return journal_seq(s->journal);
    for (unsigned word = 0; word < SHARDS / 64; word++) {
        for (uint64_t bits = held->shards[word]; bits; bits &= bits - 1) {
            unsigned shard = word * 64 + (unsigned)__builtin_ctzll(bits);

            if (s->keyspace.shards[shard].logged > seq)
                seq = s->keyspace.shards[shard].logged;
        }
    }
    return seq;
}

static void depend(struct conn *c, uint64_t seq)
{
    if (seq > c->await_seq && seq > journal_durable(c->worker->server->journal))
        c->await_seq = seq;
}

void durability_depend(struct call *c, uint64_t seq)
{
    if (seq && is_wanted(c->conn))
        depend(c->conn, seq);
}

/* At keys, or at locks. */
void durability_note(struct call *c, const struct key_locks *held)
{
    struct conn *conn = c->conn;
    bool looks =
        command_flags(c->cmd, c->argv, c->argc) & (CMD_WRITE | CMD_READONLY) || (held && held->any);

    if (looks && is_wanted(conn))
        depend(conn, durability_of(c->server, held && held->any ? held : NULL));
    conn->durable_once = DURABILITY_OF_SERVER;
}

void durability_note_one(struct call *c)
{
    const struct server *s = c->server;
    uint64_t widely = s->keyspace.shards[shard_of(c->first_hash)].logged_widely;
    uint64_t all = atomic_load_explicit(&s->logged_for_all, memory_order_relaxed);
    uint64_t seq = *of_key(s, c->first_hash);

    seq = seq > widely ? seq : widely;
    if (is_wanted(c->conn))
        depend(c->conn, seq > all ? seq : all);
    c->conn->durable_once = DURABILITY_OF_SERVER;
}

void durability_note_exec(struct call *c, const struct key_locks *held)
{
    if (is_wanted(c->conn))
        depend(c->conn, durability_of(c->server, held));
    c->conn->durable_once = DURABILITY_OF_SERVER;
}

/* ---- holding -------------------------------------------------------------------------------- */

static bool is_reached(const struct conn *c)
{
    const struct journal *j = c->worker->server->journal;

    return (!c->await_seq || journal_state(j) == JOURNAL_OFF ||
            journal_durable(j) >= c->await_seq) &&
           (LIKELY(!c->await_epoch) || home_reached(c));
}

static void on_reached(struct worker *w, void *arg);

/* Has the worker look who can go on. */
static void tell(struct worker *w)
{
    if (!atomic_exchange(&w->sync_told, true))
        worker_call(w, on_reached, NULL);
}

void durability_hold(struct conn *c)
{
    struct worker *w = c->worker;

    if (c->await_seq)
        journal_want(w->server->journal, c->await_seq);
    if (c->flags & CONN_SYNCING)
        return;
    atomic_store(&w->syncs_awaited, true);
    if (is_reached(c) && !home_failed(c)) {
        c->await_seq = c->await_epoch = 0;
        return;
    }
    if (is_reached(c)) /* the answers are taken back when they are all there */
        tell(w);
    c->flags |= CONN_SYNCING;
    c->out_free = c->out.len;
    list_push(&w->syncing, &c->sync_link);
}

void durability_hold_served(struct conn *c, uint64_t seq, uint64_t epoch)
{
    if (seq && is_wanted(c))
        depend(c, seq);
    if (epoch)
        home_depend_on(c, epoch);
    if (durability_waits(c))
        durability_hold(c);
}

/* ---- going on ------------------------------------------------------------------------------- */

static void go_on(struct conn *c)
{
    list_remove(&c->sync_link);
    c->flags &= ~(uint32_t)CONN_SYNCING;
    if (UNLIKELY(home_failed(c)))
        home_take_back(&c->out, c->out_free);
    c->await_seq = c->await_epoch = 0;
    conn_flush(c);
    if (c->in && !(c->flags & (CONN_DOOMED | CONN_WAITS)) && !c->killed)
        batch_run_incoming(c);
}

/* Those that have to wait again are behind those that wait now. */
static void on_reached(struct worker *w, void *arg)
{
    struct list *link = w->syncing.next, *last = w->syncing.prev, *next;
    bool more = link != &w->syncing;

    (void)arg;
    atomic_store(&w->sync_told, false);
    for (; more; link = next) {
        struct conn *c = CONTAINER_OF(link, struct conn, sync_link);

        next = link->next;
        more = link != last;
        if (is_reached(c))
            go_on(c);
    }
    waiting_look_again(w);
    if (list_empty(&w->syncing) && !w->sync_waiters)
        atomic_store(&w->syncs_awaited, false);
}

/* The disk may have got there meanwhile, and have found nobody waiting. */
void durability_await(struct worker *w, uint64_t seq)
{
    atomic_store(&w->syncs_awaited, true);
    journal_want(w->server->journal, seq);
    if (journal_durable(w->server->journal) >= seq)
        tell(w);
}

void durability_reached(struct server *s)
{
    for (int i = 0; i < s->workers_len; i++) {
        struct worker *w = &s->workers[i];

        if (atomic_load(&w->syncs_awaited))
            tell(w);
    }
}
