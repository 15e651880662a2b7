/* Freeing in the background, see reaper.h. */
#include "server/reaper.h"

#include "base/log.h"
#include "base/mem.h"
#include "server/crash.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>

struct job {
    struct job *next;
    struct space *spaces; /* or */
    struct entry *entry;
    uint64_t keys;
    void (*done)(void *arg);
    void *arg;
};

struct reaper {
    pthread_mutex_t mutex; /* head, tail, started, stopping */
    pthread_cond_t more;
    pthread_t thread;
    struct job *head, **tail;
    bool started, stopping;
    _Atomic uint64_t pending, freed;
};

struct reaper *reaper_new(void)
{
    struct reaper *r = mem_zalloc(sizeof(*r));

    pthread_mutex_init(&r->mutex, NULL);
    pthread_cond_init(&r->more, NULL);
    r->tail = &r->head;
    return r;
}

static void do_job(struct reaper *r, struct job *job)
{
    if (job->entry)
        entry_free(job->entry);
    else if (job->spaces)
        keyspace_free_spaces(job->spaces);
    mem_flush();
    atomic_fetch_sub(&r->pending, job->keys);
    atomic_fetch_add(&r->freed, job->keys);
    if (job->done)
        job->done(job->arg);
    mem_free(job);
    mem_flush();
}

/* The next job, waited for; NULL when it is time to end. */
static struct job *next_job(struct reaper *r)
{
    struct job *job;

    pthread_mutex_lock(&r->mutex);
    while (!r->head && !r->stopping)
        pthread_cond_wait(&r->more, &r->mutex);
    job = r->head;
    if (job && !(r->head = job->next))
        r->tail = &r->head;
    pthread_mutex_unlock(&r->mutex);
    return job;
}

static void *reaper_main(void *arg)
{
    struct reaper *r = arg;
    struct job *job;

    pthread_setname_np(pthread_self(), "reaper");
    while ((job = next_job(r)))
        do_job(r, job);
    return NULL;
}

/* Signals are the main thread's. */
static bool start(struct reaper *r)
{
    sigset_t old;
    int err;

    crash_block_signals(&old);
    err = pthread_create(&r->thread, NULL, reaper_main, r);
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    if (err)
        log_warning("Cannot start the thread that frees memory: %s", strerror(err));
    return err == 0;
}

static void give(struct reaper *r, struct job what)
{
    struct job *job = mem_alloc(sizeof(*job));
    bool started;

    *job = what;
    atomic_fetch_add(&r->pending, job->keys);
    pthread_mutex_lock(&r->mutex);
    started = r->started = r->started || start(r);
    if (started) {
        *r->tail = job;
        r->tail = &job->next;
        pthread_cond_signal(&r->more);
    }
    pthread_mutex_unlock(&r->mutex);
    if (!started)
        do_job(r, job);
}

void reaper_give(struct reaper *r, struct space *spaces, uint64_t keys, void (*done)(void *arg),
                 void *arg)
{
    give(r, (struct job){.spaces = spaces, .keys = keys, .done = done, .arg = arg});
}

void reaper_give_entry(struct reaper *r, struct entry *e)
{
    give(r, (struct job){.entry = e, .keys = 1});
}

void reaper_run(struct reaper *r, void (*fn)(void *arg), void *arg)
{
    give(r, (struct job){.done = fn, .arg = arg});
}

void reaper_free(struct reaper *r)
{
    pthread_mutex_lock(&r->mutex);
    r->stopping = true;
    pthread_cond_signal(&r->more);
    pthread_mutex_unlock(&r->mutex);
    if (r->started)
        pthread_join(r->thread, NULL);
    pthread_cond_destroy(&r->more);
    pthread_mutex_destroy(&r->mutex);
    mem_free(r);
}

uint64_t reaper_pending(const struct reaper *r)
{
    return atomic_load(&r->pending);
}

uint64_t reaper_freed(const struct reaper *r)
{
    return atomic_load(&r->freed);
}

void reaper_reset_freed(struct reaper *r)
{
    atomic_store(&r->freed, 0);
}
