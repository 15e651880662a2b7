/* The log of changes: for all threads, see journal.h. */
#include "storage/log/journal_inner.h"

#include "base/clock.h"
#include "base/files.h"
#include "base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <unistd.h>

struct journal *journal_new(const struct journal_events *events)
{
    struct journal *j = mem_zalloc(sizeof(*j));

    j->events = *events;
    j->file.fd = j->wake_fd = -1;
    j->db = -1;
    lock_init(&j->lock, RANK_LOG, 0);
    pthread_mutex_init(&j->rebase_lock, NULL);
    pthread_cond_init(&j->rebase_done, NULL);
    j->head = j->tail = mem_zalloc(sizeof(*j->tail));
    return j;
}

static void free_chunk(struct chunk *c)
{
    buf_release(&c->bytes);
    mem_free(c);
}

void journal_free(struct journal *j)
{
    if (!j)
        return;
    journal_stop(j);
    free_chunk(j->head);
    pthread_mutex_destroy(&j->rebase_lock);
    pthread_cond_destroy(&j->rebase_done);
    mem_free(j);
}

/* ---- how much there is ---------------------------------------------------------------------- */

static void look_at_fill(struct journal *j)
{
    bool full = j->limit && j->unwritten > (j->full ? j->limit / 2 : j->limit);

    if (full == j->full)
        return;
    j->full = full;
    if (j->events.full)
        j->events.full(j->events.arg, full);
}

void journal_set_limit(struct journal *j, uint64_t bytes)
{
    lock_take(&j->lock);
    j->limit = bytes;
    look_at_fill(j);
    lock_release(&j->lock);
}

void journal_hand_empty(struct journal *j)
{
    lock_take(&j->lock);
    j->unwritten -= j->in_hand;
    j->in_hand = 0;
    look_at_fill(j);
    lock_release(&j->lock);
}

void journal_drop_locked(struct journal *j)
{
    while (j->head != j->tail) {
        struct chunk *c = j->head;

        j->head = c->next;
        free_chunk(c);
    }
    j->tail->bytes.len = 0;
    j->version_line.known = false;
    j->unwritten = j->in_hand;
    look_at_fill(j);
}

/* ---- appending ------------------------------------------------------------------------------ */

void journal_wake(struct journal *j)
{
    uint64_t one = 1;

    while (write(j->wake_fd, &one, sizeof(one)) < 0 && errno == EINTR)
        ;
}

/*
 * What follows will be written by whoever comes next; to wait for these lines would take longer
 * than all else that is done while the lock is held.
 */
static void fetch_ahead(const struct buf *b)
{
    enum { AHEAD = 256 };

    for (size_t i = 0; i < AHEAD; i += CACHE_LINE)
        __builtin_prefetch(b->ptr + b->len + i, 1);
}

static void put(struct journal *j, const struct records *r)
{
    struct buf *to = &j->tail->bytes;
    size_t had = to->len;

    if (!to->len)
        j->tail->db = j->db < 0 ? r->first_db : j->db;
    if (LIKELY(r->count)) {
        if (UNLIKELY(j->db != r->first_db))
            records_select(to, r->first_db);
        j->db = r->db;
        version_line_put(&j->version_line, to, &r->versions, r->bytes.len);
    }
    if (UNLIKELY(r->count > 1))
        buf_append_str(to, "*1\r\n$5\r\nMULTI\r\n");
    buf_append(to, r->bytes.ptr, r->bytes.len);
    if (UNLIKELY(r->count > 1))
        buf_append_str(to, "*1\r\n$4\r\nEXEC\r\n");
    j->unwritten += to->len - had;
    if (UNLIKELY(j->unwritten > j->limit))
        look_at_fill(j);
    fetch_ahead(to);
}

uint64_t journal_append(struct journal *j, const struct records *r)
{
    uint64_t seq;
    bool asleep;

    lock_take(&j->lock);
    seq = atomic_load_explicit(&j->seq, memory_order_relaxed) + 1;
    atomic_store_explicit(&j->seq, seq, memory_order_relaxed);
    if (LIKELY(j->keeping)) {
        put(j, r);
        j->tail->seq = seq;
    }
    asleep = j->asleep;
    j->asleep = false;
    lock_release(&j->lock);
    if (UNLIKELY(asleep))
        journal_wake(j);
    return seq;
}

void journal_want(struct journal *j, uint64_t seq)
{
    uint64_t wanted = atomic_load(&j->wanted);

    while (seq > wanted) {
        if (!atomic_compare_exchange_weak(&j->wanted, &wanted, seq))
            continue;
        if (atomic_load(&j->sync) != JOURNAL_SYNC_ALWAYS && journal_state(j) != JOURNAL_OFF)
            journal_wake(j);
        return;
    }
}

uint64_t journal_seq(const struct journal *j)
{
    return atomic_load(&j->seq);
}

uint64_t journal_durable(const struct journal *j)
{
    return atomic_load(&j->durable);
}

enum journal_state journal_state(const struct journal *j)
{
    return (enum journal_state)atomic_load(&j->state);
}

void journal_set_sync(struct journal *j, enum journal_sync sync, bool timestamps)
{
    atomic_store(&j->sync, sync);
    atomic_store(&j->timestamps, timestamps);
    if (journal_state(j) != JOURNAL_OFF)
        journal_wake(j);
}

void journal_stats(struct journal *j, struct journal_stats *out)
{
    lock_take(&j->lock);
    *out = (struct journal_stats){.buffered = j->unwritten};
    lock_release(&j->lock);
    out->size = atomic_load(&j->size);
    out->base_size = atomic_load(&j->base_size);
    out->delayed_syncs = atomic_load(&j->delayed);
    out->last_error = atomic_load(&j->last_error);
    out->syncing = atomic_load(&j->syncing);
    out->last_sync_us = atomic_load(&j->last_sync_us);
}

/* ---- life ----------------------------------------------------------------------------------- */

static int open_last(struct journal *j)
{
    const struct log_part *last = manifest_last(&j->dir.manifest);
    char *path = log_dir_path(&j->dir, last->name);
    int fd = file_ops->open(path, O_WRONLY | O_APPEND, LOG_FILE_MODE);
    int64_t size = fd < 0 ? fd : file_size(fd);
    int status = size < 0 ? (int)size : 0;

    mem_free(path);
    if (fd < 0)
        return status;
    j->file = (struct file){.fd = fd, .name = mem_strdup(last->name), .number = last->seq};
    j->file.listed = true;
    /* Who wrote it may have been killed before the disk had it. */
    if (!status)
        status = file_ops->sync(fd);
    if (!status)
        status = file_ops->sync_folder(j->dir.path);
    j->file.size = j->file.synced = (uint64_t)size;
    journal_measure(j);
    return status;
}

static int start_thread(struct journal *j)
{
    sigset_t all, old;
    int status;

    j->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (j->wake_fd < 0)
        return -errno;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &old);
    status = -pthread_create(&j->thread, NULL, journal_thread, j);
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    if (status)
        close(j->wake_fd);
    return status;
}

static void start_at(struct journal *j, uint64_t seq)
{
    if (atomic_load(&j->seq) < seq)
        atomic_store(&j->seq, seq);
    j->written_seq = j->synced_seq = j->tail->seq = atomic_load(&j->seq);
    j->last_sync_ms = clock_mono_ms();
    j->version_line.known = false;
    j->stopping = false;
    atomic_store(&j->last_error, 0);
}

static int start(struct journal *j, enum journal_state state)
{
    int status;

    j->keeping = state == JOURNAL_WRITING;
    atomic_store(&j->state, state);
    status = start_thread(j);
    if (!status)
        return 0;
    atomic_store(&j->state, JOURNAL_OFF);
    j->keeping = false;
    return status;
}

int journal_start(struct journal *j, struct log_dir *dir, const struct journal_place *at)
{
    int status = log_dir_make(dir);

    j->dir = *dir;
    *dir = (struct log_dir){0};
    start_at(j, at->seq);
    atomic_store(&j->durable, j->written_seq);
    j->db = at->append ? at->db : -1;
    if (!status)
        status = at->append ? open_last(j) : journal_open_file(j, false);
    if (!status && at->floor)
        status = journal_write_first(j, at);
    if (!status)
        status = start(j, JOURNAL_WRITING);
    if (status) {
        journal_close_file(j);
        log_dir_release(&j->dir);
    }
    return status;
}

int journal_start_anew(struct journal *j, struct log_dir *dir)
{
    int status = log_dir_make(dir);

    j->dir = *dir;
    *dir = (struct log_dir){0};
    start_at(j, 0);
    if (!status)
        status = start(j, JOURNAL_BROKEN);
    if (status)
        log_dir_release(&j->dir);
    return status;
}

void journal_stop(struct journal *j)
{
    if (journal_state(j) == JOURNAL_OFF)
        return;
    lock_take(&j->lock);
    j->stopping = true;
    j->asleep = false;
    lock_release(&j->lock);
    journal_wake(j);
    pthread_join(j->thread, NULL);
    close(j->wake_fd);
    atomic_store(&j->state, JOURNAL_OFF);
    lock_take(&j->lock);
    j->keeping = false;
    journal_drop_locked(j);
    lock_release(&j->lock);
    buf_release(&j->spare);
    log_dir_release(&j->dir);
}

uint64_t journal_rotate(struct journal *j)
{
    struct chunk *next = mem_zalloc(sizeof(*next));
    uint64_t seq;

    lock_take(&j->lock);
    seq = atomic_load(&j->seq);
    if (journal_state(j) == JOURNAL_BROKEN)
        atomic_store(&j->state, JOURNAL_WAITING);
    *next = (struct chunk){.seq = seq, .behind = seq, .opens = true};
    j->tail->next = next;
    j->tail = next;
    j->db = -1;
    j->version_line.known = false;
    j->keeping = true;
    j->asleep = false;
    lock_release(&j->lock);
    journal_wake(j);
    return seq;
}

uint64_t journal_split(struct journal *j)
{
    struct chunk *next;
    uint64_t seq;

    lock_take(&j->lock);
    seq = atomic_load(&j->seq);
    if (j->keeping && j->tail->bytes.len) {
        next = mem_zalloc(sizeof(*next));
        next->seq = seq;
        next->db = j->db;
        j->tail->next = next;
        j->tail = next;
    }
    lock_release(&j->lock);
    return seq;
}

int journal_rebase(struct journal *j, const char *temp_name, bool as_requests)
{
    struct rebase r = {.temp_name = temp_name, .as_requests = as_requests};
    char *path = log_dir_path(&j->dir, temp_name);

    pthread_mutex_lock(&j->rebase_lock);
    j->rebase = &r; /* cppcheck-suppress autoVariables */
    journal_wake(j);
    while (!r.done)
        pthread_cond_wait(&j->rebase_done, &j->rebase_lock);
    pthread_mutex_unlock(&j->rebase_lock);
    if (r.status)
        file_ops->unlink(path);
    mem_free(path);
    return r.status;
}
