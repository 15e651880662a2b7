/* Connections: opening, reading, writing, closing. See conn.h. */
#include "server/conn.h"
#include "server/backend/fetching.h"

#include "base/log.h"
#include "base/mem.h"
#include "server/auth.h"
#include "server/batch.h"
#include "server/client_limit.h"
#include "server/durability.h"
#include "server/guarding.h"
#include "server/incoming.h"
#include "server/locks/lock_session.h"
#include "server/monitor.h"
#include "server/output_limit.h"
#include "server/pubsub.h"
#include "server/socket.h"
#include "server/tracking.h"
#include "server/transaction.h"
#include "server/waiting.h"
#include "server/worker.h"

#include <errno.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

enum {
    READ_AT_LEAST = 16 * 1024,
    PUSHED_BITS = 17, /* what is pushed is written whenever it passes a multiple of 2^17 bytes */
};

/* ---- opening and closing ------------------------------------------------------------------- */

struct conn *conn_open(struct worker *w, int fd, bool is_unix)
{
    struct conn *c = mem_zalloc(sizeof(*c));
    struct server *s = w->server;

    c->worker = w;
    c->fd = fd;
    c->flags = is_unix ? CONN_UNIX : 0;
    c->id = atomic_fetch_add(&s->next_client_id, 1) + 1;
    c->created_ms = c->active_ms = w->mono_ms;
    auth_log_out(c);
    list_push(&w->conns, &c->link);
    list_init(&c->flush_link);
    list_init(&c->wait_link);
    list_init(&c->hold_link);
    list_init(&c->sync_link);
    w->conns_len++;
    w->stats.connections++;
    event_assign(&c->event, w->base, fd, EV_READ | EV_PERSIST, conn_ready, c);
    event_add(&c->event, NULL);
    return c;
}

void conn_doom(struct conn *c)
{
    struct worker *w = c->worker;

    if (c->flags & CONN_DOOMED)
        return;
    c->flags |= CONN_DOOMED;
    waiting_give_up(c);
    event_del(&c->event);
    list_remove(&c->link);
    list_push(&w->doomed, &c->link);
    w->conns_len--;
}

struct conn_extra *conn_extra(struct conn *c)
{
    if (!c->extra)
        c->extra = mem_zalloc(sizeof(*c->extra));
    return c->extra;
}

void conn_set_text(struct conn *c, enum conn_text which, struct slice text)
{
    struct conn_extra *x;
    struct slice *at;

    if (!text.len && !c->extra)
        return;
    x = conn_extra(c);
    at = which == CONN_NAME ? &x->name : which == CONN_LIB_NAME ? &x->lib_name : &x->lib_ver;
    mem_free((void *)(uintptr_t)at->ptr);
    *at = (struct slice){0};
    if (text.len)
        *at = slice_make(mem_strndup(text.ptr, text.len), text.len);
}

static void free_extra(struct conn_extra *x)
{
    if (!x)
        return;
    mem_free((void *)(uintptr_t)x->name.ptr);
    mem_free((void *)(uintptr_t)x->lib_name.ptr);
    mem_free((void *)(uintptr_t)x->lib_ver.ptr);
    mem_free(x);
}

static void bury(struct conn *c)
{
    struct server *s = c->worker->server;

    waiting_end(c);
    lock_session_leave(c);
    guarding_forget(c);
    if (c->flags & CONN_FETCHED)
        fetching_over(c);
    transaction_drop(c);
    pubsub_drop(c);
    monitor_end(c);
    tracking_drop(c);
    list_remove(&c->link);
    list_remove(&c->flush_link);
    list_remove(&c->wait_link);
    list_remove(&c->hold_link);
    list_remove(&c->sync_link);
    incoming_release(c);
    buf_release(&c->out);
    c->worker->output_bytes -= c->out_counted;
    client_limit_forget(c);
    free_extra(c->extra);
    close(c->fd);
    atomic_fetch_sub(&s->clients, 1);
    atomic_fetch_sub(&c->worker->load, 1);
    mem_free(c);
}

void conn_bury_doomed(struct worker *w)
{
    while (!list_empty(&w->doomed))
        bury(CONTAINER_OF(w->doomed.next, struct conn, link));
}

size_t conn_memory(const struct conn *c)
{
    size_t bytes = mem_good_size(sizeof(*c)) + c->out.cap;

    if (c->in)
        bytes +=
            mem_good_size(sizeof(*c->in)) + c->in->buf.cap + c->in->args.cap * sizeof(struct slice);
    if (c->in && c->in->filling)
        bytes += c->in->filling->cap;
    for (size_t i = 0; c->in && i < c->in->blobs_len; i++)
        bytes += c->in->blobs[i]->cap;
    return bytes + mem_size_of(c->extra) + pubsub_memory(c) + transaction_memory(c) +
           tracking_memory(c) + waiting_memory(c);
}

/* ---- writing ------------------------------------------------------------------------------- */

struct buf *conn_output(struct conn *c)
{
    struct worker *w = c->worker;

    if (w->current == c)
        return &w->out;
    if (!(c->flags & CONN_FLUSH_QUEUED)) {
        c->flags |= CONN_FLUSH_QUEUED;
        list_push(&w->flush, &c->flush_link);
    }
    return &c->out;
}

/* Watches the socket for what the flags say. */
static void watch(struct conn *c)
{
    short what = (c->flags & (CONN_HELD | CONN_UNREAD) ? 0 : EV_READ) |
                 (c->flags & CONN_WANTS_WRITE ? EV_WRITE : 0);

    event_del(&c->event);
    event_assign(&c->event, c->worker->base, c->fd, EV_PERSIST | what, conn_ready, c);
    if (what)
        event_add(&c->event, NULL);
}

static void want_write(struct conn *c, bool on)
{
    if (on == ((c->flags & CONN_WANTS_WRITE) != 0))
        return;
    c->flags ^= CONN_WANTS_WRITE;
    watch(c);
}

/* Bytes that the socket took; dooms the connection on an error. */
static size_t send_some(struct conn *c, const char *ptr, size_t len)
{
    struct worker *w = c->worker;
    size_t sent = 0;

    while (sent < len) {
        ssize_t n = syscall(SYS_sendto, c->fd, ptr + sent, len - sent, MSG_NOSIGNAL, NULL, 0);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0) {
            if (errno != EAGAIN)
                conn_doom(c);
            break;
        }
        sent += (size_t)n;
        w->stats.writes++;
    }
    w->stats.net_output += sent;
    c->net_out += sent;
    return sent;
}

/* What lies in output buffers is no reason to evict keys, so it is known how much that is. */
static void count_output(struct conn *c)
{
    c->worker->output_bytes += c->out.cap - c->out_counted;
    c->out_counted = c->out.cap;
}

/* How much of the output may be sent by now. */
static size_t sendable(const struct conn *c)
{
    return UNLIKELY(c->flags & CONN_SYNCING) ? c->out_free - c->out_sent : conn_pending(c);
}

static void flush(struct conn *c)
{
    if (sendable(c))
        c->out_sent += send_some(c, c->out.ptr + c->out_sent, sendable(c));
    if (conn_pending(c) == 0) {
        buf_release(&c->out);
        c->out_sent = 0;
        if (c->flags & CONN_CLOSE_AFTER_REPLY)
            conn_doom(c);
    } else if (c->out_sent > c->out.len / 2) {
        buf_consume(&c->out, c->out_sent);
        c->out_free -= c->out_free < c->out_sent ? c->out_free : c->out_sent;
        c->out_sent = 0;
    }
    if (c->flags & CONN_DOOMED)
        return;
    want_write(c, sendable(c) > 0);
    output_limit_check(c);
}

void conn_flush(struct conn *c)
{
    if (c->flags & CONN_DOOMED)
        return;
    flush(c);
    count_output(c);
    client_limit_note(c);
}

void conn_push(struct conn *c, struct slice bytes)
{
    struct worker *w = c->worker;
    size_t before = c->out.len;

    if (UNLIKELY(c->flags & (CONN_DOOMED | CONN_CLOSE_AFTER_REPLY)))
        return;
    /* Among the replies in hand, unless these may be thrown away (CLIENT REPLY). */
    if (w->current == c && !(c->gates & CONN_GATE_REPLY)) {
        buf_append_slice(&w->out, bytes);
        return;
    }
    buf_append_slice(&c->out, bytes);
    if (!(c->flags & CONN_FLUSH_QUEUED)) {
        c->flags |= CONN_FLUSH_QUEUED;
        list_push(&w->flush, &c->flush_link);
    }
    if (UNLIKELY(before >> PUSHED_BITS != c->out.len >> PUSHED_BITS))
        conn_flush(c);
}

void conn_send_replies(struct conn *c)
{
    struct worker *w = c->worker;
    size_t sent = 0;

    tracking_before_replies(w, c);
    if (UNLIKELY(w->out.len > OUTPUT_LIMIT_FROM))
        output_limit_check(c);
    if (durability_waits(c))
        durability_hold(c);
    if (w->out.len && !(c->flags & CONN_DOOMED)) {
        if (!conn_pending(c) && !(c->flags & CONN_SYNCING))
            sent = send_some(c, w->out.ptr, w->out.len);
        if (sent < w->out.len && !(c->flags & CONN_DOOMED))
            buf_append(&c->out, w->out.ptr + sent, w->out.len - sent);
    }
    w->out.len = 0;
    if (UNLIKELY(w->out.cap > WORKER_OUT_KEPT))
        buf_release(&w->out);
    if (UNLIKELY(conn_pending(c) || c->flags & CONN_CLOSE_AFTER_REPLY))
        conn_flush(c);
}

/* ---- reading ------------------------------------------------------------------------------- */

/*
 * A plain system call: libc's wrapper makes every call a point where the thread may be cancelled,
 * which costs about as much as the rest of it.
 */
static ssize_t receive(int fd, char *to, size_t len)
{
    return syscall(SYS_recvfrom, fd, to, len, 0, NULL, NULL);
}

void conn_received(struct conn *c, size_t n)
{
    struct worker *w = c->worker;

    c->active_ms = w->mono_ms;
    c->net_in += n;
    w->stats.net_input += n;
    w->stats.reads++;
}

/* True when `n`, of a read, says that bytes came; else the connection may be doomed. */
static bool received(struct conn *c, ssize_t n)
{
    if (n <= 0) {
        if (n == 0 || (errno != EAGAIN && errno != EINTR))
            conn_doom(c);
        return false;
    }
    conn_received(c, (size_t)n);
    return true;
}

static bool query_too_large(struct conn *c)
{
    size_t limit = c->worker->server->conf->client_query_buffer_limit;
    size_t have = c->in->buf.len + c->in->filled;

    if (LIKELY(have <= limit))
        return false;
    log_warning("Closing client that reached max query buffer length: id=%llu",
                (unsigned long long)c->id);
    c->worker->stats.query_limit_disconnections++;
    conn_doom(c);
    return true;
}

/* Reads into what is missing of a long argument, and beyond it into the worker's buffer. */
static void read_long(struct conn *c)
{
    struct worker *w = c->worker;
    struct incoming *in = c->in;
    size_t want = in->filling->len - in->filled, got;
    struct iovec iov[2] = {{in->filling->data + in->filled, want},
                           {w->read_buffer, BATCH_READ_MAX}};
    ssize_t n = readv(c->fd, iov, 2);

    if (!received(c, n))
        return;
    got = (size_t)n < want ? (size_t)n : want;
    in->filled += got;
    if (query_too_large(c) || got < want)
        return;
    incoming_end_long(in);
    incoming_append(in, w->read_buffer, (size_t)n - got);
    if (!in->skip)
        batch_run_incoming(c);
}

static void read_on(struct conn *c)
{
    struct worker *w = c->worker;
    struct incoming *in = incoming_of(c);
    ssize_t n = receive(c->fd, w->read_buffer, BATCH_READ_MAX);

    if (!received(c, n))
        return;
    incoming_append(in, w->read_buffer, (size_t)n);
    if (query_too_large(c) || c->flags & CONN_WAITS)
        return;
    if (!in->skip)
        batch_run_incoming(c);
}

/* What a client still sends while its last replies are on their way is read and thrown away. */
static void discard(struct conn *c)
{
    received(c, receive(c->fd, c->worker->read_buffer, BATCH_READ_MAX));
}

/*
 * The common case, outside of any round: the bytes are only put beside those of other connections.
 * False when the connection is at its end.
 */
static bool gather(struct conn *c)
{
    size_t room;
    char *to = batch_read_space(c->worker, &room);
    ssize_t n;

    if (UNLIKELY(!to))
        return true;
    n = receive(c->fd, to, room);
    if (UNLIKELY(n <= 0))
        return n < 0 && (errno == EAGAIN || errno == EINTR);
    batch_gather(c, (size_t)n);
    return true;
}

static void read_in_round(struct conn *c)
{
    if (c->flags & CONN_CLOSE_AFTER_REPLY)
        discard(c);
    else if (c->in && c->in->filling)
        read_long(c);
    else
        read_on(c);
}

void conn_ready(evutil_socket_t fd, short what, void *arg)
{
    enum { UNUSUAL = CONN_CLOSE_AFTER_REPLY | CONN_WAITS };
    struct conn *c = arg;
    struct worker *w = c->worker;
    bool closed = false;

    (void)fd;
    if (LIKELY(what == EV_READ && !c->in && !(c->flags & UNUSUAL))) {
        if (LIKELY(gather(c)))
            return;
        closed = true;
    }
    worker_round_begin(w);
    if (closed)
        conn_doom(c);
    if (what & EV_WRITE)
        conn_flush(c);
    if (what & EV_READ && !(c->flags & CONN_DOOMED) && !c->killed)
        read_in_round(c);
    client_limit_note(c);
    worker_round_end(w);
}

void conn_leave_unread(struct conn *c)
{
    c->flags |= CONN_UNREAD;
    watch(c);
}

void conn_resume(struct conn *c)
{
    if (c->flags & CONN_DOOMED || c->killed)
        return;
    list_remove(&c->wait_link);
    if (UNLIKELY(c->flags & CONN_UNREAD)) {
        c->flags &= ~(uint32_t)CONN_UNREAD;
        watch(c);
    }
    c->flags &= ~(uint32_t)(CONN_PARKED | CONN_BLOCKED);
    if (!c->in || c->flags & (CONN_HELD | CONN_SYNCING))
        return;
    batch_run_incoming(c);
}

void conn_hold(struct conn *c)
{
    c->flags |= CONN_HELD;
    list_push(&c->worker->held, &c->hold_link);
    watch(c);
}

void conn_release(struct conn *c)
{
    list_remove(&c->hold_link);
    if (c->flags & CONN_DOOMED || c->killed)
        return;
    c->flags &= ~(uint32_t)CONN_HELD;
    watch(c);
    if (c->in && !(c->flags & CONN_WAITS))
        batch_run_incoming(c);
}

bool conn_is_local(const struct conn *c)
{
    return c->flags & CONN_UNIX || socket_peer_is_local(c->fd);
}

/* Redis names a unix socket by its path on both sides. */
static void unix_name(const struct conn *c, char *out)
{
    snprintf(out, SOCKET_NAME_MAX, "%s:0", c->worker->server->conf->unixsocket);
}

void conn_peer_name(const struct conn *c, char *out)
{
    if (c->flags & CONN_UNIX)
        unix_name(c, out);
    else
        socket_peer_name(c->fd, out);
}

void conn_local_name(const struct conn *c, char *out)
{
    if (c->flags & CONN_UNIX)
        unix_name(c, out);
    else
        socket_local_name(c->fd, out);
}
