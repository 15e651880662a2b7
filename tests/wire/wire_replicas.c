/*
 * WAIT, where there are no replicas.
 */
#include <string.h>

#include "tests/lib/raw.h"
#include "tests/lib/tap.h"
#include "tests/lib/wire.h"

#define NO_INTEGER "-ERR value is not an integer or out of range"
#define NO_TIMEOUT "-ERR timeout is not an integer or out of range"

static const struct wire_case arguments[] = {
    {"WAIT", "-ERR wrong number of arguments for 'wait' command"},
    {"WAIT 0", "-ERR wrong number of arguments for 'wait' command"},
    {"WAIT 0 0 0", "-ERR wrong number of arguments for 'wait' command"},
    {"WAIT a -1", NO_INTEGER},
    {"WAIT 1.5 0", NO_INTEGER},
    {"WAIT \"\" 0", NO_INTEGER},
    {"WAIT 9223372036854775808 1", NO_INTEGER},
    {"WAIT 0 a", NO_TIMEOUT},
    {"WAIT 0 1.5", NO_TIMEOUT},
    {"WAIT 0 9223372036854775808", NO_TIMEOUT},
    {"WAIT 0 -1", "-ERR timeout is negative"},
    {"WAIT 1 -1", "-ERR timeout is negative"},
    {"WAIT 0 0", ":0"},
    {"WAIT -1 0", ":0"},
    {"WAIT -9223372036854775808 0", ":0"},
    {"WAIT 0 9223372036854775807", ":0"},
};

static const struct wire_case waits[] = {
    {"SET k 1", "+OK"},
    {"WAIT 1 20", ":0"},
    {"WAIT 9223372036854775807 0", ":0"},
    {"WAIT 4294967297 1", ":0"},
    {"MULTI", "+OK"},
    {"SET k 2", "+QUEUED"},
    {"WAIT 1 0", "+QUEUED"},
    {"WAIT 5 100000", "+QUEUED"},
    {"WAIT 1 x", "+QUEUED"},
    {"EXEC", "[+OK :0 :0 " NO_TIMEOUT "]"},
    {"CLIENT REPLY SKIP", ""},
    {"WAIT 1 10", ""},
    {"PING", "+PONG"},
    {"@1 SUBSCRIBE x", ">['subscribe' 'x' :1]"},
    {"@1 WAIT 1 1", ":0",
     "-ERR Can't execute 'wait': only (P|S)SUBSCRIBE / (P|S)UNSUBSCRIBE / PING / QUIT / RESET are "
     "allowed in this context"},
};

static void times(struct session *t)
{
    struct wire *w = session_wire(t, 0);
    long long start = raw_now_ms();

    wire_call(w, "WAIT 0 100000");
    ok(raw_now_ms() - start < 50000, "replicas RESP%d: none to wait for", t->protocol);
    start = raw_now_ms();
    wire_call(w, "WAIT 1 200");
    ok(raw_now_ms() - start >= 200, "replicas RESP%d: as long as was said", t->protocol);
}

static void unblocked(struct session *t)
{
    struct wire *w = session_wire(t, 0), *other = session_wire(t, 1);
    long long id = wire_int(other, "CLIENT ID");

    session_block(t, 1, "WAIT 1 0");
    wire_send(other, "PING");
    is_str(wire_callf(w, "CLIENT UNBLOCK %lld", id), ":1", "replicas RESP%d: unblocked",
           t->protocol);
    is_str(wire_read(other), ":0", "replicas RESP%d: as if in time", t->protocol);
    is_str(wire_read(other), "+PONG", "replicas RESP%d: what comes behind it", t->protocol);
    session_block(t, 1, "WAIT 1 9223372036854775807");
    is_str(wire_callf(w, "CLIENT UNBLOCK %lld ERROR", id), ":1",
           "replicas RESP%d: unblocked with an error", t->protocol);
    is_str(wire_read(other), "-UNBLOCKED client unblocked via CLIENT UNBLOCK",
           "replicas RESP%d: an error", t->protocol);
    session_block(t, 1, "WAIT 1 100000");
    wire_call(w, "INFO clients");
    is_like(w->last, "blocked_clients:1.*clients_in_timeout_table:1",
            "replicas RESP%d: INFO knows who waits", t->protocol);
    is_str(wire_callf(w, "CLIENT KILL ID %lld", id), ":1", "replicas RESP%d: killed", t->protocol);
    is_str(wire_read(other), "(closed)", "replicas RESP%d: gone", t->protocol);
    session_block(t, 2, "WAIT 1 0");
    wire_close(session_wire(t, 2));
    t->connections[2] = NULL;
    wire_wait_alone(w);
    wire_call(w, "INFO clients");
    is_like(w->last, "blocked_clients:0", "replicas RESP%d: nobody waits any more", t->protocol);
}

static const struct group groups[] = {
    TABLE(arguments), TABLE(waits), TEST(times), TEST(unblocked), {NULL},
};

int main(void)
{
    static const int threads[] = {1, 4, 0};

    return session_main("replicas", "", threads, groups);
}
