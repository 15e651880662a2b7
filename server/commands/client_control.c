/* CLIENT: what one connection does to others. */
#include "base/mem.h"
#include "server/clients.h"
#include "server/expirer.h"
#include "server/policer.h"
#include "server/reply.h"
#include "server/socket.h"
#include "server/waiting.h"

#include <stdio.h>

/* ---- KILL ----------------------------------------------------------------------------------- */

struct kill_filter {
    int64_t id;               /* 0: any */
    int64_t age_s;            /* at least; 0: any */
    struct slice peer, local; /* any if the ptr is NULL */
    bool by_type, spare_caller;
    enum client_type type;
};

static bool read_user(struct call *c, int i)
{
    if (slice_eq(call_arg(c, i), SLICE("default")))
        return true;
    reply_error(c, "ERR No such user '%.*s'", (int)call_arg(c, i).len, call_arg(c, i).ptr);
    return false;
}

static bool read_age(struct call *c, int i, struct kill_filter *f)
{
    if (!call_int_between(c, i, INT64_MIN, INT64_MAX, &f->age_s,
                          "ERR maxage is not an integer or out of range"))
        return false;
    if (f->age_s > 0)
        return true;
    reply_error(c, "ERR maxage should be greater than 0");
    return false;
}

/* The option at argument i, whose value is there behind it. */
static bool read_option(struct call *c, int i, struct kill_filter *f)
{
    struct slice value = call_arg(c, i + 1);

    if (call_arg_is(c, i, "id"))
        return call_int_between(c, i + 1, 1, INT64_MAX, &f->id,
                                "ERR client-id should be greater than 0");
    if (call_arg_is(c, i, "type"))
        return f->by_type = call_client_type(c, i + 1, &f->type);
    if (call_arg_is(c, i, "user"))
        return read_user(c, i + 1);
    if (call_arg_is(c, i, "maxage"))
        return read_age(c, i + 1, f);
    if (call_arg_is(c, i, "addr"))
        f->peer = value;
    else if (call_arg_is(c, i, "laddr"))
        f->local = value;
    else if (call_arg_is(c, i, "skipme") && (slice_is(value, "yes") || slice_is(value, "no")))
        f->spare_caller = slice_is(value, "yes");
    else
        return call_syntax_error(c);
    return true;
}

static bool is_named(const struct conn *c, struct slice want,
                     void (*name)(const struct conn *c, char *out))
{
    char text[SOCKET_NAME_MAX];

    if (!want.ptr)
        return true;
    name(c, text);
    return slice_eq(want, slice_str(text));
}

static bool is_meant(const struct conn *c, const struct conn *caller, const struct kill_filter *f)
{
    if ((f->spare_caller && c == caller) || (f->id && c->id != (uint64_t)f->id) ||
        (f->by_type && client_type(c) != f->type))
        return false;
    if (f->age_s && caller->worker->mono_ms - c->created_ms < f->age_s * 1000)
        return false;
    return is_named(c, f->peer, conn_peer_name) && is_named(c, f->local, conn_local_name);
}

static int64_t kill_all(struct call *c, const struct kill_filter *f)
{
    size_t n;
    struct conn **all = clients_all(c->server, &n);
    int64_t killed = 0;

    for (size_t i = 0; i < n; i++) {
        if (!is_meant(all[i], c->conn, f))
            continue;
        killed++;
        if (all[i] == c->conn)
            call_close_after_reply(c);
        else
            client_kill(all[i], c->worker);
    }
    mem_free(all);
    return killed;
}

/* CLIENT KILL ip:port | option value [option value ...] */
void cmd_client_kill(struct call *c)
{
    struct kill_filter f = {.spare_caller = c->argc > 3};

    if (c->argc == 3) {
        f.peer = call_arg(c, 2);
        if (kill_all(c, &f))
            reply_ok(c);
        else
            reply_error(c, "ERR No such client");
        return;
    }
    for (int i = 2; i < c->argc; i += 2) {
        if (i + 1 == c->argc) {
            call_syntax_error(c);
            return;
        }
        if (!read_option(c, i, &f))
            return;
    }
    reply_int(c, kill_all(c, &f));
}

/* ---- UNBLOCK -------------------------------------------------------------------------------- */

/* CLIENT UNBLOCK client-id [TIMEOUT | ERROR] */
void cmd_client_unblock(struct call *c)
{
    struct conn *found;
    bool error = c->argc == 4 && call_arg_is(c, 3, "error");
    int64_t id;

    if (c->argc > 4) {
        reply_subcommand_error(c);
        return;
    }
    if (c->argc == 4 && !error && !call_arg_is(c, 3, "timeout")) {
        reply_error(c, "ERR CLIENT UNBLOCK reason should be TIMEOUT or ERROR");
        return;
    }
    if (!call_int(c, 2, &id))
        return;
    found = clients_find(c->server, (uint64_t)id);
    reply_int(c, found && waiting_unblock(found, c->worker, error));
}

/* ---- PAUSE ---------------------------------------------------------------------------------- */

/* How long, and until when. */
static bool read_pause(struct call *c, int64_t *until_ms)
{
    int64_t now = clock_mono_ms(), ms;

    if (!call_int_between(c, 2, INT64_MIN, INT64_MAX, &ms,
                          "ERR timeout is not an integer or out of range"))
        return false;
    if (ms < 0) {
        reply_error(c, "ERR timeout is negative");
        return false;
    }
    if (ms > INT64_MAX - clock_wall_ms()) {
        reply_error(c, "ERR timeout is out of range");
        return false;
    }
    *until_ms = now + ms;
    return true;
}

/* CLIENT PAUSE timeout [WRITE | ALL]. A pause that lasts is made no shorter. */
void cmd_client_pause(struct call *c)
{
    struct server *s = c->server;
    bool paused = server_gate(s, GATE_PAUSED);
    int64_t until_ms;

    if (c->argc > 4) {
        reply_subcommand_error(c);
        return;
    }
    if (c->argc == 4 && !call_arg_is(c, 3, "write") && !call_arg_is(c, 3, "all")) {
        reply_error(c, "ERR CLIENT PAUSE mode must be WRITE or ALL");
        return;
    }
    if (!read_pause(c, &until_ms))
        return;
    if (!paused || until_ms > s->pause_until_ms)
        s->pause_until_ms = until_ms;
    s->pause_writes_only = c->argc == 4 && call_arg_is(c, 3, "write");
    server_set_gate(s, GATE_PAUSED, true);
    reply_ok(c);
}

/* CLIENT UNPAUSE */
void cmd_client_unpause(struct call *c)
{
    server_set_gate(c->server, GATE_PAUSED, false);
    expirer_wake_all(c->server);
    policer_wake_all(c->server);
    for (int i = 0; i < c->server->workers_len; i++)
        worker_unpark(&c->server->workers[i]);
    reply_ok(c);
}
