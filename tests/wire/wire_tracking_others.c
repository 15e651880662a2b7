/*
 * CLIENT TRACKING on behalf of others: keys that nobody has read (BCAST), and connections that are
 * told what others have read (REDIRECT).
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/lib/raw.h"
#include "tests/wire/tracking.h"

/* ---- BCAST ---------------------------------------------------------------------------------- */

static const struct wire_case broadcasting_cases[] = {
    {"CLIENT TRACKING on BCAST", "+OK"},
    {"GET k", "nil"},
    {"@1 SET k 1", "+OK"},
    {"", TOLD("k")},
    {"@1 SET k 2", "+OK"},
    {"", TOLD("k")},
    {"@1 DEL none", ":0"},
    {"@1 MSET zz 1 z 1 aa 1 z 2", "+OK"},
    {"", ">['invalidate' ['aa' 'z' 'zz']]"},
    {"SET k 2", "+OK"},
    {"", TOLD("k")},
    {"@1 MULTI", "+OK"},
    {"@1 SET x 1", "+QUEUED"},
    {"@1 SET w 1", "+QUEUED"},
    {"@1 EXEC", "[+OK +OK]"},
    {"", ">['invalidate' ['w' 'x']]"},
    {"MULTI", "+OK"},
    {"DEL x w", "+QUEUED"},
    {"SET v 1", "+QUEUED"},
    {"EXEC", "[:2 +OK]"},
    {"", ">['invalidate' ['v' 'w' 'x']]"},
    {"@2 CLIENT TRACKING on BCAST NOLOOP", "+OK"},
    {"@2 MSET a 1 b 1", "+OK"},
    {"", ">['invalidate' ['a' 'b']]"},
    {"@2", "(silence)"},
    {"@1 SET a 1", "+OK"},
    {"@2", TOLD("a")},
    {"", TOLD("a")},
    {"MULTI", "+OK"},
    {"@1 SET a 1", "+OK"},
    {"GET a", TOLD("a")},
    {"", "+QUEUED"},
    {"DISCARD", "+OK"},
};
RESP3_CASES(broadcasting)

static const struct wire_case broadcasting_prefixes_cases[] = {
    {"CLIENT TRACKING on BCAST PREFIX b PREFIX a", "+OK"},
    {"@2 CLIENT TRACKING on BCAST PREFIX ab NOLOOP", "+OK"},
    {"@1 MSET abc 1 b1 1 a1 1 c1 1 ab 1 a 1 b 1", "+OK"},
    {"", ">['invalidate' ['a' 'a1' 'ab' 'abc']]"},
    {"", ">['invalidate' ['b' 'b1']]"},
    {"@2", ">['invalidate' ['ab' 'abc']]"},
    {"@2 MSET abc 1 b1 1 a1 1 c1 1 ab 1 a 1 b 1", "+OK"},
    {"@2", "(silence)"},
    {"", ">['invalidate' ['a' 'a1' 'ab' 'abc']]"},
    {"", ">['invalidate' ['b' 'b1']]"},
    {"CLIENT TRACKING on BCAST", "+OK"},
    {"@1 SET abc 1", "+OK"},
    {"", TOLD("abc")},
    {"", TOLD("abc")},
    {"@2", TOLD("abc")},
    {"CLIENT TRACKING off", "+OK"},
    {"@1 MSET abc 1 a 1", "+OK"},
    {"@2", TOLD("abc")},
    {"", "(silence)"},
};
RESP3_CASES(broadcasting_prefixes)

/* What a pipeline changes is told at once, behind its replies. */
static void broadcasting_pipelines(struct session *t)
{
    static const char pipeline[] = "SET b 1\r\nSET a 1\r\nSET b 2\r\nGET c\r\nDEL a\r\n";
    struct wire *told = session_wire(t, 0), *writer = session_wire(t, 1);

    wire_call(told, "CLIENT TRACKING on BCAST");
    raw_send_str(writer->fd, pipeline);
    for (int i = 0; i < 5; i++)
        wire_read(writer);
    if (t->protocol == 3)
        is_str(wire_read(told), ">['invalidate' ['a' 'b']]", "tracking RESP3: a pipeline");
    raw_send_str(told->fd, pipeline);
    for (int i = 0; i < 5; i++)
        wire_read(told);
    is_str(told->last, ":1", "tracking RESP%d: its own replies come first", t->protocol);
    if (t->protocol == 3)
        is_str(wire_read(told), ">['invalidate' ['a' 'b']]", "tracking RESP3: then its changes");
}

/* The keys that a connection is told of next, so many in all. */
static int keys_told(struct wire *w, int want)
{
    int n = 0;

    while (n < want) {
        struct answer *a = wire_next(w, RAW_TIMEOUT_MS);

        if (a == NULL)
            return n;
        n += (int)(a->items != NULL && a->count == 2 ? a->items[1]->count : 0);
        answer_free(a);
    }
    return n;
}

/*
 * More is told at once than a server wants to have on its way between its threads, one of which is
 * late: who changes keys is slowed down, and nothing is lost.
 */
static void broadcasting_floods(struct session *t)
{
    enum { READERS = 4, BUSY_ONE = READERS, WRITERS = 2, SIZE = 100000, EACH = 100, ROUNDS = 60 };
    struct wire *readers[READERS], *busy;
    char *line = malloc(SIZE + 100), *padding = malloc(SIZE + 1);
    int good = 0;

    wire_call(session_wire(t, 0), "SETRANGE busy 50000000 x");
    for (int i = 0; i < READERS; i++) {
        readers[i] = wire_open(t->server, 3);
        wire_call(readers[i], "CLIENT TRACKING on BCAST");
    }
    busy = session_wire(t, BUSY_ONE);
    for (int i = 0; i < WRITERS; i++)
        wire_call(session_wire(t, BUSY_ONE + 1 + i), "PING");
    for (int i = 0; i < ROUNDS; i++)
        raw_send_str(busy->fd, "BITCOUNT busy\r\n");
    memset(padding, 'p', SIZE);
    padding[SIZE] = '\0';
    for (int i = 0; i < WRITERS * EACH; i++) {
        snprintf(line, SIZE + 100, "SET %d:%s 1", i, padding);
        wire_send(session_wire(t, BUSY_ONE + 1 + i % WRITERS), line);
    }
    for (int i = 0; i < READERS; i++) {
        good += keys_told(readers[i], WRITERS * EACH);
        wire_close(readers[i]);
    }
    is_int(good, READERS * (WRITERS * EACH), "tracking RESP%d: all is told in a flood",
           t->protocol);
    for (int i = 0; i < WRITERS * EACH; i++)
        good -= READERS * !strcmp(wire_read(session_wire(t, BUSY_ONE + 1 + i % WRITERS)), "+OK");
    is_int(good, 0, "tracking RESP%d: and each change is answered", t->protocol);
    free(padding);
    free(line);
}

/* ---- REDIRECT ------------------------------------------------------------------------------- */

#define MESSAGE(body) "['message' '__redis__:invalidate' " body "]"

/* A client that subscribes is told in RESP2 what others have read, whatever it subscribed to. */
static void redirecting(struct session *t)
{
    struct wire *reader = session_wire(t, 0), *writer = session_wire(t, 1);
    struct wire *told = wire_open(t->server, 2);
    long long id = wire_int(told, "CLIENT ID");

    is_str(wire_callf(reader, "CLIENT TRACKING on REDIRECT %lld REDIRECT %lld", id, id),
           "-ERR A client can only redirect to a single other client",
           "tracking RESP%d: two redirections", t->protocol);
    is_str(wire_callf(reader, "CLIENT TRACKING on REDIRECT %lld", id), "+OK",
           "tracking RESP%d: redirected", t->protocol);
    is_int(wire_int(reader, "CLIENT GETREDIR"), id, "tracking RESP%d: GETREDIR", t->protocol);
    wire_call(reader, "GET k");
    wire_call(writer, "SET k 1");
    is_str(wire_call(told, "PING"), "+PONG", "tracking RESP%d: not before it subscribes",
           t->protocol);
    wire_call(told, "SUBSCRIBE other");
    wire_call(reader, "GET k");
    wire_call(writer, "SET k 1");
    is_str(wire_read(told), MESSAGE("['k']"), "tracking RESP%d: a message", t->protocol);
    wire_call(reader, "GET k");
    wire_call(reader, "SET k 2");
    is_str(wire_read(told), MESSAGE("['k']"), "tracking RESP%d: of its own change", t->protocol);
    is_str(wire_call(reader, "PING"), "+PONG", "tracking RESP%d: nothing to the reader",
           t->protocol);
    wire_call(writer, "PUBLISH __redis__:invalidate x");
    wire_call(told, "UNSUBSCRIBE");
    wire_call(told, "SSUBSCRIBE other");
    wire_call(reader, "GET k");
    wire_call(writer, "SET k 1");
    is_str(wire_read(told), MESSAGE("['k']"), "tracking RESP%d: with a shard channel too",
           t->protocol);
    wire_close(told);
}

static void redirecting_to_resp3(struct session *t)
{
    struct wire *reader = session_wire(t, 0), *other = session_wire(t, 2);
    struct wire *writer = session_wire(t, 1), *told = wire_open(t->server, 3);
    long long id = wire_int(told, "CLIENT ID");

    wire_callf(reader, "CLIENT TRACKING on REDIRECT %lld", id);
    wire_callf(other, "CLIENT TRACKING on BCAST NOLOOP REDIRECT %lld", id);
    wire_call(reader, "GET k");
    wire_call(writer, "SET k 1");
    is_str(wire_read(told), TOLD("k"), "tracking RESP%d: to RESP3, for a reader", t->protocol);
    is_str(wire_read(told), TOLD("k"), "tracking RESP%d: and for a broadcast", t->protocol);
    wire_call(other, "SET k 1");
    is_str(wire_call(told, "PING"), "+PONG", "tracking RESP%d: NOLOOP is about who reads",
           t->protocol);
    wire_call(reader, "CLIENT TRACKING off");
    wire_callf(reader, "CLIENT TRACKING on REDIRECT %lld", wire_int(reader, "CLIENT ID"));
    wire_call(reader, "GET k");
    wire_call(writer, "SET k 2");
    wire_read(told);
    wire_call(reader, "PING");
    is_str(reader->last, t->protocol == 3 ? TOLD("k") : "+PONG",
           "tracking RESP%d: redirected to itself", t->protocol);
    wire_close(told);
}

/* The null is that of the protocol of who is told; Redis has it in that of who reads. */
static void redirecting_flushes(struct session *t)
{
    for (int protocol = 2; protocol <= 3; protocol++) {
        struct wire *told = wire_open(t->server, protocol);
        struct wire *reader = wire_open(t->server, t->protocol);

        wire_callf(reader, "CLIENT TRACKING on REDIRECT %lld", wire_int(told, "CLIENT ID"));
        wire_call(told, "SUBSCRIBE x");
        wire_call(session_wire(t, 1), "FLUSHALL");
        is_str(wire_read(told), protocol == 3 ? TOLD_ALL : MESSAGE("nil"),
               "tracking RESP%d: FLUSHALL to RESP%d", t->protocol, protocol);
        wire_close(told);
        wire_close(reader);
    }
}

static void check_broken(struct session *t, struct wire *reader, long long id)
{
    char want[100];

    snprintf(want, sizeof(want), ">['tracking-redir-broken' :%lld]", id);
    if (t->protocol == 3)
        is_str(wire_read(reader), want, "tracking RESP3: broken");
    wire_call(reader, "CLIENT TRACKINGINFO");
    is_like(reader->last, "'on' 'broken_redirect'", "tracking RESP%d: TRACKINGINFO knows",
            t->protocol);
    wire_call(reader, "CLIENT INFO");
    is_like(reader->last, " flags=tRU .* redir=[1-9]", "tracking RESP%d: CLIENT INFO too",
            t->protocol);
}

static void broken_redirections(struct session *t)
{
    struct wire *reader = session_wire(t, 0), *writer = session_wire(t, 1);

    for (int killed = 0; killed <= 1; killed++) {
        struct wire *told = wire_open(t->server, 3);
        long long id = wire_int(told, "CLIENT ID");

        wire_callf(reader, "CLIENT TRACKING on REDIRECT %lld", id);
        wire_call(reader, "MGET k l");
        if (killed) {
            wire_callf(writer, "CLIENT KILL ID %lld", id);
        } else {
            wire_call(told, "QUIT");
            wire_read(told);
        }
        wire_close(told);
        wire_call(reader, "CLIENT TRACKINGINFO");
        is_like(reader->last, "\\['on'\\]", "tracking RESP%d: nobody knows yet", t->protocol);
        wire_call(writer, "SET k 1");
        check_broken(t, reader, id);
        wire_call(reader, "SET l 1");
        is_str(reader->last, "+OK", "tracking RESP%d: a change of its own", t->protocol);
        check_broken(t, reader, id);
        wire_call(writer, "FLUSHALL");
        check_broken(t, reader, id);
        is_str(wire_callf(reader, "CLIENT TRACKING on REDIRECT %lld", id),
               "-ERR The client ID you want redirect to does not exist",
               "tracking RESP%d: it does not exist", t->protocol);
        wire_call(reader, "CLIENT TRACKING on");
        wire_call(reader, "CLIENT INFO");
        is_like(reader->last, " flags=tU .* redir=0", "tracking RESP%d: mended", t->protocol);
    }
}

static const struct group groups[] = {
    TEST(broadcasting),
    TEST(broadcasting_prefixes),
    TEST(broadcasting_pipelines),
    TEST(broadcasting_floods),
    TEST(redirecting),
    TEST(redirecting_to_resp3),
    NEW_TEST(redirecting_flushes),
    TEST(broken_redirections),
    {NULL},
};

int main(void)
{
    static const int threads[] = {1, 4, 0};

    return session_main("tracking", "", threads, groups);
}
