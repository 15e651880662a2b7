/* Files that hold data, see files.h. */
#include "base/files.h"

#include "base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- the system ------------------------------------------------------------------------------ */

static int sys_open(const char *path, int flags, int mode)
{
    int fd = open(path, flags | O_CLOEXEC, mode);

    return fd < 0 ? -errno : fd;
}

static ssize_t sys_read(int fd, void *to, size_t len)
{
    ssize_t n;

    do {
        n = read(fd, to, len);
    } while (n < 0 && errno == EINTR);
    return n < 0 ? -errno : n;
}

static ssize_t sys_write(int fd, const void *from, size_t len)
{
    ssize_t n;

    do {
        n = write(fd, from, len);
    } while (n < 0 && errno == EINTR);
    return n < 0 ? -errno : n;
}

static int sys_sync(int fd)
{
    return fdatasync(fd) < 0 ? -errno : 0;
}

static int sys_truncate(int fd, int64_t len)
{
    return ftruncate(fd, len) < 0 ? -errno : 0;
}

static int sys_close(int fd)
{
    return close(fd) < 0 ? -errno : 0;
}

static int sys_rename(const char *from, const char *to)
{
    return rename(from, to) < 0 ? -errno : 0;
}

static int sys_unlink(const char *path)
{
    return unlink(path) < 0 ? -errno : 0;
}

static int sys_make_folder(const char *path, int mode)
{
    return mkdir(path, (mode_t)mode) < 0 ? -errno : 0;
}

static int sys_sync_folder(const char *path)
{
    int fd = sys_open(path, O_RDONLY | O_DIRECTORY, 0), status;

    if (fd < 0)
        return fd;
    status = fsync(fd) < 0 && errno != EINVAL ? -errno : 0;
    close(fd);
    return status;
}

const struct file_ops file_ops_system = {
    .open = sys_open,
    .read = sys_read,
    .write = sys_write,
    .sync = sys_sync,
    .truncate = sys_truncate,
    .close = sys_close,
    .rename = sys_rename,
    .unlink = sys_unlink,
    .make_folder = sys_make_folder,
    .sync_folder = sys_sync_folder,
};

const struct file_ops *file_ops = &file_ops_system;

/* ---- what is made of these ------------------------------------------------------------------- */

int file_write_all(int fd, const void *from, size_t len)
{
    const char *at = from;

    while (len) {
        ssize_t n = file_ops->write(fd, at, len);

        if (n <= 0)
            return n < 0 ? (int)n : -EIO;
        at += n;
        len -= (size_t)n;
    }
    return 0;
}

ssize_t file_read_all(int fd, void *to, size_t len)
{
    size_t had = 0;

    while (had < len) {
        ssize_t n = file_ops->read(fd, (char *)to + had, len - had);

        if (n < 0)
            return n;
        if (n == 0)
            break;
        had += (size_t)n;
    }
    return (ssize_t)had;
}

int64_t file_size(int fd)
{
    struct stat st;

    return fstat(fd, &st) < 0 ? -errno : (int64_t)st.st_size;
}

int file_sync_folder_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    char *folder;
    int status;

    if (!slash)
        return file_ops->sync_folder(".");
    folder = mem_strndup(path, slash == path ? 1 : (size_t)(slash - path));
    status = file_ops->sync_folder(folder);
    mem_free(folder);
    return status;
}
