/* The server's life: start and end. See server.h. */
#include "server/server.h"

#include "base/log.h"
#include "base/mem.h"
#include "base/rng.h"
#include "base/ticks.h"
#include "base/world.h"
#include "server/backend/home.h"
#include "server/client_limit.h"
#include "server/command.h"
#include "server/expirer.h"
#include "server/keyvalue.h"
#include "server/latency.h"
#include "server/listener.h"
#include "server/loading.h"
#include "server/locks/lock_desk.h"
#include "server/logging.h"
#include "server/migration.h"
#include "server/policer.h"
#include "server/policy_log.h"
#include "server/process.h"
#include "server/pubsub.h"
#include "server/reaper.h"
#include "server/rewriting.h"
#include "server/saving.h"
#include "server/signals.h"
#include "server/slowlog.h"
#include "server/tracking.h"
#include "server/worker.h"

#include <errno.h>
#include <event2/event.h>
#include <event2/event_struct.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

void server_set_gate(struct server *s, uint32_t gate, bool on)
{
    if (on)
        atomic_fetch_or(&s->gates, gate);
    else
        atomic_fetch_and(&s->gates, ~gate);
}

void server_count_error(struct server *s, struct slice code)
{
    int i = 0;

    if (code.len >= sizeof(s->errors[0].code))
        return;
    lock_take(&s->stats_lock);
    while (i < s->errors_len && !slice_eq(slice_str(s->errors[i].code), code))
        i++;
    if (i == s->errors_len && i < ERROR_CODES_MAX) {
        memcpy(s->errors[i].code, code.ptr, code.len);
        s->errors_len++;
    }
    if (i < ERROR_CODES_MAX)
        s->errors[i].count++;
    lock_release(&s->stats_lock);
}

__attribute__((no_sanitize("thread"))) void server_sum_stats(const struct server *s,
                                                             struct stats *out)
{
    memset(out, 0, sizeof(*out));
    for (int i = 0; i < s->workers_len; i++) {
        const struct stats *from = &s->workers[i].stats;

#define STAT(field, what) out->field += from->field;
#include "server/stats.def"
#undef STAT
    }
    out->dirty += s->loader ? s->loader->stats.dirty : s->changes_loaded;
}

void server_reset_stats(struct server *s)
{
    for (int i = 0; i < s->workers_len; i++) {
        struct worker *w = &s->workers[i];
        uint64_t dirty = w->stats.dirty; /* counts since the last snapshot, not since a reset */

        memset(&w->stats, 0, sizeof(w->stats));
        w->stats.dirty = dirty;
        for (int id = 0; id < command_count(s->commands); id++) {
            mem_free(w->commands[id].latency);
            w->commands[id] = (struct command_stats){0};
        }
    }
    atomic_store(&s->rejected_connections, 0);
    reaper_reset_freed(s->reaper);
    lock_take(&s->stats_lock);
    memset(s->errors, 0, sizeof(s->errors));
    s->errors_len = 0;
    lock_release(&s->stats_lock);
}

void server_note_peak(struct server *s, size_t used)
{
    size_t peak = atomic_load(&s->peak_memory);

    while (used > peak && !atomic_compare_exchange_weak(&s->peak_memory, &peak, used))
        ;
}

void server_publish_conf(struct server *s, struct conf *conf)
{
    struct conf *old = (struct conf *)(uintptr_t)s->conf;

    s->conf = conf;
    server_set_gate(s, GATE_MEMORY, conf->maxmemory > 0);
    client_limit_changed(s);
    conf_free(old);
}

/* ---- start ---------------------------------------------------------------------------------- */

static bool rename_commands(struct server *s)
{
    for (size_t i = 0; i < s->conf->renames_len; i++) {
        const struct conf_rename *r = &s->conf->renames[i];

        if (command_table_rename(s->commands, r->from, r->to))
            continue;
        log_warning("rename-command: no such command, or the new name is taken: %s %s", r->from,
                    r->to);
        return false;
    }
    return true;
}

static bool make_workers(struct server *s)
{
    s->workers_len = conf_workers(s->conf);
    s->workers = mem_zalloc_lines((size_t)s->workers_len * sizeof(*s->workers));
    for (int i = 0; i < s->workers_len; i++) {
        if (!worker_init(&s->workers[i], s, i))
            return false;
    }
    return true;
}

bool server_make_loader(struct server *s)
{
    struct worker *w = mem_zalloc_lines(sizeof(*w));

    if (worker_init(w, s, s->workers_len)) {
        s->loader = w;
        return true;
    }
    mem_free(w);
    return false;
}

bool server_init(struct server *s, struct conf *conf)
{
    s->conf = conf;
    s->started_s = clock_wall_ms() / 1000;
    s->started_mono_ms = clock_mono_ms();
    rng_hex_id(s->run_id, RUN_ID_LEN);
    rng_hex_id(s->replication_id, RUN_ID_LEN);
    hash_init(rng_entropy());
    ticks_init();
    world_init();
    world_join();
    lock_init(&s->stats_lock, RANK_STATS, 0);
    atomic_store(&s->active_expire, true);
    conf->maxclients = process_reserve_files(conf->maxclients);
    s->commands = command_table_new();
    keyspace_init(&s->keyspace, (int)conf->databases);
    s->latency = latency_new();
    s->slowlog = slowlog_new();
    s->reaper = reaper_new();
    s->saving = saving_new(s);
    s->rewriting = rewriting_new(s);
    s->journal = logging_new(s);
    s->policy_log = policy_log_new(conf);
    s->pubsub = pubsub_new(conf_workers(conf) + 1); /* for the loader, too */
    s->tracking = tracking_new(conf_workers(conf) + 1);
    s->locks = locks_new(conf_workers(conf) + 1);
    server_set_gate(s, GATE_MEMORY, conf->maxmemory > 0);
    s->client_limit = client_limit_of(conf);
    s->main_base = event_base_new();
    if (!s->main_base || inbox_init(&s->main_inbox) < 0 || !rename_commands(s) || !make_workers(s))
        return false;
    if (!home_new(s, &s->home))
        return false;
    log_notice("Server initialized");
    s->listener = listener_new(s, s->main_base);
    return s->listener != NULL;
}

/* ---- the main thread ------------------------------------------------------------------------ */

static void on_main_inbox(evutil_socket_t fd, short what, void *arg)
{
    struct server *s = arg;

    (void)fd;
    (void)what;
    inbox_drain(&s->main_inbox, s);
}

static void on_cron(evutil_socket_t fd, short what, void *arg)
{
    struct server *s = arg;

    (void)fd;
    (void)what;
    if (!atomic_load(&s->cron_paused)) {
        server_note_peak(s, mem_used());
        rates_sample(s);
        saving_tick(s);
        rewriting_tick(s);
    }
    if (s->home)
        home_tick(s->home);
    if (s->loading)
        loading_tick(s->loading);
    mem_flush();
    world_reclaim();
}

struct main_call {
    struct inbox_message m;
    void (*fn)(void *arg);
    void *arg;
    pthread_mutex_t lock;
    pthread_cond_t done_cond;
    bool done;
};

static void run_main_call(struct inbox_message *m, void *owner)
{
    struct main_call *call = CONTAINER_OF(m, struct main_call, m);

    (void)owner;
    call->fn(call->arg);
    pthread_mutex_lock(&call->lock);
    call->done = true;
    pthread_cond_signal(&call->done_cond);
    pthread_mutex_unlock(&call->lock);
}

void server_main_call(struct server *s, void (*fn)(void *arg), void *arg)
{
    struct main_call call = {.m.run = run_main_call, .fn = fn, .arg = arg};
    bool stopped = world_is_mine();

    pthread_mutex_init(&call.lock, NULL);
    pthread_cond_init(&call.done_cond, NULL);
    if (stopped)
        world_resume();
    world_leave();
    inbox_post(&s->main_inbox, &call.m);
    pthread_mutex_lock(&call.lock);
    while (!call.done)
        pthread_cond_wait(&call.done_cond, &call.lock);
    pthread_mutex_unlock(&call.lock);
    pthread_cond_destroy(&call.done_cond);
    pthread_mutex_destroy(&call.lock);
    world_enter();
    if (stopped)
        world_stop();
}

static bool saves_at_end(const struct server *s, int how)
{
    if (how & END_NO_SAVE || server_gate(s, GATE_LOADING) || (s->home && !s->home->serves))
        return false;
    return how & END_SAVE || s->conf->save.len;
}

/* Whoever is not answered yet will not be any more. */
static void silence_clients(struct server *s)
{
    s->pause_until_ms = INT64_MAX;
    s->pause_writes_only = false;
    server_set_gate(s, GATE_PAUSED, true);
}

bool server_prepare_end(struct server *s, int how)
{
    bool good = true;

    log_warning("User requested shutdown...");
    saving_stop(s);
    rewriting_stop(s);
    if (s->home && !home_settle(s->home) && !logging_is_on(s) &&
        !(how & (END_NO_SAVE | END_FORCE))) {
        log_warning("What is not in the backend's table yet would be lost, can't exit.");
        return false;
    }
    world_enter();
    world_stop();
    if (saves_at_end(s, how)) {
        log_notice("Saving the final RDB snapshot before exiting.");
        good = saving_now(s) == 0 || how & END_FORCE;
    }
    if (good)
        silence_clients(s);
    world_resume();
    world_leave();
    if (!good)
        log_warning("Error trying to save the DB, can't exit.");
    return good;
}

/* What the configuration says to a signal. */
static int end_by_signal(const struct server *s, int sig)
{
    int wanted = sig == SIGINT ? s->conf->shutdown_on_sigint : s->conf->shutdown_on_sigterm;

    return (wanted & CONF_SHUTDOWN_SAVE ? END_SAVE : 0) |
           (wanted & CONF_SHUTDOWN_NOSAVE ? END_NO_SAVE : 0) |
           (wanted & CONF_SHUTDOWN_FORCE ? END_FORCE : 0);
}

static void leave_main_loop(struct inbox_message *m, void *owner)
{
    struct server *s = owner;

    mem_free(m);
    if (s->ended_by_signal && s->loading)
        log_warning("Received shutdown signal during loading, exiting now.");
    if (s->ended_by_signal && !server_prepare_end(s, end_by_signal(s, s->ended_by_signal))) {
        log_warning("Errors trying to shut down the server. Check the logs for more information.");
        atomic_store(&s->shutdown_asked, false);
        signals_go_on(s);
        return;
    }
    s->loop_left = true;
    event_base_loopbreak(s->main_base);
}

void server_shutdown(struct server *s, int sig)
{
    struct inbox_message *m;

    if (atomic_exchange(&s->shutdown_asked, true))
        return;
    s->ended_by_signal = sig;
    m = mem_zalloc(sizeof(*m));
    m->run = leave_main_loop;
    inbox_post(&s->main_inbox, m);
}

static void announce(const struct server *s)
{
    if (s->conf->port)
        log_notice("Ready to accept connections");
    if (s->conf->unixsocket[0])
        log_notice("The server is now ready to accept connections at %s", s->conf->unixsocket);
    process_ready(s->conf);
}

static void main_loop(struct server *s)
{
    struct event inbox_event, cron_event;
    struct timeval cron = {.tv_usec = RATE_PERIOD_MS * 1000};

    event_assign(&inbox_event, s->main_base, s->main_inbox.fd, EV_READ | EV_PERSIST, on_main_inbox,
                 s);
    event_assign(&cron_event, s->main_base, -1, EV_PERSIST, on_cron, s);
    event_add(&inbox_event, NULL);
    event_add(&cron_event, &cron);
    if (!s->loop_left)
        event_base_loop(s->main_base, EVLOOP_NO_EXIT_ON_EMPTY);
    event_del(&inbox_event);
    event_del(&cron_event);
}

/* Nothing of what it counted is told, but for the changes: no snapshot has them. */
static void end_loader(struct server *s)
{
    struct worker *w = s->loader;

    if (!w)
        return;
    s->changes_loaded = w->stats.dirty;
    s->loader = NULL;
    worker_release(w);
    mem_free(w);
}

/* The data is there, or cannot be. */
static void on_loaded(struct server *s, bool ok)
{
    struct loading_job *l = s->loading;
    bool of_log = loading_is_of_log(l);

    world_enter();
    world_stop();
    s->loading = NULL;
    end_loader(s);
    if (of_log)
        policer_apply(s, &s->conf->key_policy);
    server_set_gate(s, GATE_LOADING, false);
    world_resume();
    world_leave();
    loading_free(l);
    if (ok && s->home)
        home_log_loaded(s->home);
    else if (ok)
        announce(s);
    if (ok) {
        expirer_wake_all(s);
        return;
    }
    log_warning("Fatal error loading the DB. Exiting.");
    s->load_failed = true;
    event_base_loopbreak(s->main_base);
}

/* What takes but a moment is done before the first client is answered. */
static void load_for_a_moment(struct server *s)
{
    enum { MOMENT_MS = 50 };
    struct pollfd inbox = {.fd = s->main_inbox.fd, .events = POLLIN};

    if (poll(&inbox, 1, MOMENT_MS) > 0)
        inbox_drain(&s->main_inbox, s);
}

/* False if there is something that cannot be read. While a log is loaded no policy holds. */
static bool begin_loading(struct server *s)
{
    int status;

    if (!s->conf->appendonly)
        policer_apply(s, &s->conf->key_policy);
    if (s->home) { /* which says when the log is to be loaded, if there is one */
        announce(s);
        return home_start(s->home);
    }
    s->loading = loading_begin(s, on_loaded, &status);
    if (s->loading) {
        load_for_a_moment(s);
        return !s->load_failed;
    }
    if (status == -ENOENT) {
        announce(s);
        return true;
    }
    if (!s->conf->appendonly)
        log_warning("Fatal error loading the DB %s: %s. Exiting.", s->conf->dbfilename,
                    strerror(-status));
    return false;
}

void server_load_log(struct server *s)
{
    int status;

    world_enter();
    world_stop();
    s->loading = loading_begin(s, on_loaded, &status);
    world_resume();
    world_leave();
    if (s->loading)
        return;
    s->load_failed = true;
    event_base_loopbreak(s->main_base);
}

/* One that waits for the main thread to do something must get it done to reach its end. */
static void join_worker(struct server *s, struct worker *w)
{
    struct pollfd inbox = {.fd = s->main_inbox.fd, .events = POLLIN};

    while (!worker_ended(w)) {
        if (poll(&inbox, 1, 10) > 0)
            inbox_drain(&s->main_inbox, s);
    }
}

int server_run(struct server *s)
{
    int started = 0, status = signals_start(s);
    bool ok = status == 0;

    if (!ok)
        log_warning("Cannot wait for signals: %s", strerror(-status));
    mem_purge_in_background(s->conf->jemalloc_bg_thread);
    s->start_memory = mem_used();
    ok = ok && begin_loading(s);
    while (ok && started < s->workers_len)
        ok = worker_start(&s->workers[started++]);
    if (ok)
        main_loop(s);
    signals_ending();
    atomic_store(&s->shutdown_asked, true);
    migrations_await(s);
    loading_free(s->loading);
    s->loading = NULL;
    saving_stop(s);
    rewriting_stop(s);
    for (int i = 0; i < started; i++)
        worker_stop(&s->workers[i]);
    for (int i = 0; i < started; i++)
        join_worker(s, &s->workers[i]);
    if (s->home)
        home_stop(s->home);
    logging_end(s);
    log_warning("%s is now ready to exit, bye bye...", "Latchkey");
    return ok && !s->load_failed ? 0 : 1;
}

void server_release(struct server *s)
{
    listener_free(s->listener);
    reaper_free(s->reaper);
    saving_free(s->saving);
    rewriting_free(s->rewriting);
    s->locks->ending = true;
    for (int i = 0; i < s->workers_len; i++)
        worker_release(&s->workers[i]);
    if (s->loader)
        worker_release(s->loader);
    mem_free(s->loader);
    mem_free(s->workers);
    pubsub_free(s->pubsub);
    tracking_free(s->tracking, &s->keyspace);
    keyvalue_release(&s->keyspace);
    locks_free(s);
    slowlog_free(s->slowlog);
    latency_free(s->latency);
    home_free(s->home);
    keyspace_release(&s->keyspace);
    journal_free(s->journal);
    policy_log_free(s->policy_log);
    mem_free(s->logged_of_keys);
    command_table_free(s->commands);
    inbox_release(&s->main_inbox);
    event_base_free(s->main_base);
    conf_free((struct conf *)(uintptr_t)s->conf);
    mem_free(s->executable);
    mem_free(s->config_file);
    world_quit();
}
