/* Locks that are waited for: in turn, all or nothing, in vain, by ticket, and never in a circle. */
#include <stdio.h>
#include <string.h>

#include "tests/wire/lock_talk.h"

static long long token_of(struct wire *w, const char *what)
{
    const char *text = wire_read(w);
    long long token = 0;

    is_like(text, TOKEN, "%s", what);
    sscanf(text, ":%lld", &token);
    return token;
}

static void in_turn(struct session *t)
{
    struct wire *w = session_wire(t, 0);
    long long token = wire_int(w, "LOCK.ACQUIRE t"), next;

    for (int i = 1; i <= 4; i++)
        session_block(t, i, i == 2 ? "LOCK.ACQUIRE t WAIT 60000" : "LOCK.ACQUIRE t WAIT -1");
    is_str(wire_callf(w, "LOCK.RELEASE t %lld", token), ":1", "given back");
    for (int i = 1; i <= 4; i++) {
        next = token_of(session_wire(t, i), "in turn");
        ok(next > token, "tokens grow");
        token = next;
        is_str(wire_call(w, "LOCK.ACQUIRE t"), "nil", "nobody comes between");
        is_str(wire_callf(w, "LOCK.RELEASE t %lld", token), ":1", "given back");
    }
    wire_int(w, "LOCK.ACQUIRE t");
}

static void readers_and_writers(struct session *t)
{
    struct wire *w = session_wire(t, 0);
    long long reader = wire_int(w, "LOCK.ACQUIRE rw SHARED"), writer, token;

    session_block(t, 1, "LOCK.ACQUIRE rw WAIT -1");
    session_block(t, 2, "LOCK.ACQUIRE rw SHARED WAIT -1");
    session_block(t, 3, "LOCK.ACQUIRE rw SHARED WAIT -1");
    session_block(t, 4, "LOCK.ACQUIRE rw WAIT -1");
    session_block(t, 5, "LOCK.ACQUIRE rw SHARED WAIT -1");
    is_str(wire_callf(w, "LOCK.RELEASE rw %lld", reader), ":1", "the first reader leaves");
    writer = token_of(session_wire(t, 1), "the writer");
    is_str(wire_callf(w, "LOCK.RELEASE rw %lld", writer), ":1", "leaves");
    token = token_of(session_wire(t, 2), "two readers");
    reader = token_of(session_wire(t, 3), "at once");
    is_str(wire_callf(w, "LOCK.RELEASE rw %lld", reader), ":1", "one leaves");
    is_str(wire_callf(w, "LOCK.CHECK rw %lld", token), ":1", "one stays");
    is_str(wire_callf(w, "LOCK.RELEASE rw %lld", token), ":1", "and leaves");
    token = token_of(session_wire(t, 4), "the second writer");
    is_str(wire_callf(w, "LOCK.RELEASE rw %lld", token), ":1", "leaves");
    token_of(session_wire(t, 5), "the last reader");
}

static void semaphore(struct session *t)
{
    struct wire *w = session_wire(t, 0);
    long long three = wire_int(w, "LOCK.ACQUIRE s PERMITS 3 OF 4");

    session_block(t, 1, "LOCK.ACQUIRE s PERMITS 2 OF 4 WAIT -1");
    session_block(t, 2, "LOCK.ACQUIRE s PERMITS 1 OF 4 WAIT -1");
    is_str(wire_call(w, "LOCK.ACQUIRE s PERMITS 1 OF 4"), "nil", "one is free, but not for all");
    is_str(wire_callf(w, "LOCK.RELEASE s %lld", three), ":1", "three are given back");
    token_of(session_wire(t, 1), "two");
    token_of(session_wire(t, 2), "and one");
    wire_int(w, "LOCK.ACQUIRE s PERMITS 1 OF 4");
}

/* Each keeps its place in all of its queues, in whatever order the names are. */
static void all_or_nothing(struct session *t)
{
    struct wire *w = session_wire(t, 0);
    long long a = wire_int(w, "LOCK.ACQUIRE a"), b = wire_int(w, "LOCK.ACQUIRE b");

    session_block(t, 1, "LOCK.ACQUIRE c a b WAIT -1");
    session_block(t, 2, "LOCK.ACQUIRE b a WAIT -1");
    session_block(t, 3, "LOCK.ACQUIRE c WAIT -1");
    is_str(wire_callf(w, "LOCK.RELEASE a %lld", a), ":1", "one is free");
    is_str(wire_call(w, "LOCK.ACQUIRE a"), "nil", "for who is first");
    is_str(wire_callf(w, "LOCK.RELEASE b %lld", b), ":1", "all are");
    is_like(wire_read(session_wire(t, 1)), "^\\[:[0-9]+ :[0-9]+ :[0-9]+]$", "three at once");
    wire_close(t->connections[1]);
    t->connections[1] = NULL;
    is_like(wire_read(session_wire(t, 2)), "^\\[:[0-9]+ :[0-9]+]$", "then two");
    token_of(session_wire(t, 3), "and one");
}

static void in_vain(struct session *t)
{
    struct wire *w = session_wire(t, 0), *waits;
    long long token = wire_int(w, "LOCK.ACQUIRE v SHARED"), id;

    is_str(wire_call(session_wire(t, 1), "LOCK.ACQUIRE v WAIT 10"), "nil", "its time is up");
    wire_int(session_wire(t, 1), "LOCK.ACQUIRE v SHARED");
    waits = session_wire(t, 2);
    id = wire_int(waits, "CLIENT ID");
    session_block(t, 2, "LOCK.ACQUIRE v WAIT -1");
    session_block(t, 3, "LOCK.ACQUIRE v SHARED WAIT -1");
    is_str(wire_callf(w, "CLIENT UNBLOCK %lld", id), ":1", "unblocked");
    is_str(wire_read(waits), "nil", "as if its time were up");
    token_of(session_wire(t, 3), "who stood behind it");
    session_block(t, 2, "LOCK.ACQUIRE v WAIT -1");
    session_block(t, 4, "LOCK.ACQUIRE v SHARED WAIT -1");
    is_str(wire_callf(w, "CLIENT UNBLOCK %lld ERROR", id), ":1", "unblocked");
    is_str(wire_read(waits), "-UNBLOCKED client unblocked via CLIENT UNBLOCK", "with an error");
    token_of(session_wire(t, 4), "who stood behind it");
    session_block(t, 2, "LOCK.ACQUIRE v WAIT -1");
    session_block(t, 5, "LOCK.ACQUIRE v SHARED WAIT -1");
    is_str(wire_callf(w, "CLIENT KILL ID %lld", id), ":1", "killed");
    token_of(session_wire(t, 5), "who stood behind it");
    wire_send(session_wire(t, 6), "LOCK.ACQUIRE v WAIT 30");
    wire_send(session_wire(t, 7), "LOCK.ACQUIRE v SHARED WAIT -1");
    is_str(wire_read(session_wire(t, 6)), "nil", "its time is up");
    token_of(session_wire(t, 7), "who stood behind it");
    is_str(wire_callf(w, "LOCK.RELEASE v %lld", token), ":1", "given back");
}

static void closed(struct session *t)
{
    struct wire *w = session_wire(t, 0);
    long long token = wire_int(w, "LOCK.ACQUIRE x");

    session_block(t, 1, "LOCK.ACQUIRE x y WAIT -1");
    session_block(t, 2, "LOCK.ACQUIRE x WAIT -1");
    session_block(t, 3, "LOCK.ACQUIRE y WAIT -1");
    wire_close(t->connections[1]);
    t->connections[1] = NULL;
    token_of(session_wire(t, 3), "the end of who stood before it is its turn");
    is_str(wire_callf(w, "LOCK.RELEASE x %lld", token), ":1", "given back");
    token_of(session_wire(t, 2), "to the next");
}

static void circles(struct session *t)
{
    struct wire *w = session_wire(t, 0), *other = session_wire(t, 1);
    long long a = wire_int(w, "LOCK.ACQUIRE ca"), b = wire_int(other, "LOCK.ACQUIRE cb");

    is_like(wire_call(w, "LOCK.ACQUIRE ca WAIT -1"), DEADLOCK, "one that waits for itself");
    is_like(wire_call(w, "LOCK.ACQUIRE ca WAIT 5 OWNER x"), DEADLOCK, "under another name too");
    session_block(t, 0, "LOCK.ACQUIRE cb WAIT -1");
    is_like(wire_call(other, "LOCK.ACQUIRE ca WAIT -1"), DEADLOCK, "two");
    is_str(wire_call(other, "LOCK.ACQUIRE ca"), "nil", "trying is no waiting");
    is_like(wire_call(other, "LOCK.ACQUIRE z ca WAIT 100"), DEADLOCK, "among several");
    wire_int(session_wire(t, 2), "LOCK.ACQUIRE z");
    is_str(wire_callf(other, "LOCK.RELEASE cb %lld", b), ":1", "who was refused gives back");
    b = token_of(w, "and the other has it");
    wire_int(other, "LOCK.ACQUIRE cc");
    session_block(t, 1, "LOCK.ACQUIRE ca WAIT -1");
    session_block(t, 2, "LOCK.ACQUIRE cc WAIT -1");
    is_like(wire_call(w, "LOCK.ACQUIRE z WAIT -1"), DEADLOCK, "three");
    is_str(wire_callf(w, "LOCK.RELEASE ca %lld", a), ":1", "given back");
    token_of(other, "the second has it");
}

/* A reader waits behind a writer who waits for another reader. */
static void circles_in_queues(struct session *t)
{
    struct wire *w = session_wire(t, 0);

    wire_int(w, "LOCK.ACQUIRE qa");
    wire_int(session_wire(t, 1), "LOCK.ACQUIRE q SHARED");
    session_block(t, 2, "LOCK.ACQUIRE q WAIT -1");
    session_block(t, 1, "LOCK.ACQUIRE qa WAIT -1");
    is_like(wire_call(w, "LOCK.ACQUIRE q SHARED WAIT -1"), DEADLOCK, "by way of a queue");
}

static void tickets(struct session *t)
{
    struct wire *w = session_wire(t, 0), *other = session_wire(t, 1), *hears = session_wire(t, 2);
    long long token = wire_int(w, "LOCK.ACQUIRE q:1"), first, second, third;

    wire_call(hears, "SUBSCRIBE __lock__:q:1");
    is_like(wire_call(w, "LOCK.ACQUIRE q:2 QUEUE"), TOKEN, "one that is free is given at once");
    is_int(sscanf(wire_call(w, "LOCK.ACQUIRE q:1 QUEUE"), "['QUEUED' :%lld]", &first), 1,
           "a ticket, for one that it holds itself");
    sscanf(wire_call(other, "LOCK.ACQUIRE q:3 q:1 QUEUE OWNER x"), "['QUEUED' :%lld]", &second);
    sscanf(wire_call(other, "LOCK.ACQUIRE q:1 QUEUE"), "['QUEUED' :%lld]", &third);
    ok(first < second && second < third, "tickets are different");
    is_str(wire_callf(w, "LOCK.CANCEL q:1 %lld", second), ":0", "another's cannot be given up");
    is_str(wire_callf(other, "LOCK.CANCEL q:2 %lld", second), ":0", "nor for another lock");
    is_str(wire_call(w, "LOCK.ACQUIRE q:3"), "nil", "its place is kept");
    is_str(wire_callf(other, "LOCK.CANCEL q:1 %lld", second), ":1", "given up");
    is_str(wire_callf(other, "LOCK.CANCEL q:1 %lld", second), ":0", "once");
    wire_int(w, "LOCK.ACQUIRE q:3");
    is_str(wire_callf(w, "LOCK.RELEASE q:1 %lld", token), ":1", "given back");
    is_like(wire_read(hears), "released", "told of");
    is_like(wire_read(hears), "acquired", "told of");
    is_like(wire_read(hears), "'granted [0-9]+ [0-9]+']$", "told of");
    if (t->protocol == 3)
        is_like(wire_read(w), "^>\\['lock' 'granted' 'q:1' :[0-9]+ :[0-9]+]$", "and to the holder");
    is_str(wire_callf(w, "LOCK.CANCEL q:1 %lld", first), ":0", "too late to give up");
    wire_close(t->connections[0]);
    t->connections[0] = NULL;
    is_like(wire_read(hears), "'lost [0-9]+ client:", "the holder ends");
    is_like(wire_read(hears), "'acquired [0-9]+ client:", "the next is told");
    if (t->protocol == 3)
        is_like(wire_read(other), "'granted' 'q:1' :", "too");
}

/* Who shares a connection waits for nobody on it, unless owners are named. */
static void circles_of_tickets(struct session *t)
{
    struct wire *w = session_wire(t, 0), *other = session_wire(t, 1);

    wire_int(w, "LOCK.ACQUIRE ta OWNER one");
    wire_int(w, "LOCK.ACQUIRE tb OWNER two");
    is_like(wire_call(w, "LOCK.ACQUIRE tb QUEUE OWNER one"), "QUEUED", "one waits for two");
    is_like(wire_call(w, "LOCK.ACQUIRE ta QUEUE"), "QUEUED", "somebody for one");
    is_like(wire_call(other, "LOCK.ACQUIRE tb QUEUE OWNER one"), "QUEUED", "another one");
    is_like(wire_call(w, "LOCK.ACQUIRE ta QUEUE OWNER two"), DEADLOCK, "two for one");
}

/* It is served when its connection waits already, and those behind it wait for that. */
static void circle_closed_by_a_ticket(struct session *t)
{
    struct wire *w = session_wire(t, 0), *third = session_wire(t, 2);
    long long token = wire_int(session_wire(t, 1), "LOCK.ACQUIRE ka");

    is_like(wire_call(w, "LOCK.ACQUIRE ka QUEUE"), "QUEUED", "a ticket");
    wire_int(third, "LOCK.ACQUIRE kb");
    session_block(t, 2, "LOCK.ACQUIRE ka WAIT -1");
    session_block(t, 0, "LOCK.ACQUIRE kb WAIT -1");
    is_str(wire_callf(session_wire(t, 1), "LOCK.RELEASE ka %lld", token), ":1", "it is served");
    if (t->protocol == 3)
        is_like(wire_read(w), "granted|DEADLOCK", "told");
    is_like(wire_read(w), "granted|DEADLOCK", "whose command waits in vain");
    wire_close(t->connections[0]);
    t->connections[0] = NULL;
    token_of(third, "the next is served");
}

int main(void)
{
    static const int threads[] = {1, 4, 0};
    static const struct group groups[] = {
        NEW_TEST(in_turn),
        NEW_TEST(readers_and_writers),
        NEW_TEST(semaphore),
        NEW_TEST(all_or_nothing),
        NEW_TEST(in_vain),
        NEW_TEST(closed),
        NEW_TEST(circles),
        NEW_TEST(circles_in_queues),
        NEW_TEST(tickets),
        NEW_TEST(circles_of_tickets),
        NEW_TEST(circle_closed_by_a_ticket),
        {NULL, NULL, 0, NULL, false},
    };

    return session_main("lock waits", "", threads, groups);
}
