/*
 * Which keys CLIENT TRACKING remembers, what counts as a change of them, and what bounds their
 * number.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/lib/raw.h"
#include "tests/wire/tracking.h"

/* ---- what reads, and what changes ----------------------------------------------------------- */

static const struct {
    const char *line;
    bool reads;
} reading[] = {
    {"EXISTS k", true},
    {"TYPE k", true},
    {"TTL k", true},
    {"PTTL k", true},
    {"EXPIRETIME k", true},
    {"STRLEN k", true},
    {"OBJECT ENCODING k", true},
    {"OBJECT FREQ k", true},
    {"TOUCH k", true},
    {"GETRANGE k 0 1", true},
    {"SUBSTR k 0 1", true},
    {"BITCOUNT k", true},
    {"GETBIT k 1", true},
    {"BITPOS k 1", true},
    {"MEMORY USAGE k", true},
    {"BITFIELD_RO k GET u8 0", true},
    {"LCS l k", true},
    {"MGET l k", true},
    {"EXISTS l k", true},
    {"GETEX k", false},
    {"WATCH k", false},
    {"GETDEL l", false},
    {"BITFIELD k GET u8 0", false},
    {"SCAN 0", false},
    {"RANDOMKEY", false},
    {"KEYS *", false},
    {"ECHO k", false},
    {"GET k x", false},
    {"DBSIZE", false},
    {"OBJECT HELP", false},
    {"SETNX k 2", false},
    {"SSUBSCRIBE k", false},
    {"LLEN k", true},
    {"LRANGE k 0 1", true},
    {"HGETALL k", true},
    {"SMEMBERS k", true},
    {"ZRANGE k 0 1", true},
    {"SORT_RO k", true},
    {"SORT k", false},
    {"PFCOUNT l k", true},
    {"SINTERCARD 2 l k", true},
    {"ZUNION 2 l k", true},
    {"GEOPOS k x", true},
    {"GEORADIUS_RO k 1 1 1 m", true},
    {"ZUNIONSTORE l 1 k", false},
    {"SINTERSTORE l k", false},
    {"BLPOP k 1", false},
};

/* Each command is sent after a SET of k and another key; then k is set again. */
static void reads(struct session *t)
{
    for (size_t i = 0; i < sizeof(reading) / sizeof(reading[0]) && t->protocol == 3; i++) {
        struct wire *reader = wire_open(t->server, 3), *writer = session_wire(t, 1);

        wire_call(writer, "MSET k 1 l 2");
        wire_call(reader, "CLIENT TRACKING on");
        wire_call(reader, reading[i].line);
        wire_call(writer, "SET k 1");
        is_str(wire_call(reader, "PING"), reading[i].reads ? TOLD("k") : "+PONG",
               "tracking RESP3: %s %s", reading[i].line,
               reading[i].reads ? "reads" : "does not read");
        wire_close(reader);
    }
    if (t->protocol == 2)
        ok(true, "tracking RESP2: nothing is told of what was read");
}

static const struct wire_case changes_cases[] = {
    {"CLIENT TRACKING on", "+OK"},
    {"GET k", "nil"},
    {"@1 DEL k", ":0"},
    {"@1 EXPIRE k 10", ":0"},
    {"@1 SETNX k 1", ":1"},
    {"", TOLD("k")},
    {"GET k", "'1'"},
    {"@1 SETNX k 2", ":0"},
    {"@1 PERSIST k", ":0"},
    {"@1 TOUCH k", ":1"},
    {"@1 GETEX k PERSIST", "'1'"},
    {"@1 RENAME k k", "+OK"},
    {"@1 SET k 2 NX", "nil"},
    {"@1 SETRANGE k 0 \"\"", ":1"},
    {"@1 COPY k l", ":1"},
    {"PING", "+PONG"},
    {"@1 GETEX k EX 100", "'1'"},
    {"", TOLD("k")},
    {"GET k", "'1'"},
    {"@1 EXPIRE k 200", ":1"},
    {"", TOLD("k")},
    {"GET k", "'1'"},
    {"@1 PERSIST k", ":1"},
    {"", TOLD("k")},
    {"MGET k m", "['1' nil]"},
    {"@1 RENAME k m", "+OK"},
    {"", TOLD("k")},
    {"", TOLD("m")},
    {"MGET k m", "[nil '1']"},
    {"@1 COPY m k", ":1"},
    {"", TOLD("k")},
    {"MGET k m", "['1' '1']"},
    {"@1 MOVE k 4", ":1"},
    {"", TOLD("k")},
    {"@1 UNLINK m", ":1"},
    {"", TOLD("m")},
    {"GET m", "nil"},
    {"@1 APPEND m x", ":1"},
    {"", TOLD("m")},
    {"GET m", "'x'"},
    {"@1 SETBIT m 0 1", ":0"},
    {"", TOLD("m")},
    {"GET m", "'\\xf8'"},
    {"@1 BITOP NOT m l", ":1"},
    {"", TOLD("m")},
};
RESP3_CASES(changes)

/* Who waits for a key hears of it before it gets it. */
static const struct wire_case waiting_cases[] = {
    {"CLIENT TRACKING on", "+OK"},
    {"LRANGE l 0 -1", "[]"},
    {"BLPOP l 0", ""},
    {"~50", ""},
    {"@1 RPUSH l a b", ":2"},
    {"", TOLD("l")},
    {"", "['l' 'a']"},
    {"@1 LPUSH l x", ":2"},
    {"", "(silence)"},
    {"@2 CLIENT TRACKING on BCAST", "+OK"},
    {"@3 BLPOP none 0", ""},
    {"~50", ""},
    {"@1 RPUSH none a", ":1"},
    {"@3", "['none' 'a']"},
    {"@2", TOLD("none")},
    {"@2", "(silence)"},
};
RESP3_CASES(waiting)

static const struct wire_case flushing_cases[] = {
    {"CLIENT TRACKING on", "+OK"},
    {"@2 CLIENT TRACKING on NOLOOP", "+OK"},
    {"@3 CLIENT TRACKING on BCAST PREFIX k", "+OK"},
    {"@1 SET l 1", "+OK"},
    {"GET k", "nil"},
    {"@1 FLUSHALL", "+OK"},
    {"", TOLD_ALL},
    {"@2", TOLD_ALL},
    {"@3", TOLD_ALL},
    {"@1 SET l 1", "+OK"},
    {"@1 INFO stats", "/tracking_total_keys:0\\\\r\\\\ntracking_total_items:0\\\\r"},
    {"", "(silence)"},
    {"@2 GET l", "'1'"},
    {"@2 FLUSHDB", "+OK"},
    {"@2", TOLD_ALL},
    {"", TOLD_ALL},
    {"@3", TOLD_ALL},
    {"@3 MULTI", "+OK"},
    {"@3 FLUSHALL", "+QUEUED"},
    {"@3 PING", "+QUEUED"},
    {"@3 FLUSHDB ASYNC", "+QUEUED"},
    {"@3 EXEC", "[+OK +PONG +OK]"},
    {"@3", TOLD_ALL},
    {"@3", TOLD_ALL},
    {"", TOLD_ALL},
    {"", TOLD_ALL},
    {"@1 SELECT 5", "+OK"},
    {"@1 FLUSHDB", "+OK"},
    {"", TOLD_ALL},
};
RESP3_CASES(flushing)

static const struct wire_case expiring_cases[] = {
    {"CLIENT TRACKING on NOLOOP", "+OK"},
    {"@1 SET k 1 PX 80", "+OK"},
    {"GET k", "'1'"},
    {"~250", ""},
    {"", TOLD("k")},
    {"@2 CLIENT TRACKING on BCAST NOLOOP", "+OK"},
    {"@1 SET k 1 PX 80", "+OK"},
    {"@2", TOLD("k")},
    {"GET k", "'1'"},
    {"~250", ""},
    {"@2", TOLD("k")},
    {"", TOLD("k")},
    {"GET k", "nil"},
};
RESP3_CASES(expiring)

/* Evicted keys are told of, also those that go for a command of the same connection. */
static void evicting(struct session *t)
{
    struct wire *reader = session_wire(t, 0), *writer = session_wire(t, 1);
    int told = 0;

    for (int i = 0; i < 8; i++)
        wire_callf(writer, "SET key:%d 1234567890123456789012345678901234567890", i);
    wire_call(reader, "CLIENT TRACKING on");
    for (int i = 0; i < 8; i++)
        wire_callf(reader, "GET key:%d", i);
    wire_call(writer, "CONFIG SET maxmemory-policy allkeys-random maxmemory 1");
    wire_call(reader, "SET foo bar");
    while (t->protocol == 3 && strncmp(reader->last, ">['invalidate' ['key:", 21) == 0) {
        told++;
        wire_read(reader);
    }
    is_like(reader->last, "^-OOM", "tracking RESP%d: no memory", t->protocol);
    is_int(told, t->protocol == 3 ? 8 : 0, "tracking RESP%d: told of keys that were evicted",
           t->protocol);
    wire_call(writer, "CONFIG SET maxmemory 0 maxmemory-policy noeviction");
}

/* A client that waits for nothing else is told at once. */
static void without_asking(struct session *t)
{
    enum { CHANGES = 100, LIMIT_MS = 3000 };
    struct wire *reader = wire_open(t->server, 3), *writer = session_wire(t, 1);
    long long start = raw_now_ms();
    int told = 0;

    wire_call(reader, "CLIENT TRACKING on");
    for (int i = 0; i < CHANGES; i++) {
        wire_call(reader, "GET k");
        wire_call(writer, "SET k 1");
        told += strcmp(wire_read(reader), TOLD("k")) == 0;
    }
    is_int(told, CHANGES, "tracking RESP%d: told without asking", t->protocol);
    ok(raw_now_ms() - start < LIMIT_MS, "tracking RESP%d: and at once", t->protocol);
    wire_close(reader);
}

/* ---- bounds --------------------------------------------------------------------------------- */

static long long info(struct session *t, const char *field)
{
    char *text = wire_bulk(session_wire(t, 9), "INFO"), *at = strstr(text, field);
    long long n = at != NULL ? strtoll(at + strlen(field) + 1, NULL, 10) : -1;

    free(text);
    return n;
}

static bool soon(struct session *t, const char *field, long long most)
{
    for (int i = 0; i < 1000; i++) {
        if (info(t, field) <= most)
            return true;
        raw_sleep_ms(10);
    }
    return false;
}

static void counts(struct session *t)
{
    struct wire *a = session_wire(t, 0), *b = session_wire(t, 1), *c = session_wire(t, 2);

    wire_call(a, "CLIENT TRACKING on");
    wire_call(a, "MGET a b c");
    wire_call(b, "CLIENT TRACKING on");
    wire_call(b, "MGET c d");
    wire_call(b, "MGET d c");
    wire_call(c, "CLIENT TRACKING on BCAST PREFIX x PREFIX y");
    is_int(info(t, "tracking_clients"), 3, "tracking RESP%d: clients", t->protocol);
    is_int(info(t, "tracking_total_keys"), 4, "tracking RESP%d: keys", t->protocol);
    is_int(info(t, "tracking_total_items"), 5, "tracking RESP%d: items", t->protocol);
    is_int(info(t, "tracking_total_prefixes"), 2, "tracking RESP%d: prefixes", t->protocol);
    wire_call(a, "SET c 1");
    is_int(info(t, "tracking_total_keys"), 3, "tracking RESP%d: keys after a change", t->protocol);
    is_int(info(t, "tracking_total_items"), 3, "tracking RESP%d: items after a change",
           t->protocol);
}

static void table_limit(struct session *t)
{
    struct wire *reader = session_wire(t, 0), *writer = session_wire(t, 1);
    int told = 0;

    wire_call(reader, "CLIENT TRACKING on");
    wire_call(writer, "CONFIG SET tracking-table-max-keys 10");
    for (int i = 0; i < 100; i++)
        wire_callf(reader, "GET key:%d", i);
    ok(soon(t, "tracking_total_keys", 10), "tracking RESP%d: no more keys than allowed",
       t->protocol);
    wire_call(writer, "CONFIG SET tracking-table-max-keys 3");
    ok(soon(t, "tracking_total_keys", 3), "tracking RESP%d: fewer are allowed", t->protocol);
    wire_call(writer, "CONFIG SET tracking-table-max-keys 1000000");
    for (int i = 0; i < 100; i++)
        wire_callf(writer, "SET key:%d 1", i);
    if (t->protocol == 2)
        return;
    wire_close(reader);
    t->connections[0] = NULL;
    reader = session_wire(t, 2);
    wire_call(reader, "CLIENT TRACKING on");
    wire_call(writer, "CONFIG SET tracking-table-max-keys 1");
    wire_call(reader, "MGET a b c d e");
    while (told < 4 && strncmp(wire_read(reader), ">['invalidate' [", 16) == 0)
        told++;
    is_int(told, 4, "tracking RESP3: all but one are told of");
    wire_call(writer, "CONFIG SET tracking-table-max-keys 0");
    wire_call(reader, "MGET a b c d e");
    is_str(wire_call(reader, "PING"), "+PONG", "tracking RESP3: 0 is no limit");
    wire_call(writer, "CONFIG SET tracking-table-max-keys 1000000");
}

/* Redis leaves it to the next change of the keys. */
static void closed_connections(struct session *t)
{
    struct wire *stays = session_wire(t, 0);

    wire_call(stays, "CLIENT TRACKING on");
    wire_call(stays, "MGET key:0 key:1");
    for (int i = 0; i < 20; i++) {
        struct wire *w = wire_open(t->server, t->protocol);

        wire_call(w, "CLIENT TRACKING on");
        for (int k = 0; k < 100; k++)
            wire_callf(w, "GET key:%d", k);
        wire_close(w);
    }
    ok(soon(t, "tracking_total_items", 2), "tracking RESP%d: nothing is left of closed connections",
       t->protocol);
    is_int(info(t, "tracking_total_keys"), 2, "tracking RESP%d: but of those that are there",
           t->protocol);
}

/* Many who have read the same key: all are told, once. */
static void many_readers(struct session *t)
{
    enum { READERS = 300 };
    static struct wire *readers[READERS];
    struct wire *writer = session_wire(t, 0);
    int told = 0;

    for (int i = 0; i < READERS; i++) {
        readers[i] = wire_open(t->server, 3);
        wire_call(readers[i], "CLIENT TRACKING on");
        wire_call(readers[i], "GET k");
        wire_call(readers[i], "MGET l k");
    }
    is_int(info(t, "tracking_total_items"), 2 * READERS, "tracking RESP%d: all are remembered",
           t->protocol);
    for (int i = 0; i < READERS; i += 3)
        wire_call(readers[i], "CLIENT TRACKING off");
    wire_call(writer, "SET k 1");
    for (int i = 0; i < READERS; i++) {
        told += strcmp(wire_call(readers[i], "PING"), TOLD("k")) == 0;
        wire_close(readers[i]);
    }
    is_int(told, READERS - READERS / 3, "tracking RESP%d: all who want to know are told",
           t->protocol);
}

static const struct group groups[] = {
    TEST(reads),          TEST(changes),
    TEST(waiting),        TEST(flushing),
    TEST(expiring),       TEST(evicting),
    TEST(without_asking), TEST(counts),
    TEST(table_limit),    NEW_TEST(closed_connections),
    TEST(many_readers),   {NULL},
};

int main(void)
{
    static const int threads[] = {1, 4, 0};

    return session_main("tracking", "", threads, groups);
}
