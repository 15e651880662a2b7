/* How a lock ends: released, with a write or without, by its lease, broken, with its session. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/lib/raw.h"
#include "tests/lib/tap.h"
#include "tests/lib/wire.h"

static const struct wire_case releases[] = {
    {"LOCK.RELEASE a 1", "/^-NOTHELD "},
    {"LOCK.ACQUIRE a", ":$+a"},
    {"LOCK.RELEASE a $a", ":1"},
    {"LOCK.RELEASE a $a", "/^-NOTHELD "},
    {"@1 LOCK.ACQUIRE a", ":$+b"},
    {"LOCK.RELEASE a $a", "/^-FENCED "},
    {"@1 LOCK.CHECK a $b", ":1"},
    {"LOCK.RELEASE a 9007199254740991", "/^-NOTHELD "},
    {"LOCK.RENEW a $a LEASE 100", "/^-(FENCED|LOCKLOST|NOTHELD) "},
    {"@1 LOCK.RELEASE a $b", ":1"},
};

static const struct wire_case commits[] = {
    {"SET a before", "+OK"},
    {"LOCK.ACQUIRE a", ":$+a"},
    {"LOCK.RELEASE a $a SET after", ":1"},
    {"GET a", "'after'"},
    {"LOCK.RELEASE a $a SET late", "/^-NOTHELD "},
    {"GET a", "'after'"},
    {"LOCK.ACQUIRE a", ":$+b"},
    {"LOCK.RELEASE a $a SET stale", "/^-FENCED "},
    {"LOCK.RELEASE a $a DEL", "/^-FENCED "},
    {"GET a", "'after'"},
    {"LOCK.RELEASE a $b SET timed EX 100", ":1"},
    {"GET a", "'timed'"},
    {"TTL a", ":100"},
    {"LOCK.ACQUIRE a", ":$+b"},
    {"LOCK.RELEASE a $b SET timed PX 100000", ":1"},
    {"TTL a", ":100"},
    {"LOCK.ACQUIRE a", ":$+b"},
    {"LOCK.RELEASE a $b SET plain", ":1"},
    {"TTL a", ":-1"},
    {"LOCK.ACQUIRE a", ":$+b"},
    {"LOCK.RELEASE a $b DEL", ":1"},
    {"EXISTS a", ":0"},
    {"LOCK.ACQUIRE a", ":$+b"},
    {"LOCK.RELEASE a $b DEL", ":1"},
    {"RPUSH a x", ":1"},
    {"LOCK.ACQUIRE a", ":$+b"},
    {"LOCK.RELEASE a $b SET string", ":1"},
    {"GET a", "'string'"},
    {"LOCK.ACQUIRE a", ":$+b"},
    {"LOCK.RELEASE a $b SET x EX 0", "/^-ERR invalid expire"},
    {"LOCK.RELEASE a $b SET x EX", "/^-ERR syntax error"},
    {"LOCK.CHECK a $b", ":1"},
    {"LOCK.RELEASE a $b", ":1"},
    {"GET a", "'string'"},
};

/* The write is there when the next holder is, whichever worker it has. */
static const struct wire_case commit_and_next[] = {
    {"SET a 0", "+OK"},
    {"LOCK.ACQUIRE a", ":$+a"},
    {"@1 LOCK.ACQUIRE a WAIT -1", "(waits)"},
    {"@2 LOCK.ACQUIRE a WAIT -1", "(waits)"},
    {"LOCK.RELEASE a $a SET 1", ":1"},
    {"@1", ":$+b"},
    {"@1 GET a", "'1'"},
    {"@1 LOCK.RELEASE a $b SET 2", ":1"},
    {"@2", ":$+c"},
    {"@2 GET a", "'2'"},
    {"@2 LOCK.RELEASE a $c", ":1"},
};

static const struct wire_case leases[] = {
    {"LOCK.ACQUIRE a LEASE 60", ":$+a"},   {"LOCK.CHECK a $a", ":1"},
    {"@1 LOCK.ACQUIRE a WAIT -1", ":$+b"}, {"LOCK.CHECK a $a", ":0"},
    {"@1 LOCK.CHECK a $b", ":1"},          {"@1 LOCK.RENEW a $b LEASE 100000", ":1"},
    {"@1 LOCK.RENEW a $b LEASE 60", ":1"}, {"@2 LOCK.ACQUIRE a WAIT -1", ":$+c"},
    {"@1 LOCK.CHECK a $b", ":0"},          {"@2 LOCK.CHECK a $c", ":1"},
    {"@2 LOCK.RELEASE a $c", ":1"},
};

/* What has been lost is lost, though nobody else has it. */
static const struct wire_case lost_leases[] = {
    {"LOCK.ACQUIRE a LEASE 20", ":$+a"},    {"@2 LOCK.ACQUIRE a WAIT -1", ":$+b"},
    {"@2 LOCK.RELEASE a $b", ":1"},         {"@1 LOCK.CHECK a $a", ":0"},
    {"@1 LOCK.ACQUIRE b LEASE 10", ":$+b"}, {"~60", ""},
    {"@1 LOCK.CHECK b $b", ":0"},
};

static const struct wire_case detached[] = {
    {"LOCK.ACQUIRE d DETACHED", "/^-ERR "},
    {"LOCK.ACQUIRE d LEASE 60000 DETACHED", ":$+a"},
    {"@1 LOCK.ACQUIRE d", "nil"},
    {"@1 LOCK.RENEW d $a LEASE 70000", ":1"},
    {"@1 LOCK.CHECK d $a", ":1"},
    {"QUIT", "+OK"},
    {"", "(closed)"},
    {"@1 LOCK.ACQUIRE d", "nil"},
    {"@2 LOCK.CHECK d $a", ":1"},
    {"@2 LOCK.RELEASE d $a", ":1"},
    {"@1 LOCK.ACQUIRE d", ":$+b"},
    {"@1 LOCK.RELEASE d $b", ":1"},
};

static const struct wire_case bound[] = {
    {"LOCK.ACQUIRE a", ":$+a"},
    {"LOCK.ACQUIRE b LEASE 60000", ":$+b"},
    {"LOCK.ACQUIRE c d SHARED", "[:$+c :$+d]"},
    {"LOCK.ACQUIRE e PERMITS 2 OF 2", ":$+e"},
    {"LOCK.ACQUIRE f REENTRANT", ":$+f"},
    {"LOCK.ACQUIRE f REENTRANT", ":$f"},
    {"@1 LOCK.ACQUIRE a b c d WAIT -1", "(waits)"},
    {"@2 LOCK.ACQUIRE e PERMITS 1 OF 2 WAIT -1", "(waits)"},
    {"@3 LOCK.ACQUIRE f WAIT -1", "(waits)"},
    {"QUIT", "+OK"},
    {"@1", "[:$+a :$+b :$+c :$+d]"},
    {"@2", ":$?"},
    {"@3", ":$?"},
};

static const struct wire_case broken[] = {
    {"LOCK.BREAK a", ":0"},
    {"LOCK.ACQUIRE a", ":$+a"},
    {"@1 LOCK.ACQUIRE a WAIT -1", "(waits)"},
    {"@2 LOCK.BREAK a", ":1"},
    {"@1", ":$+b"},
    {"@2 LOCK.CHECK a $a", ":0"},
    {"@1 LOCK.RELEASE a $b", ":1"},
    {"@1 LOCK.ACQUIRE a SHARED", ":$+a"},
    {"@3 LOCK.ACQUIRE a SHARED", ":$+b"},
    {"@2 LOCK.BREAK a", "/^:[12]$"},
    {"@2 LOCK.ACQUIRE a", ":$+c"},
    {"@2 LOCK.RELEASE a $c", ":1"},
};

/* Nobody gets it before the delay, whoever waits. */
static const struct wire_case broken_for_a_while[] = {
    {"LOCK.ACQUIRE a", ":$+a"},
    {"@1 LOCK.ACQUIRE a WAIT -1", "(waits)"},
    {"@2 LOCK.BREAK a DELAY 200", ":1"},
    {"@2 LOCK.CHECK a $a", ":0"},
    {"@2 LOCK.ACQUIRE a", "nil"},
    {"@1", "(silence)"},
    {"@1", ":$+b"},
    {"@1 LOCK.RELEASE a $b", ":1"},
    {"@2 LOCK.BREAK free DELAY 100", "/^:"},
    {"@3 LOCK.ACQUIRE free", "nil"},
    {"@3 LOCK.ACQUIRE free WAIT -1", ":$+c"},
};

static const struct wire_case sessions[] = {
    {"LOCK.SESSION worker-1 GRACE 60000", "+OK"},
    {"LOCK.ACQUIRE a", ":$+a"},
    {"QUIT", "+OK"},
    {"", "(closed)"},
    {"@1 LOCK.ACQUIRE a", "nil"},
    {"@1 LOCK.CHECK a $a", ":1"},
    {"@2 LOCK.SESSION worker-1 GRACE 10", "+OK"},
    {"@2 LOCK.CHECK a $a", ":1"},
    {"@2 LOCK.RENEW * LEASE 60000", ":1"},
    {"@1 LOCK.ACQUIRE a WAIT -1", "(waits)"},
    {"@2 QUIT", "+OK"},
    {"@1", ":$+b"},
    {"@1 LOCK.RELEASE a $b", ":1"},
};

/* Without a grace it ends with its connection. */
static const struct wire_case sessions_without_grace[] = {
    {"LOCK.SESSION worker-2 GRACE 0", "+OK"},
    {"LOCK.ACQUIRE a", ":$+a"},
    {"LOCK.RELEASE a $a", ":1"},
    {"LOCK.ACQUIRE a", ":$+a"},
    {"LOCK.ACQUIRE b", ":$+b"},
    {"@1 LOCK.ACQUIRE a b WAIT -1", "(waits)"},
    {"QUIT", "+OK"},
    {"@1", "[:$? :$?]"},
};

static const struct wire_case renew_all[] = {
    {"LOCK.RENEW * LEASE 1000", ":0"},
    {"LOCK.ACQUIRE a LEASE 60000", ":$+a"},
    {"LOCK.ACQUIRE b c LEASE 60000", "[:$+b :$+c]"},
    {"LOCK.ACQUIRE d LEASE 60000 DETACHED", ":$+d"},
    {"@1 LOCK.ACQUIRE e LEASE 60000", ":$+e"},
    {"LOCK.RENEW * LEASE 70000", "/^:[34]$"},
    {"@1 LOCK.RENEW * LEASE 50", ":1"},
    {"@2 LOCK.ACQUIRE e WAIT -1", ":$?"},
    {"@2 LOCK.ACQUIRE a", "nil"},
    {"@2 LOCK.ACQUIRE b", "nil"},
    {"@2 LOCK.ACQUIRE c", "nil"},
    {"LOCK.RELEASE d $d", ":1"},
};

/* ---- with the clock in hand ---- */

/* A lease ends no sooner than it may, and a wait no sooner than it is told. */
static void not_too_soon(struct session *t)
{
    struct wire *w = session_wire(t, 0), *other = session_wire(t, 1);
    long long started = raw_now_ms(), took;

    wire_int(w, "LOCK.ACQUIRE soon LEASE 80 DETACHED");
    wire_int(other, "LOCK.ACQUIRE soon WAIT -1");
    took = raw_now_ms() - started;
    ok(took >= 80, "a lease of 80 ms has lasted so long: %lld", took);
    started = raw_now_ms();
    is_str(wire_call(w, "LOCK.ACQUIRE soon WAIT 60"), "nil", "a wait of 60 ms");
    took = raw_now_ms() - started;
    ok(took >= 60, "has lasted so long: %lld", took);
}

/* Renewed in time it is held for ever. */
static void renewed_in_time(struct session *t)
{
    struct wire *w = session_wire(t, 0), *other = session_wire(t, 1);
    long long token = wire_int(w, "LOCK.ACQUIRE kept LEASE 2000"), end = raw_now_ms() + 300;
    bool kept = true;

    wire_send(other, "LOCK.ACQUIRE kept WAIT -1");
    while (raw_now_ms() < end) {
        kept = strcmp(wire_callf(w, "LOCK.RENEW kept %lld LEASE 2000", token), ":1") == 0 && kept;
        raw_sleep_ms(10);
    }
    ok(kept, "renewed again and again");
    is_str(wire_callf(w, "LOCK.CHECK kept %lld", token), ":1", "it is held");
    is_str(wire_callf(w, "LOCK.RELEASE kept %lld", token), ":1", "until it is released");
    is_like(wire_read(other), "^:", "for who has waited");
}

/* The holder learns by a code of its own that its lease has been lost. */
static void lock_lost(struct session *t)
{
    struct wire *w = wire_open(t->server, 2);
    long long token = wire_int(w, "LOCK.ACQUIRE lost LEASE 15");

    raw_sleep_ms(60);
    is_like(wire_callf(w, "LOCK.RENEW lost %lld LEASE 1000", token), "^-LOCKLOST ",
            "no renewal of a lease that has ended");
    is_str(wire_callf(w, "LOCK.CHECK lost %lld", token), ":0", "it is not held");
    is_like(wire_callf(w, "LOCK.RELEASE lost %lld SET x", token), "^-(NOTHELD|LOCKLOST) ",
            "no release");
    is_str(wire_call(w, "EXISTS lost"), ":0", "and nothing written");
    wire_close(w);
}

static const struct group groups[] = {
    NEW_TABLE(releases),
    NEW_TABLE(commits),
    NEW_TABLE(commit_and_next),
    NEW_TABLE(leases),
    NEW_TABLE(lost_leases),
    NEW_TABLE(detached),
    NEW_TABLE(bound),
    NEW_TABLE(broken),
    NEW_TABLE(broken_for_a_while),
    NEW_TABLE(sessions),
    NEW_TABLE(sessions_without_grace),
    NEW_TABLE(renew_all),
    NEW_TEST(not_too_soon),
    NEW_TEST(renewed_in_time),
    NEW_TEST(lock_lost),
    {NULL, NULL, 0, NULL, false},
};

int main(void)
{
    static const int threads[] = {1, 4, 0};

    return session_main("lock ends", "", threads, groups);
}
