/*
 * LOCK.ACQUIRE ... GUARD: while such a lock is held, whatever command of others that touches the
 * key of its name waits.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/lib/raw.h"
#include "tests/lib/tap.h"
#include "tests/lib/wire.h"

/* Connection 0 holds the lock of this name, which guards its key. */
static long long guard(struct session *t, const char *name)
{
    char line[64];

    session_reset(t);
    snprintf(line, sizeof(line), "LOCK.ACQUIRE %s GUARD", name);
    return wire_int(session_wire(t, 0), line);
}

static void release(struct session *t, const char *name, long long token)
{
    is_str(wire_callf(session_wire(t, 0), "LOCK.RELEASE %s %lld", name, token), ":1",
           "%s is released", name);
}

/* What connection i reads next. */
static void hears(struct session *t, int i, const char *want, const char *what)
{
    is_str(wire_read(session_wire(t, i)), want, "%s", what);
}

static void is_refused(struct session *t, int i, const char *line)
{
    is_like(wire_call(session_wire(t, i), line), "^-LOCKED [a-z]+ is held by client:[0-9]+$",
            "refused: %s", line);
}

/* ---- one after the other --------------------------------------------------------------------- */

static void in_turn(struct session *t)
{
    long long token = guard(t, "k");

    is_str(wire_call(session_wire(t, 0), "SET k 1"), "+OK", "who holds it goes on");
    session_block(t, 1, "GET k");
    session_block(t, 2, "APPEND k 2");
    session_block(t, 3, "GET k");
    session_block(t, 4, "SET k 3 GET");
    is_str(wire_call(session_wire(t, 5), "GET other"), "nil", "other keys are free");
    is_str(wire_call(session_wire(t, 0), "GET k"), "'1'", "and so is its key to the holder");
    release(t, "k", token);
    hears(t, 1, "'1'", "the first reads what was left");
    hears(t, 2, ":2", "the second adds to it");
    hears(t, 3, "'12'", "the third reads that");
    hears(t, 4, "'12'", "the fourth comes behind it");
    is_str(wire_call(session_wire(t, 0), "GET k"), "'3'", "and all have been");
    is_like(wire_call(session_wire(t, 0), "LOCK.INFO k"), "'holders' \\[\\] 'waiters' \\[\\]",
            "nothing is left of the lock");
}

/* Who waits for the lock itself stands in the same queue. */
static void with_lockers(struct session *t)
{
    long long token = guard(t, "k"), second;
    struct wire *w;

    session_block(t, 1, "SET k 1");
    session_block(t, 2, "LOCK.ACQUIRE k GUARD WAIT -1");
    session_block(t, 3, "INCR k");
    session_block(t, 4, "LOCK.ACQUIRE k WAIT -1");
    release(t, "k", token);
    hears(t, 1, "+OK", "who came before the next locker");
    w = session_wire(t, 2);
    second = atoll(wire_read(w) + 1);
    ok(second > token, "then it guards");
    is_str(wire_call(w, "GET k"), "'1'", "and sees what came before");
    raw_sleep_ms(30);
    wire_callf(w, "LOCK.RELEASE k %lld SET 7", second);
    hears(t, 3, ":8", "who came behind it sees what it left");
    is_like(wire_read(session_wire(t, 4)), "^:[0-9]+$", "and then the last");
}

/* ---- time ------------------------------------------------------------------------------------ */

static void in_time(struct session *t)
{
    long long token = guard(t, "k");
    struct wire *w = session_wire(t, 1);

    wire_call(session_wire(t, 0), "SET k v");
    is_str(wire_call(w, "CLIENT LOCK-TIMEOUT 0"), "+OK", "no waiting");
    is_refused(t, 1, "GET k");
    is_refused(t, 1, "DEL x k");
    is_str(wire_call(w, "CLIENT LOCK-TIMEOUT 20"), "+OK", "a moment");
    is_refused(t, 1, "GET k");
    is_refused(t, 1, "RENAME x k");
    is_str(wire_call(w, "PING"), "+PONG", "the connection goes on");
    is_str(wire_call(w, "CLIENT LOCK-TIMEOUT x"), "-ERR timeout is not an integer or out of range",
           "a number");
    is_str(wire_call(w, "CLIENT LOCK-TIMEOUT -2"), "-ERR timeout is not an integer or out of range",
           "or -1");
    wire_call(session_wire(t, 0), "CONFIG SET lock-timeout 10");
    is_refused(t, 2, "GET k");
    wire_call(session_wire(t, 0), "CONFIG SET lock-timeout 5000");
    is_str(wire_call(w, "CLIENT LOCK-TIMEOUT 0"), "+OK", "none again");
    wire_call(w, "RESET");
    if (t->protocol == 3)
        wire_call(w, "HELLO 3");
    session_block(t, 1, "GET k");
    release(t, "k", token);
    hears(t, 1, "'v'", "RESET takes the time back");
}

/* What is sent behind a command that waits comes behind it, answered or refused. */
static void pipelines(struct session *t)
{
    long long token = guard(t, "k");
    struct wire *w = session_wire(t, 1);
    char *big = malloc(100001), line[64];
    const char *args[] = {"SET", "k", big};
    const size_t lens[] = {3, 1, 100000};

    memset(big, 'x', 100000);
    big[100000] = '\0';
    session_block(t, 1, "SET k 1");
    wire_send(w, "GET k");
    wire_send(w, "INCR n");
    wire_send_args(w, 3, args, lens);
    wire_send(w, "STRLEN k");
    raw_sleep_ms(20);
    release(t, "k", token);
    hears(t, 1, "+OK", "pipeline: SET");
    hears(t, 1, "'1'", "pipeline: GET");
    hears(t, 1, ":1", "pipeline: INCR");
    hears(t, 1, "+OK", "pipeline: a long SET");
    hears(t, 1, ":100000", "pipeline: STRLEN");
    token = wire_int(session_wire(t, 0), "LOCK.ACQUIRE k GUARD");
    wire_call(w, "CLIENT LOCK-TIMEOUT 10");
    wire_send_args(w, 3, args, lens);
    wire_send(w, "INCR n");
    wire_send(w, "GET k");
    wire_send(w, "INCR n");
    is_like(wire_read(w), "^-LOCKED", "pipeline: a long SET is refused");
    hears(t, 1, ":2", "pipeline: what is behind it");
    is_like(wire_read(w), "^-LOCKED", "pipeline: GET is refused");
    hears(t, 1, ":3", "pipeline: and goes on");
    wire_call(w, "CLIENT LOCK-TIMEOUT -1");
    wire_send_args(w, 3, args, lens);
    wire_send(w, "STRLEN k");
    raw_sleep_ms(20);
    wire_call(session_wire(t, 0), "SET k y");
    snprintf(line, sizeof(line), "LOCK.RELEASE k %lld", token);
    wire_call(session_wire(t, 0), line);
    hears(t, 1, "+OK", "pipeline: a long SET that waited");
    hears(t, 1, ":100000", "pipeline: its length");
    free(big);
}

/* ---- which commands -------------------------------------------------------------------------- */

static void commands(struct session *t)
{
    static const char *const touching[] = {
        "GET k",
        "SET k v",
        "MGET a k",
        "MSET a 1 k 2",
        "DEL a k",
        "EXISTS k",
        "TYPE k",
        "EXPIRE k 100",
        "RENAME a k",
        "RENAME k a",
        "COPY a k",
        "COPY k a",
        "MOVE k 1",
        "LPUSH k x",
        "BLPOP a k 1",
        "BLMOVE a k LEFT LEFT 1",
        "SORT k BY w*",
        "SORT a STORE k",
        "OBJECT ENCODING k",
        "SUNIONSTORE k a b",
        "DUMP k",
        "VERSION k",
        "VGET k",
        "WHEN EXISTS k DO SET a 1",
        "WHEN ABSENT a DO SET k 1",
        "WATCH k",
        "HSET k f v",
        "ZADD k 1 x",
        "SETBIT k 1 1",
        "PFADD k x",
        "GEOADD k 1 1 x",
        "TOUCH k",
        "GETDEL k",
        "ZUNIONSTORE a 2 b k",
    };
    static const char *const others[] = {"PING",   "GET a",       "DBSIZE",         "KEYS *",
                                         "SCAN 0", "LOCK.INFO k", "LOCK.CHECK k 1", "PUBLISH k x"};

    guard(t, "k");
    wire_call(session_wire(t, 1), "CLIENT LOCK-TIMEOUT 0");
    for (size_t i = 0; i < sizeof(touching) / sizeof(touching[0]); i++)
        is_refused(t, 1, touching[i]);
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
        ok(strncmp(wire_call(session_wire(t, 1), others[i]), "-LOCKED", 7) != 0, "free: %s",
           others[i]);
}

static void other_databases(struct session *t)
{
    struct wire *w;

    guard(t, "k");
    w = session_wire(t, 1);
    wire_call(w, "CLIENT LOCK-TIMEOUT 0");
    wire_call(w, "SELECT 1");
    is_str(wire_call(w, "SET k v"), "+OK", "the key of another database is another key");
    is_refused(t, 1, "MOVE k 0");
    is_refused(t, 1, "COPY k k DB 0");
    is_str(wire_call(w, "COPY k k DB 2"), ":1", "COPY to a third");
    is_str(wire_call(w, "FLUSHALL"), "+OK", "FLUSHALL concerns no key");
    wire_call(w, "SELECT 0");
    is_refused(t, 1, "GET k");
}

/* ---- transactions ---------------------------------------------------------------------------- */

static void transactions(struct session *t)
{
    long long token = guard(t, "k");
    struct wire *w = session_wire(t, 1);

    wire_call(w, "MULTI");
    is_str(wire_call(w, "SET a 1"), "+QUEUED", "queueing does not wait");
    is_str(wire_call(w, "INCR k"), "+QUEUED", "nor for a guarded key");
    is_str(wire_call(w, "GET a"), "+QUEUED", "nor behind it");
    session_block(t, 1, "EXEC");
    is_str(wire_call(session_wire(t, 2), "GET a"), "nil", "nothing of it is done");
    wire_call(session_wire(t, 0), "SET k 5");
    release(t, "k", token);
    hears(t, 1, "[+OK :6 '1']", "then all of it");
    token = wire_int(session_wire(t, 0), "LOCK.ACQUIRE k GUARD");
    wire_call(w, "CLIENT LOCK-TIMEOUT 10");
    wire_call(w, "MULTI");
    wire_call(w, "INCR k");
    is_refused(t, 1, "EXEC");
    is_str(wire_call(w, "EXEC"), "-ERR EXEC without MULTI", "it is over");
    wire_call(w, "CLIENT LOCK-TIMEOUT 0");
    wire_call(w, "MULTI");
    wire_call(w, "DBSIZE");
    wire_call(w, "SELECT 1");
    wire_call(w, "SET k 1");
    wire_call(w, "SELECT 0");
    is_str(wire_call(w, "EXEC"), "[:2 +OK +OK +OK]", "in another database");
    wire_call(w, "MULTI");
    wire_call(w, "KEYS *");
    wire_call(w, "SELECT 1");
    wire_call(w, "GET k");
    wire_call(w, "SELECT 0");
    wire_call(w, "GET k");
    is_refused(t, 1, "EXEC");
    wire_call(session_wire(t, 0), "MULTI");
    wire_call(session_wire(t, 0), "INCR k");
    is_str(wire_call(session_wire(t, 0), "EXEC"), "[:7]", "the holder's own");
    release(t, "k", token);
}

/* A watched key that the holder changes makes EXEC void, after its wait. */
static void watched(struct session *t)
{
    long long token;
    struct wire *w;

    session_reset(t);
    w = session_wire(t, 1);
    wire_call(w, "WATCH k");
    token = wire_int(session_wire(t, 0), "LOCK.ACQUIRE k GUARD");
    wire_call(w, "MULTI");
    wire_call(w, "SET k mine");
    session_block(t, 1, "EXEC");
    wire_call(session_wire(t, 0), "SET k theirs");
    release(t, "k", token);
    is_like(wire_read(w), "^nil", "void");
    is_str(wire_call(w, "GET k"), "'theirs'", "and nothing done");
}

/* ---- several --------------------------------------------------------------------------------- */

static void several_keys(struct session *t)
{
    long long a = guard(t, "a"), b = wire_int(session_wire(t, 3), "LOCK.ACQUIRE b GUARD");

    session_block(t, 1, "MSET a 1 b 2 c 3");
    session_block(t, 2, "MGET c b a");
    release(t, "a", a);
    is_str(wire_call(session_wire(t, 4), "GET c"), "nil", "all of its keys or none");
    wire_callf(session_wire(t, 3), "LOCK.RELEASE b %lld", b);
    hears(t, 1, "+OK", "both are free");
    hears(t, 2, "['3' '2' '1']", "in turn");
}

static void readers(struct session *t)
{
    long long token, shared;

    session_reset(t);
    token = wire_int(session_wire(t, 0), "LOCK.ACQUIRE k SHARED GUARD");
    shared = wire_int(session_wire(t, 1), "LOCK.ACQUIRE k SHARED GUARD");
    is_str(wire_call(session_wire(t, 0), "SET k v"), "+OK", "one of those who share it");
    is_str(wire_call(session_wire(t, 1), "GET k"), "'v'", "and the other");
    session_block(t, 2, "GET k");
    release(t, "k", token);
    session_block(t, 0, "GET k");
    wire_callf(session_wire(t, 1), "LOCK.RELEASE k %lld", shared);
    hears(t, 2, "'v'", "all have left");
    hears(t, 0, "'v'", "who has given it back is as others");
}

static void deadlock(struct session *t)
{
    long long a = guard(t, "a"), b = wire_int(session_wire(t, 1), "LOCK.ACQUIRE b GUARD");

    session_block(t, 0, "GET b");
    is_like(wire_call(session_wire(t, 1), "GET a"), "^-DEADLOCK ", "whoever closes the cycle");
    is_like(wire_call(session_wire(t, 1), "LOCK.ACQUIRE a WAIT -1"), "^-DEADLOCK ",
            "by a lock, too");
    wire_callf(session_wire(t, 1), "LOCK.RELEASE b %lld", b);
    hears(t, 0, "nil", "the other goes on");
    release(t, "a", a);
}

/* ---- ends ------------------------------------------------------------------------------------ */

static void killed(struct session *t)
{
    long long id;

    guard(t, "k");
    wire_call(session_wire(t, 0), "SET k v");
    session_block(t, 1, "GET k");
    id = wire_int(session_wire(t, 0), "CLIENT ID");
    wire_callf(session_wire(t, 2), "CLIENT KILL ID %lld", id);
    hears(t, 1, "'v'", "the holder was killed");

    guard(t, "k");
    id = wire_int(session_wire(t, 1), "CLIENT ID");
    session_block(t, 1, "SET k 1");
    session_block(t, 2, "SET k 2 GET");
    wire_callf(session_wire(t, 3), "CLIENT KILL ID %lld", id);
    is_str(wire_call(session_wire(t, 0), "GET k"), "nil", "who waited was killed");
    wire_call(session_wire(t, 0), "RESET");
    hears(t, 2, "nil", "who waits behind is served");
}

static void unblocked(struct session *t)
{
    long long token = guard(t, "k"), id = wire_int(session_wire(t, 1), "CLIENT ID");
    struct wire *w = session_wire(t, 2);

    session_block(t, 1, "GET k");
    is_like(wire_callf(w, "CLIENT LIST ID %lld", id), "flags=b", "it is shown as blocked");
    is_str(wire_callf(w, "CLIENT UNBLOCK %lld", id), ":1", "in time");
    is_like(wire_read(session_wire(t, 1)), "^-LOCKED", "as if its time were up");
    session_block(t, 1, "GET k");
    is_str(wire_callf(w, "CLIENT UNBLOCK %lld ERROR", id), ":1", "with an error");
    is_like(wire_read(session_wire(t, 1)), "^-UNBLOCKED", "an error");
    is_str(wire_call(session_wire(t, 1), "PING"), "+PONG", "it goes on");
    release(t, "k", token);
}

static void leases(struct session *t)
{
    session_reset(t);
    wire_int(session_wire(t, 0), "LOCK.ACQUIRE k GUARD LEASE 40");
    session_block(t, 1, "INCR k");
    hears(t, 1, ":1", "the lease is over");
    wire_int(session_wire(t, 2), "LOCK.ACQUIRE k GUARD LEASE 40 DETACHED");
    is_str(wire_call(session_wire(t, 2), "INCR k"), ":2", "who acquired it, detached, goes on");
    session_block(t, 1, "INCR k");
    hears(t, 1, ":3", "and that is over");
}

static void blocking(struct session *t)
{
    long long token = guard(t, "k");

    session_block(t, 1, "BLPOP k 0");
    wire_call(session_wire(t, 0), "RPUSH k x y");
    release(t, "k", token);
    hears(t, 1, "['k' 'x']", "what is there then");
    wire_call(session_wire(t, 0), "DEL k");
    session_block(t, 1, "BLPOP k 0");
    token = wire_int(session_wire(t, 0), "LOCK.ACQUIRE k GUARD");
    session_block(t, 2, "RPUSH k z");
    wire_call(session_wire(t, 0), "RPUSH k w");
    hears(t, 1, "['k' 'w']", "who waited before is served by the holder");
    release(t, "k", token);
    hears(t, 2, ":1", "and others push later");
}

static void muted(struct session *t)
{
    long long token = guard(t, "k");
    struct wire *w = session_wire(t, 1);

    wire_call(w, "CLIENT LOCK-TIMEOUT 10");
    wire_send(w, "CLIENT REPLY SKIP");
    wire_send(w, "INCR k");
    is_str(wire_call(w, "ECHO x"), "'x'", "a refusal is skipped");
    wire_call(w, "CLIENT LOCK-TIMEOUT -1");
    wire_send(w, "CLIENT REPLY SKIP");
    wire_send(w, "INCR k");
    raw_sleep_ms(20);
    release(t, "k", token);
    is_str(wire_call(w, "GET k"), "'1'", "and a reply");
}

static void evicted(struct session *t)
{
    struct wire *w;

    guard(t, "k");
    w = session_wire(t, 0);
    wire_call(w, "MSET k v a v b v");
    wire_call(w, "CONFIG SET maxmemory-policy allkeys-random maxmemory 1");
    wire_call(w, "SET c v");
    wire_call(w, "CONFIG SET maxmemory-policy allkeys-lru");
    wire_call(w, "SET c v");
    wire_call(w, "CONFIG SET maxmemory-policy noeviction maxmemory 0");
    is_str(wire_call(w, "KEYS *"), "['k']", "it is not evicted");
    wire_call(w, "PEXPIRE k 1");
    raw_sleep_ms(30);
    is_str(wire_call(w, "EXISTS k"), ":0", "but it expires");
}

static void spared_by_policies(struct session *t)
{
    struct wire *w;

    session_reset(t);
    w = session_wire(t, 0);
    wire_call(w, "POLICY SET p: MAXKEYS 2");
    wire_call(w, "SET p:1 v");
    wire_int(w, "LOCK.ACQUIRE p:1 GUARD");
    for (int i = 2; i < 10; i++)
        wire_callf(w, "SET p:%d v", i);
    is_str(wire_call(w, "EXISTS p:1 p:8 p:9"), ":2", "the least recently used but it have gone");
    is_str(wire_call(w, "EXISTS p:1"), ":1", "it is there");
    wire_call(w, "POLICY DEL p:");
}

static const struct group groups[] = {
    NEW_TEST(in_turn),
    NEW_TEST(with_lockers),
    NEW_TEST(in_time),
    NEW_TEST(pipelines),
    NEW_TEST(commands),
    NEW_TEST(other_databases),
    NEW_TEST(transactions),
    NEW_TEST(watched),
    NEW_TEST(several_keys),
    NEW_TEST(readers),
    NEW_TEST(deadlock),
    NEW_TEST(killed),
    NEW_TEST(unblocked),
    NEW_TEST(leases),
    NEW_TEST(blocking),
    NEW_TEST(muted),
    NEW_TEST(evicted),
    NEW_TEST(spared_by_policies),
    {0},
};

int main(void)
{
    static const int threads[] = {1, 4, 0};

    return session_main("guard", "", threads, groups);
}
