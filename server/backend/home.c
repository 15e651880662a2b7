/* The home of the data, see home.h. */
#include "server/backend/home.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/world.h"
#include "server/backend/drain.h"
#include "server/backend/link.h"
#include "server/backend/purge.h"
#include "server/backend/reading.h"
#include "server/crash.h"
#include "server/reaper.h"
#include "server/server.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

enum {
    IDLE_MS = 200,    /* between two looks where nothing asks for one */
    PACE_MS = 5,      /* between two batches of write-behind, for many changes of one key */
    PATIENCE_MS = 50, /* before the first further attempt to connect, doubled with each … */
    PATIENCE_MAX_MS = 1000,
};

static const char *const state_names[] = {
    [HOME_CONNECTING] = "connecting", [HOME_STANDBY] = "standby", [HOME_LOADING] = "loading",
    [HOME_READY] = "ready",           [HOME_DOWN] = "down",
};

const char *home_state_name(enum home_state state)
{
    return state_names[state];
}

/* ---- waking ---------------------------------------------------------------------------------- */

void home_wake_locked(struct home *h)
{
    atomic_store(&h->asked, true);
    pthread_cond_signal(&h->wake);
}

void home_wake(struct home *h)
{
    if (atomic_exchange(&h->asked, true))
        return;
    pthread_mutex_lock(&h->lock);
    pthread_cond_signal(&h->wake);
    pthread_mutex_unlock(&h->lock);
}

static void sleep_until_asked(struct home *h, int64_t ms)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    ts.tv_nsec += ms % 1000 * 1000000;
    ts.tv_sec += ms / 1000 + ts.tv_nsec / 1000000000;
    ts.tv_nsec %= 1000000000;
    pthread_mutex_lock(&h->lock);
    atomic_store(&h->sleeping, true);
    while (!atomic_load(&h->asked) && !(home_state(h) == HOME_READY && drain_has_work(h)) &&
           pthread_cond_timedwait(&h->wake, &h->lock, &ts) == 0)
        ;
    atomic_store(&h->sleeping, false);
    atomic_store(&h->asked, false);
    pthread_mutex_unlock(&h->lock);
}

/* When something has become dirty: who sleeps because nothing was is woken. */
static void note_work(struct home *h)
{
    if (!atomic_load_explicit(&h->fresh_ms, memory_order_relaxed))
        atomic_store(&h->fresh_ms, clock_mono_ms());
    if (atomic_load(&h->sleeping))
        home_wake(h);
}

void home_note_fresh(struct home *h, unsigned shard)
{
    atomic_fetch_or(&h->fresh[shard / 64], (uint64_t)1 << shard % 64);
    note_work(h);
}

void home_note_emptied(struct home *h)
{
    h->emptied = true;
    h->emptied_epoch = h->epoch;
    reading_emptied(h->reading);
    note_work(h);
}

void home_discard(struct home *h, struct entry *e)
{
    reaper_give_entry(h->server->reaper, e);
}

/* ---- what commands may do -------------------------------------------------------------------- */

/* Whether some may be refused, which is to be looked at then. */
static void set_gate(struct home *h)
{
    enum home_state state = home_state(h);
    bool serves = state == HOME_READY || (state == HOME_DOWN && !h->through);

    server_set_gate(h->server, GATE_HOME, !serves || h->is_narrow || atomic_load(&h->full));
}

void home_set_state(struct home *h, enum home_state state)
{
    world_enter();
    world_stop();
    atomic_store(&h->state, (int)state);
    set_gate(h);
    world_resume();
    world_leave();
}

void home_lock_out(struct home *h)
{
    atomic_store(&h->state, HOME_DOWN);
    set_gate(h);
}

void home_say(struct home *h, const char *what, const char *why)
{
    struct backend_error said = {.text = ""};
    bool news;

    if (what[0])
        snprintf(said.text, sizeof(said.text), "%s%s%s", what, why[0] ? ": " : "", why);
    pthread_mutex_lock(&h->lock);
    news = strcmp(said.text, h->error.text) != 0;
    h->error = said;
    pthread_mutex_unlock(&h->lock);
    if (news && what[0])
        log_warning("%s: %s", h->url.shown, said.text);
}

struct backend_error home_error(struct home *h)
{
    struct backend_error error;

    pthread_mutex_lock(&h->lock);
    error = h->error;
    pthread_mutex_unlock(&h->lock);
    for (char *at = error.text; *at; at++) {
        if (*at == '\r' || *at == '\n')
            *at = ' ';
    }
    return error;
}

/* ---- the thread ------------------------------------------------------------------------------ */

/* How long it may sleep until the next step. */
static int64_t step(struct home *h, int64_t *patience_ms)
{
    if (home_state(h) == HOME_READY) {
        *patience_ms = PATIENCE_MS;
        if (!link_keep(h))
            return 0;
        purge_run(h, h->b);
        if (!drain_has_work(h))
            return IDLE_MS;
        link_answered(h, drain_run(h));
        if (home_state(h) != HOME_READY)
            return PATIENCE_MS;
        return h->through ? 0 : PACE_MS;
    }
    link_advance(h);
    if (home_state(h) == HOME_READY)
        return 0;
    *patience_ms = *patience_ms * 2 < PATIENCE_MAX_MS ? *patience_ms * 2 : PATIENCE_MAX_MS;
    return *patience_ms;
}

/* A pace is kept, whoever asks; what else it waits for is not. */
static void pause_ms(struct home *h, int64_t ms)
{
    const struct timespec pace = {.tv_nsec = PACE_MS * 1000000L};

    if (ms == PACE_MS)
        nanosleep(&pace, NULL);
    else if (ms)
        sleep_until_asked(h, ms);
}

static void *home_main(void *arg)
{
    struct home *h = arg;
    int64_t patience_ms = PATIENCE_MS;

    pthread_setname_np(pthread_self(), "backend");
    world_join();
    while (!atomic_load(&h->ending)) {
        pause_ms(h, step(h, &patience_ms));
        mem_flush();
    }
    reading_stop(h->reading);
    link_close(h);
    world_quit();
    return NULL;
}

bool home_start(struct home *h)
{
    sigset_t old;
    int err;

    crash_block_signals(&old);
    err = pthread_create(&h->thread, NULL, home_main, h);
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    if (err)
        log_warning("The backend's thread cannot be started: %s", strerror(err));
    h->started = !err;
    return h->started;
}

bool home_settle(struct home *h)
{
    struct dirty_totals left = dirty_totals(h);

    if (!left.keys && !h->emptied)
        return true;
    if (drain_barrier(h, h->options.timeout_ms))
        return true;
    log_warning("The backend does not have the changes of %llu keys yet",
                (unsigned long long)left.keys);
    return false;
}

void home_stop(struct home *h)
{
    if (!h->started)
        return;
    atomic_store(&h->ending, true);
    home_wake(h);
    pthread_join(h->thread, NULL);
    h->started = false;
}

/* ---- now and then ---------------------------------------------------------------------------- */

static void look_at_queue(struct home *h)
{
    bool full = dirty_totals(h).bytes > h->server->conf->backend_queue_limit;

    if (full == atomic_load(&h->full))
        return;
    world_enter();
    world_stop();
    atomic_store(&h->full, full);
    set_gate(h);
    world_resume();
    world_leave();
}

void home_tick(struct home *h)
{
    look_at_queue(h);
    home_look_at_waits(h);
    drain_answer(h);
}

/* ---- life ------------------------------------------------------------------------------------ */

static bool read_url(struct home *h, const char *text)
{
    const char *why = NULL;

    if (!backend_url_parse(text, &h->url, &why)) {
        log_warning("The backend's URL is none: %s", why);
        return false;
    }
    h->driver = backend_driver(slice_str(h->url.scheme));
    if (!h->driver)
        log_warning("There is no backend for %s", h->url.shown);
    return h->driver != NULL;
}

static void init_waking(struct home *h)
{
    pthread_condattr_t attr;

    pthread_mutex_init(&h->lock, NULL);
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&h->wake, &attr);
    pthread_cond_init(&h->changed, &attr);
    pthread_condattr_destroy(&attr);
}

bool home_new(struct server *s, struct home **out)
{
    const struct conf *conf = s->conf;
    struct home *h;

    *out = NULL;
    if (!conf->backend[0])
        return true;
    h = mem_zalloc(sizeof(*h));
    h->server = s;
    init_waking(h);
    h->epoch = 1;
    h->through = conf->backend_mode == CONF_WRITE_THROUGH;
    h->all = conf->backend_load == CONF_LOAD_ALL;
    h->options = (struct backend_options){
        .timeout_ms = (int)conf->backend_timeout,
        .poll_ms = (int)conf->backend_poll,
        .migrate = conf->backend_migrate,
        .who = s->run_id,
    };
    h->dirty = dirty_new(h);
    h->drain = drain_new(h);
    *out = h;
    if (!read_url(h, conf->backend))
        return false;
    h->watch_may_fail = conf->backend_watch == CONF_WATCH_AUTO;
    h->options.watch = conf->backend_watch == CONF_WATCH_YES ||
                       (conf->backend_watch == CONF_WATCH_AUTO && h->driver->polls);
    h->reading = reading_new(s, h->driver, &h->url, &h->options);
    h->log_loads = conf->appendonly;
    if (h->log_loads)
        home_name_log(h);
    if (!conf->appendonly && !h->through)
        log_notice("The queue of the backend is memory: without appendonly, what is not in the "
                   "table yet is lost if this process is");
    server_set_gate(s, GATE_HOME, true);
    server_set_gate(s, GATE_THROUGH, h->through);
    return true;
}

void home_free(struct home *h)
{
    if (!h)
        return;
    reading_free(h->reading);
    drain_free(h->drain);
    dirty_free(h->dirty);

    backend_url_release(&h->url);
    pthread_cond_destroy(&h->wake);
    pthread_cond_destroy(&h->changed);
    pthread_mutex_destroy(&h->lock);
    mem_free(h);
}
