/* Queueing and running transactions, see transaction.h. */
#include "server/transaction.h"

#include "base/log.h"
#include "base/mem.h"
#include "base/world.h"
#include "server/backend/fetching.h"
#include "server/backend/home.h"
#include "server/dispatch.h"
#include "server/durability.h"
#include "server/guarding.h"
#include "server/handlers.h"
#include "server/incoming.h"
#include "server/kept.h"
#include "server/monitor.h"
#include "server/reply.h"
#include "server/serving.h"
#include "server/timing.h"
#include "server/tracking.h"

enum {
    GATE_FLAGS = CMD_WRITE | CMD_READONLY | CMD_DENYOOM | CMD_MAY_REPLICATE,
    MUTED = CONN_REPLY_OFF | CONN_REPLY_SKIP,
};

static struct transaction *transaction_of(struct conn *c)
{
    if (!c->transaction)
        c->transaction = mem_zalloc(sizeof(*c->transaction));
    return c->transaction;
}

/* ---- the queue ------------------------------------------------------------------------------- */

static void append(struct transaction *t, struct kept *q)
{
    if (t->last)
        t->last->next = q;
    else
        t->first = q;
    t->last = q;
    t->count++;
}

static void keep(struct transaction *t, struct call *c)
{
    bool world = command_needs_world(c->cmd, c->argv, c->argc);
    struct kept *q = kept_new(c);

    append(t, q);
    t->memory += q->memory;
    t->flags |= command_flags(c->cmd, c->argv, c->argc) & GATE_FLAGS;
    t->world = t->world || world || c->cmd->flags & CMD_EXEC_WORLD;
    if (c->cmd->one_key)
        key_locks_add(&t->locks, c->first_hash);
    else if (world || !key_locks_add_keys(&t->locks, c, q->hashes))
        q->hashes = NULL;
}

/* What is queued is input that is not worked off: it counts as such. */
static void bound(struct conn *c)
{
    struct worker *w = c->worker;

    if (LIKELY(c->transaction->memory <= w->server->conf->client_query_buffer_limit))
        return;
    log_warning("Closing client that queued more than the query buffer may hold: id=%llu",
                (unsigned long long)c->id);
    w->stats.query_limit_disconnections++;
    conn_doom(c);
}

void transaction_queue(struct call *c)
{
    struct transaction *t = c->conn->transaction;

    if (!t->spoilt)
        keep(t, c);
    reply_simple(c, "QUEUED");
    bound(c->conn);
}

/* ---- beginning and ending -------------------------------------------------------------------- */

bool transaction_begin(struct conn *c)
{
    if (c->flags & CONN_MULTI)
        return false;
    transaction_of(c);
    c->flags |= CONN_MULTI;
    c->gates |= CONN_GATE_MULTI;
    return true;
}

void transaction_watch(struct call *c, int i)
{
    struct transaction *t = transaction_of(c->conn);

    key_locks_add(&t->locks, call_hash(c, i));
    watches_add(&t->watches, c, i);
}

void transaction_watch_version(struct call *c, int i, uint64_t version)
{
    struct transaction *t = transaction_of(c->conn);

    key_locks_add(&t->locks, call_hash(c, i));
    watches_add_version(&t->watches, c, i, version);
}

void transaction_watch_lock(struct call *c, int i, uint64_t token)
{
    struct transaction *t = transaction_of(c->conn);

    key_locks_add(&t->locks, call_hash(c, i));
    watches_add_lock(&t->watches, c, i, token);
}

void transaction_unwatch(struct conn *c)
{
    if (!c->transaction)
        return;
    watches_release(&c->transaction->watches, &c->worker->server->keyspace);
    if (!(c->flags & CONN_MULTI))
        transaction_drop(c);
}

void transaction_drop(struct conn *c)
{
    struct transaction *t = c->transaction;

    if (!t)
        return;
    for (struct kept *q = t->first, *next; q; q = next) {
        next = q->next;
        kept_free(q);
    }
    watches_release(&t->watches, &c->worker->server->keyspace);
    mem_free(t);
    c->transaction = NULL;
    c->flags &= ~(uint32_t)CONN_MULTI;
    c->gates &= ~(uint32_t)CONN_GATE_MULTI;
}

/* ---- refusals -------------------------------------------------------------------------------- */

/* EXEC says that nothing was run, and why, without the customary code. */
static void abort_exec(struct call *c)
{
    struct buf *out = c->out.buf;
    struct slice why = slice_make(out->ptr + c->reply_start + 1, out->len - c->reply_start - 3);
    size_t code = why.len > 4 && memcmp(why.ptr, "ERR ", 4) == 0 ? 4 : 0;
    struct buf text = {0};

    buf_append_str(&text, "EXECABORT Transaction discarded because of: ");
    buf_append(&text, why.ptr + code, why.len - code);
    out->len = c->reply_start;
    write_error_slice(&c->out, buf_slice(&text));
    buf_release(&text);
    transaction_drop(c->conn);
}

void transaction_refused(struct call *c)
{
    if (c->cmd && c->cmd->run == cmd_exec)
        abort_exec(c);
    else if (c->conn->flags & CONN_MULTI)
        c->conn->transaction->spoilt = true;
}

int transaction_flags(const struct call *c)
{
    int flags = LIKELY(!c->cmd->inner) ? c->cmd->flags : command_flags(c->cmd, c->argv, c->argc);

    if (LIKELY(!(c->conn->flags & CONN_MULTI)))
        return flags;
    if (c->cmd->run == cmd_exec)
        return flags | c->conn->transaction->flags;
    return flags & CMD_AT_ONCE ? flags : flags | CMD_DENYOOM; /* a queue needs memory */
}

/* ---- EXEC ------------------------------------------------------------------------------------ */

/* True if keys of the queue must be looked at first. */
static bool hold(struct call *c, const struct transaction *t)
{
    struct worker *w = c->worker;

    if (!t->world) {
        c->holds_shards = t->locks.any;
        return key_locks_hold(&t->locks, &c->server->keyspace);
    }
    world_stop();
    worker_read_clocks(w);
    c->now_ms = w->now_ms;
    c->conf = c->server->conf;
    c->world = true;
    return true;
}

static void log_group(struct call *c, const struct key_locks *held)
{
    uint64_t seq = recording_end(c->worker);

    if (seq)
        durability_logged(c->server, held, seq);
    if (!held || held->any)
        durability_note_exec(c, held);
}

/* A command of the queue may have changed the configuration. */
static void let_go(struct call *c, struct transaction *t)
{
    c->conf = c->server->conf;
    if (UNLIKELY(call_logs(c)))
        log_group(c, t->world ? NULL : &t->locks);
    if (UNLIKELY(server_gate(c->server, GATE_THROUGH)) && (t->world || t->locks.any))
        home_depend(c, t->world ? NULL : &t->locks);
    if (UNLIKELY(serving_due(c->worker)))
        serving_run(c->worker, t->world ? NULL : &t->locks);
    if (t->world)
        world_resume();
    else
        key_locks_release(&t->locks, &c->server->keyspace);
}

/* As for a batch: first the buckets, then the entries. */
static void look_ahead(const struct call *c, const struct transaction *t,
                       void (*hint)(const struct table *t, uint64_t hash))
{
    const struct keyspace *ks = &c->server->keyspace;

    for (const struct kept *q = t->first; q; q = q->next) {
        if (q->cmd->first_key)
            hint(&keyspace_space(ks, c->db, shard_of(q->first_hash))->table, q->first_hash);
    }
}

/* While the main thread does what this command wants, others change keys. */
static bool lets_others_in(const struct command *cmd)
{
    return strcmp(cmd->full_name, "config|set") == 0 || strcmp(cmd->full_name, "debug") == 0;
}

/* So what was changed until then has to be in the log before, and is no group with the rest. */
static void split_group(struct call *exec)
{
    uint64_t seq = recording_end(exec->worker);

    if (seq)
        durability_logged(exec->server, NULL, seq);
    recording_begin(exec->worker);
}

/* The handler may take over a long argument; what it leaves is freed with the command. */
static void run_queued(struct call *exec, struct kept *q)
{
    struct conn *c = exec->conn;
    size_t before = exec->out.buf->len;

    if (UNLIKELY(q->blobs_len)) {
        incoming_lend_blobs(c, q->blobs, q->blobs_len);
        q->blobs_len = 0;
    }
    /* A command before this one may have turned the log on. */
    if (UNLIKELY(server_gate(exec->server, GATE_LOGGED) && !call_logs(exec)))
        recording_begin(exec->worker);
    if (UNLIKELY(call_logs(exec) && exec->world && lets_others_in(q->cmd)))
        split_group(exec);
    dispatch_queued(exec, q);
    if (UNLIKELY(c->in && c->in->blobs_len))
        incoming_free_blobs(c->in);
    if (UNLIKELY(c->flags & MUTED))
        exec->out.buf->len = before;
}

/* Each command's time is its own, and a part of EXEC's. */
static void run_all(struct call *c, struct transaction *t)
{
    struct timing outer;

    timing_nest(c->worker, &outer);
    if (!(c->conn->flags & MUTED))
        reply_array(c, t->count);
    for (struct kept *q = t->first; q; q = q->next)
        run_queued(c, q);
    timing_unnest(c->worker, &outer);
    if (server_gate(c->server, GATE_MONITORED))
        monitor_note(c);
    /* A CLIENT REPLY among the commands has had its effect, and concerns no more than it did. */
    if (UNLIKELY(c->conn->gates & CONN_GATE_REPLY))
        c->reply_start = c->out.buf->len;
}

/* Keys of the queue are not in memory, or guarded: it is kept as long as EXEC waits. */
static void turn_away(struct call *c, struct transaction *t)
{
    if (UNLIKELY(serving_due(c->worker)))
        serving_run(c->worker, t->world ? NULL : &t->locks);
    if (t->world)
        world_resume();
    else
        key_locks_release(&t->locks, &c->server->keyspace);
    if (!c->stopped)
        transaction_drop(c->conn);
}

void transaction_exec(struct call *c)
{
    struct transaction *t = c->conn->transaction;
    struct keyspace *ks = &c->server->keyspace;
    bool changed;

    if (t->spoilt) {
        reply_error(c, "EXECABORT Transaction discarded because of previous errors.");
        transaction_drop(c->conn);
        return;
    }
    look_ahead(c, t, table_hint_bucket);
    look_ahead(c, t, table_hint_item);
    if (UNLIKELY(hold(c, t)) && (fetching_stops_exec(c, t) || guarding_stops_exec(c, t))) {
        turn_away(c, t);
        return;
    }
    if (UNLIKELY(server_gate(c->server, GATE_LOGGED)))
        recording_begin(c->worker);
    if (UNLIKELY(c->conn->gates & CONN_GATE_TRACKING))
        tracking_catch_up(c);
    changed = watches_changed_locked(&t->watches, c->worker);
    watches_release_locked(&t->watches, ks);
    if (changed)
        reply_null_array(c);
    else
        run_all(c, t);
    let_go(c, t);
    transaction_drop(c->conn);
}

/* ---- descriptions ---------------------------------------------------------------------------- */

int64_t transaction_count(const struct conn *c)
{
    return c->flags & CONN_MULTI ? c->transaction->count : -1;
}

size_t transaction_memory(const struct conn *c)
{
    const struct transaction *t = c->transaction;

    return t ? t->memory + t->watches.memory + t->watches.cap * sizeof(*t->watches.v) : 0;
}

bool transaction_is_void(const struct conn *c)
{
    return c->transaction && watches_changed(&c->transaction->watches, c->worker);
}
