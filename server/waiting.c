/* Waiting: what the worker of the connection does, see waiting.h. */
#include "server/waiting.h"

#include "base/mem.h"
#include "server/backend/lazy.h"
#include "server/dispatch.h"
#include "server/durability.h"
#include "server/reply.h"
#include "server/timing.h"
#include "server/tracking.h"
#include "server/waited.h"

#include <math.h>
#include <poll.h>

enum { LOOK_AGAIN_S = 3600 }; /* a timer is set for no longer */

static struct worker *worker_of(const struct waiter *waiter)
{
    return waiter->worker;
}

/* ---- beginning ------------------------------------------------------------------------------- */

/* Milliseconds, rounded up; of what is too large for them Redis says that it is negative. */
static bool read_ms(struct call *c, int i, int64_t *ms)
{
    long double s;

    if (!num_parse_long_double(call_arg(c, i), &s)) {
        reply_error(c, "ERR timeout is not a float or out of range");
        return false;
    }
    s = ceill(s * 1000);
    if (s < 0 || s >= 0x1p63L) {
        reply_error(c, "ERR timeout is negative");
        return false;
    }
    *ms = (int64_t)s;
    return true;
}

int64_t wait_until_us(int64_t ms)
{
    int64_t now = clock_mono_us();

    if (!ms)
        return 0;
    return ms > (INT64_MAX - now) / 1000 ? INT64_MAX : now + ms * 1000;
}

bool wait_read_timeout(struct call *c, int i, int64_t *until_us)
{
    int64_t ms;

    if (!read_ms(c, i, &ms))
        return false;
    *until_us = wait_until_us(ms);
    return true;
}

static struct waiter *waiter_new(struct call *c, const struct wait *wait)
{
    size_t hooks = (size_t)wait->count * sizeof(struct hook);
    struct waiter *waiter = mem_zalloc(sizeof(*waiter) + hooks);
    struct conn *conn = c->conn;

    waiter->worker = c->worker;
    waiter->wait = *wait;
    waiter->client = conn->id;
    waiter->fd = conn->fd;
    waiter->db = c->db;
    waiter->conn_flags = conn->flags;
    waiter->resp3 = conn->resp3;
    waiter->reads = conn->gates & CONN_GATE_TRACKING && tracking_reads(c);
    waiter->conn = conn;
    list_init(&waiter->served_link);
    return waiter;
}

static void hang(struct waiter *waiter, struct call *c)
{
    const struct wait *wait = &waiter->wait;

    for (int i = wait->first; i < wait->first + wait->count; i++) {
        struct hook *h = &waiter->hooks[waiter->hooks_len];
        uint64_t hash = call_hash(c, i);

        *h = (struct hook){.waiter = waiter, .shard = shard_of(hash), .arg = i};
        waiter->hooks_len +=
            waited_hang(&c->server->keyspace.shards[h->shard], call_arg(c, i), hash, h);
    }
}

/* Whoever serves it is to know the other key, too, which may not be in memory by then. */
static void pin_beside(struct waiter *waiter, struct call *c)
{
    int i = waiter->wait.beside;

    if (!i || c->db != 0 || !c->server->home)
        return;
    lazy_pin(&c->server->keyspace.shards[shard_of(call_hash(c, i))], call_arg(c, i),
             call_hash(c, i));
    waiter->pins = true;
}

static void unpin(const struct waiter *waiter)
{
    const struct kept *request = waiter->request;
    int i = waiter->wait.beside;
    struct shard *shard;

    if (!waiter->pins)
        return;
    shard = &worker_of(waiter)->server->keyspace.shards[shard_of(request->hashes[i])];
    lock_take(&shard->lock);
    lazy_unpin(shard, request->argv[i], request->hashes[i]);
    lock_release(&shard->lock);
}

static void set_timer(struct waiter *waiter)
{
    int64_t us = waiter->wait.until_us - clock_mono_us();
    struct timeval tv = {.tv_sec = LOOK_AGAIN_S};

    if (us < 0)
        us = 0;
    if (us < (int64_t)LOOK_AGAIN_S * 1000000)
        tv = (struct timeval){.tv_sec = us / 1000000, .tv_usec = us % 1000000};
    event_add(&waiter->timer, &tv);
}

static void on_timer(evutil_socket_t fd, short what, void *arg);

bool wait_begin(struct call *c, const struct wait *wait)
{
    struct conn *conn = c->conn;
    struct waiter *waiter;

    INVARIANT(!c->come);
    if (c->at_once)
        return false;
    waiter = waiter_new(c, wait);
    conn->waiter = waiter;
    conn->flags |= CONN_BLOCKED;
    list_push(&c->worker->waiters, &waiter->link);
    event_assign(&waiter->timer, c->worker->base, -1, 0, on_timer, waiter);
    if (wait->until_us)
        set_timer(waiter);
    c->worker->sync_waiters += wait->ready != NULL;
    waiter->request = wait->again ? kept_name(c) : kept_new(c);
    /* From here on it may be served. */
    pin_beside(waiter, c);
    hang(waiter, c);
    return true;
}

/* ---- ending ---------------------------------------------------------------------------------- */

static void unhang(struct waiter *waiter)
{
    struct keyspace *ks = &worker_of(waiter)->server->keyspace;

    for (int i = 0; i < waiter->hooks_len; i++) {
        struct hook *h = &waiter->hooks[i];
        struct shard *shard = &ks->shards[h->shard];

        if (h == waiter->served)
            continue;
        lock_take(&shard->lock);
        if (h->key)
            waited_unhang(shard, h);
        lock_release(&shard->lock);
    }
}

static void release(struct waiter *waiter)
{
    unhang(waiter);
    unpin(waiter);
    if (waiter->wait.ended)
        waiter->wait.ended(waiter);
    event_del(&waiter->timer);
    worker_of(waiter)->sync_waiters -= waiter->wait.ready != NULL;
    list_remove(&waiter->link);
    list_remove(&waiter->served_link);
    kept_free(waiter->request);
    buf_release(&waiter->reply);
    mem_free(waiter);
}

/* A call for what is said and counted in the end. */
static struct call call_of(struct waiter *waiter, struct worker *w)
{
    const struct kept *request = waiter->request;

    return (struct call){
        .worker = w,
        .server = w->server,
        .conn = waiter->conn,
        .conf = w->server->conf,
        .cmd = request->cmd,
        .argv = request->argv,
        .argc = request->argc,
        .db = waiter->db,
        .now_ms = w->now_ms,
        .out = {.buf = &waiter->reply, .resp3 = waiter->resp3},
    };
}

/* As Redis counts: for who was served or unblocked its whole time, for who was not nothing more. */
static void account(struct waiter *waiter)
{
    struct call c = call_of(waiter, worker_of(waiter));
    bool error = waiter->reply.len && waiter->reply.ptr[0] == '-';

    if (error)
        dispatch_count_error(&c);
    if (waiter->served || waiter->answered || waiter->unblocked)
        timing_served(&c, waiter->ran_ns, waiter->ns, error || waiter->unblocked);
}

/* The reply that it got shows a key. */
static void remember(const struct waiter *waiter)
{
    const struct kept *request = waiter->request;
    int i = waiter->served->arg;

    tracking_remember_waited(waiter->conn, waiter->db, request->argv[i],
                             request->hashes ? request->hashes[i] : request->first_hash,
                             waiter->shown);
}

/* Back at its worker with the reply. */
static void finish(struct waiter *waiter)
{
    struct conn *c = waiter->conn;

    if (c) {
        tracking_before_reply(c); /* while it waits: what it changed itself comes behind */
        c->waiter = NULL;
        account(waiter);
        durability_hold_served(c, waiter->seq, waiter->epoch);
        if (!(waiter->conn_flags & (CONN_REPLY_OFF | CONN_REPLY_SKIP)))
            buf_append_slice(conn_output(c), buf_slice(&waiter->reply));
        if (waiter->reads && waiter->served)
            remember(waiter);
    }
    release(waiter);
    if (c && !c->waiter)
        conn_resume(c);
}

static void on_message(struct inbox_message *m, void *owner)
{
    (void)owner;
    finish(CONTAINER_OF(m, struct waiter, message));
}

bool waiter_peer_is_gone(const struct waiter *waiter)
{
    struct pollfd p = {.fd = waiter->fd, .events = POLLRDHUP};

    return poll(&p, 1, 0) > 0;
}

void waiter_hand_over(struct waiter *waiter, struct worker *by)
{
    struct worker *w = worker_of(waiter);

    waiter->message.run = on_message;
    if (w == by)
        list_push(&w->served, &waiter->served_link);
    else
        inbox_post(&w->inbox, &waiter->message);
}

void waiting_finish_served(struct worker *w)
{
    while (!list_empty(&w->served))
        finish(CONTAINER_OF(w->served.next, struct waiter, served_link));
}

static void answer_in_vain(struct waiter *waiter, struct worker *by)
{
    struct call c = call_of(waiter, by);

    if (waiter->wait.in_vain)
        waiter->wait.in_vain(&c);
    else
        reply_null_array(&c);
}

static void on_timer(evutil_socket_t fd, short what, void *arg)
{
    struct waiter *waiter = arg;
    struct worker *w = worker_of(waiter);

    (void)fd;
    (void)what;
    worker_round_begin(w);
    if (clock_mono_us() < waiter->wait.until_us) {
        set_timer(waiter);
    } else if (waiter_claim(waiter)) {
        answer_in_vain(waiter, w);
        finish(waiter);
    }
    worker_round_end(w);
}

void waiting_look_again(struct worker *w)
{
    if (LIKELY(!w->sync_waiters))
        return;
    LIST_EACH_SAFE (waiter, &w->waiters, struct waiter, link) {
        struct call c = call_of(waiter, w);

        if (!waiter->wait.ready || !waiter->wait.ready(&c, waiter->wait.since) ||
            !waiter_claim(waiter))
            continue;
        answer_in_vain(waiter, w);
        finish(waiter);
    }
}

/* ---- what others ask ------------------------------------------------------------------------- */

bool waiting(const struct conn *c)
{
    return c->waiter && !atomic_load_explicit(&c->waiter->claimed, memory_order_relaxed);
}

int64_t waiting_until_us(const struct conn *c)
{
    return c->waiter->wait.until_us;
}

uint64_t waiting_since(const struct conn *c)
{
    return c->waiter->wait.since;
}

size_t waiting_memory(const struct conn *c)
{
    return c->waiter ? mem_size_of(c->waiter) + c->waiter->request->memory : 0;
}

void waiting_ran(const struct conn *c, uint64_t ns)
{
    c->waiter->ran_ns = ns;
}

bool waiting_unblock(struct conn *c, struct worker *by, bool error)
{
    struct waiter *waiter = c->waiter;
    struct writer out;

    if (!waiter || !waiter_claim(waiter))
        return false;
    out = (struct writer){.buf = &waiter->reply, .resp3 = waiter->resp3};
    waiter->unblocked = true;
    if (error)
        write_error(&out, "UNBLOCKED client unblocked via CLIENT UNBLOCK");
    else
        answer_in_vain(waiter, by);
    waiter_hand_over(waiter, by);
    return true;
}

void waiting_give_up(struct conn *c)
{
    if (c->waiter && waiter_claim(c->waiter))
        c->waiter->given_up = true;
}

/* Else whoever has claimed it brings it back, and it is released then. */
void waiting_end(struct conn *c)
{
    struct waiter *waiter = c->waiter;

    if (!waiter)
        return;
    c->waiter = NULL;
    waiter->conn = NULL;
    if (waiter->given_up)
        release(waiter);
}

/* What was on its way to this worker arrives no more. */
void waiting_release(struct worker *w)
{
    while (!list_empty(&w->waiters))
        release(CONTAINER_OF(w->waiters.next, struct waiter, link));
}
