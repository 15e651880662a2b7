/* Workers: threads with an event loop, see worker.h. */
#include "server/worker.h"

#include "base/log.h"
#include "base/mem.h"
#include "base/world.h"
#include "server/batch.h"
#include "server/client_limit.h"
#include "server/coalescing.h"
#include "server/command.h"
#include "server/crash.h"
#include "server/eviction.h"
#include "server/expirer.h"
#include "server/keyvalue.h"
#include "server/locks/lock_desk.h"
#include "server/output_limit.h"
#include "server/policer.h"
#include "server/pubsub.h"
#include "server/saving.h"
#include "server/timing.h"
#include "server/tracking.h"
#include "server/waiting.h"

#include <errno.h>
#include <event2/event.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>

enum {
    TICKS_MIN = 10,
    HOLD_US = 1000,
    ROOM_MS = 5, /* between two looks whether there is room in memory */
};

/* ---- rounds --------------------------------------------------------------------------------- */

void worker_read_clocks(struct worker *w)
{
    w->now_ms = clock_wall_ms();
    w->mono_ms = clock_mono_ms();
}

void worker_round_begin(struct worker *w)
{
    world_enter();
    worker_read_clocks(w);
    /* Whatever this round does to connections, nothing gathered may be pointing at them. */
    if (w->gathered_len)
        batch_finish(w);
}

static void flush_conns(struct worker *w)
{
    while (UNLIKELY(!list_empty(&w->flush))) {
        struct conn *c = CONTAINER_OF(w->flush.next, struct conn, flush_link);

        list_remove(&c->flush_link);
        c->flags &= ~(uint32_t)CONN_FLUSH_QUEUED;
        conn_flush(c);
    }
}

static void deliver_and_flush(struct worker *w)
{
    tracking_before_replies(w, NULL);
    outlets_deliver(w);
    pubsub_deliver(w);
    flush_conns(w);
}

/*
 * Everything that goes out. Closing a connection may bring others their messages, or their turn
 * with a lock that it held, upon which they go on.
 */
static void send_all(struct worker *w)
{
    deliver_and_flush(w);
    while (UNLIKELY(!list_empty(&w->doomed) || !list_empty(&w->served))) {
        conn_bury_doomed(w);
        waiting_finish_served(w);
        timing_close(w);
        deliver_and_flush(w);
    }
}

void worker_round_end(struct worker *w)
{
    waiting_finish_served(w);
    if (UNLIKELY(w->overfull_len))
        policer_evict(w);
    timing_close(w);
    send_all(w);
    if (UNLIKELY(w->clients_grew)) {
        client_limit_enforce(w);
        send_all(w);
    }
    world_leave();
    saving_keep_pace(w->server);
}

void worker_finish_gathered(struct worker *w)
{
    if (!w->gathered_len)
        return;
    worker_round_begin(w);
    w->coalescing.pause_us = w->server->conf->wakeup_coalescing;
    worker_round_end(w);
}

static void on_gathered(evutil_socket_t fd, short what, void *arg)
{
    struct worker *w = arg;

    (void)fd;
    (void)what;
    worker_finish_gathered(w);
    coalescing_after_batch(w);
}

static void on_inbox(evutil_socket_t fd, short what, void *arg)
{
    struct worker *w = arg;

    (void)fd;
    (void)what;
    worker_round_begin(w);
    inbox_drain(&w->inbox, w);
    worker_round_end(w);
}

/* ---- the tick ------------------------------------------------------------------------------- */

static void check_idle(struct worker *w, struct conn *c)
{
    int64_t timeout_ms = w->server->conf->timeout * 1000;
    bool exempt = c->subs || c->flags & (CONN_BLOCKED | CONN_MONITOR);

    if (timeout_ms && !exempt && w->mono_ms - c->active_ms > timeout_ms) {
        log_verbose("Closing idle client");
        conn_doom(c);
    }
}

static int64_t ticks_a_second(const struct worker *w)
{
    int64_t hz = w->server->conf->hz;

    return hz < TICKS_MIN ? TICKS_MIN : hz;
}

/* A part of the connections each time, so that a tick stays short; all of them within a second. */
static void check_conns(struct worker *w)
{
    size_t n = w->conns_len / (size_t)ticks_a_second(w) + 20;

    while (n-- && !list_empty(&w->conns)) {
        struct conn *c = CONTAINER_OF(w->conns.next, struct conn, link);

        list_remove(&c->link);
        list_push(&w->conns, &c->link);
        if (conn_pending(c))
            output_limit_check(c);
        if (!(c->flags & CONN_DOOMED))
            check_idle(w, c);
        if (c->flags & CONN_DOOMED)
            continue;
    }
}

static void next_tick(struct worker *w)
{
    struct timeval wait = {.tv_usec = 1000000 / ticks_a_second(w)};

    event_add(&w->tick_event, &wait);
}

static void tick(struct worker *w)
{
    check_conns(w);
    tracking_tick(w);
    if (server_gate(w->server, GATE_MEMORY))
        eviction_make_room(w);
}

static void on_tick(evutil_socket_t fd, short what, void *arg)
{
    struct worker *w = arg;

    (void)fd;
    (void)what;
    worker_round_begin(w);
    expirer_check_clock(w);
    if (LIKELY(!atomic_load(&w->server->cron_paused)))
        tick(w);
    next_tick(w);
    mem_flush();
    world_reclaim();
    worker_round_end(w);
}

/* ---- messages ------------------------------------------------------------------------------- */

struct adopt_message {
    struct inbox_message m;
    int fd;
    bool is_unix;
};

static void run_adopt(struct inbox_message *m, void *owner)
{
    struct adopt_message *a = CONTAINER_OF(m, struct adopt_message, m);
    struct worker *w = owner;

    atomic_fetch_sub(&w->arriving, 1);
    conn_open(w, a->fd, a->is_unix);
    mem_free(a);
}

void worker_adopt(struct worker *w, int fd, bool is_unix)
{
    struct adopt_message *a = mem_alloc(sizeof(*a));

    *a = (struct adopt_message){.m.run = run_adopt, .fd = fd, .is_unix = is_unix};
    atomic_fetch_add(&w->arriving, 1);
    inbox_post(&w->inbox, &a->m);
}

struct close_message {
    struct inbox_message m;
    uint64_t id;
};

static void run_close(struct inbox_message *m, void *owner)
{
    struct close_message *msg = CONTAINER_OF(m, struct close_message, m);
    struct worker *w = owner;

    LIST_EACH_SAFE (c, &w->conns, struct conn, link) {
        if (c->id == msg->id)
            conn_doom(c);
    }
    mem_free(msg);
}

void worker_close_client(struct worker *w, uint64_t id)
{
    struct close_message *msg = mem_alloc(sizeof(*msg));

    *msg = (struct close_message){.m.run = run_close, .id = id};
    inbox_post(&w->inbox, &msg->m);
}

struct call_message {
    struct inbox_message m;
    void (*fn)(struct worker *w, void *arg);
    void *arg;
};

static void run_call(struct inbox_message *m, void *owner)
{
    struct call_message *msg = CONTAINER_OF(m, struct call_message, m);

    msg->fn(owner, msg->arg);
    mem_free(msg);
}

void worker_call(struct worker *w, void (*fn)(struct worker *w, void *arg), void *arg)
{
    struct call_message *msg = mem_alloc(sizeof(*msg));

    *msg = (struct call_message){.m.run = run_call, .fn = fn, .arg = arg};
    inbox_post(&w->inbox, &msg->m);
}

/* What was asked of it when it had ended, or never began, is not done. */
static void discard_calls(struct worker *w)
{
    for (struct inbox_message *m = w->inbox.head, *next; m; m = next) {
        next = m->next;
        if (m->run == run_call)
            mem_free(CONTAINER_OF(m, struct call_message, m));
    }
    w->inbox.head = NULL;
    w->inbox.tail = &w->inbox.head;
}

/* ---- paused clients ------------------------------------------------------------------------- */

static void resume_parked(struct worker *w, void *arg)
{
    struct list waiting;

    (void)arg;
    list_init(&waiting);
    while (!list_empty(&w->parked)) {
        struct list *link = w->parked.next;

        list_remove(link);
        list_push(&waiting, link);
    }
    while (!list_empty(&waiting)) {
        struct conn *c = CONTAINER_OF(waiting.next, struct conn, wait_link);

        list_remove(&c->wait_link);
        conn_resume(c);
    }
}

static void on_unpark(evutil_socket_t fd, short what, void *arg)
{
    struct worker *w = arg;

    (void)fd;
    (void)what;
    worker_round_begin(w);
    resume_parked(w, NULL);
    worker_round_end(w);
}

/* Until the pause is over; or, if it is for the log, until that says so, or a moment. */
void worker_park(struct worker *w, struct conn *c)
{
    bool paused = server_paused(w->server, w->mono_ms);
    int64_t ms = paused ? w->server->pause_until_ms - w->mono_ms + 1 : ROOM_MS;
    struct timeval tv;

    if (ms > 3600 * 1000)
        ms = 3600 * 1000;
    tv = (struct timeval){.tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000};
    c->flags |= CONN_PARKED;
    if (!paused)
        conn_leave_unread(c);
    list_push(&w->parked, &c->wait_link);
    event_add(&w->unpark_event, &tv);
}

void worker_unpark(struct worker *w)
{
    worker_call(w, resume_parked, NULL);
}

/* ---- publishers that are too fast ------------------------------------------------------------ */

static void await_release(struct worker *w)
{
    struct timeval moment = {.tv_usec = HOLD_US};

    event_add(&w->release_event, &moment);
}

static void on_release(evutil_socket_t fd, short what, void *arg)
{
    struct worker *w = arg;

    (void)fd;
    (void)what;
    worker_round_begin(w);
    while (!pubsub_congested(w) && !outlets_congested(w) && !list_empty(&w->held))
        conn_release(CONTAINER_OF(w->held.next, struct conn, hold_link));
    if (!list_empty(&w->held))
        await_release(w);
    worker_round_end(w);
}

void worker_hold(struct worker *w, struct conn *c)
{
    if (list_empty(&w->held))
        await_release(w);
    conn_hold(c);
}

/* ---- life ----------------------------------------------------------------------------------- */

/*
 * Without libevent's list of deferred changes: a descriptor has to be out of the set when it is
 * closed, for its number may be another worker's the moment after.
 */
static bool make_base(struct worker *w)
{
    struct event_config *config = event_config_new();

    event_config_set_flag(config, EVENT_BASE_FLAG_NOLOCK);
    w->base = event_base_new_with_config(config);
    event_config_free(config);
    return w->base != NULL;
}

bool worker_init(struct worker *w, struct server *s, int index)
{
    int err;

    w->server = s;
    w->index = index;
    w->sweep_shard = (unsigned)index;
    list_init(&w->conns);
    list_init(&w->flush);
    list_init(&w->doomed);
    list_init(&w->parked);
    list_init(&w->held);
    list_init(&w->syncing);
    list_init(&w->waiters);
    list_init(&w->served);
    w->read_buffer = mem_alloc(READ_BUFFER);
    w->commands = mem_zalloc((size_t)command_count(s->commands) * sizeof(*w->commands));
    w->now_ms = clock_wall_ms();
    w->mono_ms = clock_mono_ms();
    err = inbox_init(&w->inbox);
    if (err || !make_base(w)) {
        log_warning("Cannot make the event loop of a worker: %s", strerror(err ? -err : errno));
        return false;
    }
    event_assign(&w->inbox_event, w->base, w->inbox.fd, EV_READ | EV_PERSIST, on_inbox, w);
    event_add(&w->inbox_event, NULL);
    event_assign(&w->tick_event, w->base, -1, 0, on_tick, w);
    next_tick(w);
    event_assign(&w->gather_event, w->base, -1, 0, on_gathered, w);
    event_assign(&w->unpark_event, w->base, -1, 0, on_unpark, w);
    event_assign(&w->release_event, w->base, -1, 0, on_release, w);
    expirer_init(w);
    locks_begin(w);
    w->evictor = evictor_new(w);
    w->policer = policer_new(w);
    return true;
}

static void *worker_main(void *arg)
{
    struct worker *w = arg;
    char name[16];

    snprintf(name, sizeof(name), "worker-%d", w->index);
    pthread_setname_np(pthread_self(), name);
    prctl(PR_SET_TIMERSLACK, 1); /* what waits for a time waits for it, and not 50 us longer */
    world_join();
    event_base_loop(w->base, EVLOOP_NO_EXIT_ON_EMPTY);
    world_quit();
    return NULL;
}

bool worker_start(struct worker *w)
{
    sigset_t old;
    int err;

    crash_block_signals(&old);
    err = pthread_create(&w->thread, NULL, worker_main, w);
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    if (err)
        log_warning("Cannot start a worker thread: %s", strerror(err));
    return err == 0;
}

static void leave_loop(struct worker *w, void *arg)
{
    (void)arg;
    event_base_loopbreak(w->base);
}

void worker_stop(struct worker *w)
{
    worker_call(w, leave_loop, NULL);
}

bool worker_ended(struct worker *w)
{
    return pthread_tryjoin_np(w->thread, NULL) == 0;
}

void worker_release(struct worker *w)
{
    while (!list_empty(&w->conns))
        conn_doom(CONTAINER_OF(w->conns.next, struct conn, link));
    conn_bury_doomed(w);
    waiting_release(w);
    locks_end(w);
    event_del(&w->inbox_event);
    event_del(&w->tick_event);
    event_del(&w->gather_event);
    event_del(&w->unpark_event);
    event_del(&w->release_event);
    evictor_free(w->evictor);
    keyvalue_release_notes(w);
    policer_free(w->policer);
    event_del(&w->expire_event);
    event_base_free(w->base);
    discard_calls(w);
    inbox_release(&w->inbox);
    for (int i = 0; i < command_count(w->server->commands); i++)
        mem_free(w->commands[i].latency);
    mem_free(w->commands);
    mem_free(w->read_buffer);
    mem_free(w->hashes);
    mem_free(w->discarded);
    mem_free(w->ready);
    args_release(&w->args);
    buf_release(&w->out);
    buf_release(&w->monitor_text);
    buf_release(&w->notice);
    buf_release(&w->changed);
    records_release(&w->recording.records);
}
