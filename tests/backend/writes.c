/*
 * What is written here as it stands in the table, with every database: types, ends of keys, whole
 * transactions, one server after the other, servers and databases that are killed, both modes.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "tests/backend/driver_kit.h"
#include "tests/lib/wire.h"

static char table[64];

/* ---- a server with the table in hand --------------------------------------------------------- */

static void next_table(const char *name)
{
    static int n;

    snprintf(table, sizeof(table), "w_%s_%d", name, ++n);
}

static struct server *run(const char *more)
{
    char query[128], args[2048];

    snprintf(query, sizeof(query), "table=%s&colKey=k&colVal=v", table);
    snprintf(args, sizeof(args), "--backend %s %s", place->url(query), more);
    return server_run(args);
}

static struct wire *until(struct server *s, const char *line, const char *reply)
{
    struct wire *w = wire_open(s, 2);
    int64_t end = clock_mono_ms() + 20000;

    while (strcmp(wire_call(w, line), reply) != 0) {
        if (clock_mono_ms() > end)
            bail("%s: %s is not answered with %s", place->scheme, line, reply);
        usleep(10000);
    }
    return w;
}

/* A server whose table is its own by now. */
static struct server *ready(const char *more, struct wire **w)
{
    struct server *s = run(more);

    *w = until(s, "GET nothing", "nil");
    return s;
}

static void is_call(struct wire *w, const char *line, const char *reply)
{
    is_str(wire_call(w, line), reply, "%s: %s", place->scheme, line);
}

/* A column of a row, once all is written. */
static void is_column(struct wire *w, const char *column, const char *key, const char *want)
{
    char sql[256];

    if (w && strcmp(wire_call(w, "BACKEND FLUSH"), "+OK") != 0)
        bail("%s: BACKEND FLUSH fails", place->scheme);
    snprintf(sql, sizeof(sql), "SELECT %s FROM %s WHERE k = '%s'", column, table, key);
    is_str(place->ask(sql), want, "%s: %s of %s", place->scheme, column, key);
}

static void is_count(struct wire *w, const char *want)
{
    char sql[128];

    is_call(w, "BACKEND FLUSH", "+OK");
    snprintf(sql, sizeof(sql), "SELECT count(*) FROM %s", table);
    is_str(place->ask(sql), want, "%s: rows", place->scheme);
}

static long long field(struct wire *w, const char *name)
{
    char *text = wire_bulk(w, "INFO backend"), *at = strstr(text, name);
    long long v = at ? strtoll(at + strlen(name) + 1, NULL, 10) : -1;

    free(text);
    return v;
}

/* ---- what stands there ----------------------------------------------------------------------- */

static void test_types(void)
{
    struct wire *w;
    struct server *s;

    next_table("types");
    s = ready("", &w);
    is_call(w, "SET s 'as it is'", "+OK");
    is_call(w, "SET b \"\\xff\\x00\"", "+OK");
    is_call(w, "HSET h name Ann age 7", ":2");
    is_call(w, "RPUSH l a 1", ":2");
    is_call(w, "SADD t x", ":1");
    is_call(w, "ZADD z 1.5 m +inf n", ":2");
    is_column(w, "v", "s", "as it is");
    is_column(w, "v", "b", "/wA=");
    is_column(w, "v", "h", "{\"name\":\"Ann\",\"age\":\"7\"}");
    is_column(w, "v", "l", "[\"a\",\"1\"]");
    is_column(w, "v", "t", "[\"x\"]");
    is_column(w, "v", "z", "{\"m\":1.5,\"n\":\"inf\"}");
    is_column(w, "type", "b", "string:base64");
    is_column(w, "type", "z", "zset");
    is_call(w, "HPEXPIREAT h 5000000000000 FIELDS 1 age", "[:1]");
    is_column(w, "more", "h", "{\"age\":5000000000000}");
    is_call(w, "PEXPIREAT s 5000000000000", ":1");
    is_column(w, "expiry", "s", "5000000000000");
    wire_close(w);
    server_stop(s);
}

static void test_ends(void)
{
    struct wire *w;
    struct server *s;

    next_table("ends");
    s = ready("", &w);
    wire_call(w, "MSET a 1 b 2 c 3 d 4");
    is_call(w, "DEL a", ":1");
    is_call(w, "RENAME b e", "+OK");
    is_call(w, "MOVE c 1", ":1");
    is_call(w, "PEXPIRE d 20", ":1");
    usleep(60000);
    is_count(w, "1");
    is_column(w, "v", "e", "2");
    is_call(w, "COPY e c DB 1 REPLACE", ":1");
    is_call(w, "SWAPDB 0 1",
            "-BACKEND database 0 is a table, which cannot be exchanged for another");
    is_call(w, "RPUSH l x", ":1");
    is_call(w, "LPOP l", "'x'");
    is_call(w, "HSET h f v", ":1");
    is_call(w, "HDEL h f", ":1");
    is_count(w, "1");
    is_call(w, "SELECT 1", "+OK");
    is_call(w, "FLUSHDB", "+OK");
    is_count(w, "1");
    is_call(w, "SELECT 0", "+OK");
    is_call(w, "MULTI", "+OK");
    is_call(w, "SET f 1", "+QUEUED");
    is_call(w, "FLUSHALL", "+QUEUED");
    is_call(w, "SET g 2", "+QUEUED");
    wire_call(w, "EXEC");
    is_count(w, "1");
    is_column(w, "v", "g", "2");
    wire_close(w);
    server_stop(s);
}

/* A client that waits is served by another's push: the table has neither element nor key. */
static void test_served(void)
{
    struct wire *w, *other;
    struct server *s;

    next_table("served");
    s = ready("", &w);
    other = wire_open(s, 2);
    wire_send(other, "BLPOP q 0");
    usleep(50000);
    is_call(w, "RPUSH q a b", ":2");
    is_str(wire_read(other), "['q' 'a']", "%s: a waiter is served", place->scheme);
    is_column(w, "v", "q", "[\"b\"]");
    wire_close(other);
    wire_close(w);
    server_stop(s);
}

/* At every moment the sum of both is zero. */
static void test_whole(void)
{
    char sql[256];
    struct wire *w;
    struct server *s;
    int torn = 0;

    next_table("whole");
    s = ready("", &w);
    wire_call(w, "MSET x 0 y 0");
    wire_call(w, "BACKEND FLUSH");
    snprintf(sql, sizeof(sql),
             "SELECT (SELECT v FROM %s WHERE k = 'x') || '+' || (SELECT v FROM %s WHERE k = 'y')",
             table, table);
    for (int i = 1; i <= 150; i++) {
        long long x = 0, y = 0;

        wire_call(w, "MULTI");
        wire_call(w, "INCR x");
        wire_call(w, "DECR y");
        wire_call(w, "EXEC");
        if (i % 10 == 0 && strcmp(place->scheme, "mysql") != 0) {
            sscanf(place->ask(sql), "%lld+%lld", &x, &y);
            torn += x + y != 0;
        }
    }
    is_int(torn, 0, "%s: a transaction is whole in the table whenever one looks", place->scheme);
    is_column(w, "v", "x", "150");
    is_column(w, "v", "y", "-150");
    wire_close(w);
    server_stop(s);
}

/* ---- one server after the other -------------------------------------------------------------- */

static void test_standby(void)
{
    struct wire *w, *second;
    struct server *a, *b;
    long long token;

    next_table("standby");
    a = ready("", &w);
    is_call(w, "SET k 1", "+OK");
    token = wire_int(w, "VERSION k");
    b = run("");
    second = until(b, "GET k", "-STANDBY another server has the backend's table");
    is_call(second, "PING", "+PONG");
    is_call(second, "SET k 2", "-STANDBY another server has the backend's table");
    is_call(w, "SET k 3", "+OK");
    is_call(w, "BACKEND FLUSH", "+OK");
    wire_close(w);
    kill(a->pid, SIGKILL);
    server_wait_end(a, 5000);
    wire_close(second);
    second = until(b, "GET k", "'3'");
    is_call(second, "SET k 4", "+OK");
    ok(wire_int(second, "VERSION k") > token, "%s: versions go on", place->scheme);
    is_column(second, "v", "k", "4");
    wire_close(second);
    server_discard(a);
    server_stop(b);
}

/* ---- kill -9 ------------------------------------------------------------------------------- */

enum { COUNTERS = 20 };

static void count_up(struct wire *w, int *sent, int n)
{
    for (int i = 0; i < n; i++) {
        int c = i % COUNTERS;

        if (wire_callf(w, "INCR c%d", c)[0] == ':')
            sent[c]++;
    }
}

static void test_killed(void)
{
    int sent[COUNTERS] = {0}, wrong = 0;
    struct wire *w;
    struct server *s;
    char want[16];

    next_table("killed");
    s = ready("--appendonly yes --appendfsync always", &w);
    for (int round = 0; round < 3; round++) {
        count_up(w, sent, 150 + round * 37);
        if (round == 1)
            is_like(wire_call(w, "BGREWRITEAOF"), "^\\+Background", "a new base is begun");
        wire_close(w);
        ok(server_restart(s, SIGKILL), "%s: killed, it starts again", place->scheme);
        w = until(s, "GET nothing", "nil");
    }
    is_call(w, "BACKEND FLUSH", "+OK");
    for (int c = 0; c < COUNTERS; c++) {
        char sql[128];

        snprintf(want, sizeof(want), "%d", sent[c]);
        snprintf(sql, sizeof(sql), "SELECT v FROM %s WHERE k = 'c%d'", table, c);
        wrong +=
            strcmp(place->ask(sql), want) != 0 || atoi(wire_callf(w, "GET c%d", c) + 1) != sent[c];
    }
    is_int(wrong, 0, "%s: each was counted once, in the table and in memory", place->scheme);
    wire_close(w);
    server_stop(s);
}

/* A log that was there before the table moves into it. */
static void test_log_moves_in(void)
{
    struct wire *w;
    struct server *s = server_run("--appendonly yes");
    char query[128], args[2048];
    struct server *with;

    next_table("moved");
    w = wire_open(s, 2);
    wire_call(w, "SET old 1");
    wire_call(w, "RPUSH l 1 2");
    wire_close(w);
    snprintf(query, sizeof(query), "table=%s&colKey=k&colVal=v", table);
    snprintf(args, sizeof(args), "--appendonly yes --dir %s --backend %s", s->dir,
             place->url(query));
    kill(s->pid, SIGTERM);
    server_wait_end(s, 5000);
    with = server_run(args);
    w = until(with, "GET old", "'1'");
    is_column(w, "v", "old", "1");
    is_column(w, "v", "l", "[\"1\",\"2\"]");
    wire_close(w);
    server_stop(with);
    server_discard(s);
}

/* ---- write-through --------------------------------------------------------------------------- */

static void test_through(void)
{
    struct wire *w;
    struct server *s;

    next_table("through");
    s = ready("--backend-mode write-through", &w);
    is_call(w, "SET a 1", "+OK");
    is_column(NULL, "v", "a", "1");
    is_call(w, "MULTI", "+OK");
    is_call(w, "INCR a", "+QUEUED");
    is_call(w, "SET b x", "+QUEUED");
    is_call(w, "EXEC", "[:2 +OK]");
    is_column(NULL, "v", "a", "2");
    is_column(NULL, "v", "b", "x");
    is_call(w, "FLUSHALL", "+OK");
    is_column(NULL, "v", "a", "");
    wire_close(w);
    server_stop(s);
}

/* ---- a database that hangs ------------------------------------------------------------------- */

/* Of PostgreSQL each connection has a process of its own, so the table is kept from them. */
static void hang(bool on)
{
    char lock[128];

    if (place->pause && strcmp(place->scheme, "pgsql") != 0) {
        place->pause(on);
        return;
    }
    snprintf(lock, sizeof(lock), place->pause ? "BEGIN; LOCK TABLE %s" : "BEGIN EXCLUSIVE", table);
    place->other(on ? lock : "ROLLBACK");
}

static void test_hangs_through(void)
{
    struct wire *w;
    struct server *s;
    int64_t start;

    next_table("hangs");
    s = ready("--backend-mode write-through --backend-timeout 700", &w);
    is_call(w, "SET a 1", "+OK");
    hang(true);
    start = clock_mono_ms();
    is_like(wire_call(w, "INCR a"), "^-BACKEND ", "%s: nothing is promised", place->scheme);
    ok(clock_mono_ms() - start < 15000, "%s: and that is said in time", place->scheme);
    is_like(wire_call(w, "INCR a"), "^-BACKEND ", "%s: then at once", place->scheme);
    is_call(w, "PING", "+PONG");
    hang(false);
    wire_close(w);
    w = until(s, "SET b 2", "+OK");
    is_like(wire_call(w, "GET a"), "^'[12]'$", "%s: what counts is what the table has",
            place->scheme);
    is_column(NULL, "v", "a", atoi(wire_call(w, "GET a") + 1) == 1 ? "1" : "2");
    wire_close(w);
    server_stop(s);
}

static void test_hangs_behind(void)
{
    struct wire *w;
    struct server *s;

    next_table("queue");
    s = ready("--backend-load all --backend-timeout 700 --backend-queue-limit 100kb", &w);
    is_call(w, "SET a 1", "+OK");
    is_call(w, "BACKEND FLUSH", "+OK");
    hang(true);
    is_call(w, "SET a 2", "+OK");
    is_call(w, "GET a", "'2'");
    for (int i = 0; i < 5000 && wire_callf(w, "SET key:%d x", i)[0] == '+'; i++)
        usleep(i % 100 ? 0 : 10000);
    is_call(w, "SET more x", "-BACKEND the queue of changes that are not in the table yet is full");
    is_call(w, "GET a", "'2'");
    ok(field(w, "backend_lag_records") > 100, "%s: the lag is told", place->scheme);
    hang(false);
    wire_close(w);
    w = until(s, "SET more x", "+OK");
    is_column(w, "v", "a", "2");
    is_column(w, "v", "key:0", "x");
    is_int(field(w, "backend_lag_records"), 0, "%s: nothing is left", place->scheme);
    wire_close(w);
    server_stop(s);
}

/* Killed and started anew, under load. */
static void test_database_killed(void)
{
    struct wire *w;
    struct server *s;
    int sent[COUNTERS] = {0};
    char want[16];

    if (!place->kill)
        return;
    next_table("dead");
    s = ready("--backend-load all --backend-timeout 1000", &w);
    count_up(w, sent, 100);
    place->kill();
    count_up(w, sent, 100);
    place->restart();
    count_up(w, sent, 100);
    wire_close(w);
    w = until(s, "BACKEND FLUSH", "+OK");
    snprintf(want, sizeof(want), "%d", sent[0]);
    is_column(w, "v", "c0", want);
    ok(field(w, "backend_reconnects") > 0, "%s: it has connected again", place->scheme);
    wire_close(w);
    server_stop(s);
}

/* ---- BACKEND, INFO --------------------------------------------------------------------------- */

/* Step by step to more than 200 characters: the last step is refused, and nothing is changed. */
static void grow_by(struct wire *w, const char *begin, const char *end, const char *length)
{
    char line[128];
    long long before;
    int n = 0;

    do {
        before = wire_int(w, length);
        snprintf(line, sizeof(line), "%s%d%s", begin, n, end);
    } while (wire_call(w, line)[0] != '-' && ++n < 30);
    is_str(w->last, "-BACKEND a value is longer than the table's column holds", "%s: %s",
           place->scheme, begin);
    ok(n > 4, "%s: it has grown", place->scheme);
    is_int(wire_int(w, length), before, "%s: it is as it was", place->scheme);
}

static void grow(struct wire *w)
{
    grow_by(w, "APPEND s 123456789-", "", "STRLEN s");
    grow_by(w, "SETRANGE r 1", "0 x", "STRLEN r");
    grow_by(w, "HSET h field", " value", "HLEN h");
    grow_by(w, "RPUSH l element", "", "LLEN l");
    grow_by(w, "SADD m element", "", "SCARD m");
    grow_by(w, "ZADD z 1 element", "", "ZCARD z");
    is_call(w, "HSET h field0 v", "-BACKEND a value is longer than the table's column holds");
    is_call(w, "HDEL h field0", ":1");
    is_call(w, "HSET h f v", ":1");
    is_call(w, "BACKEND FLUSH", "+OK");
    is_int(field(w, "backend_rejected"), 0, "%s: nothing is rejected", place->scheme);
}

/* A table that another program has made, with narrow columns. */
static void test_narrow(void)
{
    char sql[256], line[400], key[200];
    struct wire *w;
    struct server *s;

    if (strcmp(place->scheme, "sqlite") == 0)
        return; /* whose columns hold anything */
    next_table("narrow");
    snprintf(sql, sizeof(sql), "CREATE TABLE %s (k VARCHAR(128) PRIMARY KEY, v VARCHAR(200))",
             table);
    place->other(sql);
    s = ready("", &w);
    memset(key, 'k', 129);
    key[129] = '\0';
    snprintf(line, sizeof(line), "SET %s 1", key);
    is_like(wire_call(w, line), "^-BACKEND key 'k+' is longer than", "%s: a long key",
            place->scheme);
    is_call(w, "GET nothing", "nil");
    snprintf(line, sizeof(line), "SET %s 1", key + 1);
    is_call(w, line, "+OK");
    memset(line, 'v', 300);
    memcpy(line, "SET a ", 6);
    line[300] = '\0';
    is_call(w, line, "-BACKEND a value is longer than the table's column holds");
    is_call(w, "GET a", "nil");
    is_call(w, "SET a short", "+OK");
    is_column(w, "v", "a", "short");
    grow(w);
    wire_close(w);
    server_stop(s);
}

static void test_told(void)
{
    struct wire *w;
    struct server *s;
    char *text;

    next_table("told");
    s = ready("", &w);
    text = wire_bulk(w, "INFO backend");
    is_like(text, "backend_state:ready\r", "%s: the state", place->scheme);
    is_like(text, "backend_mode:write-behind\r", "%s: and the mode", place->scheme);
    free(text);
    is_like(wire_call(w, "BACKEND STATUS"), "'state' 'ready'", "%s: BACKEND STATUS", place->scheme);
    is_call(w, "BACKEND RETRY", "+OK");
    is_call(w, "BACKEND", "-ERR wrong number of arguments for 'backend' command");
    is_like(wire_call(w, "BACKEND NOPE"), "^-ERR unknown subcommand", "%s: no such", place->scheme);
    is_call(w, "CONFIG GET backend-mode", "['backend-mode' 'write-behind']");
    wire_close(w);
    server_stop(s);
}

int main(void)
{
    static void (*const tests[])(void) = {
        test_types,        test_ends,
        test_served,       test_whole,
        test_standby,      test_killed,
        test_through,      test_hangs_through,
        test_hangs_behind, test_database_killed,
        test_log_moves_in, test_narrow,
        test_told,
    };
    size_t n;
    const struct place *places = places_start(&n);

    for (size_t i = 0; i < n; i++) {
        place = &places[i];
        for (size_t t = 0; t < sizeof(tests) / sizeof(tests[0]); t++)
            tests[t]();
    }
    places_stop();
    return tap_done();
}
