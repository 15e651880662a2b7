/* The dispatcher, see dispatch.h. */
#include "server/dispatch.h"

#include "base/log.h"
#include "base/world.h"
#include "server/backend/fetching.h"
#include "server/backend/home.h"
#include "server/durability.h"
#include "server/effects.h"
#include "server/gates.h"
#include "server/guarding.h"
#include "server/kept.h"
#include "server/key_locks.h"
#include "server/monitor.h"
#include "server/policer.h"
#include "server/reply.h"
#include "server/serving.h"
#include "server/timing.h"
#include "server/tracking.h"
#include "server/transaction.h"
#include "storage/value_types.h"

enum { UNKNOWN_ARGS_MAX = 128 };

/* ---- requests that cannot run --------------------------------------------------------------- */

/*
 * A web page can make its reader's browser send HTTP to this port; its first lines are no commands,
 * but what follows may be. So the connection ends there, without an answer.
 */
static void end_if_http(struct call *c)
{
    char peer[128];

    if (!slice_is(c->argv[0], "post") && !slice_is(c->argv[0], "host:"))
        return;
    conn_peer_name(c->conn, peer);
    log_warning("HTTP instead of a request from %s, perhaps an attack: connection closed", peer);
    conn_doom(c->conn);
}

static void refuse_unknown(struct call *c)
{
    struct buf args = {0};

    end_if_http(c);
    for (int i = 1; i < c->argc && args.len < UNKNOWN_ARGS_MAX; i++) {
        size_t room = UNKNOWN_ARGS_MAX - args.len;
        struct slice arg = call_arg(c, i);

        buf_printf(&args, "'%.*s' ", (int)(arg.len < room ? arg.len : room), arg.ptr);
    }
    reply_error(c, "ERR unknown command '%.*s', with args beginning with: %.*s",
                (int)(c->argv[0].len < 128 ? c->argv[0].len : 128), c->argv[0].ptr, (int)args.len,
                args.ptr ? args.ptr : "");
    buf_release(&args);
}

static void refuse_subcommand(struct call *c)
{
    char name[64];
    size_t n = 0;

    for (; c->cmd->name[n] && n < sizeof(name) - 1; n++)
        name[n] = c->cmd->name[n] >= 'a' && c->cmd->name[n] <= 'z' ? c->cmd->name[n] - 32
                                                                   : c->cmd->name[n];
    name[n] = '\0';
    reply_error(c, "ERR unknown subcommand '%.*s'. Try %s HELP.",
                (int)(c->argv[1].len < 128 ? c->argv[1].len : 128), c->argv[1].ptr, name);
}

void dispatch_count_error(struct call *c)
{
    const char *code = c->out.buf->ptr + c->reply_start + 1;
    const char *end = memchr(code, ' ', c->out.buf->len - c->reply_start - 1);

    c->worker->stats.error_replies++;
    server_count_error(c->server, end ? slice_make(code, (size_t)(end - code)) : SLICE("ERR"));
}

/* The call of the command that a request carries; its keys' hashes, too, stand in the request. */
static struct call inner_call(const struct call *c, int at)
{
    struct call inner = *c;

    inner.argv += at;
    inner.argc -= at;
    inner.cmd = command_of_request(c->server->commands, inner.argv, inner.argc);
    if (inner.hashes)
        inner.hashes += at;
    inner.parsed = NULL;
    inner.found_at = 0;
    inner.at_once = true;
    return inner;
}

/* What has to do with keys, or is told to others: not what concerns the connection or server. */
static bool may_be_carried(const struct command *cmd)
{
    return cmd->flags & (CMD_WRITE | CMD_READONLY | CMD_MAY_REPLICATE) &&
           !(cmd->flags & (CMD_ADMIN | CMD_NO_MULTI | CMD_AT_ONCE));
}

/* True if the request is none that could run; it is answered then. */
static NOINLINE bool refused(struct call *c);

/* The same for the command that a request carries. */
static NOINLINE bool inner_refused(struct call *c)
{
    int at = c->cmd->inner(c->argv, c->argc);
    struct call inner;

    if (!at)
        return false; /* as the handler will say */
    inner = inner_call(c, at);
    if (!inner.cmd || inner.cmd->wraps < c->cmd->wraps) {
        if (refused(&inner))
            return true;
        if (inner.cmd->inner || may_be_carried(inner.cmd))
            return false;
    }
    reply_error(c, "ERR '%s' cannot be run by '%s'", inner.cmd->full_name, c->cmd->full_name);
    return true;
}

/* A command of its own, with as many arguments as it takes. */
ALWAYS_INLINE bool is_plain(const struct call *c)
{
    const struct command *cmd = c->cmd;

    return cmd && cmd->run && !cmd->inner && !cmd->subcommands &&
           command_arity_fits(cmd, (size_t)c->argc);
}

static NOINLINE bool refused(struct call *c)
{
    if (UNLIKELY(!c->cmd)) {
        refuse_unknown(c);
        return true;
    }
    if (UNLIKELY(c->cmd->subcommands && c->argc >= 2)) {
        refuse_subcommand(c);
        return true;
    }
    if (LIKELY(command_arity_fits(c->cmd, (size_t)c->argc) && c->cmd->run))
        return UNLIKELY(c->cmd->inner) && inner_refused(c);
    reply_error(c, "ERR wrong number of arguments for '%s' command", c->cmd->full_name);
    return true;
}

/* ---- running -------------------------------------------------------------------------------- */

/* What has come for those who wait is theirs before anybody else gets to see it. */
static void serve(const struct call *c, struct key_locks *held)
{
    if (UNLIKELY(serving_due(c->worker)))
        serving_run(c->worker, held);
}

/*
 * What the request in hand and those like it behind it need of a large collection, on its way into
 * the cache: first the buckets, then the members. The shard is locked.
 */
static NOINLINE void look_ahead(const struct call *c)
{
    const struct space *space =
        keyspace_space(&c->server->keyspace, c->db, shard_of(c->first_hash));
    const struct entry *e = space_find(space, c->first_hash, call_arg(c, c->cmd->first_key)).entry;
    value_hint_fn *hint = e && e->form == FORM_OUTSIDE ? value_type(e->type)->hint : NULL;

    for (int deep = 0; hint && deep < 2; deep++) {
        for (const struct parsed *p = c->parsed; p <= c->parsed + c->parsed->like; p++) {
            if (p->argc > c->cmd->member)
                hint(entry_object(e), c->worker->args.v[p->first + (size_t)c->cmd->member], deep);
        }
    }
}

/* The number of the group that the log gets of it, 0 for none. */
static uint64_t run_recorded(struct call *c)
{
    recording_begin(c->worker);
    recording_run(c);
    return recording_end(c->worker);
}

/* Whether it is to be known what the reply depends on. */
static bool asks_for_durability(const struct call *c)
{
    return c->gates & (GATE_DURABLE | CONN_GATE_DURABILITY) || c->conn->durable_once;
}

static bool looks_at_data(const struct call *c)
{
    return command_flags(c->cmd, c->argv, c->argc) & (CMD_WRITE | CMD_READONLY);
}

/* The same with all that may be around it. Locked: `held`; NULL for all that there is. */
static NOINLINE void run_closely(struct call *c, const struct key_locks *held)
{
    bool logged = c->gates & GATE_LOGGED && (!held || held->any);
    uint64_t seq = 0;

    if (c->gates & CONN_GATE_TRACKING)
        tracking_catch_up(c);
    if (logged)
        seq = run_recorded(c);
    else
        c->cmd->run(c);
    if (seq)
        durability_logged(c->server, held, seq);
    if (c->gates & GATE_LOGGED && asks_for_durability(c))
        durability_note(c, held);
    if (c->gates & GATE_THROUGH && looks_at_data(c))
        home_depend(c, held && held->any ? held : NULL);
    if (c->gates & CONN_GATE_TRACKING)
        tracking_remember(c);
}

/* The same for the one shard of its only key. */
static NOINLINE void run_one_closely(struct call *c)
{
    unsigned shard = shard_of(c->first_hash);
    uint64_t seq = 0;

    if (c->gates & CONN_GATE_TRACKING)
        tracking_catch_up(c);
    if (c->gates & GATE_LOGGED)
        seq = run_recorded(c);
    else
        c->cmd->run(c);
    if (seq && c->worker->recording.single && c->gates & GATE_DURABLE)
        durability_logged_key(c->server, c->first_hash, seq);
    else if (seq)
        durability_logged_in(c->server, shard, seq);
    if (c->gates & GATE_LOGGED && asks_for_durability(c))
        durability_note_one(c);
    if (c->gates & GATE_THROUGH)
        home_depend_one(c, shard);
    if (c->gates & CONN_GATE_TRACKING)
        tracking_remember(c);
}

/* Reasons for which a command is let in, but not simply run. */
enum {
    CLOSELY = CONN_GATE_TRACKING | CONN_GATE_DURABILITY | GATE_LOGGED | GATE_DURABLE | GATE_THROUGH
};

/* All that the command needs is locked. */
ALWAYS_INLINE void run_handler(struct call *c, const struct key_locks *held)
{
    if (LIKELY(!(c->gates & CLOSELY)))
        c->cmd->run(c);
    else
        run_closely(c, held);
}

static uint32_t gates_of(const struct server *s, const struct conn *conn)
{
    return atomic_load_explicit(&s->gates, memory_order_relaxed) | conn->gates;
}

/* Whether there is a reason not to run the command yet. */
static bool stopped(struct call *c)
{
    return fetching_stops(c) || guarding_stops(c);
}

/* The same for its one key, whose shard is unlocked then. */
static NOINLINE bool stopped_at_key(struct call *c)
{
    const struct shard *shard = &c->server->keyspace.shards[shard_of(c->first_hash)];

    if (LIKELY(!shard->guards) && c->db == 0 &&
        (call_is_here(c, c->cmd->first_key) ||
         fetching_knows(c->server, shard, call_arg(c, c->cmd->first_key), c->first_hash)))
        return false;
    if (!stopped(c))
        return false;
    serving_unlock(c->worker, shard_of(c->first_hash));
    return true;
}

/* False if it did not run, but waits: it will be run anew. */
static bool run_locked(struct call *c)
{
    struct keyspace *ks = &c->server->keyspace;
    const struct command *cmd = c->cmd;
    struct key_locks locks;

    if (LIKELY(command_has_one_key(cmd, c->argv, c->argc))) {
        struct shard *shard = &ks->shards[shard_of(c->first_hash)];

        lock_take(&shard->lock);
        if (UNLIKELY(shard->guards | (uintptr_t)shard->lazy) && stopped_at_key(c))
            return !c->stopped;
        if (UNLIKELY(c->parsed->like))
            look_ahead(c);
        if (LIKELY(!(c->gates & CLOSELY)))
            cmd->run(c);
        else
            run_one_closely(c);
        if (UNLIKELY(serving_due(c->worker)))
            serving_unlock(c->worker, shard_of(c->first_hash));
        else
            lock_release(&shard->lock);
        return true;
    }
    if (command_needs_world(cmd, c->argv, c->argc)) {
        world_stop();
        worker_read_clocks(c->worker);
        c->now_ms = c->worker->now_ms;
        c->world = true;
        c->conf = c->server->conf;
        c->gates = gates_of(c->server, c->conn);
        if (!stopped(c))
            run_handler(c, NULL);
        serve(c, NULL);
        world_resume();
    } else {
        bool closer = key_locks_take(&locks, c);

        c->holds_shards = locks.any;
        if (LIKELY(!closer || !stopped(c)))
            run_handler(c, &locks);
        serve(c, &locks);
        key_locks_release(&locks, ks);
    }
    return !c->stopped;
}

ALWAYS_INLINE void account(struct call *c)
{
    struct worker *w = c->worker;

    w->stats.commands++;
    if (UNLIKELY(c->out.buf->len > c->reply_start && c->out.buf->ptr[c->reply_start] == '-')) {
        dispatch_count_error(c);
        w->run_failed++;
    }
    if (UNLIKELY(timing_each(c->conf, c->cmd)))
        timing_alone(c);
}

/* What is to be done when the command's shards are unlocked. */
static NOINLINE void settle(struct worker *w)
{
    if (w->overfull_len)
        policer_evict(w);
    effect_settle(w);
}

static bool run(struct call *c)
{
    struct worker *w = c->worker;
    bool done;

    timing_begin(w, c->cmd);
    done = run_locked(c);
    if (UNLIKELY(w->discarded_len | w->overfull_len))
        settle(w);
    if (LIKELY(done))
        account(c);
    else
        timing_withdraw(w);
    return done;
}

static void run_again_locked(struct call *c)
{
    struct keyspace *ks = &c->server->keyspace;
    struct key_locks locks;
    bool stops = !world_is_mine();

    if (command_needs_world(c->cmd, c->argv, c->argc)) {
        if (stops)
            world_stop();
        c->world = true;
        c->conf = c->server->conf;
        c->cmd->run(c);
        serve(c, NULL);
        if (stops)
            world_resume();
        return;
    }
    key_locks_take(&locks, c);
    c->holds_shards = locks.any;
    c->cmd->run(c);
    serve(c, &locks);
    key_locks_release(&locks, ks);
}

void dispatch_again(struct call *c)
{
    struct lock *lock = &c->server->keyspace.shards[shard_of(c->first_hash)].lock;

    if (LIKELY(command_has_one_key(c->cmd, c->argv, c->argc))) {
        lock_take(lock);
        if (UNLIKELY(c->parsed->like))
            look_ahead(c);
        c->cmd->run(c);
        if (UNLIKELY(serving_due(c->worker)))
            serving_unlock(c->worker, shard_of(c->first_hash));
        else
            lock_release(lock);
    } else {
        run_again_locked(c);
    }
    if (UNLIKELY(c->worker->discarded_len))
        effect_settle(c->worker);
}

/* Its locks are held, and its group has begun, by what it is a part of. */
static void run_part(struct call *c)
{
    if (UNLIKELY(call_logs(c)))
        recording_run(c);
    else
        c->cmd->run(c);
}

void dispatch_queued(const struct call *exec, const struct kept *q)
{
    struct call c = {
        .worker = exec->worker,
        .server = exec->server,
        .conn = exec->conn,
        .conf = exec->server->conf,
        .cmd = q->cmd,
        .argv = q->argv,
        .argc = q->argc,
        .db = exec->conn->db,
        .now_ms = exec->now_ms,
        .out = {.buf = exec->out.buf, .resp3 = exec->conn->resp3},
        .reply_start = exec->out.buf->len,
        .first_hash = q->first_hash,
        .hashes = q->hashes,
        .holds_shards = exec->holds_shards,
        .world = exec->world,
        .at_once = true,
    };
    bool monitored = server_gate(c.server, GATE_MONITORED);

    if (UNLIKELY(monitored))
        monitor_note(&c);
    timing_begin(c.worker, c.cmd);
    run_part(&c);
    if (UNLIKELY(c.conn->gates & CONN_GATE_TRACKING))
        tracking_remember(&c);
    account(&c);
    if (UNLIKELY(monitored))
        monitor_show(&c);
}

/* Its reply is that of the request, which counts an error as one. */
void dispatch_inner(struct call *outer)
{
    int at = outer->cmd->inner(outer->argv, outer->argc), first;
    struct call c = inner_call(outer, at);
    struct worker *w = c.worker;
    struct timing around;

    first = c.cmd->first_key;
    if (first && !c.hashes)
        c.first_hash = hash_bytes(call_arg(&c, first));
    timing_nest(w, &around);
    timing_begin(w, c.cmd);
    run_part(&c);
    call_log_nothing(outer); /* it is the inner one that is recorded */
    if (UNLIKELY(c.conn->gates & CONN_GATE_TRACKING))
        tracking_remember(&c);
    w->stats.commands++;
    if (c.out.buf->len > c.reply_start && c.out.buf->ptr[c.reply_start] == '-')
        w->run_failed++;
    timing_unnest(w, &around);
}

/* What is wrong with the request alone, before any gate, is found in the order of Redis. */
static enum gate_result admit(struct call *c, uint32_t gates)
{
    enum gate_result result = GATE_REFUSED;

    if (LIKELY(is_plain(c)) || !refused(c))
        result = LIKELY(!(gates & ~(uint32_t)CLOSELY)) ? GATE_PASS : gates_check(c);
    if (LIKELY(result != GATE_REFUSED))
        return result;
    if (c->cmd)
        c->worker->commands[c->cmd->id].rejected++;
    transaction_refused(c);
    return result;
}

static void after(struct call *c)
{
    if (c->conn->gates & CONN_GATE_REPLY)
        gates_after_reply(c);
    if (c->conn->gates & CONN_GATE_TRACKING)
        tracking_after(c);
}

bool dispatch(struct worker *w, struct conn *conn, const struct parsed *p)
{
    struct server *s = w->server;
    uint32_t gates = gates_of(s, conn);
    struct call c = {
        .worker = w,
        .server = s,
        .conn = conn,
        .conf = s->conf,
        .cmd = p->cmd,
        .argv = &w->args.v[p->first],
        .argc = p->argc,
        .db = conn->db,
        .now_ms = w->now_ms,
        .out = {.buf = &w->out, .resp3 = conn->resp3},
        .reply_start = w->out.len,
        .first_hash = p->hash,
        .parsed = p,
        .gates = gates,
    };
    enum gate_result result;

    if (UNLIKELY(gates & CONN_GATE_TRACKING))
        tracking_catch_up(&c);
    result = admit(&c, gates);
    if (UNLIKELY(result == GATE_WAIT)) {
        worker_park(w, conn);
        return false;
    }
    conn->last_command = p->cmd ? p->cmd : conn->last_command;
    if (LIKELY(result == GATE_PASS)) {
        if (UNLIKELY(gates & GATE_MONITORED))
            monitor_note(&c);
        if (UNLIKELY(!run(&c)))
            return false;
        if (UNLIKELY(gates & GATE_MONITORED))
            monitor_show(&c);
    } else if (result == GATE_REFUSED) {
        dispatch_count_error(&c);
    }
    if (UNLIKELY(conn->gates & (CONN_GATE_REPLY | CONN_GATE_TRACKING)))
        after(&c);
    return true;
}
