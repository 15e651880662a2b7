/* The folder of a log, see log_dir.h. */
#include "storage/log/log_dir.h"

#include "base/files.h"
#include "base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

enum { FILE_MODE = 0644, DIR_MODE = 0755 };

void log_dir_init(struct log_dir *d, const char *path, const char *filename)
{
    *d = (struct log_dir){.path = mem_strdup(path), .filename = mem_strdup(filename)};
}

void log_dir_release(struct log_dir *d)
{
    mem_free(d->path);
    mem_free(d->filename);
    manifest_release(&d->manifest);
}

static char *take_text(struct buf *b)
{
    char *text;

    text = mem_strndup(b->ptr, b->len);
    buf_release(b);
    return text;
}

char *log_dir_path(const struct log_dir *d, const char *name)
{
    struct buf b = {0};

    buf_printf(&b, "%s/%s", d->path, name);
    return take_text(&b);
}

static char *manifest_path(const struct log_dir *d, const char *before)
{
    struct buf b = {0};

    buf_printf(&b, "%s/%s%s.manifest", d->path, before, d->filename);
    return take_text(&b);
}

/* ---- the manifest --------------------------------------------------------------------------- */

static int read_text(const char *path, struct buf *out)
{
    int fd = file_ops->open(path, O_RDONLY, 0);
    int64_t size;
    ssize_t n;

    if (fd < 0)
        return fd;
    size = file_size(fd);
    n = size < 0 ? (ssize_t)size : file_read_all(fd, buf_reserve(out, (size_t)size), (size_t)size);
    if (n > 0)
        out->len += (size_t)n;
    file_ops->close(fd);
    return n < 0 ? (int)n : 0;
}

int log_dir_read(struct log_dir *d, struct buf *why)
{
    char *path = manifest_path(d, "");
    struct buf text = {0};
    int status = read_text(path, &text);

    manifest_release(&d->manifest);
    if (!status && !manifest_parse(&d->manifest, buf_slice(&text), why))
        status = -EINVAL;
    else if (status == -ENOENT)
        status = 0;
    buf_release(&text);
    mem_free(path);
    return status;
}

int log_dir_make(const struct log_dir *d)
{
    int status = file_ops->make_folder(d->path, DIR_MODE);

    if (status == -EEXIST)
        return 0;
    return status ? status : file_sync_folder_of(d->path);
}

static int write_new(const char *path, struct slice text)
{
    int fd = file_ops->open(path, O_WRONLY | O_CREAT | O_TRUNC, FILE_MODE), status;

    if (fd < 0)
        return fd;
    status = file_write_all(fd, text.ptr, text.len);
    if (!status)
        status = file_ops->sync(fd);
    file_ops->close(fd);
    return status;
}

int log_dir_commit(struct log_dir *d, struct manifest *m)
{
    char *temp = manifest_path(d, "temp-"), *path = manifest_path(d, "");
    struct buf text = {0};
    int status;

    manifest_format(m, &text);
    status = write_new(temp, buf_slice(&text));
    if (!status)
        status = file_ops->sync_folder(d->path); /* what it names is there before it */
    if (!status)
        status = file_ops->rename(temp, path);
    if (!status) {
        manifest_release(&d->manifest);
        d->manifest = *m;
        *m = (struct manifest){0};
        status = file_ops->sync_folder(d->path);
    }
    buf_release(&text);
    mem_free(temp);
    mem_free(path);
    return status;
}

bool log_dir_has(const struct log_dir *d, const char *name)
{
    const struct manifest *m = &d->manifest;
    size_t i = 0;

    while (i < m->len && strcmp(m->parts[i].name, name) != 0)
        i++;
    return i < m->len;
}

bool log_dir_is_old(const struct log_dir *d, const char *old)
{
    const struct manifest *m = &d->manifest;
    char *moved = log_dir_path(d, old);
    struct stat st;
    bool is = stat(old, &st) == 0 &&
              (!m->len || (m->len == 1 && log_dir_has(d, old) && stat(moved, &st) < 0));

    mem_free(moved);
    return is;
}

int log_dir_upgrade(struct log_dir *d, const char *old)
{
    struct manifest m = {0};
    char *to = log_dir_path(d, old);
    int status = log_dir_make(d);

    manifest_add(&m, slice_str(old), 1, LOG_BASE);
    if (!status)
        status = log_dir_commit(d, &m);
    if (!status)
        status = file_ops->rename(old, to);
    if (!status)
        status = file_ops->sync_folder(d->path);
    manifest_release(&m);
    mem_free(to);
    return status;
}

/* ---- names ---------------------------------------------------------------------------------- */

char *log_dir_next_incr(const struct log_dir *d, uint64_t *seq)
{
    struct buf b = {0};

    *seq = manifest_max(&d->manifest, LOG_INCR) + 1;
    buf_printf(&b, "%s.%llu.incr.aof", d->filename, (unsigned long long)*seq);
    return take_text(&b);
}

char *log_dir_next_base(const struct log_dir *d, uint64_t *seq, bool as_requests)
{
    uint64_t base = manifest_max(&d->manifest, LOG_BASE);
    uint64_t past = manifest_max(&d->manifest, LOG_HISTORY);
    struct buf b = {0};

    *seq = (base > past ? base : past) + 1;
    buf_printf(&b, "%s.%llu.base.%s", d->filename, (unsigned long long)*seq,
               as_requests ? "aof" : "rdb");
    return take_text(&b);
}

/* ---- files ---------------------------------------------------------------------------------- */

void log_dir_clean(struct log_dir *d)
{
    struct manifest m;
    bool changed = false;

    manifest_copy(&m, &d->manifest);
    for (size_t i = m.len; i-- > 0;) {
        char *path = log_dir_path(d, m.parts[i].name);

        if (m.parts[i].kind == LOG_HISTORY) {
            file_ops->unlink(path);
            manifest_remove(&m, i);
            changed = true;
        }
        mem_free(path);
    }
    if (changed)
        log_dir_commit(d, &m);
    manifest_release(&m);
}

uint64_t log_dir_size(const struct log_dir *d, uint64_t *base)
{
    uint64_t sum = 0;

    *base = 0;
    for (size_t i = 0; i < d->manifest.len; i++) {
        char *path = log_dir_path(d, d->manifest.parts[i].name);
        struct stat st;

        if (d->manifest.parts[i].kind != LOG_HISTORY && stat(path, &st) == 0) {
            sum += (uint64_t)st.st_size;
            *base += d->manifest.parts[i].kind == LOG_BASE ? (uint64_t)st.st_size : 0;
        }
        mem_free(path);
    }
    return sum;
}
