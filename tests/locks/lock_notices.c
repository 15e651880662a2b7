/* What is told of locks: to holders, to who has a ticket, to whoever subscribes. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/lib/raw.h"
#include "tests/lib/tap.h"
#include "tests/lib/wire.h"

/* Whatever comes until one of these has come; true when it did, in time. */
static bool comes(struct wire *w, const char *wanted)
{
    long long end = raw_now_ms() + RAW_TIMEOUT_MS;

    while (raw_now_ms() < end) {
        const char *got = wire_read(w);

        if (strstr(got, wanted) != NULL)
            return true;
        if (strcmp(got, "(closed)") == 0 || strcmp(got, "(silence)") == 0)
            break;
        diag("(%s)", got);
    }
    return false;
}

__attribute__((format(printf, 3, 4))) static void told(struct wire *w, const char *what,
                                                       const char *format, ...)
{
    char wanted[200];
    va_list ap;

    va_start(ap, format);
    vsnprintf(wanted, sizeof(wanted), format, ap);
    va_end(ap);
    ok(comes(w, wanted), "%s is told: %s", what, wanted);
}

/* With RESP3 a holder is told by itself, without any subscription. */
static void holders(struct session *t)
{
    struct wire *w = wire_open(t->server, 3), *other = session_wire(t, 1);
    long long token = wire_int(w, "LOCK.ACQUIRE n1 LEASE 30");

    told(w, "the holder", ">['lock' 'expired' 'n1' :%lld]", token);
    token = wire_int(w, "LOCK.ACQUIRE n2");
    is_str(wire_call(other, "LOCK.BREAK n2"), ":1", "broken");
    told(w, "the holder", ">['lock' 'broken' 'n2' :%lld]", token);
    token = wire_int(w, "LOCK.ACQUIRE n3 LEASE 400");
    told(w, "the holder, in time", ">['lock' 'expiring' 'n3' :%lld]", token);
    is_str(wire_callf(w, "LOCK.RENEW n3 %lld LEASE 60000", token), ":1", "and renews it");
    is_str(wire_callf(w, "LOCK.RELEASE n3 %lld", token), ":1", "and releases it");
    ok(raw_expect_silence(w->fd, 50), "who releases by himself is told nothing");
    wire_close(w);
}

/* With RESP2 it is told where it has subscribed. */
static void subscribed_holder(struct session *t)
{
    struct wire *w = wire_open(t->server, 2), *ears = wire_open(t->server, 2);
    long long token;

    wire_call(ears, "SUBSCRIBE __lock__:m1");
    token = wire_int(w, "LOCK.ACQUIRE m1 LEASE 30");
    told(ears, "a subscriber", "['message' '__lock__:m1' 'acquired %lld", token);
    told(ears, "a subscriber", "['message' '__lock__:m1' 'expired %lld", token);
    token = wire_int(w, "LOCK.ACQUIRE m1");
    told(ears, "a subscriber", "['message' '__lock__:m1' 'acquired %lld", token);
    wire_call(session_wire(t, 1), "LOCK.BREAK m1");
    told(ears, "a subscriber", "['message' '__lock__:m1' 'broken %lld", token);
    token = wire_int(w, "LOCK.ACQUIRE m1 LEASE 400");
    told(ears, "a subscriber", "['message' '__lock__:m1' 'expiring %lld", token);
    wire_callf(w, "LOCK.RELEASE m1 %lld", token);
    told(ears, "a subscriber", "['message' '__lock__:m1' 'released %lld", token);
    token = wire_int(w, "LOCK.ACQUIRE m1");
    wire_close(w);
    told(ears, "a subscriber, of a connection's end", "['message' '__lock__:m1' 'lost %lld", token);
    wire_close(ears);
}

static void patterns(struct session *t)
{
    struct wire *w = session_wire(t, 0), *ears = wire_open(t->server, 3);
    long long token;

    wire_call(ears, "PSUBSCRIBE __lock__:p*");
    token = wire_int(w, "LOCK.ACQUIRE other");
    wire_callf(w, "LOCK.RELEASE other %lld", token);
    token = wire_int(w, "LOCK.ACQUIRE p1 SHARED");
    is_like(wire_read(ears), "^>\\['pmessage' '__lock__:p\\*' '__lock__:p1' 'acquired ",
            "a pattern's subscriber is told of its locks alone");
    wire_callf(w, "LOCK.RELEASE p1 %lld", token);
    told(ears, "a pattern's subscriber", "'__lock__:p1' 'released %lld", token);
    wire_close(ears);
}

/* ---- tickets ---- */

static void tickets_pushed(struct session *t)
{
    struct wire *holder = session_wire(t, 0), *w = wire_open(t->server, 3);
    long long token = wire_int(holder, "LOCK.ACQUIRE q1"), ticket, next;

    is_like(wire_call(w, "LOCK.ACQUIRE q1 QUEUE"), "^\\['QUEUED' :[0-9]+\\]$", "a ticket");
    ticket = strtoll(strchr(w->last, ':') + 1, NULL, 10);
    is_like(wire_call(w, "LOCK.ACQUIRE q1 q2 QUEUE"), "^\\['QUEUED' :[0-9]+\\]$", "another");
    wire_callf(holder, "LOCK.RELEASE q1 %lld", token);
    is_like(wire_read(w), "^>\\['lock' 'granted' 'q1' :[0-9]+ :[0-9]+\\]$", "its turn comes");
    next = strtoll(strrchr(w->last, ':') + 1, NULL, 10);
    is_int(strtoll(strchr(w->last, ':') + 1, NULL, 10), ticket, "with the ticket's number");
    ok(next > token, "and a larger token: %lld", next);
    ok(raw_expect_silence(w->fd, 20), "the other waits");
    is_str(wire_callf(w, "LOCK.RELEASE q1 %lld", next), ":1", "released");
    is_like(wire_read(w), "^>\\['lock' 'granted' 'q1' 'q2' :[0-9]+ :[0-9]+ :[0-9]+\\]$",
            "the other's turn: two names, the ticket, two tokens");
    wire_close(w);
}

static void tickets_published(struct session *t)
{
    struct wire *holder = session_wire(t, 0), *w = wire_open(t->server, 2);
    struct wire *ears = wire_open(t->server, 2);
    long long token = wire_int(holder, "LOCK.ACQUIRE q3"), ticket;

    wire_call(ears, "SUBSCRIBE __lock__:q3");
    is_like(wire_call(w, "LOCK.ACQUIRE q3 QUEUE"), "^\\['QUEUED' :[0-9]+\\]$", "a ticket");
    ticket = strtoll(strchr(w->last, ':') + 1, NULL, 10);
    wire_callf(holder, "LOCK.RELEASE q3 %lld", token);
    told(ears, "who has a ticket", "['message' '__lock__:q3' 'granted %lld ", ticket);
    token = strtoll(strrchr(ears->last, ' ') + 1, NULL, 10);
    is_str(wire_callf(w, "LOCK.CHECK q3 %lld", token), ":1", "it holds the lock");
    wire_close(w);
    wire_close(ears);
}

/* A ticket is worth no more than its connection. */
static void tickets_of_the_dead(struct session *t)
{
    struct wire *holder = session_wire(t, 0), *w = wire_open(t->server, t->protocol);
    long long token = wire_int(holder, "LOCK.ACQUIRE q4");

    wire_call(w, "LOCK.ACQUIRE q4 QUEUE");
    wire_send(session_wire(t, 1), "LOCK.ACQUIRE q4 WAIT -1");
    wire_close(w);
    wire_callf(holder, "LOCK.RELEASE q4 %lld", token);
    is_like(wire_read(session_wire(t, 1)), "^:[0-9]+$", "who is alive is next");
}

static const struct group groups[] = {
    NEW_TEST(holders),
    NEW_TEST(subscribed_holder),
    NEW_TEST(patterns),
    NEW_TEST(tickets_pushed),
    NEW_TEST(tickets_published),
    NEW_TEST(tickets_of_the_dead),
    {NULL, NULL, 0, NULL, false},
};

int main(void)
{
    static const int threads[] = {1, 4, 0};

    return session_main("lock notices", "", threads, groups);
}
