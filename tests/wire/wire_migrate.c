/*
 * MIGRATE: keys of all types to another server, copied or moved, with passwords, and what goes
 * wrong on the way.
 */
#include "tests/lib/tap.h"
#include "tests/lib/wire.h"

#include <stdio.h>
#include <string.h>

static const struct wire_case errors[] = {
    {"MIGRATE 127.0.0.1 1 k 0", "-ERR wrong number of arguments for 'migrate' command"},
    {"MIGRATE 127.0.0.1 1 k 0 100", "+NOKEY"},
    {"MIGRATE 127.0.0.1 1 k x 100", "-ERR value is not an integer or out of range"},
    {"MIGRATE 127.0.0.1 1 k 0 x", "-ERR value is not an integer or out of range"},
    {"MIGRATE 127.0.0.1 1 k 0 100 NOPE", "-ERR syntax error"},
    {"MIGRATE 127.0.0.1 1 k 0 100 AUTH", "-ERR syntax error"},
    {"MIGRATE 127.0.0.1 1 k 0 100 AUTH2 x", "-ERR syntax error"},
    {"MIGRATE 127.0.0.1 1 k 0 100 KEYS a",
     "-ERR When using MIGRATE KEYS option, the key argument must be set to the empty string"},
    {"MIGRATE 127.0.0.1 1 '' 0 100 KEYS a b", "+NOKEY"},
    {"SET k v", "+OK"},
    {"MIGRATE 127.0.0.1 1 k 0 100", "-IOERR error or timeout writing to target instance"},
    {"GET k", "'v'"},
    {"COMMAND GETKEYS MIGRATE h 1 k 0 10", "['k']"},
};

static const struct group groups[] = {TABLE(errors), {NULL}};

static void expect(struct wire *w, const char *line, int port, const char *rest, const char *reply)
{
    char whole[300];

    snprintf(whole, sizeof(whole), "%s %d %s", line, port, rest);
    is_str(wire_call(w, whole), reply, "migrate: %s", rest);
}

static const char *const here = "MIGRATE 127.0.0.1";

static void to_another(void)
{
    struct server *from = server_run_threads(2, ""), *to = server_run_threads(2, "");
    struct wire *a = wire_open(from, 2), *b = wire_open(to, 2);

    wire_call(a, "SET s v PX 1000000");
    wire_call(a, "RPUSH l a b c");
    wire_call(a, "HSET h f v");
    wire_call(a, "ZADD z 1 m");
    wire_call(a, "SADD m x y");
    expect(a, here, to->port, "s 0 5000 COPY", "+OK");
    is_str(wire_call(a, "GET s"), "'v'", "migrate: a copy leaves it");
    is_str(wire_call(b, "GET s"), "'v'", "migrate: and is there");
    is_like(wire_call(b, "PTTL s"), "^:(1000000|9[0-9]{5})$", "migrate: with its time");
    expect(a, here, to->port, "s 0 5000",
           "-ERR Target instance replied with error: BUSYKEY Target key name already exists.");
    is_str(wire_call(a, "EXISTS s"), ":1", "migrate: what is refused stays");
    expect(a, here, to->port, "s 0 5000 REPLACE", "+OK");
    is_str(wire_call(a, "EXISTS s"), ":0", "migrate: what is moved goes");
    expect(a, here, to->port, "'' 3 5000 KEYS l h z m nokey", "+OK");
    is_str(wire_call(a, "DBSIZE"), ":0", "migrate: several keys go");
    wire_call(b, "SELECT 3");
    is_str(wire_call(b, "LRANGE l 0 -1"), "['a' 'b' 'c']", "migrate: the list is there");
    is_str(wire_call(b, "DBSIZE"), ":4", "migrate: and the others");
    wire_call(a, "SET s v");
    expect(a, here, to->port, "s 99 5000",
           "-ERR Target instance replied with error: ERR DB index is out of range");
    is_str(wire_call(a, "EXISTS s"), ":1", "migrate: nothing goes to a database that is not there");
    wire_call(b, "CONFIG SET requirepass secret");
    if (!from->is_redis) /* which still has its old connection */
        expect(a, here, to->port, "s 0 5000",
               "-ERR Target instance replied with error: NOAUTH Authentication required.");
    expect(a, here, to->port, "s 0 5000 AUTH wrong",
           "-ERR Target instance replied with error: WRONGPASS invalid username-password pair or "
           "user is disabled.");
    expect(a, here, to->port, "s 5 5000 AUTH secret", "+OK");
    wire_call(a, "SET s v");
    expect(a, here, to->port, "s 6 5000 AUTH2 default secret", "+OK");
    is_str(wire_call(a, "EXISTS s"), ":0", "migrate: with a password");
    wire_close(a);
    wire_close(b);
    server_stop(from);
    server_stop(to);
}

/* Redis serves nobody meanwhile. */
static void others_are_served(void)
{
    struct server *from = server_run_threads(1, "");
    struct wire *a = wire_open(from, 2), *b = wire_open(from, 2);
    char line[100];

    if (from->is_redis) {
        skip("the server does not have it", "migrate: others are served");
    } else {
        struct server *asleep = server_run_threads(1, "--enable-debug-command yes");
        struct wire *c = wire_open(asleep, 2);

        wire_call(a, "SET k v");
        wire_send(c, "DEBUG SLEEP 1.5");
        snprintf(line, sizeof(line), "MIGRATE 127.0.0.1 %d k 0 10000", asleep->port);
        wire_send(a, line);
        is_str(wire_call(b, "APPEND k w"), ":2", "migrate: others are served, and change the key");
        is_like(wire_read(a), "^-ERR A key was changed on its way",
                "migrate: what was changed on its way stays");
        is_str(wire_call(b, "GET k"), "'vw'", "migrate: as it is now");
        wire_read(c);
        wire_close(c);
        server_stop(asleep);
    }
    wire_close(a);
    wire_close(b);
    server_stop(from);
}

int main(void)
{
    session_family("migrate", "", NULL, groups);
    to_another();
    others_are_served();
    return tap_done();
}
