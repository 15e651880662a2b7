/* Files of snapshots, see rdb_file.h. */
#include "storage/rdb/rdb_file.h"

#include "base/files.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

enum { STEP = 32 << 20 };

int rdb_file_create(struct rdb_file *f, const char *path, bool step_by_step)
{
    *f = (struct rdb_file){.path = path, .step_by_step = step_by_step};
    snprintf(f->temporary, sizeof(f->temporary), "temp-%d.rdb", (int)getpid());
    f->fd = file_ops->open(f->temporary, O_WRONLY | O_CREAT | O_TRUNC, 0644);
    return f->fd < 0 ? f->fd : 0;
}

int rdb_file_sink(void *arg, const char *bytes, size_t len)
{
    struct rdb_file *f = arg;
    int status = file_write_all(f->fd, bytes, len);

    f->unsynced += len;
    if (status == 0 && f->step_by_step && f->unsynced >= STEP) {
        f->unsynced = 0;
        status = file_ops->sync(f->fd);
    }
    return status;
}

int rdb_file_finish(struct rdb_file *f, int status)
{
    int closed;

    if (status == 0)
        status = file_ops->sync(f->fd);
    closed = file_ops->close(f->fd);
    status = status ? status : closed;
    if (status == 0)
        status = file_ops->rename(f->temporary, f->path);
    if (status < 0) {
        file_ops->unlink(f->temporary);
        return status;
    }
    return file_sync_folder_of(f->path);
}
