/* Writing the base of a log, see log_base.h. */
#include "storage/log/log_base.h"

#include "base/files.h"
#include "base/mem.h"
#include "storage/log/log_dir.h"
#include "storage/log/rdb_requests.h"
#include "storage/rdb/rdb_file.h"

#include <errno.h>
#include <fcntl.h>

static char *path_in(const char *folder, const char *name)
{
    struct buf b = {0};
    char *path;

    buf_printf(&b, "%s/%s", folder, name);
    path = mem_strndup(b.ptr, b.len);
    buf_release(&b);
    return path;
}

static int write_snapshot(struct snapshot *snapshot, const struct rdb_header *header,
                          const struct log_base_options *o, const char *path)
{
    struct rdb_writer w;
    struct rdb_file f;
    int status = rdb_file_create(&f, path, o->step_by_step);

    if (status < 0)
        return status;
    rdb_writer_begin(&w, rdb_file_sink, &f, header);
    snapshot_write(snapshot, &w);
    return rdb_file_finish(&f, rdb_writer_end(&w));
}

int log_base_write(struct snapshot *snapshot, const struct rdb_header *header,
                   const struct log_base_options *o)
{
    struct log_dir dir;
    char *path = path_in(o->folder, o->temp_name);
    int status;

    log_dir_init(&dir, o->folder, o->filename);
    status = log_dir_make(&dir);
    if (!status)
        status = write_snapshot(snapshot, header, o, path);
    if (!status && o->as_requests)
        status = rdb_requests_convert(path, o->step_by_step);
    if (status)
        file_ops->unlink(path);
    log_dir_release(&dir);
    mem_free(path);
    return status;
}

int log_base_place(const struct log_base_options *o, const char *temp_name)
{
    struct log_dir dir;
    struct manifest m = {0};
    char *from = path_in(o->folder, temp_name), *name = NULL, *to = NULL;
    struct buf why = {0};
    uint64_t number;
    int status;

    log_dir_init(&dir, o->folder, o->filename);
    status = log_dir_read(&dir, &why);
    if (!status) {
        name = log_dir_next_base(&dir, &number, o->as_requests);
        to = path_in(o->folder, name);
        status = file_ops->rename(from, to);
    }
    if (!status) {
        manifest_copy(&m, &dir.manifest);
        for (size_t i = 0; i < m.len; i++)
            m.parts[i].kind = LOG_HISTORY;
        manifest_add(&m, slice_str(name), number, LOG_BASE);
        status = log_dir_commit(&dir, &m);
    }
    if (!status)
        log_dir_clean(&dir);
    else if (to && !log_dir_has(&dir, name))
        file_ops->unlink(to);
    if (status)
        file_ops->unlink(from);
    manifest_release(&m);
    log_dir_release(&dir);
    buf_release(&why);
    mem_free(from);
    mem_free(to);
    mem_free(name);
    return status;
}
