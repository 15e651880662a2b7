/* Loading, see loading.h. */
#include "server/loading.h"

#include "base/clock.h"
#include "base/files.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/world.h"
#include "server/access.h"
#include "server/crash.h"
#include "server/rdb_limits.h"
#include "storage/rdb/rdb_load.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>

enum { TELL_EVERY_MS = 2000 };

struct loading_job {
    struct rdb_load load;
    struct server *server;
    void (*done)(struct server *s, bool ok);
    int fd;
    int64_t size, began_s, began_us, told_ms;
    bool ok, joined;
    pthread_mutex_t lines_lock;
    struct buf lines;
    pthread_t thread;
    struct inbox_message message;
};

/* ---- what the loader asks for ---------------------------------------------------------------- */

static void settle(void *arg, struct entry *e, struct rdb_age age)
{
    const struct loading_job *l = arg;
    int64_t now_ms = l->began_us / 1000;

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

    if (slice_eq(name, SLICE(RDB_AUX_LINES))) {
        pthread_mutex_lock(&l->lines_lock);
        buf_append_slice(&l->lines, value);
        pthread_mutex_unlock(&l->lines_lock);
    }
    if (slice_eq(name, SLICE("redis-ver")) || slice_eq(name, SLICE("valkey-ver")))
        log_notice("Loading RDB produced by version %.*s", (int)value.len, value.ptr);
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

static void on_done(struct inbox_message *m, void *owner)
{
    struct loading_job *l = CONTAINER_OF(m, struct loading_job, message);

    pthread_join(l->thread, NULL);
    l->joined = true;
    tell_result(l);
    l->done(owner, l->ok);
}

static void *load_main(void *arg)
{
    struct loading_job *l = arg;

    pthread_setname_np(pthread_self(), "loading");
    world_join();
    l->ok = rdb_load(&l->load, l->fd, l->size);
    world_quit();
    inbox_post(&l->server->main_inbox, &l->message);
    return NULL;
}

struct loading_job *loading_begin(struct server *s, void (*done)(struct server *s, bool ok),
                                  int *status)
{
    struct loading_job *l = mem_zalloc(sizeof(*l));
    sigset_t old;

    prepare(l, s, conf_workers(s->conf));
    l->load.versions_ahead = VERSIONS_AHEAD;
    l->done = done;
    l->message.run = on_done;
    l->told_ms = clock_mono_ms();
    *status = open_file(l);
    if (*status == 0) {
        server_set_gate(s, GATE_LOADING, true);
        crash_block_signals(&old);
        *status = -pthread_create(&l->thread, NULL, load_main, l);
        pthread_sigmask(SIG_SETMASK, &old, NULL);
    }
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
    buf_release(&l->load.error);
    buf_release(&l->lines);
    pthread_mutex_destroy(&l->lines_lock);
    mem_free(l);
}

struct slice loading_lines(const struct loading_job *l)
{
    return buf_slice(&l->lines);
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

bool loading_base(struct server *s, const char *path, int64_t *end, struct buf *lines)
{
    struct loading_job *l = mem_zalloc(sizeof(*l));
    int status;

    prepare(l, s, conf_workers(s->conf));
    l->load.now_ms = INT64_MIN; /* what is over by now was there when the next record was made */
    l->joined = true;
    l->fd = status = file_ops->open(path, O_RDONLY, 0);
    l->size = status < 0 ? status : file_size(l->fd);
    if (l->size < 0)
        buf_append_str(&l->load.error, strerror((int)-l->size));
    else
        l->ok = rdb_load(&l->load, l->fd, l->size);
    if (!l->ok)
        log_warning("%s cannot be loaded: %.*s", path, (int)l->load.error.len, l->load.error.ptr);
    *end = l->load.end;
    *lines = l->lines;
    l->lines = (struct buf){0};
    status = l->ok;
    loading_free(l);
    return status;
}

/* ---- what is told ---------------------------------------------------------------------------- */

struct loading_facts loading_facts(const struct loading_job *l)
{
    return (struct loading_facts){l->began_s, (uint64_t)l->size, atomic_load(&l->load.bytes)};
}

void loading_tick(struct loading_job *l)
{
    struct loading_facts f = loading_facts(l);
    int64_t now = clock_mono_ms();

    if (now - l->told_ms < TELL_EVERY_MS)
        return;
    l->told_ms = now;
    log_notice("Loading the dataset: %.1f%%, %llu keys so far",
               f.total ? (double)f.loaded * 100 / (double)f.total : 0,
               (unsigned long long)atomic_load(&l->load.keys));
}
