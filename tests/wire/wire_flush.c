/*
 * Emptying databases that hold many keys: requests behind it, other clients meanwhile, a client
 * that does not wait for the reply.
 */
#include <stdio.h>
#include <string.h>

#include "tests/lib/raw.h"
#include "tests/lib/tap.h"
#include "tests/lib/wire.h"

enum { MANY = 40000, AT_ONCE = 500 };

#define IS(got, want, name) is_str(got, want, "flush RESP%d: %s", t->protocol, name)

static void fill(struct wire *w)
{
    for (int i = 0; i < MANY; i += AT_ONCE) {
        for (int j = i; j < i + AT_ONCE; j++) {
            char line[64];

            snprintf(line, sizeof(line), "SET key:%d value:%d", j, j);
            wire_send(w, line);
        }
        for (int j = 0; j < AT_ONCE; j++) {
            if (strcmp(wire_read(w), "+OK") != 0)
                bail("SET is answered by %s", w->last);
        }
    }
}

/* All requests are sent at once; the one that waits holds up those behind it, in order. */
static void requests_behind(struct session *t)
{
    static const char *const lines[][2] = {
        {"FLUSHALL", "+OK"},       {"DBSIZE", ":0"},    {"SET a 1", "+OK"},
        {"SELECT 3", "+OK"},       {"SET b 3", "+OK"},  {"FLUSHDB", "+OK"},
        {"DBSIZE", ":0"},          {"SET b 4", "+OK"},  {"SWAPDB 0 3", "+OK"},
        {"GET a", "'1'"},          {"SELECT 0", "+OK"}, {"GET b", "'4'"},
        {"FLUSHALL ASYNC", "+OK"}, {"DBSIZE", ":0"},    {"FLUSHALL SYNC", "+OK"},
        {"PING", "+PONG"},
    };
    struct wire *w = session_wire(t, 0);
    size_t n = sizeof(lines) / sizeof(lines[0]);

    fill(w);
    wire_call(w, "SELECT 5");
    fill(w);
    wire_call(w, "SELECT 0");
    for (size_t i = 0; i < n; i++)
        wire_send(w, lines[i][0]);
    for (size_t i = 0; i < n; i++)
        is_str(wire_read(w), lines[i][1], "flush RESP%d: %s", t->protocol, lines[i][0]);
}

/* Whoever asks after the reply, or while it is still to come, finds an empty database. */
static void others_meanwhile(struct session *t)
{
    struct wire *w = session_wire(t, 0), *other = session_wire(t, 1);

    fill(w);
    wire_send(w, "FLUSHALL SYNC");
    IS(wire_call(other, "SET mine 1"), "+OK", "another client writes meanwhile");
    IS(wire_read(w), "+OK", "the reply comes");
    wire_call(other, "SET late 1");
    IS(wire_call(other, "DBSIZE"), wire_int(w, "EXISTS mine") ? ":2" : ":1",
       "what was there is gone, what came behind is not");
    fill(w);
    IS(wire_call(w, "FLUSHALL ASYNC"), "+OK", "in the background");
    IS(wire_call(other, "DBSIZE"), ":0", "the keys are gone at once");
}

static void who_does_not_wait(struct session *t)
{
    struct wire *leaving = wire_open(t->server, t->protocol), *w = session_wire(t, 0);

    fill(w);
    wire_send(leaving, "FLUSHALL");
    wire_close(leaving);
    for (int i = 0; i < 1000 && wire_int(w, "DBSIZE") > 0; i++)
        raw_sleep_ms(1);
    IS(wire_call(w, "DBSIZE"), ":0", "a client that leaves has its wish all the same");
    fill(w);
    wire_send(w, "CLIENT REPLY SKIP");
    wire_send(w, "FLUSHALL");
    IS(wire_call(w, "PING"), "+PONG", "CLIENT REPLY SKIP keeps the reply back");
    fill(w);
    wire_send(w, "CLIENT REPLY OFF");
    wire_send(w, "FLUSHALL");
    wire_send(w, "CLIENT REPLY ON");
    IS(wire_read(w), "+OK", "so does OFF");
    IS(wire_call(w, "DBSIZE"), ":0", "and the keys are gone");
}

static const struct group groups[] = {
    TEST(requests_behind),
    TEST(others_meanwhile),
    TEST(who_does_not_wait),
    {NULL},
};

int main(void)
{
    static const int threads[] = {1, 4, 0};

    return session_main("flush", "", threads, groups);
}
