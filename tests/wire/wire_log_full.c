/*
 * A disk that is slower than those who write: they wait, and nobody else. The disk is stuck as long
 * as there is a file of that name (file_faults() in base/files.h), so that the tests decide when it
 * goes on.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/lib/raw.h"
#include "tests/lib/tap.h"
#include "tests/lib/wire.h"

/* What exceeds the limit has to fit into the socket. */
enum { LIMIT = 100000, WRITES = 115, LEN = 1000, PATIENCE = 4000 };

static void stick(const struct server *s, bool stuck)
{
    char path[512];
    FILE *f;

    snprintf(path, sizeof(path), "%s/stuck", s->dir);
    if (!stuck) {
        unlink(path);
        return;
    }
    f = fopen(path, "w");
    if (f == NULL)
        bail("cannot make %s", path);
    fclose(f);
}

static long long field(const struct server *s, const char *name)
{
    struct wire *w = wire_open(s, 2);
    char *info = wire_bulk(w, "INFO everything"), *at = strstr(info, name);
    long long value = at ? atoll(at + strlen(name) + 1) : -1;

    free(info);
    wire_close(w);
    return value;
}

/* Sends writes from that number on, until the end of them. */
static void send_writes(struct wire *w, int from, int n)
{
    char line[LEN + 64];

    for (int i = from; i < from + n; i++) {
        int len = snprintf(line, sizeof(line), "SET k%d ", i);

        memset(line + len, 'x', LEN);
        line[len + LEN] = '\0';
        wire_send(w, line);
    }
}

static int read_replies(struct wire *w, int n)
{
    int good = 0;

    for (int i = 0; i < n; i++)
        good += strcmp(wire_read(w), "+OK") == 0;
    return good;
}

static struct server *start(const char *more)
{
    char args[300];
    struct server *s;

    setenv("LATCHKEY_TEST_FILE_FAULTS", "1 stuck", 1);
    snprintf(args, sizeof(args), "--appendonly yes --aof-buffer-limit %d %s", LIMIT, more);
    s = server_run_threads(2, args);
    unsetenv("LATCHKEY_TEST_FILE_FAULTS");
    return s;
}

/* Until a field of INFO is at least that. */
static void await_field(const struct server *s, const char *name, long long least)
{
    int looks = 0;

    while (field(s, name) < least && looks++ < PATIENCE)
        raw_sleep_ms(2);
    ok(looks < PATIENCE, "log full: %s reaches %lld", name, least);
}

/* A disk that is stuck, and a connection whose writes wait for it; it has sent WRITES of them. */
static struct wire *fill(struct server *s)
{
    struct wire *w = wire_open(s, 2);

    stick(s, true);
    send_writes(w, 0, WRITES);
    await_field(s, "aof_writers_held", 1);
    /* A command more may come between the look at the limit and the next one; and there are lines
     * around a record. */
    ok(field(s, "aof_buffer_length") > LIMIT, "log full: what waits is more than the limit");
    ok(field(s, "aof_buffer_length") < LIMIT + 20 * LEN, "log full: but not much more");
    return w;
}

static void release(struct server *s, struct wire *w)
{
    stick(s, false);
    is_int(read_replies(w, WRITES), WRITES, "log full: all writes are answered in the end");
    wire_close(w);
}

static const struct wire_case readers[] = {
    {"GET k0", "/^'x*'$"},
    {"EXISTS k0 k1", ":2"},
    {"MULTI", "+OK"},
    {"GET none", "+QUEUED"},
    {"EXISTS k0", "+QUEUED"},
    {"EXEC", "[nil :1]"},
    {"PUBLISH c m", ":0"},
    {"CONFIG GET aof-buffer-limit", "{'aof-buffer-limit' '100000'}"},
    {"CONFIG SET appendfsync no", "+OK"},
    {"CONFIG SET appendfsync everysec", "+OK"},
};

static void others_go_on(struct server *s)
{
    struct session t = {.server = s, .family = "log full"};

    for (t.protocol = 2; t.protocol <= 3; t.protocol++)
        session_cases_as_it_is(&t, readers, sizeof(readers) / sizeof(readers[0]));
}

/* What changes something waits as a whole, and what goes by its time goes. */
static void writers_wait(void)
{
    struct server *s = start("");
    struct wire *e = wire_open(s, 2), *b = wire_open(s, 2), *w;

    is_str(wire_call(e, "SET t v PX 400"), "+OK", "log full: a key with a time");
    w = fill(s);
    others_go_on(s);
    is_str(wire_call(e, "MULTI"), "+OK", "log full: a transaction");
    is_str(wire_call(e, "SET e 1"), "+QUEUED", "log full: is queued");
    wire_send(e, "EXEC");
    wire_send(b, "BLPOP l 0.01");
    await_field(s, "aof_writers_held", 3);
    await_field(s, "expired_keys", 1);
    ok(raw_expect_silence(e->fd, 30), "log full: EXEC waits");
    release(s, w);
    is_str(wire_read(e), "[+OK]", "log full: EXEC has run");
    is_str(wire_read(b), "nil*", "log full: BLPOP has waited its time");
    wire_close(e);
    wire_close(b);
    server_stop(s);
}

/* No limit, or no log: nobody waits any more. */
static void set_free(const char *command, bool stays_stuck)
{
    struct server *s = start("");
    struct wire *w = fill(s), *c = wire_open(s, 2);

    wire_send(c, command);
    if (!stays_stuck)
        stick(s, false);
    is_str(wire_read(c), "+OK", "log full: %s", command);
    is_int(read_replies(w, WRITES), WRITES, "log full: and writers go on");
    stick(s, false);
    wire_close(c);
    wire_close(w);
    server_stop(s);
}

/* With replies that wait for the disk, too. */
static void always(void)
{
    struct server *s = start("--appendfsync always --aof-buffer-limit 500");
    struct wire *a = wire_open(s, 2), *b = wire_open(s, 2);

    stick(s, true);
    send_writes(a, 0, 1);
    await_field(s, "aof_buffer_length", 500);
    wire_send(b, "SET k 1");
    await_field(s, "aof_writers_held", 1);
    stick(s, false);
    is_str(wire_read(a), "+OK", "log full: always: what filled it is answered");
    is_str(wire_read(b), "+OK", "log full: always: so is who waited");
    wire_close(a);
    wire_close(b);
    server_stop(s);
}

/* Its end comes when the disk goes on, and what was answered is there. */
static void the_end(void)
{
    struct server *s = start("");
    struct wire *w = fill(s), *c = wire_open(s, 2);
    int answered = 0;

    while (answered < WRITES && !raw_expect_silence(w->fd, 30))
        answered += read_replies(w, 1);
    ok(answered > 0 && answered < WRITES, "log full: some are answered, not all");
    wire_send(c, "SHUTDOWN");
    stick(s, false);
    is_int(server_wait_end(s, 20000), 0, "log full: SHUTDOWN");
    wire_close(w);
    wire_close(c);
    ok(server_restart(s, SIGTERM), "log full: it starts again");
    c = wire_open(s, 2);
    ok(wire_int(c, "DBSIZE") >= answered, "log full: what was answered is there");
    wire_close(c);
    server_stop(s);
}

int main(void)
{
    writers_wait();
    set_free("CONFIG SET aof-buffer-limit 0", true);
    set_free("CONFIG SET appendonly no", false);
    always();
    the_end();
    return tap_done();
}
