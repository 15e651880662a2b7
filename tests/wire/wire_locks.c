/*
 * Locks: who gets them, on which terms, and how they are given back. Who waits for them is in
 * wire_lock_waits.c, how they end otherwise, and who is told, in wire_lock_ends.c.
 */
#include <stdio.h>
#include <string.h>

#include "tests/wire/lock_talk.h"

#define LEASE "-ERR lease is not an integer or out of range"
#define TIMEOUT "-ERR timeout is not an integer or out of range"
#define PERMITS "-ERR permits are integers, at least 1 of at most 2147483647"
#define OTHERS "-ERR a lock of that name is in use with other PERMITS"
#define BAD_TOKEN "-ERR token is not an integer or out of range"
#define SYNTAX "-ERR syntax error"

static const struct wire_case arguments[] = {
    {"LOCK.ACQUIRE", "-ERR wrong number of arguments for 'lock.acquire' command"},
    {"LOCK.RELEASE a", "-ERR wrong number of arguments for 'lock.release' command"},
    {"LOCK.CHECK a", "-ERR wrong number of arguments for 'lock.check' command"},
    {"LOCK.CHECK a 1 2", "-ERR wrong number of arguments for 'lock.check' command"},
    {"LOCK.RENEW a 1", "-ERR wrong number of arguments for 'lock.renew' command"},
    {"LOCK.CANCEL a", "-ERR wrong number of arguments for 'lock.cancel' command"},
    {"LOCK.INFO", "-ERR wrong number of arguments for 'lock.info' command"},
    {"LOCK.BREAK", "-ERR wrong number of arguments for 'lock.break' command"},
    {"LOCK.ACQUIRE a LEASE", SYNTAX},
    {"LOCK.ACQUIRE a LEASE x", LEASE},
    {"LOCK.ACQUIRE a LEASE 0", LEASE},
    {"LOCK.ACQUIRE a LEASE -1", LEASE},
    {"LOCK.ACQUIRE a LEASE 9223372036854775807", LEASE},
    {"LOCK.ACQUIRE a WAIT", SYNTAX},
    {"LOCK.ACQUIRE a WAIT x", TIMEOUT},
    {"LOCK.ACQUIRE a WAIT -2", TIMEOUT},
    {"LOCK.ACQUIRE a WAIT 1 QUEUE", SYNTAX},
    {"LOCK.ACQUIRE a QUEUE WAIT 0", SYNTAX},
    {"LOCK.ACQUIRE a SHARED x", SYNTAX},
    {"LOCK.ACQUIRE a OWNER", SYNTAX},
    {"LOCK.ACQUIRE a DATA", SYNTAX},
    {"LOCK.ACQUIRE a PERMITS 1", SYNTAX},
    {"LOCK.ACQUIRE a PERMITS 1 OF", SYNTAX},
    {"LOCK.ACQUIRE a PERMITS 1 TO 2", SYNTAX},
    {"LOCK.ACQUIRE a PERMITS 0 OF 2", PERMITS},
    {"LOCK.ACQUIRE a PERMITS 3 OF 2", PERMITS},
    {"LOCK.ACQUIRE a PERMITS x OF 2", PERMITS},
    {"LOCK.ACQUIRE a PERMITS 1 OF 2147483648", PERMITS},
    {"LOCK.ACQUIRE a PERMITS 1 OF 2 SHARED", SYNTAX},
    {"LOCK.ACQUIRE a DETACHED", "-ERR DETACHED needs a LEASE"},
    {"LOCK.ACQUIRE a b a", "-ERR a lock is named twice"},
    {"LOCK.RELEASE a x", BAD_TOKEN},
    {"LOCK.RELEASE a -1", BAD_TOKEN},
    {"LOCK.RELEASE a 1 SET", SYNTAX},
    {"LOCK.RELEASE a 1 SET v EX", SYNTAX},
    {"LOCK.RELEASE a 1 SET v EX 0", "-ERR invalid expire time in 'lock.release' command"},
    {"LOCK.RELEASE a 1 SET v EX 5 PX 5", SYNTAX},
    {"LOCK.RELEASE a 1 SET v PERSIST", SYNTAX},
    {"LOCK.RELEASE a 1 DEL x", SYNTAX},
    {"LOCK.RELEASE a 1 GET", SYNTAX},
    {"LOCK.CHECK a x", BAD_TOKEN},
    {"LOCK.RENEW a 1 LEASE 0", LEASE},
    {"LOCK.RENEW a x LEASE 1", BAD_TOKEN},
    {"LOCK.RENEW a 1 FOR 1", SYNTAX},
    {"LOCK.RENEW a LEASE 1", SYNTAX},
    {"LOCK.RENEW * LEASE x", LEASE},
    {"LOCK.RENEW a 1 LEASE 1 2", SYNTAX},
    {"LOCK.CANCEL a x", "-ERR value is not an integer or out of range"},
    {"LOCK.BREAK a DELAY", SYNTAX},
    {"LOCK.BREAK a DELAY x", "-ERR delay is not an integer or out of range"},
    {"LOCK.BREAK a DELAY -1", "-ERR delay is not an integer or out of range"},
    {"LOCK.LIST MATCH", SYNTAX},
    {"LOCK.LIST FOR a", SYNTAX},
    {"LOCK.SESSION s GRACE", SYNTAX},
    {"LOCK.SESSION s FOR 1", SYNTAX},
    {"LOCK.SESSION s GRACE x", "-ERR grace is not an integer or out of range"},
    {"LOCK.SESSION ''", "-ERR a session has a name"},
    {"LOCK.LIST", "[]"},
};

static const struct wire_case nobody[] = {
    {"LOCK.CHECK none 1", ":0"},
    {"LOCK.RELEASE none 1", "/" NOTHELD},
    {"LOCK.RENEW none 1 LEASE 5", "/" LOCKLOST},
    {"LOCK.RENEW none 9007199254740993 LEASE 5", "/" NOTHELD},
    {"LOCK.RENEW * LEASE 5", ":0"},
    {"LOCK.CANCEL none 1", ":0"},
    {"LOCK.BREAK none", ":0"},
    {"LOCK.INFO none",
     "{'name' 'none' 'mode' 'free' 'permits' :0 'taken' :0 'guards' :0 'closed-ms' :0 "
     "'holders' [] 'waiters' []}"},
    {"LOCK.LIST MATCH *", "[]"},
};

static const struct wire_case exclusive[] = {
    {"LOCK.ACQUIRE e", "/" TOKEN},
    {"@1 LOCK.ACQUIRE e", "nil"},
    {"@1 LOCK.ACQUIRE e WAIT 0", "nil"},
    {"@1 LOCK.ACQUIRE e SHARED", "nil"},
    {"LOCK.ACQUIRE e", "nil"},
    {"LOCK.ACQUIRE e SHARED", "nil"},
    {"@1 LOCK.ACQUIRE other", "/" TOKEN},
    {"@1 LOCK.ACQUIRE e PERMITS 1 OF 2", OTHERS},
    {"@1 LOCK.ACQUIRE SHARED", "/" TOKEN},
    {"@2 lock.acquire shared", "/" TOKEN},
    {"@2 lock.acquire SHARED owner x wait 0", "nil"},
};

static const struct wire_case shared[] = {
    {"LOCK.ACQUIRE r SHARED", "/" TOKEN},       {"@1 LOCK.ACQUIRE r SHARED", "/" TOKEN},
    {"LOCK.ACQUIRE r SHARED", "/" TOKEN},       {"@1 LOCK.ACQUIRE r", "nil"},
    {"@2 LOCK.ACQUIRE r WAIT -1", "(waits)"},   {"@1 LOCK.ACQUIRE r SHARED", "nil"},
    {"@3 LOCK.ACQUIRE r SHARED WAIT 1", "nil"},
};

static const struct wire_case permits[] = {
    {"LOCK.ACQUIRE p PERMITS 2 OF 5", "/" TOKEN},
    {"@1 LOCK.ACQUIRE p PERMITS 2 OF 5", "/" TOKEN},
    {"@2 LOCK.ACQUIRE p PERMITS 2 OF 5", "nil"},
    {"@2 LOCK.ACQUIRE p PERMITS 1 OF 5", "/" TOKEN},
    {"@2 LOCK.ACQUIRE p PERMITS 1 OF 5", "nil"},
    {"@2 LOCK.ACQUIRE p PERMITS 1 OF 6", OTHERS},
    {"@2 LOCK.ACQUIRE p", OTHERS},
    {"@2 LOCK.ACQUIRE p SHARED", OTHERS},
    {"LOCK.ACQUIRE one PERMITS 1 OF 1 OWNER joe", "/" TOKEN},
    {"@1 LOCK.ACQUIRE one PERMITS 1 OF 1", "-LOCKED one is held by joe"},
    {"@1 LOCK.ACQUIRE free one PERMITS 1 OF 1", "-LOCKED one is held by joe"},
    {"@1 LOCK.ACQUIRE free PERMITS 1 OF 1", "/" TOKEN},
    {"@2 LOCK.ACQUIRE free PERMITS 1 OF 1", "/^-LOCKED free is held by client:[0-9]+$"},
    {"@2 LOCK.ACQUIRE free PERMITS 1 OF 1 WAIT 1", "nil"},
};

static const struct wire_case several[] = {
    {"LOCK.ACQUIRE a b c", "/^\\[:[0-9]+ :[0-9]+ :[0-9]+]$"},
    {"@1 LOCK.ACQUIRE d c", "nil"},
    {"@1 LOCK.ACQUIRE d e SHARED", "/^\\[:[0-9]+ :[0-9]+]$"},
    {"@2 LOCK.ACQUIRE e f SHARED", "/^\\[:[0-9]+ :[0-9]+]$"},
    {"COMMAND GETKEYS LOCK.ACQUIRE a b c LEASE 5", "['a' 'b' 'c']"},
    {"COMMAND GETKEYS LOCK.ACQUIRE lease LEASE 5", "['lease']"},
    {"MULTI", "+OK"},
    {"LOCK.ACQUIRE m", "+QUEUED"},
    {"LOCK.ACQUIRE e n", "+QUEUED"},
    {"LOCK.ACQUIRE e WAIT -1", "+QUEUED"},
    {"LOCK.RENEW * LEASE 60000", "+QUEUED"},
    {"LOCK.RELEASE m 1", "+QUEUED"},
    {"SET m 1", "+QUEUED"},
    {"EXEC", "/^\\[:[0-9]+ nil nil :4 -(FENCED|NOTHELD) .* \\+OK]$"},
};

static void release(struct session *t)
{
    struct wire *w = session_wire(t, 0), *other = session_wire(t, 1);
    long long first = wire_int(w, "LOCK.ACQUIRE l"), second, n = wire_int(w, "LOCK.ACQUIRE l2");

    is_like(wire_callf(w, "LOCK.RELEASE l %lld", first + 1), NOTHELD, "not with another token");
    is_like(wire_callf(w, "LOCK.RELEASE l2 %lld", n + 1), NOTHELD, "nor with that of another");
    is_str(wire_callf(w, "LOCK.CHECK l %lld", first), ":1", "held");
    is_str(wire_callf(w, "LOCK.CHECK l %lld", first + 1), ":0", "not with another token");
    is_str(wire_callf(w, "LOCK.RELEASE l %lld", first), ":1", "given back");
    is_str(wire_callf(w, "LOCK.CHECK l %lld", first), ":0", "held no more");
    is_like(wire_callf(w, "LOCK.RELEASE l %lld", first), NOTHELD, "not twice");
    second = wire_int(other, "LOCK.ACQUIRE l");
    ok(second > first, "tokens grow");
    is_like(wire_callf(w, "LOCK.RELEASE l %lld", first), FENCED, "another has got it since");
    is_like(wire_callf(w, "LOCK.RELEASE l %lld SET x", first), FENCED, "nothing is written");
    is_str(wire_call(w, "EXISTS l"), ":0", "nothing at all");
    is_str(wire_callf(w, "LOCK.RELEASE l %lld", second), ":1", "the token is all that it takes");
}

static void commit(struct session *t)
{
    struct wire *w = session_wire(t, 0);
    long long token = wire_int(w, "LOCK.ACQUIRE c");

    is_str(wire_callf(w, "LOCK.RELEASE c %lld SET value EX 100", token), ":1", "with a value");
    is_str(wire_call(w, "GET c"), "'value'", "which is there");
    is_str(wire_call(w, "TTL c"), ":100", "for a time");
    token = wire_int(w, "LOCK.ACQUIRE c");
    is_str(wire_callf(w, "LOCK.RELEASE c %lld SET 17 KEEPTTL", token), ":1", "another");
    is_str(wire_call(w, "TTL c"), ":100", "for the same time");
    is_str(wire_call(w, "OBJECT ENCODING c"), "'int'", "as SET does");
    token = wire_int(w, "LOCK.ACQUIRE c");
    is_str(wire_callf(w, "LOCK.RELEASE c %lld SET x", token), ":1", "another");
    is_str(wire_call(w, "TTL c"), ":-1", "for ever");
    token = wire_int(w, "LOCK.ACQUIRE c");
    is_str(wire_callf(w, "LOCK.RELEASE c %lld DEL", token), ":1", "and away");
    is_str(wire_call(w, "EXISTS c"), ":0", "it is gone");
    token = wire_int(w, "LOCK.ACQUIRE c");
    is_str(wire_callf(w, "LOCK.RELEASE c %lld DEL", token), ":1", "nothing to delete");
    is_str(wire_call(w, "SELECT 1"), "+OK", "a lock is in no database");
    token = wire_int(w, "LOCK.ACQUIRE c");
    is_str(wire_callf(w, "LOCK.RELEASE c %lld SET y", token), ":1", "the key is in the current");
    is_str(wire_call(w, "GET c"), "'y'", "where it was written");
    is_str(wire_call(w, "DEL c"), ":1", "and away");
    is_str(wire_call(w, "SELECT 0"), "+OK", "the other database");
    is_str(wire_call(w, "EXISTS c"), ":0", "and not elsewhere");
}

static void reentrant(struct session *t)
{
    struct wire *w = session_wire(t, 0), *other = session_wire(t, 1);
    long long token = wire_int(w, "LOCK.ACQUIRE r REENTRANT");

    is_int(wire_int(w, "LOCK.ACQUIRE r REENTRANT"), token, "the same token again");
    is_int(wire_int(w, "LOCK.ACQUIRE r REENTRANT SHARED"), token, "a writer may read");
    is_str(wire_call(w, "LOCK.ACQUIRE r"), "nil", "only if it says so");
    is_str(wire_call(w, "LOCK.ACQUIRE r REENTRANT OWNER x"), "nil", "not for another owner");
    is_str(wire_call(other, "LOCK.ACQUIRE r REENTRANT"), "nil", "nor for another connection");
    is_str(wire_callf(w, "LOCK.RELEASE r %lld", token), ":0", "still held");
    is_str(wire_callf(w, "LOCK.RELEASE r %lld", token), ":0", "still");
    is_str(wire_callf(w, "LOCK.RELEASE r %lld", token), ":1", "given back");
    token = wire_int(w, "LOCK.ACQUIRE r DETACHED LEASE 60000 OWNER me REENTRANT");
    is_int(wire_int(other, "LOCK.ACQUIRE r DETACHED LEASE 1 OWNER me REENTRANT"), token,
           "whoever says the same owner has a detached one");
    is_str(wire_callf(w, "LOCK.RELEASE r %lld", token), ":0", "still held");
    is_str(wire_callf(w, "LOCK.RELEASE r %lld", token), ":1", "given back");
    token = wire_int(w, "LOCK.ACQUIRE r SHARED REENTRANT");
    is_str(wire_call(w, "LOCK.ACQUIRE r REENTRANT"), "nil", "a reader does not become a writer");
}

static void described(struct session *t)
{
    struct wire *w = session_wire(t, 0);
    long long token;

    wire_wait_alone(w);
    token = wire_int(w, "LOCK.ACQUIRE i:1 OWNER me DATA text LEASE 60000");
    is_like(wire_call(w, "LOCK.INFO i:1"),
            "^[[{]'name' 'i:1' 'mode' 'exclusive' 'permits' :0 'taken' :0 'guards' :0 "
            "'closed-ms' :0 'holders' \\[[[{]'token' :[0-9]+ 'mode' 'exclusive' 'permits' :0 "
            "'count' :1 'owner' 'me' 'client' :[0-9]+ 'session' '' 'addr' '[^']+' 'detached' :0 "
            "'since-ms' :[0-9]+ 'lease-left-ms' :[0-9]+ 'data' 'text'[]}]] 'waiters' \\[]",
            "LOCK.INFO");
    session_block(t, 1, "LOCK.ACQUIRE i:1 SHARED WAIT -1 OWNER you DATA more");
    is_like(wire_call(w, "LOCK.INFO i:1"),
            "'waiters' \\[[[{]'mode' 'shared' 'permits' :0 'ticket' :0 'owner' 'you' "
            "'client' :[0-9]+ 'session' '' 'addr' '[^']+' 'since-ms' :[0-9]+ 'data' 'more'[]}]",
            "who waits");
    wire_call(w, "LOCK.ACQUIRE i:2 PERMITS 3 OF 4 DETACHED LEASE 60000 GUARD");
    is_like(wire_call(w, "LOCK.INFO i:2"),
            "'mode' 'permits' 'permits' :4 'taken' :3 'guards' :1 .*'detached' :1", "a semaphore");
    is_like(wire_call(w, "LOCK.LIST MATCH i:[12]"), "^\\[[[{]'name' 'i:.*'name' 'i:", "two");
    is_like(wire_call(w, "LOCK.LIST MATCH *2"), "^\\[[[{]'name' 'i:2'", "one");
    is_like(wire_call(w, "INFO locks"),
            "locks:2..*lock_holders:2..*lock_waiters:1..*lock_sessions:0", "INFO");
    is_str(wire_call(w, "LOCK.BREAK i:2"), ":1", "one holder less");
    wire_callf(w, "LOCK.RELEASE i:1 %lld", token);
    is_like(wire_read(session_wire(t, 1)), TOKEN, "who waited has it");
}

/* They are no keys. */
static void no_keys(struct session *t)
{
    struct wire *w = session_wire(t, 0);
    long long token = wire_int(w, "LOCK.ACQUIRE n");

    is_str(wire_call(w, "DBSIZE"), ":0", "not counted");
    is_str(wire_call(w, "KEYS *"), "[]", "not listed");
    is_str(wire_call(w, "EXISTS n"), ":0", "not there");
    is_str(wire_call(w, "SET n 1"), "+OK", "a key of that name is another thing");
    is_str(wire_call(w, "FLUSHALL"), "+OK", "FLUSHALL");
    is_str(wire_call(w, "SWAPDB 0 1"), "+OK", "SWAPDB");
    is_str(wire_callf(w, "LOCK.CHECK n %lld", token), ":1", "harm them not");
    is_str(wire_call(w, "SELECT 1"), "+OK", "nor another database");
    is_str(wire_callf(w, "LOCK.RELEASE n %lld", token), ":1", "it is the same there");
}

int main(void)
{
    static const int threads[] = {1, 4, 0};
    static const struct group groups[] = {
        NEW_TABLE(arguments), NEW_TABLE(nobody),  NEW_TABLE(exclusive),
        NEW_TABLE(shared),    NEW_TABLE(permits), NEW_TABLE(several),
        NEW_TEST(release),    NEW_TEST(commit),   NEW_TEST(reentrant),
        NEW_TEST(described),  NEW_TEST(no_keys),  {NULL, NULL, 0, NULL, false},
    };

    return session_main("locks", "", threads, groups);
}
