/*
 * What comes back when a server is started again, sentence by sentence: versions, locks that
 * outlive their connections, sessions, policies. Each time in several ways: ended and killed; from
 * the log alone, from a base of it of either kind, and from a snapshot without a log.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "tests/lib/raw.h"
#include "tests/lib/server.h"
#include "tests/lib/tap.h"
#include "tests/lib/wire.h"

/* A way to a restart. */
struct way {
    const char *name, *args, *before; /* what is asked for then */
    int signal;
};

static const struct way ways[] = {
    {"log, killed", "--appendonly yes --appendfsync always", NULL, SIGKILL},
    {"log, ended", "--appendonly yes", NULL, SIGTERM},
    {"base, killed", "--appendonly yes --appendfsync always", "BGREWRITEAOF", SIGKILL},
    {"base of requests, killed", "--appendonly yes --appendfsync always --aof-use-rdb-preamble no",
     "BGREWRITEAOF", SIGKILL},
    {"snapshot, killed", "", "SAVE", SIGKILL},
};

struct trial {
    const struct way *way;
    struct server *server;
    struct wire *a, *b;
};

/* It is there, but may still be loading. */
static struct wire *open_loaded(struct server *s)
{
    struct wire *w = wire_open(s, 3);

    for (int i = 0; i < 500 && strncmp(wire_call(w, "GET k"), "-LOADING", 8) == 0; i++)
        raw_sleep_ms(10);
    return w;
}

static void open_wires(struct trial *t)
{
    t->a = open_loaded(t->server);
    t->b = wire_open(t->server, 3);
    wire_call(t->b, "CLIENT LOCK-TIMEOUT 0");
}

static void close_wires(struct trial *t)
{
    wire_close(t->a);
    wire_close(t->b);
}

/* The new base is there, or the snapshot. */
static void await_base(struct trial *t)
{
    for (int i = 0; i < 500; i++) {
        char *text = wire_bulk(t->a, "INFO persistence");
        bool busy =
            strstr(text, "aof_rewrite_in_progress:1") || strstr(text, "rewrite_scheduled:1");

        free(text);
        if (!busy)
            return;
        raw_sleep_ms(10);
    }
    bail("no base is written");
}

static void restart(struct trial *t)
{
    if (t->way->before) {
        wire_call(t->a, t->way->before);
        await_base(t);
    }
    close_wires(t);
    if (!server_restart(t->server, t->way->signal))
        bail("the server does not come back: %s", t->way->name);
    open_wires(t);
}

/* The reply to a command on the first connection, in which the number stands for $. */
static void says(struct trial *t, const char *reply, const char *line, long long n)
{
    const char *at = strchr(line, '$');
    char text[256];

    if (at)
        snprintf(text, sizeof(text), "%.*s%lld%s", (int)(at - line), line, n, at + 1);
    else
        snprintf(text, sizeof(text), "%s", line);
    is_str(wire_call(t->a, text), reply, "%s (%s)", line, t->way->name);
}

static void says_like(struct trial *t, const char *reply, const char *line)
{
    is_like(wire_call(t->a, line), reply, "%s (%s)", line, t->way->name);
}

/* ---- versions ------------------------------------------------------------------------------- */

static void test_versions(struct trial *t)
{
    static const char keys[] = "MVERSION s n l h z t many1 many2 moved";
    long long gone;
    char *before;

    wire_call(t->a, "SET s text");
    wire_call(t->a, "INCR n");
    wire_call(t->a, "RPUSH l a b c");
    wire_call(t->a, "LPOP l");
    wire_call(t->a, "HSET h f 1 g 2");
    wire_call(t->a, "HPEXPIRE h 100000 FIELDS 1 f");
    wire_call(t->a, "ZADD z 1 m");
    wire_call(t->a, "SET t v PX 1000000");
    wire_call(t->a, "MSET many1 a many2 b many1 c");
    wire_call(t->a, "RPUSH from x");
    wire_call(t->a, "RENAME from moved");
    gone = wire_int(t->a, "SET gone v GETVERSION");
    wire_call(t->a, "DEL gone");
    before = strdup(wire_call(t->a, keys));
    restart(t);
    is_str(wire_call(t->a, keys), before, "versions are what they were (%s)", t->way->name);
    ok(wire_int(t->a, "SET gone v GETVERSION") > gone, "one made anew has a larger one");
    free(before);
}

static void test_writes_by_version(struct trial *t)
{
    long long version = wire_int(t->a, "SET doc 1 GETVERSION");

    restart(t);
    says(t, "+OK", "WHEN VERSION doc $ DO SET doc 2", version);
    says_like(t, "^-VERSION ", "WHEN VERSION doc 1 DO SET doc 3");
}

static void test_databases(struct trial *t)
{
    long long a, b;

    wire_call(t->a, "SET k one");
    wire_call(t->a, "SELECT 1");
    wire_call(t->a, "SET k two");
    wire_call(t->a, "SWAPDB 0 1");
    b = wire_int(t->a, "VERSION k");
    wire_call(t->a, "SELECT 0");
    a = wire_int(t->a, "VERSION k");
    restart(t);
    ok(wire_int(t->a, "VERSION k") == a, "of keys of a database that was exchanged");
    wire_call(t->a, "SELECT 1");
    ok(wire_int(t->a, "VERSION k") == b, "and of the other");
}

/* ---- locks ---------------------------------------------------------------------------------- */

static void test_detached(struct trial *t)
{
    long long token = wire_int(t->a, "LOCK.ACQUIRE 'a name' LEASE 100000 DETACHED OWNER job-7 "
                                     "DATA 'x y%\\r\\n'");

    restart(t);
    says(t, ":1", "LOCK.CHECK 'a name' $", token);
    says_like(t, "'owner' 'job-7'.*'detached' :1.*'data' 'x y%", "LOCK.INFO 'a name'");
    says_like(t, "'lease-left-ms' :[1-9][0-9]{4}[ ,}]|'lease-left-ms' :[1-9][0-9]{4}",
              "LOCK.INFO 'a name'");
    says(t, "nil", "LOCK.ACQUIRE 'a name' LEASE 1000 DETACHED", 0);
    says(t, ":1", "LOCK.RENEW 'a name' $ LEASE 200000", token);
    says(t, ":1", "LOCK.RELEASE 'a name' $", token);
    ok(wire_int(t->a, "LOCK.ACQUIRE 'a name'") > token, "the next token is larger");
}

static void test_kinds(struct trial *t)
{
    long long one = wire_int(t->a, "LOCK.ACQUIRE read SHARED LEASE 100000 DETACHED");
    long long two = wire_int(t->a, "LOCK.ACQUIRE read SHARED LEASE 100000 DETACHED");
    long long some = wire_int(t->a, "LOCK.ACQUIRE seats PERMITS 2 OF 3 LEASE 100000 DETACHED");
    long long twice = wire_int(t->a, "LOCK.ACQUIRE re REENTRANT OWNER o LEASE 100000 DETACHED");

    wire_call(t->a, "LOCK.ACQUIRE re REENTRANT OWNER o LEASE 100000 DETACHED");
    restart(t);
    says(t, ":1", "LOCK.CHECK read $", one);
    says(t, ":1", "LOCK.CHECK read $", two);
    says(t, "nil", "LOCK.ACQUIRE read", 0);
    says_like(t, "^:", "LOCK.ACQUIRE read SHARED");
    says(t, "nil", "LOCK.ACQUIRE seats PERMITS 2 OF 3", 0);
    says_like(t, "^:", "LOCK.ACQUIRE seats PERMITS 1 OF 3");
    says(t, ":1", "LOCK.RELEASE seats $", some);
    says(t, ":0", "LOCK.RELEASE re $", twice);
    says(t, ":1", "LOCK.RELEASE re $", twice);
}

/* Who is bound to a connection has lost it, and nobody waits any more. */
static void test_of_connections(struct trial *t)
{
    long long token = wire_int(t->a, "LOCK.ACQUIRE own LEASE 100000");

    wire_send(t->b, "LOCK.ACQUIRE own QUEUE");
    wire_read(t->b);
    restart(t);
    says(t, ":0", "LOCK.CHECK own $", token);
    says_like(t, "'holders' \\[\\] 'waiters' \\[\\]", "LOCK.INFO own");
    says(t, ":0", "LOCK.CANCEL own 1", 0);
    ok(wire_int(t->a, "LOCK.ACQUIRE own") > token, "anybody gets it (%s)", t->way->name);
}

/* The time while the server is down counts. */
static void test_leases_end(struct trial *t)
{
    long long brief = wire_int(t->a, "LOCK.ACQUIRE brief LEASE 60 DETACHED");

    restart(t);
    raw_sleep_ms(80);
    says(t, ":0", "LOCK.CHECK brief $", brief);
    restart(t);
    says(t, ":0", "LOCK.CHECK brief $", brief);
    says_like(t, "'holders' \\[\\]", "LOCK.INFO brief");
}

static void test_commits(struct trial *t)
{
    long long token = wire_int(t->a, "LOCK.ACQUIRE doc LEASE 100000 DETACHED");

    wire_callf(t->a, "LOCK.RELEASE doc %lld SET done", token);
    restart(t);
    says(t, "'done'", "GET doc", 0);
    says(t, ":0", "LOCK.CHECK doc $", token);
}

static void test_broken(struct trial *t)
{
    long long token = wire_int(t->a, "LOCK.ACQUIRE one LEASE 100000 DETACHED");

    wire_call(t->a, "LOCK.ACQUIRE two LEASE 100000 DETACHED");
    says(t, ":1", "LOCK.BREAK one DELAY 100000", 0);
    says(t, ":1", "LOCK.BREAK two", 0);
    restart(t);
    says(t, ":0", "LOCK.CHECK one $", token);
    says(t, "nil", "LOCK.ACQUIRE one", 0);
    says(t, ":0", "LOCK.BREAK one", 0);
    says_like(t, "^:", "LOCK.ACQUIRE one");
    says_like(t, "^:", "LOCK.ACQUIRE two");
}

static void test_guards(struct trial *t)
{
    wire_call(t->a, "SET key v");
    wire_call(t->a, "LOCK.ACQUIRE key GUARD LEASE 100000 DETACHED");
    restart(t);
    is_like(wire_call(t->b, "GET key"), "^-LOCKED ", "a key is guarded (%s)", t->way->name);
}

/* ---- sessions ------------------------------------------------------------------------------- */

static void is_free_soon(struct trial *t, const char *name, long long token)
{
    for (int i = 0; i < 500; i++) {
        if (strcmp(wire_callf(t->a, "LOCK.CHECK %s %lld", name, token), ":0") == 0)
            break;
        raw_sleep_ms(10);
    }
    is_str(wire_callf(t->a, "LOCK.CHECK %s %lld", name, token), ":0", "%s is free (%s)", name,
           t->way->name);
}

static void test_sessions(struct trial *t)
{
    long long first, second;

    wire_call(t->a, "LOCK.SESSION worker GRACE 60000");
    first = wire_int(t->a, "LOCK.ACQUIRE shard:1");
    second = wire_int(t->a, "LOCK.ACQUIRE shard:2 LEASE 100000");
    restart(t);
    says_like(t, "'session' 'worker' 'addr' ''", "LOCK.INFO shard:1");
    says(t, ":1", "LOCK.CHECK shard:1 $", first);
    says(t, "+OK", "LOCK.SESSION worker GRACE 0", 0);
    says(t, ":1", "LOCK.CHECK shard:2 $", second);
    says(t, ":2", "LOCK.RENEW * LEASE 100000", 0);
    says(t, ":1", "LOCK.RELEASE shard:1 $", first);
    restart(t);
    is_free_soon(t, "shard:2", second);
}

/* It has its whole grace from the start on. */
static void test_grace(struct trial *t)
{
    long long token;

    wire_call(t->a, "LOCK.SESSION late GRACE 150");
    token = wire_int(t->a, "LOCK.ACQUIRE late");
    wire_call(t->a, "LOCK.SESSION late GRACE 200");
    restart(t);
    is_free_soon(t, "late", token);
    says_like(t, "^:", "LOCK.ACQUIRE late");
}

static void test_killed_client(struct trial *t)
{
    long long id = wire_int(t->b, "CLIENT ID"), token;

    wire_call(t->b, "LOCK.SESSION cut GRACE 60000");
    token = wire_int(t->b, "LOCK.ACQUIRE cut");
    wire_callf(t->a, "CLIENT KILL ID %lld", id);
    restart(t);
    says(t, ":1", "LOCK.CHECK cut $", token);
}

/* ---- policies ------------------------------------------------------------------------------- */

static void test_policies(struct trial *t)
{
    char *before;

    wire_call(t->a, "POLICY SET cache: MAXKEYS 3 IDLE 100000");
    wire_call(t->a, "POLICY SET 'a b%' MAXAGE 100000");
    wire_call(t->a, "POLICY SET gone: MAXKEYS 1");
    wire_call(t->a, "POLICY DEL gone:");
    before = strdup(wire_call(t->a, "POLICY LIST"));
    restart(t);
    is_str(wire_call(t->a, "POLICY LIST"), before, "policies are there (%s)", t->way->name);
    wire_call(t->a, "MSET cache:1 a cache:2 b cache:3 c cache:4 d");
    says(t, ":3", "EXISTS cache:1 cache:2 cache:3 cache:4", 0);
    free(before);
}

/* What is changed while the log is off is in its base when it is on again. */
static void test_off_and_on(struct trial *t)
{
    long long version, lock, gone;

    if (!t->way->args[0])
        return;
    gone = wire_int(t->a, "LOCK.ACQUIRE gone LEASE 100000 DETACHED");
    says(t, "+OK", "CONFIG SET appendonly no", 0);
    version = wire_int(t->a, "SET k v GETVERSION");
    lock = wire_int(t->a, "LOCK.ACQUIRE lock LEASE 100000 DETACHED");
    wire_callf(t->a, "LOCK.RELEASE gone %lld", gone);
    says(t, "+OK", "CONFIG SET appendonly yes", 0);
    await_base(t);
    restart(t);
    ok(wire_int(t->a, "VERSION k") == version, "versions of when the log was off (%s)",
       t->way->name);
    says(t, ":1", "LOCK.CHECK lock $", lock);
    says(t, ":0", "LOCK.CHECK gone $", gone);
}

/* ---- without a restart ---------------------------------------------------------------------- */

static void test_reload(struct trial *t)
{
    long long version = wire_int(t->a, "SET k v GETVERSION");
    long long token = wire_int(t->a, "LOCK.ACQUIRE own");
    long long lasting = wire_int(t->a, "LOCK.ACQUIRE lasting LEASE 100000 DETACHED");

    wire_callf(t->a, "LOCK.RELEASE lasting %lld", lasting);
    says(t, "+OK", "DEBUG RELOAD", 0);
    ok(wire_int(t->a, "VERSION k") == version, "DEBUG RELOAD changes no version");
    says(t, ":1", "LOCK.CHECK own $", token);
    says(t, ":0", "LOCK.CHECK lasting $", lasting);
}

/* Nothing that was told is missing on the disk. */
static void is_durable(struct trial *t, const char *what)
{
    char *text = wire_bulk(t->b, "INFO persistence");
    const char *last = strstr(text, "aof_last_seq:"), *durable = strstr(text, "aof_durable_seq:");

    ok(last && durable && strtoll(last + 13, NULL, 10) == strtoll(durable + 16, NULL, 10),
       "%s: it was on the disk before it was answered", what);
    free(text);
}

static void test_replies_wait(struct trial *t)
{
    long long token;

    if (!strstr(t->way->args, "always"))
        return;
    for (int i = 0; i < 5; i++) {
        token = wire_int(t->a, "LOCK.ACQUIRE slow LEASE 100000 DETACHED");
        is_durable(t, "LOCK.ACQUIRE");
        wire_callf(t->a, "LOCK.RENEW slow %lld LEASE 100000", token);
        is_durable(t, "LOCK.RENEW");
        wire_callf(t->a, "LOCK.RELEASE slow %lld", token);
        is_durable(t, "LOCK.RELEASE");
        wire_call(t->a, "LOCK.ACQUIRE x y LEASE 100000 DETACHED");
        is_durable(t, "LOCK.ACQUIRE of two");
        wire_call(t->a, "LOCK.BREAK x");
        is_durable(t, "LOCK.BREAK");
        wire_call(t->a, "LOCK.BREAK y");
        wire_call(t->a, "POLICY SET p: MAXKEYS 7");
        wire_call(t->a, "POLICY DEL p:");
        is_durable(t, "POLICY");
    }
    wire_call(t->a, "LOCK.SESSION s GRACE 1000");
    wire_call(t->a, "LOCK.ACQUIRE held");
    is_durable(t, "LOCK.ACQUIRE in a session");
    wire_call(t->a, "LOCK.RENEW * LEASE 100000");
    is_durable(t, "LOCK.RENEW *");
    wire_call(t->a, "LOCK.SESSION s GRACE 2000");
    is_durable(t, "LOCK.SESSION");
}

static void (*const tests[])(struct trial *t) = {
    test_versions,      test_writes_by_version,
    test_databases,     test_detached,
    test_kinds,         test_of_connections,
    test_leases_end,    test_commits,
    test_broken,        test_guards,
    test_sessions,      test_grace,
    test_killed_client, test_policies,
    test_reload,        test_off_and_on,
    test_replies_wait,
};

/* ---- files of others, and for others -------------------------------------------------------- */

static void write_file(const char *dir, const char *name, const char *text)
{
    struct buf path = {0};
    FILE *f;

    buf_printf(&path, "%s/%s", dir, name);
    buf_append_char(&path, '\0');
    f = fopen(path.ptr, "wb");
    if (f == NULL || fputs(text, f) < 0)
        bail("cannot write %s", path.ptr);
    fclose(f);
    buf_release(&path);
}

/* A log from a time that the clock does not say yet, with a part that some Redis wrote. */
static void test_clock(void)
{
    static const char log[] =
        "*2\r\n$6\r\nSELECT\r\n$1\r\n0\r\n*3\r\n$3\r\nSET\r\n$3\r\nold\r\n$1\r\n1\r\n"
        "#LK:at 4000000000000000\r\n*3\r\n$3\r\nSET\r\n$3\r\nnew\r\n$1\r\n2\r\n"
        "#LK:lock far 4000000000000003 1 9000000000000000 90000 - 0 0 0 1 % 0 % %\r\n";
    char dir[] = "/tmp/latchkey-clock-XXXXXX", args[200];
    long long old, fresh;
    struct server *s;
    struct wire *w;

    if (mkdtemp(dir) == NULL)
        bail("no folder for a test");
    write_file(dir, "appendonly.aof.manifest", "file appendonly.aof.1.incr.aof seq 1 type i\n");
    write_file(dir, "appendonly.aof.1.incr.aof", log);
    snprintf(args, sizeof(args),
             "--port {port} --unixsocket {sock} --appendonly yes --dir /tmp "
             "--appenddirname %s --save \"\"",
             strrchr(dir, '/') + 1);
    s = server_spawn(args, NULL);
    ok(server_wait_ready(s), "a log of a clock that was ahead is loaded");
    w = open_loaded(s);
    ok(wire_int(w, "VERSION new") == 4000000000000001, "with its versions");
    ok(wire_int(w, "LOCK.CHECK far 4000000000000003") == 1, "its locks");
    is_like(wire_call(w, "LOCK.INFO far"), "'lease-left-ms' :[1-9][0-9]{4}[^0-9]",
            "whose leases are no longer than they were");
    old = wire_int(w, "VERSION old");
    fresh = wire_int(w, "SET k v GETVERSION");
    ok(fresh > 4000000000000003, "and new ones are above them");
    wire_call(w, "WAITAOF 1 0 0");
    wire_close(w);
    server_discard(s);
    s = server_spawn(args, NULL);
    ok(server_wait_ready(s), "it is loaded once more");
    w = open_loaded(s);
    ok(wire_int(w, "VERSION old") == old, "what came without a version has the one that it got");
    ok(wire_int(w, "VERSION k") == fresh, "and what came later its own");
    ok(wire_int(w, "SET k v GETVERSION") > fresh, "which grow");
    wire_close(w);
    server_discard(s);
    snprintf(args, sizeof(args), "rm -rf %s", dir);
    if (system(args) != 0)
        diag("cannot remove %s", dir);
}

/* Redis passes over what it does not know. */
static void test_redis(const char *preamble)
{
    char args[300];
    struct server *s, *redis;
    struct wire *w;

    snprintf(args, sizeof(args), "--appendonly yes --aof-use-rdb-preamble %s", preamble);
    s = server_run(args);
    w = wire_open(s, 3);
    wire_call(w, "LOCK.SESSION s GRACE 10000");
    wire_call(w, "LOCK.ACQUIRE base DATA 'some data' OWNER o");
    wire_call(w, "MSET a 1 b 2");
    wire_call(w, "POLICY SET p: MAXKEYS 3");
    wire_call(w, "BGREWRITEAOF");
    raw_sleep_ms(300);
    wire_call(w, "MULTI");
    wire_call(w, "MSET a 3 c 4");
    wire_call(w, "LOCK.ACQUIRE log");
    wire_call(w, "LOCK.ACQUIRE d LEASE 100000 DETACHED");
    wire_call(w, "SET d 5 PX 1000000");
    wire_call(w, "EXEC");
    wire_call(w, "WAITAOF 1 0 0");
    wire_close(w);
    snprintf(args, sizeof(args), "%s", s->dir);
    redis =
        server_start(server_oracle(), (const char *[]){"--appendonly", "yes", "--dir", args, NULL});
    w = open_loaded(redis);
    is_str(wire_call(w, "MGET a b c d"), "['3' '2' '4' '5']", "Redis loads it, preamble %s",
           preamble);
    wire_close(w);
    server_stop(redis);
    server_discard(s);
}

int main(void)
{
    for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
        struct trial t = {.way = &ways[i]};
        struct buf args = {0};

        buf_printf(&args, "--enable-debug-command yes %s", ways[i].args);
        buf_append_char(&args, '\0');
        for (size_t k = 0; k < sizeof(tests) / sizeof(tests[0]); k++) {
            t.server = server_run_threads(k % 2 ? 1 : 4, args.ptr);
            open_wires(&t);
            tests[k](&t);
            close_wires(&t);
            server_discard(t.server);
        }
        buf_release(&args);
    }
    test_clock();
    test_redis("yes");
    test_redis("no");
    return tap_done();
}
