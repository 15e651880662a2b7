/*
 * A log of changes that has come to harm while the server was down: tails that are cut, of zeros or
 * of garbage are cut off, and it starts; bits that have flipped in the middle are found, and it
 * does not start, unless it is told to repair.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/rng.h"
#include "tests/lib/server.h"
#include "tests/lib/tap.h"
#include "tests/lib/wire.h"

enum { KEYS = 40, ROUNDS = 12 };

struct damage {
    struct buf whole; /* the log as it was */
    char *dir, *path;
};

static void read_file(const char *path, struct buf *out)
{
    FILE *f = fopen(path, "rb");
    size_t n;

    if (f == NULL)
        bail("there is no %s", path);
    while ((n = fread(buf_reserve(out, 65536), 1, 65536, f)) > 0)
        out->len += n;
    fclose(f);
}

static void write_file(const char *path, const char *bytes, size_t len)
{
    FILE *f = fopen(path, "wb");

    if (f == NULL || fwrite(bytes, 1, len, f) != len)
        bail("cannot write %s", path);
    fclose(f);
}

/* How many of the keys k0, k1, ... are there, from the first on, without a gap; -1 with one. */
static int count_keys(const struct server *s)
{
    struct wire *w = wire_open(s, 2);
    int n = 0;

    while (n < KEYS && strcmp(wire_callf(w, "EXISTS k%d", n), ":1") == 0)
        n++;
    for (int i = n; i < KEYS; i++) {
        if (strcmp(wire_callf(w, "EXISTS k%d", i), ":0") != 0) {
            n = -1;
            break;
        }
    }
    wire_close(w);
    return n;
}

static struct server *start(const struct damage *d, const char *more)
{
    struct buf args = {0};
    struct server *s;

    buf_printf(&args, "--port {port} --unixsocket {sock} --save \"\" --appendonly yes --dir %s %s",
               d->dir, more);
    buf_append_char(&args, '\0');
    s = server_spawn(args.ptr, NULL);
    buf_release(&args);
    return s;
}

/* The keys that a server finds in the log; -1 if it does not start. */
static int found(const struct damage *d, const char *more, const char *says)
{
    struct server *s = start(d, more);
    int n = server_wait_ready(s) ? count_keys(s) : -1;

    if (says != NULL && !server_log_has(s, says)) {
        diag("it does not say: %s", says);
        n = -2;
    }
    server_discard(s);
    return n;
}

static void prepare(struct damage *d)
{
    struct server *s =
        server_run("--appendonly yes --appendfsync always --aof-use-rdb-preamble no");
    struct wire *w = wire_open(s, 2);
    struct buf path = {0}, copy = {0};

    for (int i = 0; i < KEYS; i++)
        wire_callf(w, "SET k%d value-%d", i, i);
    wire_close(w);
    kill(s->pid, SIGTERM);
    server_wait_end(s, 10000);
    buf_printf(&path, "%s/appendonlydir/appendonly.aof.1.incr.aof", s->dir);
    buf_append_char(&path, '\0');
    read_file(path.ptr, &d->whole);
    buf_release(&path);
    buf_printf(&copy, "cp -r %s %s-copy", s->dir, s->dir);
    buf_append_char(&copy, '\0');
    if (system(copy.ptr) != 0)
        bail("cannot copy the folder");
    copy.len = 0;
    buf_printf(&copy, "%s-copy", s->dir);
    d->dir = strndup(copy.ptr, copy.len);
    buf_append_str(&copy, "/appendonlydir/appendonly.aof.1.incr.aof");
    d->path = strndup(copy.ptr, copy.len);
    buf_release(&copy);
    server_discard(s);
}

static void test_tails(struct damage *d)
{
    int good = 0;

    for (int i = 0; i < ROUNDS; i++) {
        size_t len = 1 + rng_below(d->whole.len - 1);
        struct buf b = {0};
        int n;

        buf_append(&b, d->whole.ptr, len);
        for (int k = 0; i % 3 && k < 500; k++)
            buf_append_char(&b, i % 3 == 1 ? 0 : (char)rng_below(256));
        write_file(d->path, b.ptr, b.len);
        n = found(d, "", NULL);
        good += n >= 0 && n == found(d, "", NULL);
        buf_release(&b);
    }
    is_int(good, ROUNDS, "what a crash leaves at the end is cut off, once");
}

static void test_forbidden(struct damage *d)
{
    write_file(d->path, d->whole.ptr, d->whole.len - 5);
    is_int(found(d, "--aof-load-truncated no", "aof-load-truncated does not allow"), -1,
           "unless that is not allowed");
}

static void test_flips(struct damage *d)
{
    int refused = 0, skipped = 0, cut = 0;

    for (int i = 0; i < ROUNDS; i++) {
        size_t at = rng_below(d->whole.len * 3 / 4);
        struct buf b = {0};

        buf_append_slice(&b, buf_slice(&d->whole));
        b.ptr[at] = (char)(b.ptr[at] ^ (1 << rng_below(8)));
        write_file(d->path, b.ptr, b.len);
        refused += found(d, "", "is damaged at offset") == -1;
        if (i % 2) {
            cut += found(d, "--repair cut", "was repaired") >= 0 && found(d, "", NULL) >= 0;
        } else {
            skipped += found(d, "--repair skip", "was repaired") == -1;
            skipped += found(d, "", NULL) == -1;
        }
        buf_release(&b);
    }
    is_int(refused, ROUNDS, "a bit that has flipped in the middle is found");
    is_int(cut, ROUNDS / 2, "--repair cut drops it and what follows, for good");
    is_int(skipped, ROUNDS, "--repair skip leaves it out, for good: one key is missing");
}

/* A log has no business to save, or to end, what loads it. */
static void test_no_changes(struct damage *d)
{
    static const char bytes[] = "*2\r\n$6\r\nSELECT\r\n$1\r\n0\r\n"
                                "*3\r\n$3\r\nSET\r\n$2\r\nk0\r\n$1\r\nv\r\n"
                                "*1\r\n$4\r\nSAVE\r\n*1\r\n$7\r\nMONITOR\r\n"
                                "*2\r\n$8\r\nSHUTDOWN\r\n$6\r\nNOSAVE\r\n"
                                "*3\r\n$3\r\nSET\r\n$2\r\nk1\r\n$1\r\nv\r\n";

    write_file(d->path, bytes, sizeof(bytes) - 1);
    is_int(found(d, "", "SHUTDOWN changes no data, and is left out") +
               found(d, "", "SAVE changes no data, and is left out"),
           4, "what changes no data is left out");
}

/* A log of one file is moved into the folder, though a crash came between its name and its move. */
static void test_half_moved(struct damage *d)
{
    static const char bytes[] = "*3\r\n$3\r\nSET\r\n$2\r\nk0\r\n$1\r\nv\r\n";
    static const char manifest[] = "file appendonly.aof seq 1 type b\n";
    struct buf path = {0};

    buf_printf(&path, "%s/appendonlydir/appendonly.aof.manifest", d->dir);
    buf_append_char(&path, '\0');
    write_file(path.ptr, manifest, sizeof(manifest) - 1);
    path.len = 0;
    buf_printf(&path, "%s/appendonly.aof", d->dir);
    buf_append_char(&path, '\0');
    write_file(path.ptr, bytes, sizeof(bytes) - 1);
    is_int(found(d, "", "it is moved into"), 1, "a move that a crash interrupted is done again");
    is_int(found(d, "", NULL), 1, "and once");
    buf_release(&path);
}

int main(void)
{
    struct damage d = {0};
    char command[4200];

    rng_seed(20260104);
    prepare(&d);
    test_tails(&d);
    test_forbidden(&d);
    test_flips(&d);
    test_no_changes(&d);
    test_half_moved(&d);
    snprintf(command, sizeof(command), "rm -rf %s", d.dir);
    if (system(command) != 0)
        diag("cannot remove %s", d.dir);
    buf_release(&d.whole);
    free(d.dir);
    free(d.path);
    return tap_done();
}
