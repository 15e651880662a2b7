/* The gates, see gates.h. */
#include "server/gates.h"

#include "server/auth.h"
#include "server/backend/home.h"
#include "server/backend/leaving.h"
#include "server/eviction.h"
#include "server/reply.h"
#include "server/saving.h"
#include "server/tracking.h"
#include "server/transaction.h"
#include "storage/log/journal.h"

static enum gate_result gate_auth(struct call *c)
{
    if (!(c->conn->gates & CONN_GATE_AUTH) || !auth_required(c->conf) ||
        c->cmd->flags & CMD_NO_AUTH)
        return GATE_PASS;
    reply_error(c, "NOAUTH Authentication required.");
    return GATE_REFUSED;
}

static enum gate_result gate_no_multi(struct call *c)
{
    if (!(c->conn->gates & CONN_GATE_MULTI) || !(c->cmd->flags & CMD_NO_MULTI))
        return GATE_PASS;
    reply_error(c, "ERR Command not allowed inside a transaction");
    return GATE_REFUSED;
}

/* Of what has to go for a request, its client is told before it is answered. */
static bool make_room(struct call *c)
{
    bool enough = eviction_make_room(c->worker);

    if (UNLIKELY(c->conn->gates & CONN_GATE_TRACKING))
        tracking_catch_up(c);
    return enough;
}

/* What is dirty is being written to the backend, and may leave memory then. */
static bool waits_for_room(struct call *c)
{
    struct conn_extra *x;

    if (LIKELY(!c->server->home) || !leaving_will_go_on(c->server))
        return false;
    x = conn_extra(c->conn);
    if (!x->room_until_ms)
        x->room_until_ms = c->worker->mono_ms + c->conf->backend_timeout;
    return c->worker->mono_ms < x->room_until_ms;
}

static void waits_no_more(const struct conn *conn)
{
    if (UNLIKELY(conn->extra != NULL))
        conn->extra->room_until_ms = 0;
}

static enum gate_result gate_memory(struct call *c)
{
    bool passes = !server_gate(c->server, GATE_MEMORY) || make_room(c) ||
                  !(transaction_flags(c) & CMD_DENYOOM);

    if (!passes && waits_for_room(c))
        return GATE_WAIT;
    waits_no_more(c->conn);
    if (passes)
        return GATE_PASS;
    reply_error(c, "OOM command not allowed when used memory > 'maxmemory'.");
    return GATE_REFUSED;
}

/* Nothing may change that cannot be saved; PING tells those who only look. */
static bool may_not_change(struct call *c)
{
    return transaction_flags(c) & CMD_WRITE || strcmp(c->cmd->full_name, "ping") == 0;
}

static enum gate_result gate_disk(struct call *c)
{
    if (!server_gate(c->server, GATE_UNSAVED) || !saving_refuses_writes(c->server, c->conf) ||
        !may_not_change(c))
        return GATE_PASS;
    reply_error(c, "MISCONF Redis is configured to save RDB snapshots, but it's currently unable "
                   "to persist to disk. Commands that may modify the data set are disabled, "
                   "because this instance is configured to report errors during writes if RDB "
                   "snapshotting fails (stop-writes-on-bgsave-error option). Please check the "
                   "Redis logs for details about the RDB error.");
    return GATE_REFUSED;
}

static enum gate_result gate_log(struct call *c)
{
    struct journal_stats stats;

    if (!server_gate(c->server, GATE_LOG_BROKEN) || !may_not_change(c))
        return GATE_PASS;
    journal_stats(c->server->journal, &stats);
    reply_error(c, "MISCONF Errors writing to the AOF file: %s", strerror(stats.last_error));
    return GATE_REFUSED;
}

static enum gate_result gate_loading(struct call *c)
{
    if (!server_gate(c->server, GATE_LOADING) || c->cmd->flags & CMD_LOADING)
        return GATE_PASS;
    reply_error(c, "LOADING Redis is loading the dataset in memory");
    return GATE_REFUSED;
}

static enum gate_result gate_home(struct call *c)
{
    if (!server_gate(c->server, GATE_HOME) || home_admits(c))
        return GATE_PASS;
    return GATE_REFUSED;
}

static enum gate_result gate_subscriber(struct call *c)
{
    if (!(c->conn->gates & CONN_GATE_SUBSCRIBER) || c->conn->resp3 ||
        c->cmd->flags & CMD_IN_SUBSCRIBER)
        return GATE_PASS;
    reply_error(c,
                "ERR Can't execute '%s': only (P|S)SUBSCRIBE / (P|S)UNSUBSCRIBE / PING / QUIT / "
                "RESET are allowed in this context",
                c->cmd->full_name);
    return GATE_REFUSED;
}

/* Redis takes a client in MONITOR for a kind of replica, and says so. */
static enum gate_result gate_monitor(struct call *c)
{
    if (!(c->conn->gates & CONN_GATE_MONITOR) ||
        !(transaction_flags(c) & (CMD_WRITE | CMD_READONLY | CMD_MAY_REPLICATE)))
        return GATE_PASS;
    reply_error(c, "ERR Replica can't interact with the keyspace");
    return GATE_REFUSED;
}

static enum gate_result gate_pause(struct call *c)
{
    struct server *s = c->server;
    bool may_write = transaction_flags(c) & (CMD_WRITE | CMD_MAY_REPLICATE);

    if (!server_gate(s, GATE_PAUSED) || c->cmd->flags & CMD_EVEN_PAUSED ||
        (s->pause_writes_only && !may_write))
        return GATE_PASS;
    if (c->worker->mono_ms < s->pause_until_ms)
        return GATE_WAIT;
    /* A new pause is not ordered meanwhile: that needs the world to be stopped. */
    server_set_gate(s, GATE_PAUSED, false);
    return GATE_PASS;
}

/*
 * What changes something waits until the disk has caught up, so that what it is still to take has a
 * bound. What goes by its time goes on: it takes no more here than it frees.
 */
static enum gate_result gate_log_full(struct call *c)
{
    if (!server_gate(c->server, GATE_LOG_FULL) || !(transaction_flags(c) & CMD_WRITE))
        return GATE_PASS;
    c->worker->stats.writers_held++;
    return GATE_WAIT;
}

static enum gate_result gate_multi(struct call *c)
{
    if (!(c->conn->gates & CONN_GATE_MULTI) || c->cmd->flags & CMD_AT_ONCE)
        return GATE_PASS;
    transaction_queue(c);
    return GATE_QUEUED;
}

enum gate_result gates_check(struct call *c)
{
    static enum gate_result (*const all[])(struct call *) = {
        gate_auth,       gate_no_multi, gate_memory, gate_disk,    gate_log,
        gate_subscriber, gate_loading,  gate_home,   gate_monitor, gate_pause,
        gate_multi,      gate_log_full, /* the last: what is only queued does not wait */
    };

    for (size_t i = 0; i < COUNT_OF(all); i++) {
        enum gate_result result = all[i](c);

        if (result != GATE_PASS)
            return result;
    }
    return GATE_PASS;
}

void gates_after_reply(struct call *c)
{
    struct conn *conn = c->conn;

    if (!(conn->gates & CONN_GATE_REPLY))
        return;
    if (conn->flags & (CONN_REPLY_OFF | CONN_REPLY_SKIP))
        c->out.buf->len = c->reply_start;
    conn->flags &= ~(uint32_t)CONN_REPLY_SKIP;
    if (conn->flags & CONN_REPLY_SKIP_NEXT) {
        conn->flags &= ~(uint32_t)CONN_REPLY_SKIP_NEXT;
        conn->flags |= CONN_REPLY_SKIP;
    }
    if (!(conn->flags & (CONN_REPLY_OFF | CONN_REPLY_SKIP)))
        conn->gates &= ~(uint32_t)CONN_GATE_REPLY;
}
