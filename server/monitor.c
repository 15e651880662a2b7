/* MONITOR, see monitor.h. */
#include "server/monitor.h"

#include "base/words.h"
#include "server/auth.h"
#include "server/pubsub.h"
#include "server/socket.h"

enum { KEEP_UP_TO = 64 * 1024 };

void monitor_begin(struct conn *c)
{
    if (c->flags & CONN_MONITOR)
        return;
    /* What ran before and waits for other monitors of this worker is not for this one. */
    pubsub_deliver(c->worker);
    c->flags |= CONN_MONITOR;
    c->gates |= CONN_GATE_MONITOR;
    pubsub_watch(c);
}

void monitor_end(struct conn *c)
{
    if (!(c->flags & CONN_MONITOR))
        return;
    c->flags &= ~(uint32_t)CONN_MONITOR;
    c->gates &= ~(uint32_t)CONN_GATE_MONITOR;
    pubsub_unwatch(c);
}

static bool is_shown(const struct call *c)
{
    return !(c->cmd->flags & (CMD_SKIP_MONITOR | CMD_ADMIN));
}

void monitor_note(struct call *c)
{
    struct buf *text = &c->worker->monitor_text;

    text->len = 0;
    for (int i = 0; is_shown(c) && i < c->argc; i++) {
        buf_append_char(text, ' ');
        words_quote(text, auth_is_secret(c, i) ? SLICE("(redacted)") : call_arg(c, i));
    }
    buf_append_str(text, "\r\n");
}

static void append_origin(struct buf *line, const struct conn *c)
{
    char peer[SOCKET_NAME_MAX];

    if (c->flags & CONN_UNIX) {
        buf_printf(line, "unix:%s", c->worker->server->conf->unixsocket);
    } else {
        conn_peer_name(c, peer);
        buf_append_str(line, peer);
    }
}

void monitor_show(struct call *c)
{
    struct worker *w = c->worker;
    int64_t us = clock_wall_us();
    struct buf line = {0};

    if (!is_shown(c))
        return;
    buf_printf(&line, "+%lld.%06lld [%d ", (long long)(us / 1000000), (long long)(us % 1000000),
               c->conn->db);
    append_origin(&line, c->conn);
    buf_append_char(&line, ']');
    buf_append_slice(&line, buf_slice(&w->monitor_text));
    pubsub_show(w, buf_slice(&line));
    buf_release(&line);
    if (w->monitor_text.cap > KEEP_UP_TO)
        buf_release(&w->monitor_text);
}
