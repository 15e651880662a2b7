/* How locks end that nobody gives back: leases, connections, sessions, and who takes them away. */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "tests/wire/lock_talk.h"

static void hang_up(struct session *t, int i)
{
    wire_close(t->connections[i]);
    t->connections[i] = NULL;
}

static void leases(struct session *t)
{
    struct wire *w = session_wire(t, 0), *other = session_wire(t, 1);
    int64_t ms = clock_mono_ms();
    long long token = wire_int(w, "LOCK.ACQUIRE l LEASE 40");

    is_like(wire_call(other, "LOCK.ACQUIRE l WAIT -1"), TOKEN, "when the lease ends");
    ms = clock_mono_ms() - ms;
    ok(ms >= 40, "not sooner (%lld ms)", (long long)ms);
    if (t->protocol == 3) {
        is_like(wire_read(w), "^>\\['lock' 'expiring' 'l' :[0-9]+]$", "told before");
        is_like(wire_read(w), "^>\\['lock' 'expired' 'l' :[0-9]+]$", "and when it did");
    }
    is_like(wire_callf(w, "LOCK.RELEASE l %lld", token), FENCED, "too late to give it back");
    is_like(wire_callf(w, "LOCK.RENEW l %lld LEASE 10", token), LOCKLOST, "or to renew it");
}

static void renewed(struct session *t)
{
    struct wire *w = session_wire(t, 0);
    long long token = wire_int(w, "LOCK.ACQUIRE r LEASE 60000"), second;

    is_str(wire_callf(w, "LOCK.RENEW r %lld LEASE 120000", token), ":1", "longer");
    is_like(wire_call(w, "LOCK.INFO r"), "'lease-left-ms' :1[12][0-9]{4} ", "is longer");
    second = wire_int(w, "LOCK.ACQUIRE r2 LEASE 60000");
    is_str(wire_call(session_wire(t, 1), "LOCK.RENEW * LEASE 10"), ":0", "not of another session");
    is_str(wire_call(w, "LOCK.RENEW * LEASE 600000"), ":2", "all of the session");
    is_like(wire_call(w, "LOCK.INFO r2"), "'lease-left-ms' :(600000|59[0-9]{4}) ", "is longer");
    is_str(wire_callf(w, "LOCK.RENEW r %lld LEASE 1", token), ":1", "shorter");
    is_like(wire_call(session_wire(t, 1), "LOCK.ACQUIRE r WAIT -1"), TOKEN, "ends sooner");
    is_str(wire_callf(session_wire(t, 1), "LOCK.RELEASE r2 %lld", second), ":1", "by token");
}

static void connections(struct session *t)
{
    struct wire *w = session_wire(t, 0);
    long long detached;

    wire_int(session_wire(t, 1), "LOCK.ACQUIRE c1");
    wire_int(session_wire(t, 1), "LOCK.ACQUIRE c2 LEASE 600000");
    detached = wire_int(session_wire(t, 1), "LOCK.ACQUIRE c3 LEASE 600000 DETACHED");
    session_block(t, 0, "LOCK.ACQUIRE c1 c2 WAIT -1");
    hang_up(t, 1);
    is_like(wire_read(w), "^\\[:[0-9]+ :[0-9]+]$", "free with the end of the connection");
    is_str(wire_call(w, "LOCK.ACQUIRE c3"), "nil", "but for one that is detached");
    is_str(wire_callf(w, "LOCK.RENEW c3 %lld LEASE 60000", detached), ":1", "renewed by token");
    is_str(wire_callf(w, "LOCK.RELEASE c3 %lld", detached), ":1", "given back by token");
    session_block(t, 2, "LOCK.ACQUIRE c1 WAIT -1");
    is_str(wire_call(w, "RESET"), "+RESET", "RESET");
    is_like(wire_read(session_wire(t, 2)), TOKEN, "is such an end");
    session_block(t, 3, "LOCK.ACQUIRE c1 WAIT -1");
    is_str(wire_callf(w, "CLIENT KILL ID %lld", wire_int(session_wire(t, 4), "CLIENT ID")), ":1",
           "CLIENT KILL of another");
    wire_callf(w, "CLIENT KILL TYPE normal SKIPME yes");
}

static void sessions(struct session *t)
{
    struct wire *w = session_wire(t, 0), *mine = session_wire(t, 1);
    long long token;

    is_str(wire_call(mine, "LOCK.SESSION"), "nil", "no session at first");
    is_str(wire_call(mine, "LOCK.SESSION s GRACE 60000"), "+OK", "attached");
    is_str(wire_call(mine, "LOCK.SESSION"), "'s'", "that is its name");
    token = wire_int(mine, "LOCK.ACQUIRE l");
    is_like(wire_call(w, "INFO locks"), "lock_sessions:1", "counted");
    hang_up(t, 1);
    is_str(wire_call(w, "LOCK.ACQUIRE l WAIT 30"), "nil", "the lock survives");
    mine = session_wire(t, 1);
    is_str(wire_call(mine, "LOCK.SESSION s GRACE 30"), "+OK", "here it is again");
    is_int(wire_int(mine, "LOCK.ACQUIRE l REENTRANT"), token, "with its lock");
    session_block(t, 0, "LOCK.ACQUIRE l WAIT -1");
    hang_up(t, 1);
    is_like(wire_read(w), TOKEN, "behind the grace it is free");
    is_like(wire_call(w, "LOCK.SESSION s"), "^-ERR the connection has locks", "not with locks");
    is_like(wire_call(w, "INFO locks"), "lock_sessions:0", "the session has ended");
}

/* The old connection may be half open: the new one has the session. */
static void taken_over(struct session *t)
{
    struct wire *w = session_wire(t, 0), *old = session_wire(t, 1), *new = session_wire(t, 2);
    long long token;

    wire_call(old, "LOCK.SESSION s GRACE 60000");
    token = wire_int(old, "LOCK.ACQUIRE l");
    wire_int(w, "LOCK.ACQUIRE m");
    session_block(t, 1, "LOCK.ACQUIRE m WAIT -1");
    is_str(wire_call(new, "LOCK.SESSION s GRACE 0"), "+OK", "taken over");
    is_like(wire_read(old), LOCKLOST, "what the old one waits for is over");
    is_str(wire_call(old, "LOCK.SESSION"), "nil", "it has no session any more");
    is_str(wire_call(old, "LOCK.RENEW * LEASE 1"), ":0", "nor locks");
    is_str(wire_call(new, "LOCK.RENEW * LEASE 60000"), ":1", "those are the new one's");
    hang_up(t, 1);
    is_str(wire_callf(w, "LOCK.CHECK l %lld", token), ":1", "the end of the old one is nothing");
    session_block(t, 0, "LOCK.ACQUIRE l WAIT -1");
    hang_up(t, 2);
    is_like(wire_read(w), TOKEN, "that of the new one is, without a grace");
}

static void broken(struct session *t)
{
    struct wire *w = session_wire(t, 0), *holder = session_wire(t, 1);
    int64_t ms;

    wire_int(holder, "LOCK.ACQUIRE b");
    is_str(wire_call(w, "LOCK.BREAK b"), ":1", "broken");
    if (t->protocol == 3)
        is_like(wire_read(holder), "^>\\['lock' 'broken' 'b' :[0-9]+]$", "the holder is told");
    wire_int(holder, "LOCK.ACQUIRE b SHARED");
    wire_int(session_wire(t, 2), "LOCK.ACQUIRE b SHARED");
    session_block(t, 3, "LOCK.ACQUIRE b WAIT -1");
    is_str(wire_call(w, "LOCK.BREAK b DELAY 60000"), ":2", "two readers");
    is_like(wire_call(w, "LOCK.INFO b"), "'mode' 'closed'.*'closed-ms' :[1-9]", "kept closed");
    is_str(wire_call(w, "LOCK.ACQUIRE b"), "nil", "for everybody");
    ms = clock_mono_ms();
    is_str(wire_call(w, "LOCK.BREAK b DELAY 50"), ":0", "for another time");
    is_like(wire_read(session_wire(t, 3)), TOKEN, "who waits gets it");
    ok(clock_mono_ms() - ms >= 50, "after the delay");
    is_str(wire_call(w, "LOCK.BREAK free DELAY 60000"), ":0", "one that is free");
    is_str(wire_call(w, "LOCK.ACQUIRE free"), "nil", "is closed too");
    is_str(wire_call(w, "LOCK.BREAK free"), ":0", "until it is opened");
    wire_int(w, "LOCK.ACQUIRE free");
}

static void told(struct session *t)
{
    struct wire *w = session_wire(t, 0), *hears = session_wire(t, 1), *other = session_wire(t, 2);
    long long token;

    wire_call(hears, "PSUBSCRIBE __lock__:*");
    token = wire_int(w, "LOCK.ACQUIRE t OWNER me");
    is_like(wire_read(hears), "'__lock__:t' 'acquired [0-9]+ me'", "acquired");
    wire_callf(w, "LOCK.RELEASE t %lld", token);
    is_like(wire_read(hears), "'__lock__:t' 'released [0-9]+ me'", "released");
    wire_int(w, "LOCK.ACQUIRE t LEASE 30");
    is_like(wire_read(hears), "'acquired [0-9]+ client:[0-9]+'", "acquired");
    is_like(wire_read(hears), "'expiring [0-9]+ client:[0-9]+'", "expiring");
    is_like(wire_read(hears), "'expired [0-9]+ client:[0-9]+'", "expired");
    wire_call(other, "LOCK.SESSION name GRACE 0");
    wire_int(other, "LOCK.ACQUIRE t");
    is_like(wire_read(hears), "'acquired [0-9]+ name'", "acquired");
    wire_call(w, "LOCK.BREAK t");
    is_like(wire_read(hears), "'broken [0-9]+ name'", "broken");
    if (t->protocol == 3)
        is_like(wire_read(other), "'broken'", "the holder is told too");
    wire_int(other, "LOCK.ACQUIRE t");
    is_like(wire_read(hears), "'acquired [0-9]+ name'", "acquired");
    hang_up(t, 2);
    is_like(wire_read(hears), "'lost [0-9]+ name'", "lost");
}

int main(void)
{
    static const int threads[] = {1, 4, 0};
    static const struct group groups[] = {
        NEW_TEST(leases),      NEW_TEST(renewed),
        NEW_TEST(connections), NEW_TEST(sessions),
        NEW_TEST(taken_over),  NEW_TEST(broken),
        NEW_TEST(told),        {NULL, NULL, 0, NULL, false},
    };

    return session_main("lock ends", "", threads, groups);
}
