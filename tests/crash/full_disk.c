/*
 * A disk that is full, for real: a small file system in memory, with the server's folder on it.
 * Writes are refused, reads go on; as soon as there is room, writes go on by themselves, and after
 * a kill all that was acknowledged is there. Once with the log of changes, once with snapshots.
 *
 * Skipped where nothing may be mounted. What is mounted is in a name space of this program's own,
 * and gone when it ends, however it ends.
 */
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

#include "tests/lib/raw.h"
#include "tests/lib/server.h"
#include "tests/lib/tap.h"
#include "tests/lib/wire.h"

enum {
    VALUE_LEN = 20000,
    KEYS_MAX = 2000,
    PATIENCE_MS = 60000, /* for what comes by itself */
};

static char folder[200];

static bool mount_small(void)
{
    const char *parent = getenv("TMPDIR");

    snprintf(folder, sizeof(folder), "%s/latchkey-full-XXXXXX", parent ? parent : "/tmp");
    if (!mkdtemp(folder))
        return false;
    if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
        mount("tmpfs", folder, "tmpfs", 0, "size=3m") < 0) {
        rmdir(folder);
        return false;
    }
    return true;
}

static bool resize(const char *size)
{
    return mount("tmpfs", folder, "tmpfs", MS_REMOUNT, size) == 0;
}

static struct server *start(const char *more)
{
    char args[400];
    struct server *s;

    snprintf(args, sizeof(args), "--port 0 --unixsocket {sock} --threads 2 --dir %s %s", folder,
             more);
    s = server_spawn(args, NULL);
    if (!server_wait_ready(s))
        bail("the server does not start");
    return s;
}

static const char *set_key(struct wire *w, int i)
{
    static char value[VALUE_LEN + 1];

    memset(value, 'a' + i % 26, VALUE_LEN);
    return wire_callf(w, "SET key:%d %d-%s", i, i, value);
}

/* Keys until one is refused, or there are KEYS_MAX; how many were acknowledged from `from` on. */
static int fill(struct wire *w, int from, char *refusal, size_t size)
{
    for (int i = from; i < KEYS_MAX; i++) {
        const char *reply = set_key(w, i);

        if (strcmp(reply, "+OK") == 0)
            continue;
        snprintf(refusal, size, "%s", reply);
        return i;
    }
    return KEYS_MAX;
}

/* Those of the first `n` keys that are not there as they were written. */
static int count_missing(struct wire *w, int n)
{
    int missing = 0;

    for (int i = 0; i < n; i++) {
        char key[40], begin[20];
        char *value;

        snprintf(key, sizeof(key), "STRLEN key:%d", i);
        if (wire_int(w, key) < VALUE_LEN) {
            missing++;
            continue;
        }
        snprintf(key, sizeof(key), "GETRANGE key:%d 0 19", i);
        snprintf(begin, sizeof(begin), "%d-%c", i, 'a' + i % 26);
        value = wire_bulk(w, key);
        missing += strncmp(value, begin, strlen(begin)) != 0;
        free(value);
    }
    return missing;
}

/* False if writes do not go on by themselves. */
static bool goes_on(struct wire *w, int key)
{
    long long end = raw_now_ms() + PATIENCE_MS;

    while (strcmp(set_key(w, key), "+OK") != 0) {
        if (raw_now_ms() > end)
            return false;
        raw_sleep_ms(50);
    }
    return true;
}

static struct wire *restart(struct server *s, struct wire *w)
{
    wire_close(w);
    if (!server_restart(s, SIGKILL))
        bail("it does not start again");
    w = wire_open(s, 2);
    while (strncmp(wire_call(w, "PING"), "-LOADING", 8) == 0)
        raw_sleep_ms(5);
    return w;
}

static void empty_folder(void)
{
    char command[300];

    snprintf(command, sizeof(command), "rm -rf %s/*", folder);
    if (system(command) != 0)
        diag("cannot empty the folder");
}

/* ---- the log -------------------------------------------------------------------------------- */

static void test_log(const char *sync)
{
    bool always = strcmp(sync, "always") == 0;
    char args[100], refusal[300] = "";
    struct server *s;
    struct wire *w;
    int n, more;

    ok(resize("size=3m"), "the disk has 3 MB");
    snprintf(args, sizeof(args), "--save \"\" --appendonly yes --appendfsync %s", sync);
    s = start(args);
    w = wire_open(s, 2);
    /* Who writes with `always` on a disk that becomes full is answered when there is room. */
    if (always)
        wire_call(w, "CLIENT DURABILITY no");
    n = fill(w, 0, refusal, sizeof(refusal));
    is_str(refusal, "-MISCONF Errors writing to the AOF file: No space left on device",
           "appendfsync %s: writes are refused when the disk is full", sync);
    is_int(count_missing(w, n), 0, "reads go on");
    is_str(wire_call(w, "PING"), refusal, "PING tells of it");
    is_like(wire_call(w, "INFO persistence"), "aof_last_write_status:err", "so does INFO");
    ok(resize("size=64m"), "there is room");
    ok(goes_on(w, n), "writes go on by themselves");
    is_like(wire_call(w, "INFO persistence"), "aof_last_write_status:ok", "INFO tells of it");
    more = fill(w, n + 1, refusal, sizeof(refusal)) < KEYS_MAX ? 0 : KEYS_MAX;
    is_int(more, KEYS_MAX, "as many as there is room for");
    is_str(wire_call(w, "WAITAOF 1 0 0"), "[:1 :0]", "they are on the disk");
    w = restart(s, w);
    is_int(count_missing(w, KEYS_MAX), 0, "killed and started again: all of them are there");
    wire_close(w);
    server_discard(s);
    empty_folder();
}

/* Full, and killed while it is: what was acknowledged as durable is there. */
static void test_killed_when_full(void)
{
    char refusal[300] = "";
    struct server *s;
    struct wire *w, *held;
    int n;

    resize("size=3m");
    s = start("--save \"\" --appendonly yes --appendfsync always");
    w = wire_open(s, 2);
    held = wire_open(s, 2);
    for (n = 0; n < 100; n++)
        set_key(held, n);
    wire_call(w, "CLIENT DURABILITY no");
    fill(w, 100, refusal, sizeof(refusal));
    is_str(set_key(held, 5000), refusal, "a second client is refused, too");
    wire_close(held);
    w = restart(s, w);
    is_int(count_missing(w, n), 0, "killed while the disk is full: what was durable is there");
    ok(resize("size=64m") && goes_on(w, n), "writes go on when there is room");
    w = restart(s, w);
    is_int(count_missing(w, n + 1), 0, "and are there after one more kill");
    wire_close(w);
    server_discard(s);
    empty_folder();
}

/* ---- snapshots ------------------------------------------------------------------------------ */

static void await_saved(struct wire *w, const char *status)
{
    long long end = raw_now_ms() + PATIENCE_MS;

    while (!strstr(wire_call(w, "INFO persistence"), "rdb_bgsave_in_progress:0") ||
           !strstr(wire_call(w, "INFO persistence"), status)) {
        if (raw_now_ms() > end)
            bail("%s does not come", status);
        raw_sleep_ms(20);
    }
}

static void test_snapshot(void)
{
    char refusal[300] = "";
    struct server *s;
    struct wire *w;

    resize("size=3m");
    s = start("--appendonly no --save 3600 1000000 --rdbcompression no");
    w = wire_open(s, 2);
    is_int(fill(w, 0, refusal, sizeof(refusal)), KEYS_MAX, "without a log nothing is refused");
    is_str(wire_call(w, "SAVE"), "-ERR", "SAVE fails on a disk that is full");
    is_str(set_key(w, 0), "+OK", "which refuses no writes");
    is_str(wire_call(w, "BGSAVE"), "+Background saving started", "BGSAVE begins");
    await_saved(w, "rdb_last_bgsave_status:err");
    is_like(set_key(w, 0), "^-MISCONF Redis is configured to save RDB snapshots", "writes stop");
    is_int(count_missing(w, KEYS_MAX), 0, "reads go on");
    ok(resize("size=64m"), "there is room");
    wire_call(w, "CONFIG SET save \"1 1\"");
    await_saved(w, "rdb_last_bgsave_status:ok");
    ok(goes_on(w, 0), "the save rules try again, and writes go on by themselves");
    w = restart(s, w);
    is_int(count_missing(w, KEYS_MAX), 0, "killed and started again: all is there");
    wire_close(w);
    server_discard(s);
    empty_folder();
}

int main(void)
{
    if (!mount_small()) {
        skip(strerror(errno), "a disk that is full");
        return tap_done();
    }
    test_log("everysec");
    test_log("always");
    test_killed_when_full();
    test_snapshot();
    umount(folder);
    rmdir(folder);
    return tap_done();
}
