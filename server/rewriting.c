/* New bases for the log of changes, see rewriting.h. */
#include "server/rewriting.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/world.h"
#include "server/backend/home.h"
#include "server/crash.h"
#include "server/logging.h"
#include "server/saving.h"
#include "storage/log/journal.h"
#include "storage/log/log_base.h"
#include "storage/snapshot.h"

#include <errno.h>
#include <signal.h>
#include <string.h>

enum {
    PATIENCE_MAX_S = 10, /* between attempts */
};

static const char temp_name[] = "temp-rewrite.base";

struct rewrite_job {
    struct server *server;
    struct snapshot *snapshot;
    struct rdb_header header;
    struct log_base_options options;
    bool logged;     /* the log is on */
    uint64_t behind; /* then, the last group before the moment */
    int status;
    pthread_t thread;
    struct inbox_message done;
};

/* Changed by the main thread with the world stopped. */
struct rewriting {
    struct rewrite_job *_Atomic job;
    struct snapshot *_Atomic snapshot; /* its; for those who look without the world stopped */
    _Atomic bool scheduled;            /* looked at without the world stopped, too */
    bool ok;
    int64_t last_took_s, began_ms;
    _Atomic int64_t next_try_ms;
    uint64_t done, failures;
    _Atomic uint64_t size_then; /* of the log, behind the last one */
};

struct rewriting *rewriting_new(struct server *s)
{
    struct rewriting *r = mem_zalloc(sizeof(*r));

    (void)s;
    r->ok = true;
    r->last_took_s = -1;
    return r;
}

void rewriting_free(struct rewriting *r)
{
    mem_free(r);
}

bool rewriting_runs(const struct server *s)
{
    return atomic_load(&s->rewriting->job) != NULL;
}

/* ---- writing --------------------------------------------------------------------------------- */

static void write_base(struct rewrite_job *j)
{
    struct server *s = j->server;

    j->status = log_base_write(j->snapshot, &j->header, &j->options);
    world_enter(); /* nobody who has stopped the world looks at it */
    atomic_store(&s->rewriting->snapshot, NULL);
    world_leave();
    snapshot_end(j->snapshot);
    if (j->status)
        return;
    if (s->home && j->logged && !home_await_position(s->home, j->behind))
        j->status = -ECANCELED;
    else if (j->logged)
        j->status = journal_rebase(s->journal, temp_name, j->options.as_requests);
    else
        j->status = log_base_place(&j->options, temp_name);
}

static void *job_main(void *arg)
{
    struct rewrite_job *j = arg;

    pthread_setname_np(pthread_self(), "rewrite");
    log_notice("Background append only file rewriting started");
    world_join();
    write_base(j);
    world_quit();
    inbox_post(&j->server->main_inbox, &j->done);
    return NULL;
}

/* ---- the end of one -------------------------------------------------------------------------- */

static uint64_t log_size(const struct server *s)
{
    struct journal_stats stats;

    journal_stats(s->journal, &stats);
    return stats.size;
}

static void note_failure(struct rewriting *r, int status)
{
    int64_t patience_s = r->failures < 4 ? 1 << r->failures : PATIENCE_MAX_S;

    r->ok = status == -ECANCELED && r->ok;
    r->failures++;
    r->next_try_ms = clock_mono_ms() + patience_s * 1000;
}

static void note_success(struct rewriting *r, const struct rewrite_job *j)
{
    r->ok = true;
    r->failures = 0;
    r->done++;
    if (j->logged)
        rewriting_measure(j->server);
}

static void free_job(struct rewrite_job *j)
{
    buf_release(&j->header.lines);
    mem_free(j->options.folder);
    mem_free(j->options.filename);
    mem_free(j);
}

/* Not while the world is stopped: writing to a file may take its time. */
static void tell(int status, bool complete)
{
    if (status && status != -ECANCELED)
        log_warning("Rewriting the log of changes failed: %s", strerror(-status));
    else if (!status)
        log_notice("Background AOF rewrite finished successfully");
    if (complete)
        log_notice("The log of changes is complete");
}

static void finish(struct server *s, struct rewrite_job *j)
{
    struct rewriting *r = s->rewriting;
    bool complete;

    pthread_join(j->thread, NULL);
    inbox_withdraw(&s->main_inbox, &j->done);
    world_enter();
    world_stop();
    r->last_took_s = (clock_mono_ms() - r->began_ms) / 1000;
    atomic_store(&r->job, NULL);
    if (j->status)
        note_failure(r, j->status);
    else
        note_success(r, j);
    complete = logging_rebased(s, j->status == 0 && j->logged);
    world_resume();
    world_leave();
    tell(j->status, complete);
    free_job(j);
}

static void on_done(struct inbox_message *m, void *owner)
{
    struct rewrite_job *j = CONTAINER_OF(m, struct rewrite_job, done);

    finish(owner, j);
}

/* ---- the beginning --------------------------------------------------------------------------- */

static bool start_thread(struct rewrite_job *j)
{
    sigset_t old;
    int err;

    crash_block_signals(&old);
    err = pthread_create(&j->thread, NULL, job_main, j);
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    if (err)
        log_warning("Can't rewrite the log of changes in the background: %s", strerror(err));
    return err == 0;
}

static struct rewrite_job *new_job(struct server *s)
{
    struct rewrite_job *j = mem_zalloc(sizeof(*j));

    j->server = s;
    j->logged = logging_is_on(s);
    j->options = (struct log_base_options){
        .folder = mem_strdup(s->conf->appenddirname),
        .filename = mem_strdup(s->conf->appendfilename),
        .temp_name = temp_name,
        .as_requests = !s->conf->aof_use_rdb_preamble,
        .step_by_step = s->conf->aof_rewrite_incremental_fsync,
    };
    if (s->home)
        atomic_store(&s->home->ends_rebase, false);
    j->snapshot = saving_snapshot(s, &j->header);
    j->header.log_base = true;
    j->done.run = on_done;
    return j;
}

enum rewriting_result rewriting_begin(struct server *s)
{
    struct rewriting *r = s->rewriting;
    struct rewrite_job *j;

    if (atomic_load(&r->job))
        return REWRITING_BUSY;
    r->scheduled = saving_facts(s, 0).running;
    if (r->scheduled)
        return REWRITING_SCHEDULED;
    r->began_ms = clock_mono_ms();
    j = new_job(s);
    atomic_store(&r->snapshot, j->snapshot);
    atomic_store(&r->job, j);
    if (j->logged)
        j->behind = journal_rotate(s->journal);
    if (start_thread(j))
        return REWRITING_BEGUN;
    atomic_store(&r->snapshot, NULL);
    atomic_store(&r->job, NULL);
    snapshot_end(j->snapshot);
    free_job(j);
    note_failure(r, -EAGAIN);
    return REWRITING_FAILED;
}

/* ---- now and then ---------------------------------------------------------------------------- */

void rewriting_measure(struct server *s)
{
    uint64_t size = log_size(s);

    atomic_store(&s->rewriting->size_then, size ? size : 1);
}

static bool has_grown(struct server *s)
{
    uint64_t size = log_size(s), then = atomic_load(&s->rewriting->size_then), percent;

    if (!s->conf->auto_aof_rewrite_percentage || size < s->conf->auto_aof_rewrite_min_size)
        return false;
    percent = size * 100 / then;
    if (percent < 100 + (uint64_t)s->conf->auto_aof_rewrite_percentage)
        return false;
    log_notice("Starting automatic rewriting of AOF on %llu%% growth",
               (unsigned long long)(percent - 100));
    return true;
}

/* A log that cannot be written, or has no base yet. */
static bool needs_base(const struct server *s)
{
    enum journal_state state = journal_state(s->journal);

    return state == JOURNAL_BROKEN || state == JOURNAL_WAITING;
}

void rewriting_tick(struct server *s)
{
    struct rewriting *r = s->rewriting;
    bool wanted;

    if (atomic_load(&r->job) || server_gate(s, GATE_LOADING) || saving_facts(s, 0).running)
        return;
    wanted = r->scheduled;
    if (!wanted && logging_is_on(s) && clock_mono_ms() >= r->next_try_ms)
        wanted = needs_base(s) || has_grown(s);
    if (!wanted)
        return;
    world_enter();
    world_stop();
    rewriting_begin(s);
    world_resume();
    world_leave();
}

/* The snapshot is not freed meanwhile: its thread needs the world for that. */
void rewriting_cancel(struct server *s)
{
    struct snapshot *snapshot = atomic_load(&s->rewriting->snapshot);

    if (snapshot)
        snapshot_cancel(snapshot);
}

void rewriting_stop(struct server *s)
{
    struct rewrite_job *j = atomic_load(&s->rewriting->job);

    if (!j)
        return;
    if (s->home)
        atomic_store(&s->home->ends_rebase, true);
    world_enter();
    world_stop();
    rewriting_cancel(s);
    world_resume();
    world_leave();
    finish(s, j);
}

struct rewriting_facts rewriting_facts(const struct server *s)
{
    const struct rewriting *r = s->rewriting;
    bool running = atomic_load(&r->job) != NULL;

    return (struct rewriting_facts){
        .running = running,
        .scheduled = r->scheduled,
        .ok = r->ok,
        .last_took_s = r->last_took_s,
        .running_s = running ? (clock_mono_ms() - r->began_ms) / 1000 : -1,
        .done = r->done,
        .failures = r->failures,
    };
}
