/*
 * Calls on files that go wrong: whichever call of a workload it is, and however it goes wrong, the
 * server answers as promised, goes on as soon as it can, and starts again with all that it
 * promised. The workload is of several clients whose transactions are written together, rewrites
 * of the log, snapshots, and the log turned off and on.
 *
 * A run is a server in which one call goes wrong (file_faults() in base/files.h); then it is killed
 * and started again, and what is there is looked at. Some calls of each kind are tried, all with
 * CRASH_ALL=1. TEST_SEED draws the same ones again; FAULTS_ONE="always fail 17" is one run, told in
 * full.
 */
#include <hiredis/hiredis.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/compiler.h"
#include "base/rng.h"
#include "tests/lib/raw.h"
#include "tests/lib/server.h"
#include "tests/lib/tap.h"

enum {
    WRITERS = 4,
    ABREAST = 4,         /* runs at a time */
    PATIENCE_MS = 30000, /* for what has no promise of when */
    CRASHED = 99,        /* the exit status of a crash on purpose */
    SAMPLE = 5,          /* calls of each kind that are tried */
    SAMPLE_SLOW = 2,     /* the same of a server with a sanitizer */
};

struct writer {
    redisContext *c;
    long sent, acknowledged, promised;
};

struct run {
    struct server *s;
    const char *mode, *how; /* appendfsync; what goes wrong */
    long n;
    bool at_load;   /* the second start is what goes wrong */
    bool crashes;   /* ends the server */
    bool dead;      /* that has happened */
    bool uncertain; /* the log was off, and is not complete since */
    struct writer writers[WRITERS];
    redisContext *control;
    bool failed;
};

static void wrong(struct run *r, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void wrong(struct run *r, const char *format, ...)
{
    char text[400];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    diag("%s %s %ld%s: %s", r->mode, r->how, r->n, r->at_load ? " (loading)" : "", text);
    r->failed = true;
}

/* ---- connections ---------------------------------------------------------------------------- */

static redisContext *connect_to(const struct server *s)
{
    struct timeval patience = {.tv_sec = PATIENCE_MS / 1000};
    redisContext *c = redisConnectUnixWithTimeout(s->socket_path, patience);

    if (!c || c->err)
        bail("no connection");
    redisSetTimeout(c, patience);
    return c;
}

static void connect_all(struct run *r)
{
    r->control = connect_to(r->s);
    for (int i = 0; i < WRITERS; i++)
        r->writers[i].c = connect_to(r->s);
}

static void disconnect_all(struct run *r)
{
    redisFree(r->control);
    for (int i = 0; i < WRITERS; i++)
        redisFree(r->writers[i].c);
}

/* The connection has ended: a crash on purpose, or what must not be. */
static void note_end(struct run *r, const redisContext *c)
{
    if (!r->dead && (!r->crashes || server_wait_end(r->s, PATIENCE_MS) != CRASHED))
        wrong(r, "the connection has ended: %s", c->errstr);
    r->dead = true;
}

/* NULL when the server is dead; caller frees. */
static redisReply *next_reply(struct run *r, redisContext *c)
{
    void *reply = NULL;

    if (!r->dead && redisGetReply(c, &reply) != REDIS_OK)
        note_end(r, c);
    return reply;
}

static redisReply *ask(struct run *r, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    if (!r->dead)
        redisvAppendCommand(r->control, format, args);
    va_end(args);
    return next_reply(r, r->control);
}

/* ---- writing -------------------------------------------------------------------------------- */

enum { REQUESTS = 6 };

static void send_transaction(struct writer *w, int index)
{
    static char filler[3000];

    memset(filler, 'x', sizeof(filler));
    w->sent++;
    redisAppendCommand(w->c, "MULTI");
    redisAppendCommand(w->c, "SET a:%d %ld", index, w->sent);
    redisAppendCommand(w->c, "SET b:%d %ld-%b", index, w->sent, filler,
                       (size_t)(w->sent * 97 % 3000));
    redisAppendCommand(w->c, "INCR count:%d", index);
    redisAppendCommand(w->c, "RPUSH list:%d %ld", index, w->sent);
    redisAppendCommand(w->c, "EXEC");
}

static bool is_refusal(const redisReply *reply, bool last)
{
    return reply->type == REDIS_REPLY_ERROR &&
           (strncmp(reply->str, "MISCONF Errors writing to the AOF file: ", 40) == 0 ||
            (last && strncmp(reply->str, "EXECABORT ", 10) == 0));
}

/* Whether it was done: all of its requests were, or EXEC was refused. */
static bool take_transaction(struct run *r, struct writer *w)
{
    bool done = false;

    for (int i = 0; i < REQUESTS; i++) {
        redisReply *reply = next_reply(r, w->c);
        bool last = i == REQUESTS - 1;

        if (!reply)
            return false;
        done = last && reply->type == REDIS_REPLY_ARRAY && reply->elements == REQUESTS - 2;
        if (!(last ? done : reply->type == REDIS_REPLY_STATUS) && !is_refusal(reply, last))
            wrong(r, "request %d of a transaction is answered %s", i,
                  reply->str ? reply->str : "otherwise");
        freeReplyObject(reply);
    }
    return done;
}

/* One transaction of each, all sent before the first is answered. */
static void send_round(struct run *r)
{
    for (int i = 0; i < WRITERS && !r->dead; i++) {
        int done = 0;

        send_transaction(&r->writers[i], i);
        while (!r->writers[i].c->err && !done)
            redisBufferWrite(r->writers[i].c, &done);
    }
}

/* False if one was refused. */
static bool take_round(struct run *r)
{
    bool all = true;

    for (int i = 0; i < WRITERS && !r->dead; i++) {
        struct writer *w = &r->writers[i];

        if (!take_transaction(r, w)) {
            all = false;
            continue;
        }
        w->acknowledged = w->sent;
        if (!r->uncertain && strcmp(r->mode, "always") == 0)
            w->promised = w->sent;
    }
    return all;
}

static bool write_round(struct run *r)
{
    send_round(r);
    return take_round(r);
}

/* Reads go on, whatever the disk does. */
static void read_round(struct run *r)
{
    for (int i = 0; i < WRITERS && !r->dead; i++) {
        redisReply *reply = ask(r, "GET a:%d", i);

        if (reply && (reply->type == REDIS_REPLY_ERROR ||
                      (reply->str ? atol(reply->str) : 0) < r->writers[i].acknowledged))
            wrong(r, "GET is answered %s, %ld was acknowledged", reply->str ? reply->str : "nil",
                  r->writers[i].acknowledged);
        freeReplyObject(reply);
    }
}

static void rounds(struct run *r, int count)
{
    for (int i = 0; i < count && !r->dead; i++) {
        write_round(r);
        read_round(r);
    }
}

/* Writes are accepted again by themselves, and get to the disk. */
static void settle(struct run *r)
{
    long long end = raw_now_ms() + PATIENCE_MS;
    redisReply *reply;
    bool ok;

    while (!write_round(r) && !r->dead) {
        if (raw_now_ms() > end) {
            wrong(r, "writes are refused for good");
            return;
        }
        read_round(r);
        raw_sleep_ms(20);
    }
    reply = ask(r, "WAITAOF 1 0 %d", PATIENCE_MS / 2);
    ok = reply && reply->type == REDIS_REPLY_ARRAY && reply->element[0]->integer == 1;
    if (reply && !ok)
        wrong(r, "WAITAOF is answered %s", reply->str ? reply->str : "0");
    r->uncertain = r->uncertain && !ok;
    for (int i = 0; i < WRITERS && ok; i++)
        r->writers[i].promised = r->writers[i].acknowledged;
    freeReplyObject(reply);
}

/* ---- what an administrator does ------------------------------------------------------------- */

static bool info_is(struct run *r, const char *line)
{
    redisReply *reply = ask(r, "INFO persistence");
    bool is = !reply || (reply->str && strstr(reply->str, line));

    freeReplyObject(reply);
    return is;
}

static void await_info(struct run *r, const char *line)
{
    long long end = raw_now_ms() + PATIENCE_MS;

    while (!info_is(r, line)) {
        if (raw_now_ms() > end) {
            wrong(r, "%s does not come", line);
            return;
        }
        raw_sleep_ms(3);
    }
}

/* An error is one of those that the command has. */
static bool order(struct run *r, const char *line, const char *error)
{
    redisReply *reply = ask(r, line);
    bool done = reply && reply->type == REDIS_REPLY_STATUS;

    if (reply && !done && (!reply->str || strncmp(reply->str, error, strlen(error)) != 0))
        wrong(r, "%s is answered %s", line, reply->str ? reply->str : "otherwise");
    freeReplyObject(reply);
    return done;
}

static void rewrite(struct run *r)
{
    send_round(r); /* it is on its way to the disk meanwhile */
    order(r, "BGREWRITEAOF", "ERR Background append only file rewriting already in progress");
    take_round(r);
    rounds(r, 1);
    await_info(r, "aof_rewrite_in_progress:0");
}

static void save(struct run *r)
{
    send_round(r);
    order(r, "BGSAVE", "ERR ");
    take_round(r);
    rounds(r, 1);
    await_info(r, "rdb_bgsave_in_progress:0");
    order(r, "SAVE", "ERR");
}

static void turn_off_and_on(struct run *r)
{
    long long end = raw_now_ms() + PATIENCE_MS;

    r->uncertain = true;
    if (!order(r, "CONFIG SET appendonly no", "ERR CONFIG SET failed"))
        return;
    rounds(r, 1);
    while (!r->dead && !order(r, "CONFIG SET appendonly yes", "ERR CONFIG SET failed")) {
        if (raw_now_ms() > end) {
            wrong(r, "the log cannot be turned on");
            return;
        }
        raw_sleep_ms(5);
    }
    rounds(r, 1);
    await_info(r, "aof_rewrite_in_progress:0");
}

static void work(struct run *r)
{
    rounds(r, 2);
    rewrite(r);
    save(r);
    settle(r);
    turn_off_and_on(r);
    settle(r);
    order(r, "CONFIG SET aof-use-rdb-preamble no", "");
    rewrite(r);
    settle(r);
}

/* ---- what is there -------------------------------------------------------------------------- */

static long number(struct run *r, const char *format, int index)
{
    redisReply *reply = ask(r, format, index);
    long n = reply && reply->str ? atol(reply->str) : reply ? (long)reply->integer : -1;

    freeReplyObject(reply);
    return n;
}

static void check(struct run *r, const char *when)
{
    for (int i = 0; i < WRITERS; i++) {
        struct writer *w = &r->writers[i];
        long a = number(r, "GET a:%d", i), b = number(r, "GET b:%d", i);
        long count = number(r, "GET count:%d", i), len = number(r, "LLEN list:%d", i);

        if (a != b || count != len || count > a || (a > 0) != (count > 0))
            wrong(r, "%s: a part of a transaction: %ld %ld %ld %ld", when, a, b, count, len);
        if (a < w->promised || a > w->sent)
            wrong(r, "%s: %ld is there, %ld were promised, %ld sent", when, a, w->promised,
                  w->sent);
        w->acknowledged = w->promised = a;
    }
}

/* ---- a run ---------------------------------------------------------------------------------- */

static void set_fault(const struct run *r)
{
    char text[60];

    snprintf(text, sizeof(text), "%ld %s %ld", r->n, r->how, r->n);
    setenv("LATCHKEY_TEST_FILE_FAULTS", text, 1);
}

/* Starts it again; with a fault it may refuse that, and says why. */
static bool restart(struct run *r)
{
    bool faulty = getenv("LATCHKEY_TEST_FILE_FAULTS") != NULL;

    r->dead = false;
    if (server_restart(r->s, SIGKILL))
        return true;
    if (!faulty)
        wrong(r, "it does not start");
    return false;
}

static void look(struct run *r, const char *when)
{
    if (!restart(r))
        return;
    connect_all(r);
    check(r, when);
    r->dead = false;
    write_round(r);
    settle(r);
    disconnect_all(r);
}

/* The start itself may have gone wrong. */
static bool start(struct run *r)
{
    char args[300];

    snprintf(args, sizeof(args),
             "--port 0 --unixsocket {sock} --dir {dir} --save \"\" --threads 3 --appendonly "
             "yes --auto-aof-rewrite-percentage 0 --appendfsync %s",
             r->mode);
    r->s = server_spawn(args, NULL);
    return server_wait_ready(r->s);
}

static void run_live(struct run *r)
{
    set_fault(r);
    if (start(r)) {
        connect_all(r);
        work(r);
        disconnect_all(r);
    }
    unsetenv("LATCHKEY_TEST_FILE_FAULTS");
    if (r->n % 3 == 0 && r->s->pid > 0 && !r->crashes) {
        kill(r->s->pid, SIGTERM);
        if (server_wait_end(r->s, PATIENCE_MS) != 0)
            wrong(r, "it does not end in order");
    }
    look(r, "after it");
    look(r, "a second time");
}

/* Some bytes of a request that is not whole. */
static void tear_tail(const struct run *r)
{
    char command[400];

    snprintf(command, sizeof(command),
             "cd %s/appendonlydir && for f in $(ls -v *.incr.aof | tail -n 1); do printf "
             "'*3\\r\\n$3\\r\\nSET\\r\\n$1' >> $f; done",
             r->s->dir);
    if (system(command) != 0)
        diag("cannot append to the log");
}

static void run_at_load(struct run *r)
{
    if (!start(r))
        return;
    connect_all(r);
    rounds(r, 2);
    rewrite(r);
    settle(r);
    disconnect_all(r);
    kill(r->s->pid, SIGKILL);
    server_wait_end(r->s, PATIENCE_MS);
    if (r->n % 2)
        tear_tail(r);
    set_fault(r);
    if (restart(r)) {
        connect_all(r);
        check(r, "while loading");
        rounds(r, 1);
        disconnect_all(r);
    }
    unsetenv("LATCHKEY_TEST_FILE_FAULTS");
    look(r, "after it");
}

static bool run_one(const char *mode, const char *how, bool at_load, long n)
{
    static const char *const crashes[] = {"crash", "lost", "zeros", "part", "holes"};
    struct run r = {.mode = mode, .how = how, .n = n, .at_load = at_load};

    for (size_t i = 0; i < COUNT_OF(crashes); i++)
        r.crashes = r.crashes || strcmp(how, crashes[i]) == 0;
    if (at_load)
        run_at_load(&r);
    else
        run_live(&r);
    if (r.failed) {
        char *log = server_log(r.s);

        diag("%s", log);
        free(log);
    }
    server_discard(r.s);
    return !r.failed;
}

/* ---- many runs ------------------------------------------------------------------------------ */

struct abreast {
    int running, failed;
};

static void reap(struct abreast *a)
{
    int status;

    if (wait(&status) > 0) {
        a->running--;
        a->failed += status != 0;
    }
}

/* In a process of its own, whose output is shown if it fails. */
static void begin(struct abreast *a, const char *mode, const char *how, bool at_load, long n)
{
    if (a->running == ABREAST)
        reap(a);
    fflush(stdout);
    if (fork() == 0)
        _exit(run_one(mode, how, at_load, n) ? 0 : (fflush(stdout), 1));
    a->running++;
}

/* How many calls there are; a run has more or less of them. */
static long count_calls(const char *mode, bool at_load)
{
    struct run r = {.mode = mode, .how = "count", .n = 1, .at_load = at_load};
    char *log, *at;
    long calls;

    setenv("LATCHKEY_TEST_FILE_FAULTS", "1 count", 1);
    if (!start(&r))
        bail("it does not start");
    connect_all(&r);
    if (!at_load)
        work(&r);
    rounds(&r, 1);
    disconnect_all(&r);
    unsetenv("LATCHKEY_TEST_FILE_FAULTS");
    kill(r.s->pid, SIGTERM);
    server_wait_end(r.s, PATIENCE_MS);
    log = server_log(r.s);
    at = strstr(log, "There were ");
    calls = at ? atol(at + 11) : 0;
    free(log);
    server_discard(r.s);
    return calls + (at_load ? 25 : 5);
}

static void try_kind(const char *mode, const char *how, bool at_load, long calls)
{
    struct abreast a = {0};
    const char *sanitizer = getenv("SAN");
    bool all = getenv("CRASH_ALL") != NULL;
    long tried = 0, sample = sanitizer && *sanitizer ? SAMPLE_SLOW : SAMPLE;

    for (long n = 1; n <= calls; n++) {
        if (!all && (long)rng_below((uint64_t)calls) >= (at_load ? (sample + 1) / 3 : sample))
            continue;
        begin(&a, mode, how, at_load, n);
        tried++;
    }
    while (a.running)
        reap(&a);
    is_int(a.failed, 0, "%s%s, %s: %ld of %ld calls", how, at_load ? " while loading" : "", mode,
           tried, calls);
}

static void try_all(const char *mode)
{
    static const char *const kinds[] = {"fail", "full",  "short", "slow", "crash",
                                        "lost", "zeros", "part",  "holes"};
    long live = count_calls(mode, false), load = count_calls(mode, true);

    for (size_t i = 0; i < COUNT_OF(kinds); i++) {
        try_kind(mode, kinds[i], false, live);
        try_kind(mode, kinds[i], true, load);
    }
}

int main(void)
{
    const char *given = getenv("TEST_SEED"), *one = getenv("FAULTS_ONE");
    uint64_t seed = given ? strtoull(given, NULL, 10) : (uint64_t)time(NULL);
    char mode[20], how[20], load[20] = "";
    long n;

    rng_seed(seed);
    signal(SIGPIPE, SIG_IGN);
    diag("TEST_SEED=%llu", (unsigned long long)seed);
    if (one && sscanf(one, "%19s %19s %ld %19s", mode, how, &n, load) >= 3) {
        ok(run_one(mode, how, load[0] != '\0', n), "%s", one);
        return tap_done();
    }
    try_all("always");
    try_all("everysec");
    return tap_done();
}
