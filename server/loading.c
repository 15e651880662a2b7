/* Loading, see loading.h. */
#include "server/loading.h"

#include "base/clock.h"
#include "base/files.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/world.h"
#include "server/access.h"
#include "server/crash.h"
#include "server/log_lines.h"
#include "server/log_load.h"
#include "server/logging.h"
#include "server/rdb_limits.h"
#include "server/worker.h"
#include "storage/rdb/rdb_load.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <time.h>

enum { TELL_EVERY_MS = 2000, NAP_US = 10000 };

struct loading_job {
    struct rdb_load load; /* the snapshot, or that with which the log begins */
    struct server *server;
    void (*done)(struct server *s, bool ok);
    int fd;
    int64_t size, began_s, began_us, told_ms;
    bool ok, joined;
    pthread_mutex_t lines_lock;
    struct buf lines;
    pthread_t thread;
    struct inbox_message message;
    _Atomic uint64_t used_memory; /* of the server that wrote the snapshot, as that says */

    /* The log of changes. */
    bool is_log;
    struct log_dir dir;
    struct log_options options;
    struct log_loaded loaded;
    uint64_t behind;                  /* bytes of the files that are done */
    _Atomic uint64_t passed, records; /* bytes and records that are */
};

/* ---- tests slow it down ---------------------------------------------------------------------- */

bool loading_is_cancelled(const struct loading_job *l)
{
    return atomic_load_explicit(&l->load.cancelled, memory_order_relaxed);
}

int64_t loading_delay_us(const struct loading_job *l)
{
    return l->server->conf->key_load_delay;
}

static void nap(int64_t us)
{
    const struct timespec t = {.tv_sec = us / 1000000, .tv_nsec = us % 1000000 * 1000};

    nanosleep(&t, NULL);
}

/* Who gives up does not wait for it. */
void loading_delay(const struct loading_job *l, int64_t us, int keys)
{
    us = us < 0 ? keys / -us : us * keys;
    for (; us > 0 && !loading_is_cancelled(l); us -= NAP_US)
        nap(us < NAP_US ? us : NAP_US);
}

/* The same in the world, with nothing locked, unless the world has been stopped. */
static NOINLINE void delay_inside(const struct loading_job *l)
{
    int64_t us = loading_delay_us(l);

    if (world_is_mine()) {
        loading_delay(l, us, 1);
        return;
    }
    world_leave();
    loading_delay(l, us, 1);
    world_enter();
}

/* ---- what the loader asks for ---------------------------------------------------------------- */

static void settle(void *arg, struct entry *e, struct rdb_age age)
{
    const struct loading_job *l = arg;
    int64_t now_ms = l->began_us / 1000;

    if (UNLIKELY(loading_delay_us(l)))
        delay_inside(l);
    e->access_or_member = access_first(l->server->conf, now_ms, NULL);
    access_set(l->server->conf, now_ms, &e->access_or_member, age.idle_s, age.frequency);
}

static void skipped(void *arg, int db, struct slice key, const char *what)
{
    (void)arg;
    if (key.len)
        log_warning("Left out: key '%.*s' in database %d: %s", (int)(key.len < 256 ? key.len : 256),
                    key.ptr, db, what);
    else
        log_warning("Left out: %s", what);
}

static void tell_aux(void *arg, struct slice name, struct slice value)
{
    struct loading_job *l = arg;
    int64_t n = 0;
    bool is_number = num_parse_int(value, &n);

    if (slice_eq(name, SLICE(RDB_AUX_LINES))) {
        pthread_mutex_lock(&l->lines_lock);
        buf_append_slice(&l->lines, value);
        pthread_mutex_unlock(&l->lines_lock);
    }
    if (slice_eq(name, SLICE("redis-ver")) || slice_eq(name, SLICE("valkey-ver")))
        log_notice("Loading RDB produced by version %.*s", (int)value.len, value.ptr);
    else if (slice_eq(name, SLICE("ctime")) && is_number)
        log_notice("RDB age %lld seconds", (long long)(n < l->began_s ? l->began_s - n : 0));
    else if (slice_eq(name, SLICE("used-mem")) && is_number) {
        log_notice("RDB memory usage when created %.2f Mb", (double)n / (1 << 20));
        atomic_store(&l->used_memory, (uint64_t)n);
    }
}

static void prepare(struct loading_job *l, struct server *s, int threads)
{
    const struct conf *conf = s->conf;

    l->server = s;
    pthread_mutex_init(&l->lines_lock, NULL);
    l->began_us = clock_wall_us();
    l->began_s = l->began_us / 1000000;
    l->load.keyspace = &s->keyspace;
    l->load.limits = rdb_limits_of(conf);
    l->load.threads = threads;
    l->load.checksum = conf->rdbchecksum;
    l->load.skip_unsupported = conf->rdb_skip_unsupported;
    l->load.now_ms = l->began_us / 1000;
    l->load.arg = l;
    l->load.settle = settle;
    l->load.skipped = skipped;
    l->load.aux = tell_aux;
}

static int open_file(struct loading_job *l)
{
    l->fd = file_ops->open(l->server->conf->dbfilename, O_RDONLY, 0);
    if (l->fd < 0)
        return l->fd;
    l->size = file_size(l->fd);
    return l->size < 0 ? (int)l->size : 0;
}

static void tell_result(struct loading_job *l)
{
    if (l->ok) {
        log_notice("Done loading RDB, keys loaded: %llu, keys expired: %llu.",
                   (unsigned long long)l->load.keys, (unsigned long long)l->load.expired);
        log_notice("DB loaded from disk: %.3f seconds",
                   (double)(clock_wall_us() - l->began_us) / 1e6);
    } else {
        log_warning("Error loading the RDB file %s: %.*s", l->server->conf->dbfilename,
                    (int)l->load.error.len, l->load.error.ptr);
    }
    l->server->load_keys = l->load.keys;
    l->server->load_expired = l->load.expired;
}

/* ---- at the start ---------------------------------------------------------------------------- */

/* What was gathered of lines of a snapshot is done. The world is stopped. */
static void apply_lines(struct loading_job *l)
{
    log_lines_apply(l->server, buf_slice(&l->lines));
    l->lines.len = 0;
}

/* The data is there; with the log, what is changed from now on is written to it. */
static void finish(struct loading_job *l)
{
    struct server *s = l->server;

    if (!l->is_log)
        tell_result(l);
    if (!l->ok)
        return;
    world_enter();
    world_stop();
    apply_lines(l);
    log_lines_applied(s);
    if (l->is_log) {
        l->loaded.unversioned |= versions_load_end(&s->keyspace);
        l->ok = logging_begin(s, &l->dir, &l->loaded);
    }
    world_resume();
    world_leave();
}

static void on_done(struct inbox_message *m, void *owner)
{
    struct loading_job *l = CONTAINER_OF(m, struct loading_job, message);

    pthread_join(l->thread, NULL);
    l->joined = true;
    finish(l);
    l->done(owner, l->ok);
}

static void *load_main(void *arg)
{
    struct loading_job *l = arg;

    pthread_setname_np(pthread_self(), "loading");
    world_join();
    if (l->is_log)
        l->ok = log_load(l, &l->dir, &l->options, &l->loaded);
    else
        l->ok = rdb_load(&l->load, l->fd, l->size);
    world_quit();
    inbox_post(&l->server->main_inbox, &l->message);
    return NULL;
}

static int start_thread(struct loading_job *l)
{
    sigset_t old;
    int status;

    server_set_gate(l->server, GATE_LOADING, true);
    crash_block_signals(&old);
    status = -pthread_create(&l->thread, NULL, load_main, l);
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    return status;
}

static int open_log(struct loading_job *l)
{
    const struct conf *conf = l->server->conf;
    uint64_t base;

    l->is_log = true;
    l->options = (struct log_options){conf->aof_load_truncated, conf->repair};
    if (!server_make_loader(l->server) || !logging_open(conf, &l->dir))
        return -EINVAL;
    l->size = (int64_t)log_dir_size(&l->dir, &base);
    versions_load_begin(&l->server->keyspace);
    return 0;
}

struct loading_job *loading_begin(struct server *s, void (*done)(struct server *s, bool ok),
                                  int *status)
{
    struct loading_job *l = mem_zalloc(sizeof(*l));

    prepare(l, s, conf_workers(s->conf));
    l->load.versions_ahead = VERSIONS_AHEAD;
    l->fd = -1;
    l->done = done;
    l->message.run = on_done;
    l->told_ms = clock_mono_ms();
    *status = s->conf->appendonly ? open_log(l) : open_file(l);
    if (*status == 0)
        *status = start_thread(l);
    if (*status == 0)
        return l;
    l->joined = true;
    loading_free(l);
    return NULL;
}

void loading_free(struct loading_job *l)
{
    if (!l)
        return;
    if (!l->joined) {
        atomic_store(&l->load.cancelled, true);
        pthread_join(l->thread, NULL);
        inbox_withdraw(&l->server->main_inbox, &l->message);
    }
    if (l->fd >= 0)
        file_ops->close(l->fd);
    if (l->is_log)
        log_dir_release(&l->dir);
    buf_release(&l->load.error);
    buf_release(&l->lines);
    pthread_mutex_destroy(&l->lines_lock);
    mem_free(l);
}

/* ---- now ------------------------------------------------------------------------------------- */

bool loading_now(struct server *s, bool replace)
{
    struct loading_job *l = mem_zalloc(sizeof(*l));
    int status;
    bool ok;

    prepare(l, s, 0);
    l->joined = true;
    l->load.replace = replace;
    status = open_file(l);
    if (status < 0)
        buf_append_str(&l->load.error, strerror(-status));
    else
        l->ok = rdb_load(&l->load, l->fd, l->size);
    tell_result(l);
    ok = l->ok;
    loading_free(l);
    return ok;
}

/* ---- the log --------------------------------------------------------------------------------- */

struct worker *loading_worker(const struct loading_job *l)
{
    return l->server->loader;
}

bool loading_base(struct loading_job *l, const char *path, int64_t *end)
{
    int64_t size;

    l->load.now_ms = INT64_MIN; /* what is over by now was there when the next record was made */
    l->fd = file_ops->open(path, O_RDONLY, 0);
    size = l->fd < 0 ? l->fd : file_size(l->fd);
    if (size < 0) {
        log_warning("%s cannot be loaded: %s", path, strerror((int)-size));
        return false;
    }
    if (!rdb_load(&l->load, l->fd, size)) {
        log_warning("%s cannot be loaded: %.*s", path, (int)l->load.error.len, l->load.error.ptr);
        return false;
    }
    file_ops->close(l->fd);
    l->fd = -1;
    *end = l->load.end;
    atomic_store(&l->load.bytes, 0);
    world_enter();
    world_stop();
    apply_lines(l);
    world_resume();
    world_leave();
    return true;
}

void loading_passed(struct loading_job *l, uint64_t bytes, uint64_t records)
{
    atomic_store_explicit(&l->passed, l->behind + bytes, memory_order_relaxed);
    atomic_store_explicit(&l->records, records, memory_order_relaxed);
}

void loading_file_done(struct loading_job *l, uint64_t bytes)
{
    l->behind += bytes;
    atomic_store(&l->passed, l->behind);
}

/* ---- what is told ---------------------------------------------------------------------------- */

bool loading_is_of_log(const struct loading_job *l)
{
    return l && l->is_log;
}

struct loading_facts loading_facts(const struct loading_job *l)
{
    return (struct loading_facts){
        .began_s = l->began_s,
        .total = (uint64_t)l->size,
        .loaded = atomic_load(&l->passed) + atomic_load(&l->load.bytes),
        .used_memory = atomic_load(&l->used_memory),
    };
}

void loading_tick(struct loading_job *l)
{
    struct loading_facts f = loading_facts(l);
    int64_t now = clock_mono_ms();

    if (now - l->told_ms < TELL_EVERY_MS)
        return;
    l->told_ms = now;
    log_notice("Loading the dataset: %.1f%%, %llu keys%s so far",
               f.total ? (double)f.loaded * 100 / (double)f.total : 0,
               (unsigned long long)(atomic_load(&l->load.keys) + atomic_load(&l->records)),
               l->is_log ? " and records" : "");
}
