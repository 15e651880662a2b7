/* Who waits for locks: order of arrival, waits that end, tickets, cycles. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/lib/raw.h"
#include "tests/lib/tap.h"
#include "tests/lib/wire.h"

/* ---- tickets: for clients that share one connection ---- */

static const struct wire_case tickets[] = {
    {"LOCK.ACQUIRE a QUEUE", ":$+a"},
    {"@1 LOCK.ACQUIRE a QUEUE", "['QUEUED' :$+t]"},
    {"@1 PING", "+PONG"},
    {"@1 LOCK.ACQUIRE a QUEUE", "['QUEUED' :$+u]"},
    {"@1 LOCK.CANCEL a $t", ":1"},
    {"@1 LOCK.CANCEL a $t", ":0"},
    {"@1 LOCK.CANCEL a 123456789", ":0"},
    {"@2 LOCK.ACQUIRE a b QUEUE", "['QUEUED' :$+v]"},
    {"@2 LOCK.CANCEL b $v", ":1"},
    {"@2 LOCK.CANCEL a $v", ":0"},
    {"@3 LOCK.ACQUIRE a WAIT -1", "(waits)"},
    {"@1 LOCK.CANCEL a $u", ":1"},
    {"LOCK.RELEASE a $a", ":1"},
    {"@3", ":$+b"},
    {"@3 LOCK.RELEASE a $b", ":1"},
    {"@1 LOCK.ACQUIRE a b QUEUE", "[:$? :$?]"},
    {"@1 PING", "+PONG"},
};

/* ---- order ---- */

enum { QUEUE_LEN = 60 };

/* Waiters of many connections, among them tickets, one after the other; none is passed over. */
static void first_come(struct session *t)
{
    struct wire *holder = session_wire(t, 0), *waiters[QUEUE_LEN];
    long long token = wire_int(holder, "LOCK.ACQUIRE line");
    bool in_order = true;

    for (int i = 0; i < QUEUE_LEN; i++) {
        waiters[i] = wire_open(t->server, t->protocol);
        wire_send(waiters[i], "LOCK.ACQUIRE line WAIT -1");
        for (long n = 0; n <= i;) {
            const char *info = wire_call(session_wire(t, 1), "INFO clients");
            const char *at = strstr(info, "blocked_clients:");

            n = at != NULL ? atol(at + strlen("blocked_clients:")) : QUEUE_LEN;
        }
    }
    wire_callf(holder, "LOCK.RELEASE line %lld", token);
    for (int i = 0; i < QUEUE_LEN; i++) {
        long long next = strtoll(wire_read(waiters[i]) + 1, NULL, 10);

        in_order = in_order && next > token;
        token = next;
        if (i + 1 < QUEUE_LEN)
            in_order = in_order && raw_expect_silence(waiters[i + 1]->fd, 0);
        wire_callf(waiters[i], "LOCK.RELEASE line %lld", token);
        wire_close(waiters[i]);
    }
    ok(in_order, "%d waiters are served in the order in which they came", QUEUE_LEN);
}

/* Whatever a waiter has sent behind its request waits with it. */
static const struct wire_case pipelined[] = {
    {"LOCK.ACQUIRE a", ":$+a"},
    {"@1 LOCK.ACQUIRE a WAIT -1", "(waits)"},
    {"@1 PING", ""},
    {"@1 ECHO behind", ""},
    {"@1", "(silence)"},
    {"LOCK.RELEASE a $a", ":1"},
    {"@1", ":$+b"},
    {"@1", "+PONG"},
    {"@1", "'behind'"},
};

static const struct wire_case unblocked[] = {
    {"LOCK.ACQUIRE a", ":$+a"},
    {"@1 CLIENT ID", ":$+i"},
    {"@1 LOCK.ACQUIRE a WAIT -1", "(waits)"},
    {"@2 LOCK.ACQUIRE a WAIT -1", "(waits)"},
    {"CLIENT UNBLOCK $i", ":1"},
    {"@1", "nil"},
    {"@1 LOCK.ACQUIRE a WAIT -1", "(waits)"},
    {"CLIENT UNBLOCK $i ERROR", ":1"},
    {"@1", "/^-UNBLOCKED "},
    {"LOCK.RELEASE a $a", ":1"},
    {"@2", ":$+b"},
};

/* ---- transactions: nothing waits in them ---- */

static const struct wire_case transactions[] = {
    {"MULTI", "+OK"},
    {"LOCK.ACQUIRE a", "+QUEUED"},
    {"SET k v", "+QUEUED"},
    {"LOCK.ACQUIRE b WAIT -1", "+QUEUED"},
    {"LOCK.LIST MATCH nobody*", "+QUEUED"},
    {"EXEC", "[:$+a +OK :$+b []]"},
    {"@1 MULTI", "+OK"},
    {"@1 LOCK.ACQUIRE a WAIT -1", "+QUEUED"},
    {"@1 LOCK.CHECK a $a", "+QUEUED"},
    {"@1 LOCK.RELEASE a $a", "+QUEUED"},
    {"@1 EXEC", "/^\\[nil :1 .*\\]$"},
    {"MULTI", "+OK"},
    {"LOCK.CHECK b $b", "+QUEUED"},
    {"LOCK.RENEW b $b LEASE 60000", "+QUEUED"},
    {"LOCK.RELEASE b $b SET committed", "+QUEUED"},
    {"GET b", "+QUEUED"},
    {"LOCK.CHECK b $b", "+QUEUED"},
    {"EXEC", "[:1 :1 :1 'committed' :0]"},
    {"@2 LOCK.ACQUIRE b WAIT -1", ":$+c"},
    {"@3 LOCK.ACQUIRE b WAIT -1", "(waits)"},
    {"@2 MULTI", "+OK"},
    {"@2 LOCK.RELEASE b $c", "+QUEUED"},
    {"@2 SET b later", "+QUEUED"},
    {"@2 EXEC", "[:1 +OK]"},
    {"@3", ":$+d"},
    {"@3 GET b", "'later'"},
    {"@3 LOCK.RELEASE b $d", ":1"},
};

/* ---- cycles ---- */

/* Two that hold what the other wants: the younger wait, that which closes the ring, is refused. */
static const struct wire_case ring_of_two[] = {
    {"LOCK.ACQUIRE a", ":$+a"},
    {"@1 LOCK.ACQUIRE b", ":$+b"},
    {"LOCK.ACQUIRE b WAIT -1", "(waits)"},
    {"@1 LOCK.ACQUIRE a WAIT -1", "/^-DEADLOCK "},
    {"@1 LOCK.CHECK b $b", ":1"},
    {"@1 LOCK.RELEASE b $b", ":1"},
    {"", ":$+b"},
    {"LOCK.RELEASE a $a", ":1"},
    {"LOCK.RELEASE b $b", ":1"},
};

static const struct wire_case ring_of_four[] = {
    {"LOCK.ACQUIRE a", ":$+a"},
    {"@1 LOCK.ACQUIRE b", ":$+b"},
    {"@2 LOCK.ACQUIRE c", ":$+c"},
    {"@3 LOCK.ACQUIRE d", ":$+d"},
    {"@1 LOCK.ACQUIRE c WAIT -1", "(waits)"},
    {"@3 LOCK.ACQUIRE a WAIT -1", "(waits)"},
    {"LOCK.ACQUIRE b WAIT 60000", "(waits)"},
    {"@2 LOCK.ACQUIRE d WAIT -1", "/^-DEADLOCK "},
    {"@2 LOCK.RELEASE c $c", ":1"},
    {"@1", ":$+c"},
    {"@1 LOCK.RELEASE b $b", ":1"},
    {"", ":$+b"},
    {"LOCK.RELEASE a $a", ":1"},
    {"@3", ":$+a"},
};

/* A writer waits for each of the readers; a reader for the writer before it. */
static const struct wire_case ring_of_readers[] = {
    {"LOCK.ACQUIRE a SHARED", ":$+a"},
    {"@1 LOCK.ACQUIRE a SHARED", ":$+b"},
    {"@1 LOCK.ACQUIRE b", ":$+c"},
    {"LOCK.ACQUIRE b WAIT -1", "(waits)"},
    {"@2 LOCK.ACQUIRE a WAIT -1", "(waits)"},
    {"@1 LOCK.ACQUIRE a WAIT -1", "/^(-DEADLOCK .*)$"},
    {"@1 LOCK.RELEASE b $c", ":1"},
    {"", ":$+d"},
};

/* Who waits for itself. */
static const struct wire_case ring_of_one[] = {
    {"LOCK.ACQUIRE a", ":$+a"},
    {"LOCK.ACQUIRE a WAIT -1", "/^-DEADLOCK "},
    {"LOCK.ACQUIRE b a WAIT -1", "/^-DEADLOCK "},
    {"LOCK.CHECK a $a", ":1"},
    {"@1 LOCK.ACQUIRE b", ":$?"},
};

/* The ring is closed by places in queues, where nobody may pass. */
static const struct wire_case ring_through_a_queue[] = {
    {"LOCK.ACQUIRE a", ":$+a"},
    {"@1 LOCK.ACQUIRE b a WAIT -1", "(waits)"},
    {"LOCK.ACQUIRE b WAIT -1", "/^-DEADLOCK "},
    {"LOCK.RELEASE a $a", ":1"},
    {"@1", "[:$? :$?]"},
};

/* Several names in any order are no ring. */
static const struct wire_case any_order[] = {
    {"LOCK.ACQUIRE a b", "[:$+a :$+b]"},
    {"@1 LOCK.ACQUIRE b a WAIT -1", "(waits)"},
    {"@2 LOCK.ACQUIRE a b WAIT -1", "(waits)"},
    {"@3 LOCK.ACQUIRE b c a WAIT -1", "(waits)"},
    {"LOCK.RELEASE a $a", ":1"},
    {"LOCK.RELEASE b $b", ":1"},
    {"@1", "[:$+b :$+a]"},
    {"@1 LOCK.RELEASE a $a", ":1"},
    {"@1 LOCK.RELEASE b $b", ":1"},
    {"@2", "[:$+a :$+b]"},
    {"@2 LOCK.RELEASE a $a", ":1"},
    {"@2 LOCK.RELEASE b $b", ":1"},
    {"@3", "[:$? :$? :$?]"},
};

/* Who only tries, or holds nothing any more, closes none. */
static const struct wire_case no_ring[] = {
    {"LOCK.ACQUIRE a", ":$+a"},
    {"@1 LOCK.ACQUIRE b", ":$+b"},
    {"@2 LOCK.ACQUIRE a WAIT -1", "(waits)"},
    {"@3 LOCK.ACQUIRE b WAIT -1", "(waits)"},
    {"LOCK.ACQUIRE b", "nil"},
    {"LOCK.RELEASE a $a", ":1"},
    {"@2", ":$?"},
    {"LOCK.ACQUIRE b WAIT -1", "(waits)"},
    {"@1 LOCK.RELEASE b $b", ":1"},
    {"@3", ":$?"},
};

static const struct group groups[] = {
    NEW_TABLE(tickets),           NEW_TEST(first_come),
    NEW_TABLE(pipelined),         NEW_TABLE(unblocked),
    NEW_TABLE(transactions),      NEW_TABLE(ring_of_two),
    NEW_TABLE(ring_of_four),      NEW_TABLE(ring_of_readers),
    NEW_TABLE(ring_of_one),       NEW_TABLE(ring_through_a_queue),
    NEW_TABLE(any_order),         NEW_TABLE(no_ring),
    {NULL, NULL, 0, NULL, false},
};

int main(void)
{
    static const int threads[] = {1, 4, 0};

    return session_main("lock queues", "", threads, groups);
}
