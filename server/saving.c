/* Snapshots in files, see saving.h. */
#include "server/saving.h"
#include "server/log_lines.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/version.h"
#include "base/world.h"
#include "server/access.h"
#include "server/crash.h"
#include "server/rewriting.h"
#include "storage/rdb/rdb_file.h"
#include "storage/snapshot.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <time.h>

enum {
    RETRY_S = 5, /* after one that failed, by the save rules */
};

/* What a snapshot is to be like: conf as it was when it began. */
struct job {
    struct server *server;
    struct snapshot *snapshot;
    char *path;
    struct rdb_header header;
    bool step_by_step, told; /* the second: nobody waits for its result, the log tells of it */
    uint64_t dirty;          /* as it was */
    int status;
    pthread_t thread;
    struct inbox_message done;
};

/* Changed with the world stopped; what is atomic is looked at at other times, too. */
struct saving {
    struct job *_Atomic job;           /* that is being written; NULL for none */
    struct snapshot *_Atomic snapshot; /* its, as long as it is being written */
    struct later *waits;
    _Atomic bool scheduled;
    _Atomic bool ok; /* the last one */
    _Atomic int64_t last_save_s;
    _Atomic int64_t last_try_s;
    int64_t last_took_s, began_ms;
    uint64_t saves;
    _Atomic uint64_t dirty_at_save;
};

struct saving *saving_new(struct server *s)
{
    struct saving *v = mem_zalloc(sizeof(*v));

    atomic_init(&v->ok, true);
    atomic_init(&v->last_save_s, s->started_s);
    v->last_took_s = -1;
    return v;
}

void saving_free(struct saving *v)
{
    mem_free(v);
}

static uint64_t dirty_now(const struct server *s)
{
    struct stats stats;

    server_sum_stats(s, &stats);
    return stats.dirty;
}

/* ---- writing --------------------------------------------------------------------------------- */

static struct rdb_age age_of(void *arg, uint32_t access)
{
    const struct server *s = arg;
    const struct conf *conf = s->conf;
    struct rdb_age age = {-1, -1};

    if (access_is_lfu(conf))
        age.frequency = (int)access_frequency(conf, clock_wall_coarse_ms(), access);
    else
        age.idle_s = (int64_t)access_idle_s(clock_wall_coarse_ms(), access);
    return age;
}

/* Redis tells ages only under a policy that goes by them. */
static bool tells_ages(const struct conf *conf)
{
    return access_is_lfu(conf) || conf->maxmemory_policy == CONF_ALLKEYS_LRU ||
           conf->maxmemory_policy == CONF_VOLATILE_LRU;
}

struct snapshot *saving_snapshot(struct server *s, struct rdb_header *header)
{
    struct snapshot_options options = {
        .compress = s->conf->rdbcompression, .delay_us = s->conf->rdb_key_save_delay, .age_arg = s};
    struct snapshot *snapshot;

    options.age = tells_ages(s->conf) ? age_of : NULL;
    snapshot = snapshot_begin(&s->keyspace, &options);
    *header = (struct rdb_header){
        .redis_version = REDIS_VERSION,
        .now_s = clock_wall_ms() / 1000,
        .used_memory = mem_used(),
        .seq = snapshot_seq(snapshot),
        .checksum = s->conf->rdbchecksum,
        .lines = log_lines_all(s),
    };
    return snapshot;
}

static struct job *new_job(struct server *s)
{
    struct job *j = mem_zalloc(sizeof(*j));

    j->server = s;
    j->path = mem_strdup(s->conf->dbfilename);
    j->step_by_step = s->conf->rdb_save_incremental_fsync;
    j->dirty = dirty_now(s);
    j->snapshot = saving_snapshot(s, &j->header);
    return j;
}

static void free_job(struct job *j)
{
    buf_release(&j->header.lines);
    mem_free(j->path);
    mem_free(j);
}

static void write_file(struct job *j)
{
    struct rdb_writer w;
    struct rdb_file f;
    int written;

    j->status = rdb_file_create(&f, j->path, j->step_by_step);
    if (j->status < 0) {
        log_warning("Failed opening the temp RDB file %s for saving: %s", f.temporary,
                    strerror(-j->status));
        return;
    }
    rdb_writer_begin(&w, rdb_file_sink, &f, &j->header);
    snapshot_write(j->snapshot, &w);
    written = rdb_writer_end(&w);
    j->status = rdb_file_finish(&f, written);
    if (j->status == 0)
        log_notice("DB saved on disk");
    else if (j->status != -ECANCELED)
        log_warning("Write error saving DB on disk: %s", strerror(-j->status));
}

/* ---- the end of one -------------------------------------------------------------------------- */

/* Who asks for one and waits is told himself that it failed. */
static void note_result(struct saving *v, const struct job *j, bool background)
{
    if (background)
        v->last_took_s = (clock_mono_ms() - v->began_ms) / 1000;
    if (j->status == -ECANCELED || (j->status && !background))
        return;
    atomic_store(&v->ok, j->status == 0);
    server_set_gate(j->server, GATE_UNSAVED, j->status != 0);
    if (j->status)
        return;
    v->saves++;
    v->dirty_at_save = j->dirty;
    atomic_store(&v->last_save_s, clock_wall_ms() / 1000);
}

/* On the main thread, outside of the world; the thread has come to its end. */
static void finish(struct server *s, struct job *j)
{
    struct saving *v = s->saving;
    struct later *waits;

    pthread_join(j->thread, NULL);
    inbox_withdraw(&s->main_inbox, &j->done);
    world_enter();
    world_stop();
    note_result(v, j, !v->waits);
    waits = v->waits;
    v->waits = NULL;
    atomic_store(&v->job, NULL);
    world_resume();
    world_leave();
    if (waits)
        later_answer(waits, j->status ? "-ERR\r\n" : "+OK\r\n");
    if (j->status == 0 && !waits)
        log_notice("Background saving terminated with success");
    else if (j->status)
        log_warning(j->status == -ECANCELED ? "Saving was ended" : "Saving failed");
    free_job(j);
}

static void on_done(struct inbox_message *m, void *owner)
{
    struct job *j = CONTAINER_OF(m, struct job, done);

    finish(owner, j);
}

static void *job_main(void *arg)
{
    struct job *j = arg;

    pthread_setname_np(pthread_self(), "snapshot");
    if (j->told) /* who began it has stopped the world, and writing to a file may take its time */
        log_notice("Background saving started");
    world_join();
    write_file(j);
    world_enter(); /* nobody who has stopped the world looks at it */
    atomic_store(&j->server->saving->snapshot, NULL);
    world_leave();
    snapshot_end(j->snapshot);
    world_quit();
    inbox_post(&j->server->main_inbox, &j->done);
    return NULL;
}

/* ---- the beginning --------------------------------------------------------------------------- */

static bool start_thread(struct job *j)
{
    sigset_t old;
    int err;

    crash_block_signals(&old);
    err = pthread_create(&j->thread, NULL, job_main, j);
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    if (err)
        log_warning("Can't save in background: %s", strerror(err));
    return err == 0;
}

enum saving_result saving_begin(struct server *s, struct later *waits)
{
    struct saving *v = s->saving;
    struct job *j;

    if (atomic_load(&v->job) || rewriting_runs(s))
        return SAVING_BUSY;
    v->last_try_s = clock_wall_ms() / 1000;
    v->began_ms = clock_mono_ms();
    j = new_job(s);
    j->done.run = on_done;
    atomic_store(&v->job, j);
    atomic_store(&v->snapshot, j->snapshot);
    v->waits = waits;
    j->told = !waits;
    if (start_thread(j))
        return SAVING_BEGUN;
    atomic_store(&v->snapshot, NULL);
    atomic_store(&v->job, NULL);
    v->waits = NULL;
    snapshot_end(j->snapshot);
    free_job(j);
    atomic_store(&v->ok, false);
    server_set_gate(s, GATE_UNSAVED, true);
    return SAVING_FAILED;
}

void saving_schedule(struct server *s)
{
    s->saving->scheduled = true;
}

static bool rule_wants(const struct server *s, uint64_t changes, int64_t now_s)
{
    const struct saving *v = s->saving;

    if (!atomic_load(&v->ok) && now_s - v->last_try_s <= RETRY_S)
        return false;
    for (size_t i = 0; i < s->conf->save.len; i++) {
        const struct conf_save_point *p = &s->conf->save.points[i];

        if (changes >= (uint64_t)p->changes && now_s - atomic_load(&v->last_save_s) > p->seconds) {
            log_notice("%lld changes in %lld seconds. Saving...", (long long)p->changes,
                       (long long)p->seconds);
            return true;
        }
    }
    return false;
}

void saving_tick(struct server *s)
{
    struct saving *v = s->saving;

    if (atomic_load(&v->job) || rewriting_runs(s) || server_gate(s, GATE_LOADING))
        return;
    if (!v->scheduled && !rule_wants(s, dirty_now(s) - v->dirty_at_save, clock_wall_ms() / 1000))
        return;
    world_enter();
    world_stop();
    v->scheduled = false;
    saving_begin(s, NULL);
    world_resume();
    world_leave();
}

void saving_stop(struct server *s)
{
    struct job *j = atomic_load(&s->saving->job);
    struct snapshot *snapshot;

    if (!j)
        return;
    world_enter();
    world_stop();
    snapshot = atomic_load(&s->saving->snapshot);
    if (snapshot)
        snapshot_cancel(snapshot);
    world_resume();
    world_leave();
    finish(s, j);
}

int saving_now(struct server *s)
{
    struct saving *v = s->saving;
    struct job *j = new_job(s);
    int status;

    v->last_try_s = clock_wall_ms() / 1000;
    v->began_ms = clock_mono_ms();
    write_file(j);
    snapshot_end(j->snapshot);
    note_result(v, j, false);
    status = j->status;
    free_job(j);
    return status;
}

/* ---- what is told ---------------------------------------------------------------------------- */

struct saving_facts saving_facts(const struct server *s, uint64_t dirty)
{
    const struct saving *v = s->saving;
    const struct snapshot *snapshot = atomic_load(&v->snapshot);
    bool running = atomic_load(&v->job) != NULL;

    return (struct saving_facts){
        .running = running,
        .ok = atomic_load(&v->ok),
        .last_save_s = atomic_load(&v->last_save_s),
        .last_took_s = v->last_took_s,
        .running_s = running ? (clock_mono_ms() - v->began_ms) / 1000 : -1,
        .saves = v->saves,
        .changes = dirty - v->dirty_at_save,
        .keys = snapshot ? snapshot_keys(snapshot) : 0,
        .keys_done = snapshot ? snapshot_keys_done(snapshot) : 0,
    };
}

int64_t saving_last_s(const struct server *s)
{
    return atomic_load(&s->saving->last_save_s);
}

bool saving_refuses_writes(const struct server *s, const struct conf *conf)
{
    return conf->stop_writes_on_bgsave_error && conf->save.len && !atomic_load(&s->saving->ok);
}

void saving_forget_changes(struct server *s)
{
    s->saving->dirty_at_save = dirty_now(s);
}

void saving_keep_pace(const struct server *s)
{
    enum { PAUSES_MAX = 3, PAUSE_NS = 1000 * 1000 };
    uint64_t unwritten = atomic_load_explicit(&s->keyspace.toll.unwritten, memory_order_relaxed);
    uint64_t limit = atomic_load_explicit(&s->keyspace.toll.limit, memory_order_relaxed);
    struct timespec pause = {0};
    uint64_t pauses;

    if (LIKELY(unwritten <= limit))
        return;
    pauses = unwritten / (limit + 1);
    pause.tv_nsec = (long)(pauses < PAUSES_MAX ? pauses : PAUSES_MAX) * PAUSE_NS;
    nanosleep(&pause, NULL);
}
