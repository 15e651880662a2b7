/*
 * Writes that depend on versions and locks: WHEN, WATCH with either, SET GETVERSION, and keys that
 * a lock guards.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/lib/raw.h"
#include "tests/lib/tap.h"
#include "tests/lib/wire.h"

#define WRONGTYPE "-WRONGTYPE Operation against a key holding the wrong kind of value"
#define FENCED "-FENCED the lock is not held with that token"
#define NO_VERSION "-VERSION 0 is the version of the key"

/* ---- versions -------------------------------------------------------------------------------- */

static void compare_and_set(struct session *t)
{
    struct wire *w = session_wire(t, 0);
    long long version;

    wire_call(w, "SET k 1");
    version = wire_int(w, "VERSION k");
    is_str(wire_callf(w, "WHEN VERSION k %lld DO SET k 2", version), "+OK", "the version fits");
    is_like(wire_callf(w, "WHEN VERSION k %lld DO SET k 3", version), "-VERSION ", "once");
    version =
        strtoll(strchr(wire_callf(w, "WHEN VERSION k %lld DO SET k 3", version), ' '), NULL, 10);
    is_int(version, wire_int(w, "VERSION k"), "the error says which it is");
    is_str(wire_callf(w, "WHEN VERSION k %lld DO SET k 3", version), "+OK", "which then fits");
    is_str(wire_call(w, "GET k"), "'3'", "set");
    wire_call(w, "SET k 1 PX 1");
    version = wire_int(w, "VERSION k");
    raw_sleep_ms(30);
    is_str(wire_callf(w, "WHEN VERSION k %lld DO SET k 3", version > 0 ? version : 1), NO_VERSION,
           "a key that is gone");
    is_str(wire_call(w, "WHEN VERSION k 0 DO SET k 3"), "+OK", "has version 0");
}

static void set_getversion(struct session *t)
{
    struct wire *w = session_wire(t, 0);
    long long version = wire_int(w, "SET k 1 GETVERSION");

    is_int(version, wire_int(w, "VERSION k"), "the version that SET gave");
    is_like(wire_call(w, "SET k 2 GET GETVERSION"), "'1' :", "with the old value");
    is_like(wire_call(w, "SET n 2 getversion get"), "nil :", "that was not there");
    is_str(wire_call(w, "SET k 3 NX GETVERSION"), "nil", "not set");
    is_str(wire_call(w, "SET none 3 XX GETVERSION"), "nil", "not set");
    is_str(wire_call(w, "SET k 3 IFEQ 1 GETVERSION"), "nil", "not set");
    is_like(wire_call(w, "SET k 3 IFEQ 2 GETVERSION"), ":", "set");
    is_str(wire_call(w, "SET k 4 NX GET GETVERSION"), "['3' nil]", "not set, but read");
    is_like(wire_call(w, "SET k 4 EX 100 GETVERSION"), ":", "for a time");
    is_like(wire_call(w, "SET k 4 KEEPTTL XX GETVERSION"), ":", "kept");
    ok(wire_int(w, "TTL k") > 0, "it is kept");
    is_str(wire_call(w, "SET k 4 GETVERSION NX XX"), "-ERR syntax error", "options");
    wire_call(w, "RPUSH l a");
    is_str(wire_call(w, "SET l 4 GET GETVERSION"), WRONGTYPE, "a list is not read");
    is_like(wire_call(w, "SET l 4 GETVERSION"), ":", "but replaced");
}

static const struct wire_case watch_as_ever[] = {
    /* Keys that are called so. */
    {"WATCH a VERSION", "+OK"},
    {"@1 SET VERSION 1", "+OK"},
    {"MULTI", "+OK"},
    {"EXEC", "nil", "nil*"},
    {"WATCH a VERSION b", "+OK"},
    {"@1 SET VERSION 1", "+OK"},
    {"MULTI", "+OK"},
    {"EXEC", "nil", "nil*"},
    {"WATCH VERSION 0 a", "+OK"},
    {"@1 SET 0 1", "+OK"},
    {"MULTI", "+OK"},
    {"EXEC", "nil", "nil*"},
    {"WATCH a VERSION 0 b", "+OK"},
    {"@1 SET VERSION 2", "+OK"},
    {"MULTI", "+OK"},
    {"EXEC", "nil", "nil*"},
    {"WATCH a VERSION -1", "+OK"},
    {"@1 SET VERSION 2", "+OK"},
    {"MULTI", "+OK"},
    {"EXEC", "nil", "nil*"},
    {"WATCH LOCK a", "+OK"},
    {"@1 SET a 2", "+OK"},
    {"MULTI", "+OK"},
    {"EXEC", "nil", "nil*"},
    {"WATCH LOCK a b", "+OK"},
    {"@1 SET b 2", "+OK"},
    {"MULTI", "+OK"},
    {"EXEC", "nil", "nil*"},
    {"WATCH a LOCK 5", "+OK"},
    {"@1 SET LOCK 2", "+OK"},
    {"MULTI", "+OK"},
    {"EXEC", "nil", "nil*"},
    {"MULTI", "+OK"},
    {"WATCH k VERSION 5", "-ERR WATCH inside MULTI is not allowed"},
    {"DISCARD", "+OK"},
};

static const char *exec(struct wire *w)
{
    wire_call(w, "MULTI");
    wire_call(w, "INCR done");
    return wire_call(w, "EXEC");
}

static void watch_version(struct session *t)
{
    struct wire *w = session_wire(t, 0), *other = session_wire(t, 1);
    const char *in_vain = t->protocol == 2 ? "nil*" : "nil";
    long long version;

    is_str(wire_call(w, "WATCH k VERSION 0"), "+OK", "a key that is not there");
    is_str(exec(w), "[:1]", "still");
    wire_call(w, "WATCH k VERSION 0");
    wire_call(other, "SET k 1");
    wire_call(other, "DEL k");
    is_str(exec(w), in_vain, "it was there in between");
    wire_call(w, "WATCH k VERSION 5");
    is_str(exec(w), in_vain, "never");
    is_str(exec(w), "[:2]", "that is forgotten");
    version = wire_int(w, "SET k 1 GETVERSION");
    wire_callf(w, "WATCH k VERSION %lld", version);
    is_str(exec(w), "[:3]", "the version that is there");
    wire_callf(w, "WATCH k version %lld", version);
    wire_call(other, "SET k 1");
    is_str(exec(w), in_vain, "changed after WATCH");
    wire_callf(w, "WATCH k VERSION %lld", version);
    is_str(exec(w), in_vain, "changed before WATCH");
    wire_callf(w, "WATCH k VERSION %lld", version);
    is_str(wire_call(w, "UNWATCH"), "+OK", "UNWATCH");
    is_str(exec(w), "[:4]", "forgets that");
    wire_call(w, "WATCH k");
    wire_callf(w, "WATCH k VERSION %lld", version);
    is_str(exec(w), in_vain, "beside a plain WATCH of that key");
    wire_callf(w, "WATCH k VERSION %lld", wire_int(w, "VERSION k"));
    wire_call(w, "WATCH none VERSION 0");
    is_str(exec(w), "[:5]", "two keys");
    wire_callf(w, "WATCH k VERSION %lld", version);
    is_like(wire_call(w, "CLIENT INFO"), "flags=dU", "CLIENT INFO knows");
    wire_call(w, "UNWATCH");
}

/* ---- locks ----------------------------------------------------------------------------------- */

static void held(struct session *t)
{
    struct wire *w = session_wire(t, 0), *holder = session_wire(t, 1);
    long long token = wire_int(holder, "LOCK.ACQUIRE lock"), next;

    is_str(wire_callf(w, "WHEN HELD lock %lld DO SET k 1", token), "+OK", "with the token");
    is_str(wire_callf(w, "WHEN HELD lock %lld DO SET k 2", token - 1), FENCED, "with an old one");
    is_str(wire_callf(w, "WHEN HELD lock %lld DO SET k 2", token + 1), FENCED, "with a later one");
    is_str(wire_callf(w, "WHEN HELD other %lld DO SET k 2", token), FENCED, "another lock");
    is_str(wire_callf(w, "WHEN EXISTS k HELD lock %lld EQ k 1 DO INCR k", token), ":2", "and more");
    is_int(wire_int(w, "EXISTS lock"), 0, "the lock is no key");
    wire_callf(holder, "LOCK.RELEASE lock %lld", token);
    is_str(wire_callf(w, "WHEN HELD lock %lld DO SET k 3", token), FENCED, "released");
    next = wire_int(holder, "LOCK.ACQUIRE lock");
    is_str(wire_callf(w, "WHEN HELD lock %lld DO SET k 3", token), FENCED, "the old token");
    is_str(wire_callf(w, "WHEN HELD lock %lld DO SET k 3", next), "+OK", "the new one");
    wire_callf(holder, "LOCK.RELEASE lock %lld", next);
    token = wire_int(holder, "LOCK.ACQUIRE lock LEASE 100000 DETACHED");
    is_like(wire_callf(w, "WHEN HELD lock %lld DO GET k", token), "'3'", "within the lease");
    wire_callf(holder, "LOCK.RENEW lock %lld LEASE 1", token);
    raw_sleep_ms(20);
    is_str(wire_callf(w, "WHEN HELD lock %lld DO SET k 4", token), FENCED, "behind it");
    token = wire_int(holder, "LOCK.ACQUIRE lock");
    is_int(wire_int(w, "WHEN EXISTS k DO INCR k"), 4, "whoever holds it");
    is_str(wire_callf(w, "WHEN HELD lock %lld DO LOCK.RELEASE lock %lld SET v", token, token), ":1",
           "and gives it back");
    is_str(wire_call(w, "GET lock"), "'v'", "with a value");
}

static void watch_lock(struct session *t)
{
    struct wire *w = session_wire(t, 0), *holder = session_wire(t, 1);
    const char *in_vain = t->protocol == 2 ? "nil*" : "nil";
    long long token = wire_int(holder, "LOCK.ACQUIRE lock");

    is_str(wire_callf(w, "WATCH LOCK lock %lld", token), "+OK", "WATCH LOCK");
    is_str(exec(w), "[:1]", "held");
    wire_callf(w, "WATCH lock lock %lld", token + 1);
    is_str(exec(w), in_vain, "not with that token");
    wire_callf(w, "WATCH LOCK lock %lld", token);
    wire_call(w, "UNWATCH");
    wire_callf(w, "WATCH LOCK lock %lld", token);
    wire_call(w, "WATCH k");
    wire_callf(holder, "LOCK.RELEASE lock %lld", token);
    is_like(wire_call(w, "CLIENT INFO"), "flags=dU", "CLIENT INFO knows");
    is_str(exec(w), in_vain, "released before EXEC");
    is_str(exec(w), "[:2]", "that is forgotten");
    token = wire_int(holder, "LOCK.ACQUIRE lock LEASE 40 DETACHED");
    wire_callf(w, "WATCH LOCK lock %lld", token);
    raw_sleep_ms(60);
    is_str(exec(w), in_vain, "the lease is over");
    token = wire_int(holder, "LOCK.ACQUIRE lock");
    wire_callf(w, "WATCH LOCK lock %lld", token);
    wire_call(w, "MULTI");
    wire_callf(w, "LOCK.RELEASE lock %lld", token);
    wire_callf(w, "WHEN HELD lock %lld DO SET k 1", token);
    is_str(wire_call(w, "EXEC"), "[:1 " FENCED "]", "given back within");
}

/* The keys of both, and wherever the command may bring one. */
static void guarded(struct session *t)
{
    static const char *const requests[] = {
        "WHEN ABSENT k DO SET x 1",
        "WHEN ABSENT x DO SET k 1",
        "WHEN ABSENT x DO GET k",
        "DURABLE NO WHEN ABSENT x DO GET k",
        "VERSION k",
        "VGET k SINCE 0",
        "MVERSION x k",
    };
    struct wire *w = session_wire(t, 0);
    long long token;

    for (size_t i = 0; i < sizeof(requests) / sizeof(*requests); i++) {
        token = wire_int(w, "LOCK.ACQUIRE k GUARD");
        session_block(t, 1, requests[i]);
        is_str(wire_callf(w, "WHEN HELD k %lld DO GET k", token), "nil", "the holder goes on");
        is_int(wire_int(session_wire(t, 2), "VERSION y"), 0, "others with other keys too");
        wire_callf(w, "LOCK.RELEASE k %lld", token);
        ok(strcmp(wire_read(session_wire(t, 1)), "(silence)") != 0, "%s", requests[i]);
        wire_call(w, "DEL k x");
    }
    wire_call(w, "SET k 1");
    wire_call(session_wire(t, 2), "SELECT 1");
    token = wire_int(session_wire(t, 2), "LOCK.ACQUIRE k GUARD");
    session_block(t, 1, "WHEN EXISTS k DO COPY k k DB 1");
    session_block(t, 3, "DURABLE NO WHEN EXISTS k DO MOVE k 1");
    wire_callf(session_wire(t, 2), "LOCK.RELEASE k %lld", token);
    is_str(wire_read(session_wire(t, 1)), ":1", "a key of that name in another database");
    is_str(wire_read(session_wire(t, 3)), ":0", "in turn");
}

static const struct group groups[] = {
    NEW_TEST(compare_and_set),
    NEW_TEST(set_getversion),
    NEW_TABLE(watch_as_ever),
    NEW_TEST(watch_version),
    NEW_TEST(held),
    NEW_TEST(watch_lock),
    NEW_TEST(guarded),
    {NULL},
};

int main(void)
{
    static const int threads[] = {1, 4, 0};

    return session_main("conditions", "", threads, groups);
}
