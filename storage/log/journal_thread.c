/* The log of changes: the thread that writes it, see journal.h. */
#include "storage/log/journal_inner.h"

#include "base/clock.h"
#include "base/files.h"
#include "base/log.h"
#include "base/mem.h"
#include "storage/log/log_items.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

enum {
    NAP_MS = 10,          /* between two writes, where nobody waits for the disk */
    SYNC_EVERY_MS = 1000, /* JOURNAL_SYNC_EVERYSEC */
    HURRY_FROM = 4 << 20, /* bytes that are written without a nap */
    SPARE_MAX = 8 << 20,  /* of a buffer that is kept */
};

/* ---- the thread: when something fails ------------------------------------------------------- */

/* What never became a part of the log. */
static void remove_file(struct journal *j)
{
    char *path = log_dir_path(&j->dir, j->file.name);

    file_ops->unlink(path);
    mem_free(path);
}

void journal_close_file(struct journal *j)
{
    if (j->file.fd >= 0)
        file_ops->close(j->file.fd);
    if (j->file.name && !j->file.listed)
        remove_file(j);
    mem_free(j->file.name);
    j->file = (struct file){.fd = -1};
}

/* A new file that is still to come is kept for: it will have a base. */
static bool opens_later(const struct journal *j)
{
    for (const struct chunk *c = j->head; c; c = c->next) {
        if (c->opens)
            return true;
    }
    return false;
}

static void fail(struct journal *j, int error, const char *what)
{
    log_warning("The log of changes cannot be written to: %s of %s failed: %s. Writes are refused "
                "until a new file has been written from memory.",
                what, j->file.name ? j->file.name : "a new file", strerror(-error));
    journal_close_file(j);
    lock_take(&j->lock);
    j->keeping = opens_later(j);
    if (!j->keeping)
        journal_drop_locked(j);
    atomic_store(&j->state, j->keeping ? JOURNAL_WAITING : JOURNAL_BROKEN);
    lock_release(&j->lock);
    atomic_store(&j->last_error, -error);
    j->events.failed(j->events.arg, -error);
}

/* ---- the thread: files ---------------------------------------------------------------------- */

void journal_measure(struct journal *j)
{
    uint64_t base, all = log_dir_size(&j->dir, &base);

    atomic_store(&j->base_size, base);
    atomic_store(&j->other_size, all - (j->file.listed ? j->file.size : 0));
    atomic_store(&j->size, all + (j->file.listed ? 0 : j->file.size));
}

static int list_file(struct journal *j)
{
    struct manifest m;
    int status;

    manifest_copy(&m, &j->dir.manifest);
    manifest_add(&m, slice_str(j->file.name), j->file.number, LOG_INCR);
    status = log_dir_commit(&j->dir, &m);
    manifest_release(&m);
    j->file.listed = log_dir_has(&j->dir, j->file.name);
    return status;
}

/* What was written to the file before is on the disk, or this fails. */
int journal_open_file(struct journal *j, bool fresh)
{
    char *path;
    int status;

    journal_close_file(j);
    j->file.name = log_dir_next_incr(&j->dir, &j->file.number);
    path = log_dir_path(&j->dir, j->file.name);
    status = file_ops->open(path, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND, LOG_FILE_MODE);
    mem_free(path);
    if (status < 0)
        return status;
    j->file.fd = status;
    status = fresh ? 0 : list_file(j);
    journal_measure(j);
    return status;
}

static int sync_file(struct journal *j)
{
    int64_t start = clock_mono_us();
    int status = 0;

    if (j->file.fd >= 0 && j->file.synced < j->file.size) {
        atomic_store(&j->syncing, true);
        status = file_ops->sync(j->file.fd);
        atomic_store(&j->syncing, false);
    }
    atomic_store(&j->last_sync_us, clock_mono_us() - start);
    j->last_sync_ms = clock_mono_ms();
    if (status)
        return status;
    j->file.synced = j->file.size;
    j->synced_seq = j->written_seq;
    return 0;
}

static void publish(struct journal *j)
{
    if (journal_state(j) != JOURNAL_WRITING || atomic_load(&j->durable) >= j->synced_seq)
        return;
    atomic_store(&j->durable, j->synced_seq);
    j->events.durable(j->events.arg, j->synced_seq);
}

static void sync_now(struct journal *j)
{
    int status = sync_file(j);

    if (status)
        fail(j, status, "fsync");
    else
        publish(j);
}

/* ---- the thread: writing -------------------------------------------------------------------- */

static void stamp(struct journal *j, struct chunk *c)
{
    int64_t now_s = clock_wall_ms() / 1000;
    struct buf stamped = {0};

    if (!atomic_load(&j->timestamps) || now_s == j->last_stamp_s)
        return;
    j->last_stamp_s = now_s;
    buf_printf(&stamped, "#TS:%lld\r\n", (long long)now_s);
    buf_append(&stamped, c->bytes.ptr, c->bytes.len);
    buf_release(&c->bytes);
    c->bytes = stamped;
}

static int write_run(struct journal *j, struct chunk *c)
{
    struct log_seal seal = {.seq = c->seq, .synced = j->file.synced, .db = c->db < 0 ? 0 : c->db};
    int status;

    log_seal_put(&c->bytes, &seal, buf_slice(&c->bytes));
    status = file_write_all(j->file.fd, c->bytes.ptr, c->bytes.len);
    if (status)
        return status;
    j->file.size += c->bytes.len;
    atomic_store(&j->size, atomic_load(&j->other_size) + j->file.size);
    j->written_seq = c->seq;
    return 0;
}

int journal_write_first(struct journal *j, const struct journal_place *at)
{
    struct chunk first = {.seq = j->written_seq, .db = at->append ? at->db : 0};
    int status;

    buf_printf(&first.bytes, "#LK:floor %llu%s\r\n", (unsigned long long)at->floor,
               at->floor_of_all ? " all" : "");
    status = write_run(j, &first);
    buf_release(&first.bytes);
    return status ? status : sync_file(j);
}

/* False if the log is broken. */
static bool begin_file(struct journal *j, const struct chunk *c)
{
    bool fresh = journal_state(j) != JOURNAL_WRITING;
    int status = fresh ? 0 : sync_file(j);

    if (status) {
        fail(j, status, "fsync");
        return false;
    }
    publish(j);
    status = journal_open_file(j, fresh);
    if (status)
        fail(j, status, "making");
    /* What was before is in the base, without which the file is not trusted. */
    j->written_seq = j->synced_seq = c->behind;
    return !status;
}

static void write_chunk(struct journal *j, struct chunk *c)
{
    int status;

    if (c->opens && !begin_file(j, c))
        return;
    if (!c->bytes.len || j->file.fd < 0)
        return;
    stamp(j, c);
    status = write_run(j, c);
    if (status)
        fail(j, status, "writing");
}

/* Whatever is first; false if there is nothing. */
static bool take(struct journal *j, struct chunk *c)
{
    struct chunk *first;

    lock_take(&j->lock);
    first = j->head;
    *c = *first;
    j->in_hand = c->bytes.len;
    if (first != j->tail) {
        j->head = first->next;
        lock_release(&j->lock);
        mem_free(first);
        return true;
    }
    *first = (struct chunk){.bytes = j->spare, .seq = c->seq, .db = j->db};
    if (!c->opens && !c->bytes.len)
        first->bytes = c->bytes;
    else
        j->spare = (struct buf){0};
    lock_release(&j->lock);
    return c->opens || c->bytes.len;
}

static void give_back(struct journal *j, struct buf *b)
{
    b->len = 0;
    if (j->spare.ptr || b->cap > SPARE_MAX)
        buf_release(b);
    else
        j->spare = *b;
}

/* ---- the thread: a new base ----------------------------------------------------------------- */

/* The manifest with this base, what is written now, and all else as history. */
static void based(const struct journal *j, struct manifest *m, const char *name, uint64_t number)
{
    manifest_copy(m, &j->dir.manifest);
    for (size_t i = 0; i < m->len; i++) {
        if (m->parts[i].kind != LOG_INCR || m->parts[i].seq != j->file.number)
            m->parts[i].kind = LOG_HISTORY;
    }
    if (!j->file.listed)
        manifest_add(m, slice_str(j->file.name), j->file.number, LOG_INCR);
    manifest_add(m, slice_str(name), number, LOG_BASE);
}

static int put_base(struct journal *j, const struct rebase *r)
{
    uint64_t number;
    char *name = log_dir_next_base(&j->dir, &number, r->as_requests);
    char *from = log_dir_path(&j->dir, r->temp_name), *to = log_dir_path(&j->dir, name);
    struct manifest m;
    int status = file_ops->rename(from, to);

    if (!status) {
        based(j, &m, name, number);
        status = log_dir_commit(&j->dir, &m);
        manifest_release(&m);
        j->file.listed = log_dir_has(&j->dir, j->file.name);
    }
    if (status && !log_dir_has(&j->dir, name))
        file_ops->unlink(to);
    mem_free(from);
    mem_free(to);
    mem_free(name);
    return status;
}

static int rebase(struct journal *j, const struct rebase *r)
{
    int status;

    if (j->file.fd < 0)
        return -EIO;
    status = sync_file(j);
    if (status)
        fail(j, status, "fsync");
    else
        status = put_base(j, r);
    if (status)
        return status;
    atomic_store(&j->last_error, 0);
    atomic_store(&j->state, JOURNAL_WRITING);
    publish(j);
    log_dir_clean(&j->dir);
    journal_measure(j);
    return 0;
}

/* The base belongs to a file that was asked for before it, and may not have been begun yet. */
static void answer_rebase(struct journal *j)
{
    struct rebase *r;
    bool early;

    pthread_mutex_lock(&j->rebase_lock);
    r = j->rebase;
    pthread_mutex_unlock(&j->rebase_lock);
    lock_take(&j->lock);
    early = opens_later(j);
    lock_release(&j->lock);
    if (!r || early)
        return;
    r->status = rebase(j, r);
    pthread_mutex_lock(&j->rebase_lock);
    j->rebase = NULL;
    r->done = true;
    pthread_cond_broadcast(&j->rebase_done);
    pthread_mutex_unlock(&j->rebase_lock);
}

/* ---- the thread ----------------------------------------------------------------------------- */

static bool wants_sync(const struct journal *j)
{
    return j->written_seq > j->synced_seq && journal_state(j) != JOURNAL_BROKEN &&
           (atomic_load(&j->sync) == JOURNAL_SYNC_ALWAYS ||
            atomic_load(&j->wanted) > j->synced_seq);
}

/* How long until the next sync by the clock; -1 for none. */
static int sync_in_ms(const struct journal *j)
{
    int64_t in = j->last_sync_ms + SYNC_EVERY_MS - clock_mono_ms();

    if (j->written_seq == j->synced_seq || j->file.fd < 0 ||
        atomic_load(&j->sync) != JOURNAL_SYNC_EVERYSEC)
        return -1;
    return in < 0 ? 0 : (int)in;
}

static void await(struct journal *j, int ms)
{
    struct pollfd p = {.fd = j->wake_fd, .events = POLLIN};
    uint64_t ignored;

    if (poll(&p, 1, ms) > 0 && read(j->wake_fd, &ignored, sizeof(ignored)) < 0)
        log_debug("nothing woke the log's thread");
}

static bool wants_base(struct journal *j)
{
    bool wanted;

    pthread_mutex_lock(&j->rebase_lock);
    wanted = j->rebase != NULL;
    pthread_mutex_unlock(&j->rebase_lock);
    return wanted;
}

/*
 * Until something is appended or asked for. False when it is to end. What was asked for during the
 * nap has woken nobody since.
 */
static bool sleep_until_asked(struct journal *j)
{
    bool work, stopping, asked = wants_sync(j) || wants_base(j);

    lock_take(&j->lock);
    work = j->head != j->tail || j->tail->bytes.len || j->tail->opens;
    stopping = j->stopping;
    j->asleep = !work && !stopping && !asked;
    lock_release(&j->lock);
    if (work || stopping || asked)
        return work || asked;
    await(j, sync_in_ms(j));
    lock_take(&j->lock);
    j->asleep = false;
    lock_release(&j->lock);
    return true;
}

static void sync_if_due(struct journal *j)
{
    if (wants_sync(j)) {
        sync_now(j);
    } else if (sync_in_ms(j) == 0) {
        if (clock_mono_ms() - j->last_sync_ms > 2 * SYNC_EVERY_MS)
            atomic_fetch_add(&j->delayed, 1);
        sync_now(j);
    }
}

/* The last word: all of it is on the disk, which the seal says. */
static void finish(struct journal *j)
{
    struct chunk last = {.seq = j->written_seq, .db = j->db};
    int status = j->file.fd >= 0 ? sync_file(j) : 0;

    if (journal_state(j) != JOURNAL_WRITING) {
        log_warning("The log of changes ends without a base for what was changed last");
    } else if (!status) {
        publish(j);
        status = j->file.size ? write_run(j, &last) : 0;
        status = status ? status : sync_file(j);
    }
    if (status)
        log_warning("The log of changes may not have all of what was changed last: %s",
                    strerror(-status));
    buf_release(&last.bytes);
    journal_close_file(j);
}

void *journal_thread(void *arg)
{
    struct journal *j = arg;
    struct chunk c;

    pthread_setname_np(pthread_self(), "log");
    do {
        bool large = false;

        while (take(j, &c)) {
            large = c.bytes.len > HURRY_FROM;
            write_chunk(j, &c);
            journal_hand_empty(j);
            give_back(j, &c.bytes);
        }
        sync_if_due(j);
        answer_rebase(j);
        if (!large && atomic_load(&j->sync) != JOURNAL_SYNC_ALWAYS && !j->stopping)
            await(j, NAP_MS);
    } while (sleep_until_asked(j));
    finish(j);
    mem_flush();
    return NULL;
}
