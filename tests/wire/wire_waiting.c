/*
 * Waiting that ends otherwise than by being served, and what others see of those who wait. The
 * commands that wait are in wire_blocking.c.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "tests/lib/raw.h"
#include "tests/lib/tap.h"
#include "tests/lib/wire.h"

#define WRONGTYPE "-WRONGTYPE Operation against a key holding the wrong kind of value"

static void unblock(struct session *t)
{
    long long id = wire_int(session_wire(t, 1), "CLIENT ID");
    struct wire *w = session_wire(t, 0), *other = session_wire(t, 1);
    const char *vain = t->protocol == 2 ? "nil*" : "nil";

    is_str(wire_callf(w, "CLIENT UNBLOCK %lld", id), ":0", "nothing to unblock");
    session_block(t, 1, "BLPOP k l 0");
    is_str(wire_callf(w, "CLIENT UNBLOCK %lld", id), ":1", "unblocked");
    is_str(wire_read(other), vain, "as if in time");
    session_block(t, 1, "BLMOVE k l LEFT LEFT 0");
    is_str(wire_callf(w, "CLIENT UNBLOCK %lld TIMEOUT", id), ":1", "unblocked as if in time");
    is_str(wire_read(other), vain, "as if in time");
    session_block(t, 1, "BRPOP k l 0");
    is_str(wire_callf(w, "CLIENT UNBLOCK %lld error", id), ":1", "unblocked with an error");
    is_str(wire_read(other), "-UNBLOCKED client unblocked via CLIENT UNBLOCK", "an error");
    is_str(wire_call(other, "PING"), "+PONG", "usable as before");
    session_block(t, 1, "BRPOP k l 0");
    is_str(wire_callf(w, "CLIENT UNBLOCK %lld NOPE", id),
           "-ERR CLIENT UNBLOCK reason should be TIMEOUT or ERROR", "a reason that is none");
    is_str(wire_call(w, "RPUSH l x"), ":1", "what comes later");
    is_str(wire_read(other), "['l' 'x']", "is served");
    is_str(wire_call(w, "RPUSH l x"), ":1", "nobody waits any more");
    is_str(wire_callf(w, "CLIENT UNBLOCK %lld", id), ":0", "so nobody is unblocked");
}

static void killed(struct session *t)
{
    long long id = wire_int(session_wire(t, 1), "CLIENT ID");
    struct wire *w = session_wire(t, 0);

    session_block(t, 1, "BLPOP k l 0");
    session_block(t, 2, "BLPOP k 0");
    is_str(wire_callf(w, "CLIENT KILL ID %lld", id), ":1", "killed");
    is_str(wire_call(w, "RPUSH l x"), ":1", "an element");
    is_str(wire_call(w, "RPUSH k x"), ":1", "and another one");
    is_str(wire_read(session_wire(t, 2)), "['k' 'x']", "the next one is served");
    is_str(wire_call(w, "LRANGE l 0 -1"), "['x']", "the one who was killed is not");
    is_str(wire_read(session_wire(t, 1)), "(closed)", "its connection is closed");
}

/* Closed without the server having had time to look. */
static void closed(struct session *t)
{
    struct wire *w = session_wire(t, 0);

    for (int i = 0; i < 20; i++) {
        session_block(t, 1, "BLPOP k l 0");
        session_block(t, 2, "BLPOP k 0");
        wire_close(t->connections[1]);
        t->connections[1] = NULL;
        is_str(wire_call(w, "RPUSH k x"), ":1", "an element");
        is_str(wire_read(session_wire(t, 2)), "['k' 'x']", "is the next one's");
        is_str(wire_call(w, "RPUSH l x"), ":1", "an element");
        is_str(wire_call(w, "LPOP l"), "'x'", "for nobody stays");
    }
}

static void half_closed(struct session *t)
{
    struct wire *w = session_wire(t, 0);

    session_block(t, 1, "BLPOP k 0");
    shutdown(session_wire(t, 1)->fd, SHUT_WR);
    is_str(wire_call(w, "RPUSH k x"), ":1", "an element");
    is_str(wire_call(w, "LRANGE k 0 -1"), "['x']", "for who has closed its side stays");
    is_str(wire_read(session_wire(t, 1)), "(closed)", "and its connection is closed");
}

static bool has_text(struct wire *w, const char *line, const char *text)
{
    char *got = wire_bulk(w, line);
    bool has = got != NULL && strstr(got, text) != NULL;

    if (!has)
        diag("%s: no %s in %s", line, text, got != NULL ? got : "nothing");
    free(got);
    return has;
}

static void seen(struct session *t)
{
    struct wire *w = session_wire(t, 0);

    wire_call(session_wire(t, 1), "CLIENT SETNAME waits");
    session_block(t, 1, "BLPOP k 0");
    session_block(t, 2, "BLMOVE k l LEFT RIGHT 100");
    ok(has_text(w, "INFO clients", "blocked_clients:2\r"), "two wait");
    ok(has_text(w, "INFO clients", "clients_in_timeout_table:1\r"), "one of them not for ever");
    ok(has_text(w, "CLIENT LIST", " flags=b"), "they have a flag");
    ok(has_text(w, "CLIENT LIST", " cmd=blmove "), "and a command");
    is_str(wire_call(w, "RPUSH k 1 2"), ":2", "elements for both");
    ok(has_text(w, "INFO clients", "blocked_clients:0\r"), "nobody waits any more");
    ok(!has_text(w, "CLIENT LIST", " flags=b"), "nobody has the flag");
    is_str(wire_read(session_wire(t, 1)), "['k' '1']", "the first is served");
    is_str(wire_read(session_wire(t, 2)), "'2'", "the second is served");
}

static void counted(struct session *t)
{
    struct wire *w = session_wire(t, 0);
    long long id = wire_int(session_wire(t, 1), "CLIENT ID");

    wire_call(session_wire(t, 2), "PING");
    is_str(wire_call(w, "CONFIG RESETSTAT"), "+OK", "nothing counted");
    session_block(t, 1, "BLPOP k 0");
    ok(has_text(w, "INFO commandstats", "cmdstat_blpop:calls=1,"), "one call");
    wire_call(w, "RPUSH k x");
    wire_read(session_wire(t, 1));
    ok(has_text(w, "INFO commandstats", "cmdstat_blpop:calls=1,"), "still one");
    is_str(wire_call(session_wire(t, 1), "BLPOP k 0.001"), t->protocol == 2 ? "nil*" : "nil",
           "in vain");
    ok(has_text(w, "INFO commandstats", "cmdstat_blpop:calls=2,"), "one more");
    session_block(t, 1, "BRPOP k 0");
    wire_callf(w, "CLIENT UNBLOCK %lld ERROR", id);
    wire_read(session_wire(t, 1));
    ok(has_text(w, "INFO errorstats", "errorstat_UNBLOCKED:count=1\r"), "an error");
    session_block(t, 1, "BLMOVE k s LEFT LEFT 0");
    wire_call(w, "SET s 1");
    wire_call(w, "RPUSH k x");
    is_str(wire_read(session_wire(t, 1)), WRONGTYPE, "an error for who waited");
    ok(has_text(w, "INFO errorstats", "errorstat_WRONGTYPE:count=1\r"), "is counted");
    ok(has_text(w, "INFO commandstats", "cmdstat_blmove:"), "and so is the command");
    ok(has_text(w, "INFO stats", "total_error_replies:2\r"), "two errors in all");
}

/* Shown when it is called, and not again. */
static void monitored(struct session *t)
{
    struct wire *w = session_wire(t, 0), *monitor = session_wire(t, 5);

    session_wire(t, 1);
    is_str(wire_call(monitor, "MONITOR"), "+OK", "MONITOR");
    wire_send(session_wire(t, 1), "BLPOP k 0");
    is_like(wire_read(monitor), "\"BLPOP\" \"k\" \"0\"", "shown when it begins");
    is_str(wire_call(w, "RPUSH k x"), ":1", "an element");
    is_like(wire_read(monitor), "\"RPUSH\" \"k\" \"x\"", "what serves it");
    is_str(wire_read(session_wire(t, 1)), "['k' 'x']", "served");
    is_str(wire_call(w, "PING"), "+PONG", "later");
    is_like(wire_read(monitor), "\"PING\"", "is next");
}

static void paused(struct session *t)
{
    struct wire *w = session_wire(t, 0);
    const char *vain = t->protocol == 2 ? "nil*" : "nil";

    session_block(t, 1, "BLPOP k 0.05");
    session_block(t, 2, "BLPOP k 0");
    session_wire(t, 3);
    is_str(wire_call(w, "CLIENT PAUSE 60000 WRITE"), "+OK", "who writes is paused");
    is_str(wire_read(session_wire(t, 1)), vain, "time passes all the same");
    wire_send(session_wire(t, 3), "RPUSH k x");
    is_str(wire_call(w, "CLIENT UNPAUSE"), "+OK", "and go on");
    is_str(wire_read(session_wire(t, 3)), ":1", "what waited for that");
    is_str(wire_read(session_wire(t, 2)), "['k' 'x']", "serves who waits for it");
}

/* Not too early, and, where nothing else is in the way, not late by more than a few ms. */
static void on_time(struct session *t)
{
    enum { TIMES = 30, WAIT_US = 20000, LATE_US = 5000 };
    struct wire *w = session_wire(t, 0);
    long long least = 1000000000, us;

    for (int i = 0; i < TIMES; i++) {
        us = clock_mono_us();
        wire_call(w, "BLPOP k l 0.02");
        us = clock_mono_us() - us;
        least = us < least ? us : least;
    }
    ok(least >= WAIT_US && least < WAIT_US + LATE_US, "20 ms take %lld us at least", least);
}

/* A name that is too long to be kept with the other arguments. */
static void long_names(struct session *t)
{
    enum { LEN = 100000 };
    struct wire *w = session_wire(t, 0), *waits = session_wire(t, 1);
    char *name = malloc(LEN);
    const char *push[] = {"RPUSH", name, "x"}, *pop[] = {"BLPOP", "a", name, name, "0"};

    memset(name, 'n', LEN);
    wire_send_args(waits, 5, pop, (const size_t[]){5, 1, LEN, LEN, 1});
    while (!has_text(w, "INFO clients", "blocked_clients:1\r"))
        ;
    wire_send_args(w, 3, push, (const size_t[]){5, LEN, 1});
    is_str(wire_read(w), ":1", "an element for a key with a long name");
    is_like(wire_read(waits), "^\\['n+' 'x'\\]$", "is served");
    free(name);
}

int main(void)
{
    static const int threads[] = {1, 4, 0};
    static const struct group groups[] = {
        TEST(unblock),
        TEST(killed),
        TEST(closed),
        TEST(half_closed),
        TEST(seen),
        TEST(counted),
        TEST(monitored),
        TEST(paused),
        NEW_TEST(on_time),
        TEST(long_names),
        {NULL, NULL, 0, NULL, false},
    };

    return session_main("waiting", "", threads, groups);
}
