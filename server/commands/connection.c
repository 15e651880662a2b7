/* Commands about the connection itself. */
#include "base/version.h"
#include "server/auth.h"
#include "server/locks/lock_session.h"
#include "server/monitor.h"
#include "server/pubsub.h"
#include "server/reply.h"
#include "server/tracking.h"
#include "server/transaction.h"

/* PING [message]. To a RESP2 client in subscriber mode, whose replies are messages, a message. */
void cmd_ping(struct call *c)
{
    bool subscriber = c->conn->gates & CONN_GATE_SUBSCRIBER && !c->out.resp3;

    if (c->argc > 2) {
        reply_error(c, "ERR wrong number of arguments for 'ping' command");
        return;
    }
    if (subscriber) {
        reply_array(c, 2);
        reply_cstr(c, "pong");
        reply_bulk(c, c->argc == 2 ? call_arg(c, 1) : SLICE(""));
    } else if (c->argc == 2) {
        reply_bulk(c, call_arg(c, 1));
    } else {
        reply_simple(c, "PONG");
    }
}

/* ECHO message */
void cmd_echo(struct call *c)
{
    reply_bulk(c, call_arg(c, 1));
}

/* QUIT */
void cmd_quit(struct call *c)
{
    reply_ok(c);
    call_close_after_reply(c);
}

/* RESET: as a new connection is, but for what describes the client's library and its eviction. */
void cmd_reset(struct call *c)
{
    struct conn *conn = c->conn;

    lock_session_leave(conn);
    if (conn->extra)
        conn->extra->has_lock_timeout = false;
    transaction_drop(conn);
    monitor_end(conn);
    pubsub_drop(conn);
    tracking_off(conn);
    conn->db = 0;
    conn->resp3 = c->out.resp3 = false;
    conn->flags &= ~(uint32_t)(CONN_REPLY_OFF | CONN_REPLY_SKIP_NEXT | CONN_REPLY_SKIP);
    auth_log_out(conn);
    conn_set_text(conn, CONN_NAME, SLICE(""));
    reply_simple(c, "RESET");
}

/* MONITOR */
void cmd_monitor(struct call *c)
{
    if (c->conn->flags & CONN_MULTI) {
        reply_error(c, "ERR MONITOR isn't allowed for DENY BLOCKING client");
        return;
    }
    if (c->conn->flags & CONN_MONITOR)
        return;
    monitor_begin(c->conn);
    reply_ok(c);
}

/* AUTH [username] password */
void cmd_auth(struct call *c)
{
    if (c->argc > 3) {
        call_syntax_error(c);
        return;
    }
    if (c->argc == 2 && !auth_required(c->conf)) {
        reply_error(c, "ERR AUTH <password> called without any password configured for the default "
                       "user. Are you sure your configuration is correct?");
        return;
    }
    if (auth_log_in(c, c->argc == 3 ? call_arg(c, 1) : SLICE("default"), call_arg(c, c->argc - 1)))
        reply_ok(c);
}

/* ---- HELLO ---------------------------------------------------------------------------------- */

/* 0 if no version is asked for. */
static bool read_protocol(struct call *c, int64_t *protocol)
{
    if (c->argc == 1)
        return true;
    if (!call_int_between(c, 1, INT64_MIN, INT64_MAX, protocol,
                          "ERR Protocol version is not an integer or out of range"))
        return false;
    if (*protocol >= 2 && *protocol <= 3)
        return true;
    reply_error(c, "NOPROTO unsupported protocol version");
    return false;
}

/* What stands before a mistake has taken effect, as with Redis. */
static bool take_hello_options(struct call *c)
{
    for (int i = 2; i < c->argc; i++) {
        if (call_arg_is(c, i, "AUTH") && i + 2 < c->argc) {
            if (!auth_log_in(c, call_arg(c, i + 1), call_arg(c, i + 2)))
                return false;
            i += 2;
        } else if (call_arg_is(c, i, "SETNAME") && i + 1 < c->argc) {
            if (!call_client_text(c, ++i, "Client names"))
                return false;
            conn_set_text(c->conn, CONN_NAME, call_arg(c, i));
        } else {
            reply_error(c, "ERR Syntax error in HELLO option '%.*s'", (int)call_arg(c, i).len,
                        call_arg(c, i).ptr);
            return false;
        }
    }
    return true;
}

static bool may_greet(struct call *c)
{
    if (!(c->conn->gates & CONN_GATE_AUTH) || !auth_required(c->conf))
        return true;
    reply_error(c, "NOAUTH HELLO must be called with the client already authenticated, otherwise "
                   "the HELLO AUTH <user> <pass> option can be used to authenticate the client "
                   "and select the RESP protocol version at the same time");
    return false;
}

static void reply_greeting(struct call *c)
{
    reply_map(c, 7);
    reply_cstr(c, "server");
    reply_cstr(c, "redis");
    reply_cstr(c, "version");
    reply_cstr(c, REDIS_VERSION);
    reply_cstr(c, "proto");
    reply_int(c, c->conn->resp3 ? 3 : 2);
    reply_cstr(c, "id");
    reply_int(c, (int64_t)c->conn->id);
    reply_cstr(c, "mode");
    reply_cstr(c, "standalone");
    reply_cstr(c, "role");
    reply_cstr(c, "master");
    reply_cstr(c, "modules");
    reply_array(c, 0);
}

/* HELLO [protover [AUTH username password] [SETNAME clientname]] */
void cmd_hello(struct call *c)
{
    int64_t protocol = 0;

    if (!read_protocol(c, &protocol) || !take_hello_options(c) || !may_greet(c))
        return;
    if (protocol)
        c->conn->resp3 = c->out.resp3 = protocol == 3;
    reply_greeting(c);
}
