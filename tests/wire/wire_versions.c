/*
 * Versions of keys: what gives a key a new one, and waiting for it.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/lib/raw.h"
#include "tests/lib/tap.h"
#include "tests/lib/wire.h"

#define WRONGTYPE "-WRONGTYPE Operation against a key holding the wrong kind of value"
#define NOT_AN_INTEGER "-ERR value is not an integer or out of range"
#define NO_TIMEOUT "-ERR timeout is not an integer or out of range"

enum { LINE_MAX = 200 };

static const struct wire_case without_keys[] = {
    {"VERSION none", ":0"},
    {"VERSION none SINCE 5", ":0"},
    {"VERSION none SINCE 0", ":0"},
    {"VGET none", "[:0 nil]"},
    {"VGET none SINCE 5", "[:0 nil]"},
    {"VGET none SINCE 0", "nil", "nil*"},
    {"MVERSION none other none", "[:0 :0 :0]"},
    {"VERSION none SINCE 5 WAIT 1000000", ":0"},
    {"VGET none SINCE 5 WAIT 1000000", "[:0 nil]"},
};

static const struct wire_case arguments[] = {
    {"VERSION", "-ERR wrong number of arguments for 'version' command"},
    {"VGET", "-ERR wrong number of arguments for 'vget' command"},
    {"MVERSION", "-ERR wrong number of arguments for 'mversion' command"},
    {"VERSION k l", "-ERR syntax error"},
    {"VERSION k SINCE", "-ERR syntax error"},
    {"VERSION k WAIT", "-ERR syntax error"},
    {"VERSION k SINCE 1 WAIT", "-ERR syntax error"},
    {"VERSION k SINCE 1 SINCE 1", "-ERR syntax error"},
    {"VERSION k WAIT 1 WAIT 1", "-ERR syntax error"},
    {"VERSION k SINCE x", NOT_AN_INTEGER},
    {"VERSION k SINCE -1", NOT_AN_INTEGER},
    {"VERSION k SINCE 1.0", NOT_AN_INTEGER},
    {"VERSION k SINCE 0 WAIT x", NO_TIMEOUT},
    {"VERSION k WAIT 0.5", NO_TIMEOUT},
    {"VERSION k SINCE 0 WAIT -2", NO_TIMEOUT},
    {"VGET k SINCE 0 WAIT -2", NO_TIMEOUT},
    {"VGET k SINCE 0 WAITS 1", "-ERR syntax error"},
    {"RPUSH l a", ":1"},
    {"VGET l", WRONGTYPE},
    {"VGET l SINCE 0", WRONGTYPE},
    {"VGET l WAIT 1000000", WRONGTYPE},
    {"VERSION l", "/^:[1-9]"},
    {"MVERSION l k", "/^\\[:[1-9][0-9]* :0\\]$"},
};

static const struct wire_case values[] = {
    {"SET k v", "+OK"},
    {"VGET k", "/^\\[:[1-9][0-9]* 'v'\\]$"},
    {"VGET k SINCE 0", "/^\\[:[1-9][0-9]* 'v'\\]$"},
    {"VGET k SINCE 0 WAIT -1", "/^\\[:[1-9][0-9]* 'v'\\]$"},
    {"VGET k WAIT 1000000 SINCE 0", "/^\\[:[1-9][0-9]* 'v'\\]$"},
    {"SET k 12", "+OK"},
    {"vget k since 0 wait 5", "/^\\[:[1-9][0-9]* '12'\\]$"},
    {"SELECT 1", "+OK"},
    {"VGET k", "[:0 nil]"},
};

static const struct wire_case in_vain[] = {
    {"VERSION k SINCE 0 WAIT 0", "nil"},
    {"VERSION k SINCE 0 WAIT 1", "nil"},
    {"VERSION k SINCE 0 WAIT 20", "nil"},
    {"VGET k SINCE 0 WAIT 0", "nil", "nil*"},
    {"VGET k SINCE 0 WAIT 20", "nil", "nil*"},
    {"VERSION k WAIT 0", "nil"},
    {"VERSION k WAIT 20", "nil"},
    {"VGET k WAIT 20", "nil", "nil*"},
    {"@1 CLIENT ID", "/^:"},
    {"@1 VERSION k SINCE 0 WAIT 9223372036854775807", "(waits)"},
    {"SET k 1", "+OK"},
    {"@1", "/^:[1-9]"},
    {"@1 VGET k WAIT -1", "(waits)"},
    {"@1 PING", ""},
    {"GET k", "'1'"},
    {"SET k 1", "+OK"},
    {"@1", "/^\\[:[1-9][0-9]* '1'\\]$"},
    {"@1", "+PONG"},
};

static const struct wire_case in_transactions[] = {
    {"SET k v", "+OK"},
    {"MULTI", "+OK"},
    {"VERSION none SINCE 0 WAIT -1", "+QUEUED"},
    {"VGET none SINCE 0 WAIT 1000000", "+QUEUED"},
    {"VERSION none SINCE 1 WAIT -1", "+QUEUED"},
    {"VGET k WAIT -1", "+QUEUED"},
    {"VGET k SINCE 0 WAIT -1", "+QUEUED"},
    {"MVERSION none", "+QUEUED"},
    {"EXEC", "/^\\[nil nil :0 nil \\[:[1-9][0-9]* 'v'\\] \\[:0\\]\\]$",
     "/^\\[nil nil\\* :0 nil\\* \\[:[1-9][0-9]* 'v'\\] \\[:0\\]\\]$"},
    /* What a transaction ends with is what counts. */
    {"@1 VERSION none SINCE 0 WAIT -1", "(waits)"},
    {"MULTI", "+OK"},
    {"SET none 1", "+QUEUED"},
    {"DEL none", "+QUEUED"},
    {"EXEC", "[+OK :1]"},
    {"@1", "(silence)"},
    {"MULTI", "+OK"},
    {"SET none 1", "+QUEUED"},
    {"SET none 2", "+QUEUED"},
    {"EXEC", "[+OK +OK]"},
    {"@1", "/^:[1-9]"},
    {"@1 VGET k WAIT -1", "(waits)"},
    {"MULTI", "+OK"},
    {"DEL k", "+QUEUED"},
    {"SET k w", "+QUEUED"},
    {"EXEC", "[:1 +OK]"},
    {"@1", "/^\\[:[1-9][0-9]* 'w'\\]$"},
};

/* Several kinds of waiters for one key: each gets what concerns it. */
static const struct wire_case beside_others[] = {
    {"@1 VERSION k SINCE 0 WAIT -1", "(waits)"},
    {"@2 BLPOP k 0", "(waits)"},
    {"@3 BZPOPMIN k 0", "(waits)"},
    {"@4 VGET k SINCE 0 WAIT -1", "(waits)"},
    {"SADD k a", ":1"},
    {"@1", "/^:[1-9]"},
    {"@2", "(silence)"},
    {"@4", WRONGTYPE},
    {"DEL k", ":1"},
    {"@1 VERSION k SINCE 0 WAIT -1", "(waits)"},
    {"RPUSH k a", ":1"},
    {"@2", "['k' 'a']"},
    {"@1", "(silence)"},
    {"ZADD k 1 a 2 b", ":2"},
    {"@3", "['k' 'a' ,1]"},
    {"@1", "/^:[1-9]"},
};

/* ---- what changes a version ------------------------------------------------------------------ */

struct step {
    const char *line;
    bool changes; /* the key called k */
};

static const struct step steps[] = {
    {"SET k 1", true},
    {"SET k 1", true},
    {"GET k", false},
    {"GETSET k 2", true},
    {"INCR k", true},
    {"SETNX k 5", false},
    {"APPEND k x", true},
    {"SETRANGE k 0 y", true},
    {"EXPIRE k 1000", true},
    {"TTL k", false},
    {"TOUCH k", false},
    {"OBJECT ENCODING k", false},
    {"PERSIST k", true},
    {"PERSIST k", false},
    {"GETEX k EX 1000", true},
    {"DUMP k", false},
    {"SETBIT k 100 1", true},
    {"SETBIT k 100 1", false},
    {"SETBIT k 100 0", true},
    {"BITFIELD k GET u8 0", false},
    {"RENAME k l", true},
    {"SET l 1", false},
    {"RENAME l k", true},
    {"COPY k l", false},
    {"COPY l k REPLACE", true},
    {"MOVE k 1", true},
    {"COPY l k", true},
    {"SWAPDB 0 1", true},
    {"SWAPDB 0 1", true},
    {"SWAPDB 2 3", false},
    {"DEL k", true},
    {"DEL k", false},
    {"LPUSH k a b", true},
    {"LSET k 0 c", true},
    {"LREM k 1 none", false},
    {"RPOP k", true},
    {"RENAME k l", true},
    {"SORT l ALPHA STORE k", true},
    {"UNLINK k l", true},
    {"HSET k f v", true},
    {"HSET k f v", true},
    {"HGET k f", false},
    {"HINCRBY k n 1", true},
    {"HDEL k f n", true},
    {"SADD k a b c", true},
    {"SADD k a", false},
    {"SREM k a", true},
    {"SMOVE k l b", true},
    {"SREM k c", true},
    {"ZADD k 1 a", true},
    {"ZADD k 1 a", false},
    {"ZADD k 2 a", true},
    {"ZRANGESTORE k k 0 -1", true},
    {"FLUSHDB", true},
    {"FLUSHDB", false},
    {"PFADD k a", true},
    {"FLUSHALL", true},
    {"MSET k 1 l 2", true},
    {"MSETNX k 1 m 2", false},
    {"UNLINK k", true},
};

static void versions_grow(struct session *t)
{
    struct wire *w = session_wire(t, 0);
    long long last = 0, high = 0;

    for (size_t i = 0; i < sizeof(steps) / sizeof(*steps); i++) {
        const struct step *step = &steps[i];
        long long version;

        wire_call(w, step->line);
        version = wire_int(w, "VERSION k");
        ok((version != last) == step->changes && (version == 0 || version >= high),
           "%s: from %lld to %lld", step->line, last, version);
        last = version;
        high = version > high ? version : high;
    }
    ok(high < 1LL << 53, "below 2^53: %lld", high);
}

/* The same steps end every wait, those that are for nothing do not. */
static void waits_end(struct session *t)
{
    struct wire *w = session_wire(t, 0), *waiter = session_wire(t, 1);
    long long id = wire_int(waiter, "CLIENT ID");
    char line[LINE_MAX], expected[LINE_MAX];

    for (size_t i = 0; i < sizeof(steps) / sizeof(*steps); i++) {
        const struct step *step = &steps[i];

        snprintf(line, sizeof(line), "VERSION k SINCE %lld WAIT -1", wire_int(w, "VERSION k"));
        session_block(t, 1, line);
        wire_call(w, step->line);
        snprintf(expected, sizeof(expected), ":%lld", wire_int(w, "VERSION k"));
        if (!step->changes) {
            snprintf(expected, sizeof(expected), "nil");
            wire_callf(w, "CLIENT UNBLOCK %lld", id);
        }
        is_str(wire_read(waiter), expected, "%s %s", step->line,
               step->changes ? "ends the wait" : "is no change");
    }
}

/* ---- what goes by itself --------------------------------------------------------------------- */

/* The version that the line gives the key, which may be gone before another line comes. */
static long long version_after(struct wire *w, const char *line, const char *key)
{
    const char *replies;

    wire_call(w, "MULTI");
    wire_call(w, line);
    wire_callf(w, "VERSION %s", key);
    replies = wire_call(w, "EXEC");
    return strtoll(strrchr(replies, ':') + 1, NULL, 10);
}

/* Nobody touches the key: the expirer tells. */
static void expiry_ends_waits(struct session *t)
{
    struct wire *w = session_wire(t, 0), *a = session_wire(t, 1), *b = session_wire(t, 2);
    char line[LINE_MAX];

    for (int i = 0; i < 5; i++) {
        long long version = version_after(w, "SET k v PX 60", "k");

        snprintf(line, sizeof(line), "VERSION k SINCE %lld WAIT -1", version);
        wire_send(a, line);
        snprintf(line, sizeof(line), "VGET k SINCE %lld WAIT -1", version);
        wire_send(b, line);
        is_str(wire_read(a), ":0", "the end of the key is told");
        is_str(wire_read(b), "[:0 nil]", "also to the other");
    }
    wire_call(w, "HSET h f v");
    snprintf(line, sizeof(line), "VERSION h SINCE %lld WAIT -1",
             version_after(w, "HPEXPIRE h 60 FIELDS 1 f", "h"));
    is_str(wire_call(a, line), ":0", "a hash whose last field goes");
    wire_call(w, "HSET h f v g v");
    snprintf(line, sizeof(line), "VERSION h SINCE %lld WAIT -1",
             version_after(w, "HPEXPIRE h 60 FIELDS 1 f", "h"));
    is_like(wire_call(a, line), ":", "one of whose fields goes");
    is_int(wire_int(w, "HLEN h"), 1, "that field");
}

/* By a reader who finds it, and by a walk. */
static void late_expiry_ends_waits(struct session *t)
{
    static const char *const finders[] = {"GET k", "EXISTS l k", "KEYS *", "SCAN 0 COUNT 1000",
                                          "VERSION k"};
    struct wire *w = session_wire(t, 0), *waiter = session_wire(t, 1);
    char line[LINE_MAX];

    wire_call(w, "DEBUG SET-ACTIVE-EXPIRE 0");
    for (size_t i = 0; i < sizeof(finders) / sizeof(*finders); i++) {
        snprintf(line, sizeof(line), "VERSION k SINCE %lld WAIT -1",
                 version_after(w, "SET k v PX 100", "k"));
        wire_send(waiter, line);
        raw_sleep_ms(120);
        wire_call(w, finders[i]);
        is_str(wire_read(waiter), ":0", "%s", finders[i]);
    }
    wire_call(w, "DEBUG SET-ACTIVE-EXPIRE 1");
}

static void eviction_ends_waits(struct session *t)
{
    static const char *const policies[] = {"allkeys-lru", "allkeys-random"};
    struct wire *w = session_wire(t, 0), *waiter = session_wire(t, 1);
    char line[LINE_MAX];

    for (size_t i = 0; i < sizeof(policies) / sizeof(*policies); i++) {
        wire_callf(w, "CONFIG SET maxmemory-policy %s", policies[i]);
        wire_call(w, "SET k v");
        snprintf(line, sizeof(line), "VGET k SINCE %lld WAIT -1", wire_int(w, "VERSION k"));
        session_block(t, 1, line);
        wire_call(w, "CONFIG SET maxmemory 1");
        wire_call(w, "PING");
        is_str(wire_read(waiter), "[:0 nil]", "evicted under %s", policies[i]);
        wire_call(w, "CONFIG SET maxmemory 0");
    }
}

/* ---- waiting --------------------------------------------------------------------------------- */

static void unblocked(struct session *t)
{
    struct wire *w = session_wire(t, 0);
    long long id = wire_int(session_wire(t, 1), "CLIENT ID");

    session_block(t, 1, "VERSION k SINCE 0 WAIT -1");
    wire_callf(w, "CLIENT UNBLOCK %lld", id);
    is_str(wire_read(session_wire(t, 1)), "nil", "unblocked");
    session_block(t, 1, "VGET k SINCE 0 WAIT -1");
    wire_callf(w, "CLIENT UNBLOCK %lld ERROR", id);
    is_like(wire_read(session_wire(t, 1)), "-UNBLOCKED", "with an error");
}

/* A chain of changes, each of which is waited for with the version that the last one brought. */
static void nothing_is_missed(struct session *t)
{
    struct wire *w = session_wire(t, 0), *reader = session_wire(t, 1);
    long long version = 0;
    bool grows = true;

    for (int i = 0; i < 100; i++) {
        char line[LINE_MAX];
        long long next;

        snprintf(line, sizeof(line), "VERSION k SINCE %lld WAIT -1", version);
        wire_send(reader, line);
        wire_send(w, "INCR k");
        next = strtoll(wire_read(reader) + 1, NULL, 10);
        grows = grows && next > version;
        version = next;
        wire_read(w);
    }
    ok(grows, "each change came with a greater version");
    is_int(wire_int(w, "VERSION k"), version, "the last one too");
}

/* ---- clients that cache ---------------------------------------------------------------------- */

/* What is shown to who has waited is remembered too. */
static void caching(struct session *t)
{
    static const char *const modes[] = {"", "BCAST PREFIX k", "OPTIN"};
    struct wire *w = session_wire(t, 0), *reader = session_wire(t, 1);

    for (size_t i = 0; t->protocol == 3 && i < sizeof(modes) / sizeof(*modes); i++) {
        bool optin = i == 2;

        wire_callf(reader, "CLIENT TRACKING ON %s", modes[i]);
        if (optin)
            wire_call(reader, "CLIENT CACHING YES");
        session_block(t, 1, "VGET k SINCE 0 WAIT -1");
        wire_call(w, "SET k 1");
        if (optin)
            wire_call(w, "SET k2 1");
        is_str(wire_read(reader), ">['invalidate' ['k']]", "what was seen before is out of date");
        is_like(wire_read(reader), " '1'", "what came, to client with %s", modes[i]);
        wire_call(w, "SET k 2");
        is_str(wire_read(reader), ">['invalidate' ['k']]", "and it is told when that changes");
        wire_call(w, "DEL k");
        if (i == 1)
            is_str(wire_read(reader), ">['invalidate' ['k']]", "or goes");
        wire_call(reader, "CLIENT TRACKING OFF");
    }
    if (t->protocol == 2)
        ok(true, "RESP2 is told nothing");
}

static const struct group groups[] = {
    NEW_TABLE(without_keys),
    NEW_TABLE(arguments),
    NEW_TABLE(values),
    NEW_TABLE(in_vain),
    NEW_TABLE(in_transactions),
    NEW_TABLE(beside_others),
    NEW_TEST(versions_grow),
    NEW_TEST(waits_end),
    NEW_TEST(expiry_ends_waits),
    NEW_TEST(late_expiry_ends_waits),
    NEW_TEST(eviction_ends_waits),
    NEW_TEST(unblocked),
    NEW_TEST(nothing_is_missed),
    NEW_TEST(caching),
    {NULL},
};

int main(void)
{
    static const int threads[] = {1, 4, 0};

    return session_main("versions", "--enable-debug-command yes", threads, groups);
}
