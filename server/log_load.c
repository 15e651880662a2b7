/* Loading the log of changes, see log_load.h. */
#include "server/log_load.h"

#include "base/clock.h"
#include "base/files.h"
#include "base/log.h"
#include "base/mem.h"
#include "server/backend/log_tail.h"
#include "server/log_apply.h"
#include "server/worker.h"
#include "storage/log/log_check.h"
#include "storage/rdb/rdb_keys_in.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

struct loading {
    struct loading_job *job;
    const struct log_options *options;
    struct log_applier *applier;
    struct log_tail *tail;
    struct log_loaded *out;

    /* The file in hand. */
    const char *name;
    struct slice bytes;
    bool is_last;
    bool drops_rest; /* a repair has cut the log */
    bool is_cut;     /* and that was before the file in hand */
    size_t kept;     /* files up to there */
};

static bool load_runs(struct loading *l, const char *path, size_t from);

/* ---- files ---------------------------------------------------------------------------------- */

static int map(const char *path, struct slice *out)
{
    int fd = file_ops->open(path, O_RDONLY, 0), status = fd < 0 ? fd : 0;
    struct stat st = {0};
    void *at = NULL;

    *out = SLICE("");
    if (!status && fstat(fd, &st) < 0)
        status = -errno;
    if (!status && st.st_size)
        at = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
    if (at == MAP_FAILED)
        status = -errno;
    else if (at)
        *out = slice_make(at, (size_t)st.st_size);
    if (fd >= 0)
        file_ops->close(fd);
    return status;
}

static void unmap(struct slice bytes)
{
    if (bytes.len)
        munmap((void *)(uintptr_t)bytes.ptr, bytes.len);
}

static int cut_file(const char *path, size_t len)
{
    int fd = file_ops->open(path, O_WRONLY, 0), status;

    if (fd < 0)
        return fd;
    status = file_ops->truncate(fd, (int64_t)len);
    if (!status)
        status = file_ops->sync(fd);
    file_ops->close(fd);
    return status;
}

/* ---- a file --------------------------------------------------------------------------------- */

static bool refuse_tail(const struct loading *l, const struct log_check *check)
{
    log_warning("%s ends at offset %zu with %zu bytes that are not whole: %s. %s", l->name,
                check->good, l->bytes.len - check->good, check->why,
                l->is_last ? "aof-load-truncated does not allow to cut them off."
                           : "It is not the last file of the log, so something is missing.");
    return false;
}

static bool cut_tail(struct loading *l, const char *path, const struct log_check *check)
{
    int status;

    if (!l->is_last || !l->options->cuts_tail)
        return refuse_tail(l, check);
    status = cut_file(path, check->good);
    if (status) {
        log_warning("%s cannot be cut at offset %zu: %s", l->name, check->good, strerror(-status));
        return false;
    }
    log_warning("%s: %zu bytes from offset %zu on are not whole, as a crash leaves them, and were "
                "cut off: %s (at offset %zu)",
                l->name, l->bytes.len - check->good, check->good, check->why, check->wrong);
    return true;
}

static bool refuse_damage(const struct loading *l, const struct log_check *check)
{
    log_warning("%s is damaged at offset %zu: %s. The %zu bytes from offset %zu to %zu cannot be "
                "loaded, what follows them can. --repair skip leaves them out, --repair cut drops "
                "all that follows, too.",
                l->name, check->wrong, check->why, check->resume - check->good, check->good,
                check->resume);
    return false;
}

/* ---- repairing ------------------------------------------------------------------------------ */

/* Writes the file anew, but for the bytes between. */
static int leave_out(const struct loading *l, const char *path, size_t from, size_t to)
{
    struct buf temp = {0};
    int fd, status;

    buf_printf(&temp, "%s.repaired", path);
    buf_append_char(&temp, '\0');
    fd = status = file_ops->open(temp.ptr, O_WRONLY | O_CREAT | O_TRUNC, 0644);
    if (fd >= 0) {
        status = file_write_all(fd, l->bytes.ptr, from);
        if (!status)
            status = file_write_all(fd, l->bytes.ptr + to, l->bytes.len - to);
        if (!status)
            status = file_ops->sync(fd);
        file_ops->close(fd);
    }
    if (!status)
        status = file_ops->rename(temp.ptr, path);
    if (!status)
        status = file_sync_folder_of(path);
    buf_release(&temp);
    return status;
}

static bool say_repair(const struct loading *l, int status, size_t from, size_t to,
                       const struct log_check *check)
{
    if (status) {
        log_warning("%s cannot be repaired: %s", l->name, strerror(-status));
        return false;
    }
    log_warning("%s was repaired: %zu bytes from offset %zu to %zu were dropped (%s, at offset "
                "%zu); the last group before them is number %llu%s",
                l->name, to - from, from, to, check->why, check->wrong,
                (unsigned long long)check->seq,
                to == l->bytes.len ? ", and nothing follows them" : "");
    return true;
}

/* What cannot be loaded is dropped, with all that follows or without. */
static bool repair(struct loading *l, const char *path, const struct log_check *check)
{
    bool cuts = l->options->repair == CONF_REPAIR_CUT || check->verdict == LOG_TAIL;
    size_t to = cuts ? l->bytes.len : check->resume;
    int status =
        cuts ? cut_file(path, check->good) : leave_out(l, path, check->good, check->resume);

    if (!say_repair(l, status, check->good, to, check))
        return false;
    l->out->repaired = true;
    l->drops_rest = l->options->repair == CONF_REPAIR_CUT;
    return true;
}

/* ---- runs ----------------------------------------------------------------------------------- */

static void note_end(struct loading *l, const struct log_check *check)
{
    if (check->seq > l->out->seq)
        l->out->seq = check->seq;
    l->out->append = check->sealed;
}

/* One repair changes where things are, so the file is looked at anew behind it. */
static bool load_repaired(struct loading *l, const char *path, const struct log_check *check)
{
    if (!repair(l, path, check))
        return false;
    unmap(l->bytes);
    if (map(path, &l->bytes) < 0)
        return false;
    if (check->resume_db >= 0)
        log_applier_select(l->applier, check->resume_db);
    return l->drops_rest || check->verdict == LOG_TAIL || load_runs(l, path, check->good);
}

static bool apply_range(struct loading *l, size_t from, size_t to)
{
    size_t tail = log_tail_from(l->tail, l->bytes, from, to);

    if (!log_apply(l->applier, l->bytes, from, tail))
        return false;
    return tail == to ||
           (log_tail_prepare(l->tail, l->bytes, tail, to, log_applier_db(l->applier)) &&
            log_apply(l->applier, l->bytes, tail, to));
}

static bool load_runs(struct loading *l, const char *path, size_t from)
{
    bool repairs = l->options->repair != CONF_REPAIR_NO;
    struct log_check check;

    log_check(l->bytes, from, &check);
    note_end(l, &check);
    if (check.verdict == LOG_DAMAGED && !repairs)
        return refuse_damage(l, &check);
    if (!apply_range(l, from, check.good))
        return false;
    if (check.verdict == LOG_DAMAGED || (check.verdict == LOG_TAIL && repairs && !l->is_last))
        return load_repaired(l, path, &check);
    return check.verdict == LOG_SOUND || cut_tail(l, path, &check);
}

static bool load_part(struct loading *l, const struct log_dir *dir, const struct log_part *part)
{
    char *path = log_dir_path(dir, part->name);
    int status = map(path, &l->bytes);
    uint64_t size = l->bytes.len;
    bool ok = false;
    int64_t from;

    l->name = part->name;
    log_applier_begin(l->applier, part->name);
    if (status)
        log_warning("%s cannot be read: %s", path, strerror(-status));
    else if (rdb_has_magic(l->bytes))
        ok = loading_base(l->job, path, &from) && load_runs(l, path, (size_t)from);
    else
        ok = load_runs(l, path, 0);
    l->out->db = log_applier_db(l->applier);
    loading_file_done(l->job, size);
    unmap(l->bytes);
    mem_free(path);
    return ok;
}

/* ---- the log -------------------------------------------------------------------------------- */

static bool load_kind(struct loading *l, const struct log_dir *dir, enum log_kind kind)
{
    const struct manifest *m = &dir->manifest;
    const struct log_part *last = manifest_last(m);

    if (!last)
        last = manifest_base(m);
    for (size_t i = 0; i < m->len; i++) {
        l->is_last = &m->parts[i] == last;
        if (m->parts[i].kind == (char)kind && !l->drops_rest && !load_part(l, dir, &m->parts[i]))
            return false;
        if (m->parts[i].kind == (char)kind && (!l->drops_rest || l->is_cut != l->drops_rest))
            l->kept++;
        l->is_cut = l->drops_rest;
    }
    return true;
}

/* The files behind one that was cut are no part of the log any more. */
static bool drop_rest(const struct loading *l, struct log_dir *dir)
{
    struct manifest m;
    size_t kept = 0;
    int status;

    manifest_copy(&m, &dir->manifest);
    for (size_t i = 0; i < m.len; i++) {
        if (m.parts[i].kind == LOG_HISTORY || ++kept <= l->kept)
            continue;
        log_warning("%s, which follows, was dropped altogether", m.parts[i].name);
        m.parts[i].kind = LOG_HISTORY;
    }
    status = log_dir_commit(dir, &m);
    manifest_release(&m);
    if (status)
        log_warning("The manifest cannot be written: %s", strerror(-status));
    return !status;
}

static void tell_result(const struct loading *l, int64_t began_ms)
{
    log_notice("The log of changes is loaded: %llu records in %.3f seconds, %llu of them refused",
               (unsigned long long)log_applier_records(l->applier),
               (double)(clock_mono_ms() - began_ms) / 1000,
               (unsigned long long)log_applier_refused(l->applier));
}

bool log_load(struct loading_job *job, struct log_dir *dir, const struct log_options *options,
              struct log_loaded *out)
{
    struct loading l = {
        .job = job,
        .options = options,
        .applier = log_applier_new(job),
        .tail = log_tail_new(loading_worker(job)->server),
        .out = out,
    };
    int64_t start = clock_mono_ms();
    bool ok;

    *out = (struct log_loaded){0};
    ok = load_kind(&l, dir, LOG_BASE) && load_kind(&l, dir, LOG_INCR) &&
         (!l.drops_rest || drop_rest(&l, dir));
    out->append = out->append && manifest_last(&dir->manifest);
    if (ok && dir->manifest.len)
        tell_result(&l, start);
    out->seq = log_tail_end(l.tail, out->seq);
    log_tail_free(l.tail);
    log_applier_free(l.applier);
    return ok;
}
