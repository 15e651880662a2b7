/* All connections, see clients.h. */
#include "server/clients.h"

#include "base/mem.h"
#include "server/pubsub.h"
#include "server/reply.h"
#include "server/socket.h"
#include "server/tracking.h"
#include "server/transaction.h"
#include "server/waiting.h"

#include <stdlib.h>

bool call_client_type(struct call *c, int i, enum client_type *out)
{
    static const struct {
        const char *name;
        enum client_type type;
    } types[] = {
        {"normal", CLIENT_NORMAL}, {"master", CLIENT_MASTER}, {"replica", CLIENT_REPLICA},
        {"slave", CLIENT_REPLICA}, {"pubsub", CLIENT_PUBSUB},
    };

    for (size_t k = 0; k < COUNT_OF(types); k++) {
        if (call_arg_is(c, i, types[k].name)) {
            *out = types[k].type;
            return true;
        }
    }
    reply_error(c, "ERR Unknown client type '%.*s'", (int)call_arg(c, i).len, call_arg(c, i).ptr);
    return false;
}

enum client_type client_type(const struct conn *c)
{
    return c->subs ? CLIENT_PUBSUB : CLIENT_NORMAL;
}

/* ---- finding -------------------------------------------------------------------------------- */

static int older_first(const void *a, const void *b)
{
    const struct conn *x = *(struct conn *const *)a, *y = *(struct conn *const *)b;

    return (x->id > y->id) - (x->id < y->id);
}

struct conn **clients_all(struct server *s, size_t *len)
{
    struct conn **all;
    size_t n = 0;

    for (int i = 0; i < s->workers_len; i++)
        n += s->workers[i].conns_len;
    all = mem_alloc((n + 1) * sizeof(struct conn *));
    n = 0;
    for (int i = 0; i < s->workers_len; i++) {
        LIST_EACH (c, &s->workers[i].conns, struct conn, link) {
            if (!c->killed)
                all[n++] = c;
        }
    }
    qsort(all, n, sizeof(struct conn *), older_first);
    *len = n;
    return all;
}

struct conn *clients_find(struct server *s, uint64_t id)
{
    for (int i = 0; i < s->workers_len; i++) {
        LIST_EACH (c, &s->workers[i].conns, struct conn, link) {
            if (c->id == id)
                return c->killed ? NULL : c;
        }
    }
    return NULL;
}

/* ---- describing ----------------------------------------------------------------------------- */

/* A letter for each thing worth knowing; room for 16 bytes. */
static void flag_letters(const struct conn *c, char *out)
{
    uint32_t tracking = tracking_flags(c);
    const struct {
        bool is;
        char letter;
    } flags[] = {
        {c->flags & CONN_MONITOR, 'O'},
        {c->subs != NULL, 'P'},
        {c->flags & CONN_MULTI, 'x'},
        {client_is_blocked(c), 'b'},
        {tracking & TRACKER_ON, 't'},
        {tracking & TRACKER_BROKEN, 'R'},
        {tracking & TRACKER_BROADCAST, 'B'},
        {transaction_is_void(c), 'd'},
        {c->flags & CONN_CLOSE_AFTER_REPLY, 'c'},
        {c->flags & CONN_UNIX, 'U'},
        {c->flags & CONN_NO_EVICT, 'e'},
        {c->flags & CONN_NO_TOUCH, 'T'},
    };
    size_t n = 0;

    for (size_t i = 0; i < COUNT_OF(flags); i++) {
        if (flags[i].is)
            out[n++] = flags[i].letter;
    }
    if (!n)
        out[n++] = 'N';
    out[n] = '\0';
}

static void describe_place(const struct conn *c, struct buf *out)
{
    char peer[SOCKET_NAME_MAX], local[SOCKET_NAME_MAX];
    struct slice name = c->extra ? c->extra->name : SLICE("");

    conn_peer_name(c, peer);
    conn_local_name(c, local);
    buf_printf(out, "id=%llu addr=%s laddr=%s fd=%d name=", (unsigned long long)c->id, peer, local,
               c->fd);
    buf_append_slice(out, name);
}

static void describe_state(const struct conn *c, struct buf *out)
{
    int64_t now = c->worker->mono_ms;
    char flags[16];

    flag_letters(c, flags);
    buf_printf(out,
               " age=%lld idle=%lld flags=%s db=%d sub=%u psub=%u ssub=%u "
               "multi=%lld",
               (long long)(now - c->created_ms) / 1000, (long long)(now - c->active_ms) / 1000,
               flags, c->db, pubsub_count(c, CHANNEL_PLAIN), pubsub_count(c, CHANNEL_PATTERN),
               pubsub_count(c, CHANNEL_SHARD), (long long)transaction_count(c));
}

/*
 * What is read of a request and not an argument yet, room for more of it, and what is. A long
 * argument counts as read until the end of its line has come, as in Redis.
 */
static void read_memory(const struct incoming *in, size_t *input, size_t *room, size_t *arguments)
{
    const struct blob *b = in->filling;
    size_t got = in->filled;

    if (!b && in->skip && in->blobs_len) {
        b = in->blobs[in->blobs_len - 1];
        got = b->len;
    }
    *input = b ? got : in->buf.len;
    *room = b ? b->cap - got : in->buf.cap - in->buf.len;
    *arguments = in->args.cap * sizeof(struct slice) + (b ? in->buf.len : 0);
    for (size_t i = 0; i < in->blobs_len; i++)
        *arguments += in->blobs[i] == b ? 0 : in->blobs[i]->len;
}

static void describe_memory(const struct conn *c, struct buf *out)
{
    size_t input = 0, input_free = 0, arguments = 0;

    if (c->in)
        read_memory(c->in, &input, &input_free, &arguments);
    buf_printf(out,
               " qbuf=%zu qbuf-free=%zu argv-mem=%zu multi-mem=%zu rbs=%zu rbp=%zu obl=%zu oll=0 "
               "omem=%zu tot-mem=%zu",
               input, input_free, arguments, transaction_memory(c), c->out.cap, c->out.len,
               conn_pending(c), c->out.cap, conn_memory(c));
}

void client_describe(const struct conn *c, struct buf *out)
{
    const char *command = c->last_command ? c->last_command->full_name : "NULL";

    describe_place(c, out);
    describe_state(c, out);
    describe_memory(c, out);
    buf_printf(out, " events=%s cmd=%s user=default redir=%lld resp=%d lib-name=",
               c->flags & CONN_WANTS_WRITE ? "rw" : "r", command, (long long)tracking_redirect(c),
               c->resp3 ? 3 : 2);
    if (c->extra)
        buf_append_slice(out, c->extra->lib_name);
    buf_append_str(out, " lib-ver=");
    if (c->extra)
        buf_append_slice(out, c->extra->lib_ver);
    buf_append_char(out, '\n');
}

/* ---- closing -------------------------------------------------------------------------------- */

static void close_killed(struct worker *w, void *arg)
{
    (void)arg;
    LIST_EACH_SAFE (c, &w->conns, struct conn, link) {
        if (c->killed)
            conn_doom(c);
    }
    w->kill_asked = false;
}

bool client_is_blocked(const struct conn *c)
{
    /* Not one whose FLUSHALL is still at work. */
    return c->flags & CONN_PARKED || waiting(c);
}

void client_kill(struct conn *c, const struct worker *by)
{
    struct worker *w = c->worker;

    tracking_killed(c);
    if (w == by) {
        conn_doom(c);
        return;
    }
    c->killed = true;
    waiting_give_up(c);
    if (!w->kill_asked)
        worker_call(w, close_killed, NULL);
    w->kill_asked = true;
}
