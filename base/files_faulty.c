/* File operations that go wrong when they are told to, see file_faults() in files.h. */
#include "base/compiler.h"
#include "base/files.h"
#include "base/files_lost.h"
#include "base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum fault {
    FAULT_NONE,
    FAULT_FAIL,
    FAULT_FULL,
    FAULT_SLOW,
    FAULT_STUCK,
    FAULT_SHORT,
    FAULT_CRASH, /* here and below the process ends */
    FAULT_LOST,
    FAULT_ZEROS,
    FAULT_PART,
    FAULT_HOLES,
};

enum { STATUS_CRASHED = 99, SLOW_US = 60000, LOOK_US = 1000 };

#define STUCK_FILE "stuck"

static _Atomic uint64_t calls;
static _Atomic uint64_t wrong_call; /* 0: none */
static enum fault fault;
static bool lasting, follows; /* it is known what a crash would take */
static uint64_t crash_seed = 1;
/* Held during a call, so that at the crash nobody is within another. */
static pthread_mutex_t guard = PTHREAD_MUTEX_INITIALIZER;

/* ---- the calls ------------------------------------------------------------------------------ */

NORETURN static void crash(void)
{
    if (fault > FAULT_CRASH)
        lost_crash((enum loss)(fault - FAULT_LOST), crash_seed);
    _exit(STATUS_CRASHED);
}

static void await_release(void)
{
    pthread_mutex_unlock(&guard);
    while (access(STUCK_FILE, F_OK) == 0)
        usleep(LOOK_US);
    pthread_mutex_lock(&guard);
}

/* What is to happen to this call; done() is to follow. */
static enum fault begin(const char *what)
{
    uint64_t n, wrong = atomic_load(&wrong_call);

    pthread_mutex_lock(&guard);
    n = atomic_fetch_add(&calls, 1) + 1;
    if (!wrong || n < wrong || (n > wrong && !lasting))
        return FAULT_NONE;
    if (!lasting || n == wrong)
        log_warning("call %llu of files, %s, goes wrong on purpose", (unsigned long long)n, what);
    if (fault == FAULT_STUCK)
        await_release();
    if (fault == FAULT_SLOW) {
        pthread_mutex_unlock(&guard);
        usleep(SLOW_US);
        pthread_mutex_lock(&guard);
    }
    if (fault >= FAULT_CRASH && strcmp(what, "write") != 0)
        crash();
    return fault;
}

static int done(int status)
{
    pthread_mutex_unlock(&guard);
    return status;
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
    int status = refused(begin("open"));
    bool existed = access(path, F_OK) == 0;

    if (!status)
        status = file_ops_system.open(path, flags, mode);
    if (follows && status >= 0)
        lost_opened(status, path, flags, existed);
    return done(status);
}

static ssize_t faulty_read(int fd, void *to, size_t len)
{
    enum fault f = begin("read");
    ssize_t n = refused(f);

    if (f == FAULT_SHORT && len > 1)
        len /= 2;
    if (n == 0)
        n = file_ops_system.read(fd, to, len);
    done(0);
    return n;
}

static ssize_t faulty_write(int fd, const void *from, size_t len)
{
    enum fault f = begin("write");
    ssize_t n = refused(f);

    if (f >= FAULT_SHORT && len > 1)
        len /= 2;
    if (n == 0)
        n = file_ops_system.write(fd, from, len);
    if (f >= FAULT_CRASH)
        crash();
    done(0);
    return n;
}

static int faulty_sync(int fd)
{
    int status = refused(begin("sync"));

    if (!status)
        status = file_ops_system.sync(fd);
    if (follows && !status)
        lost_synced(fd);
    return done(status);
}

static int faulty_truncate(int fd, int64_t len)
{
    int status = refused(begin("truncate"));

    if (!status)
        status = follows ? lost_truncate(fd, len) : file_ops_system.truncate(fd, len);
    return done(status);
}

/* The descriptor is gone even then. */
static int faulty_close(int fd)
{
    int status = refused(begin("close")), closed = file_ops_system.close(fd);

    return done(status ? status : closed);
}

static int faulty_rename(const char *from, const char *to)
{
    int status = refused(begin("rename"));

    if (!status)
        status = follows ? lost_rename(from, to) : file_ops_system.rename(from, to);
    return done(status);
}

static int faulty_unlink(const char *path)
{
    int status = refused(begin("unlink"));

    if (!status)
        status = follows ? lost_unlink(path) : file_ops_system.unlink(path);
    return done(status);
}

static int faulty_make_folder(const char *path, int mode)
{
    int status = refused(begin("mkdir"));

    if (!status)
        status = file_ops_system.make_folder(path, mode);
    if (follows && !status)
        lost_made_folder(path);
    return done(status);
}

static int faulty_sync_folder(const char *path)
{
    int status = refused(begin("sync of a folder"));

    if (!status)
        status = file_ops_system.sync_folder(path);
    if (follows && !status)
        lost_synced_folder(path);
    return done(status);
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
    .make_folder = faulty_make_folder,
    .sync_folder = faulty_sync_folder,
};

/* ---- telling them --------------------------------------------------------------------------- */

_Bool file_faults(uint64_t n, const char *how)
{
    static const struct {
        const char *word;
        enum fault fault;
        bool lasting;
    } words[] = {
        {"count", FAULT_NONE, false},  {"fail", FAULT_FAIL, false},   {"full", FAULT_FULL, false},
        {"slow", FAULT_SLOW, false},   {"slows", FAULT_SLOW, true},   {"fails", FAULT_FAIL, true},
        {"fulls", FAULT_FULL, true},   {"short", FAULT_SHORT, false}, {"crash", FAULT_CRASH, false},
        {"lost", FAULT_LOST, false},   {"zeros", FAULT_ZEROS, false}, {"part", FAULT_PART, false},
        {"holes", FAULT_HOLES, false}, {"stuck", FAULT_STUCK, true},
    };
    size_t i = 0;

    while (n && i < COUNT_OF(words) && strcmp(words[i].word, how) != 0)
        i++;
    if (i == COUNT_OF(words))
        return false;
    atomic_store(&wrong_call, 0);
    atomic_store(&calls, 0);
    fault = words[i].fault;
    lasting = words[i].lasting;
    follows = fault > FAULT_CRASH;
    atomic_store(&wrong_call, n);
    file_ops = &file_ops_faulty;
    return true;
}

_Bool file_faults_parse(const char *text)
{
    unsigned long long n, seed = 1;
    char how[8];

    if (sscanf(text, "%llu %7s %llu", &n, how, &seed) < 2 || !n)
        return false;
    crash_seed = seed;
    return file_faults(n, how);
}

uint64_t file_calls(void)
{
    return atomic_load(&calls);
}
