/* File operations that go wrong when they are told to, see file_faults() in files.h. */
#include "base/compiler.h"
#include "base/files.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

enum fault { FAULT_NONE, FAULT_FAIL, FAULT_FULL, FAULT_SHORT, FAULT_CRASH };

static _Atomic uint64_t calls;
static _Atomic uint64_t wrong_call; /* 0: none */
static enum fault fault;
static bool lasting;

/* What is to happen to this call. */
static enum fault count_call(void)
{
    uint64_t n = atomic_fetch_add(&calls, 1) + 1, wrong = atomic_load(&wrong_call);

    if (!wrong || n < wrong || (n > wrong && !lasting))
        return FAULT_NONE;
    if (fault == FAULT_CRASH)
        _exit(99);
    return fault;
}

/* 0 if it is to be done. */
static int refused(enum fault f)
{
    if (f == FAULT_FAIL)
        return -EIO;
    return f == FAULT_FULL ? -ENOSPC : 0;
}

static int faulty_open(const char *path, int flags, int mode)
{
    int status = refused(count_call());

    return status ? status : file_ops_system.open(path, flags, mode);
}

static ssize_t faulty_read(int fd, void *to, size_t len)
{
    enum fault f = count_call();
    int status = refused(f);

    if (f == FAULT_SHORT && len > 1)
        len /= 2;
    return status ? status : file_ops_system.read(fd, to, len);
}

static ssize_t faulty_write(int fd, const void *from, size_t len)
{
    enum fault f = count_call();
    int status = refused(f);

    if (f == FAULT_SHORT && len > 1)
        len /= 2;
    return status ? status : file_ops_system.write(fd, from, len);
}

static int faulty_sync(int fd)
{
    int status = refused(count_call());

    return status ? status : file_ops_system.sync(fd);
}

static int faulty_truncate(int fd, int64_t len)
{
    int status = refused(count_call());

    return status ? status : file_ops_system.truncate(fd, len);
}

/* The descriptor is gone even then. */
static int faulty_close(int fd)
{
    int status = refused(count_call()), closed = file_ops_system.close(fd);

    return status ? status : closed;
}

static int faulty_rename(const char *from, const char *to)
{
    int status = refused(count_call());

    return status ? status : file_ops_system.rename(from, to);
}

static int faulty_unlink(const char *path)
{
    int status = refused(count_call());

    return status ? status : file_ops_system.unlink(path);
}

static int faulty_sync_folder(const char *path)
{
    int status = refused(count_call());

    return status ? status : file_ops_system.sync_folder(path);
}

static const struct file_ops file_ops_faulty = {
    .open = faulty_open,
    .read = faulty_read,
    .write = faulty_write,
    .sync = faulty_sync,
    .truncate = faulty_truncate,
    .close = faulty_close,
    .rename = faulty_rename,
    .unlink = faulty_unlink,
    .sync_folder = faulty_sync_folder,
};

_Bool file_faults(uint64_t n, const char *how)
{
    static const struct {
        const char *word;
        enum fault fault;
        bool lasting;
    } words[] = {{"fail", FAULT_FAIL, false},   {"full", FAULT_FULL, false},
                 {"fails", FAULT_FAIL, true},   {"fulls", FAULT_FULL, true},
                 {"short", FAULT_SHORT, false}, {"crash", FAULT_CRASH, false}};
    size_t i = 0;

    while (n && i < COUNT_OF(words) && strcmp(words[i].word, how) != 0)
        i++;
    if (i == COUNT_OF(words))
        return false;
    atomic_store(&wrong_call, 0);
    atomic_store(&calls, 0);
    fault = words[i].fault;
    lasting = words[i].lasting;
    atomic_store(&wrong_call, n);
    file_ops = &file_ops_faulty;
    return true;
}

uint64_t file_calls(void)
{
    return atomic_load(&calls);
}
