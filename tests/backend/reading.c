/*
 * Keys that are in the table and not in memory: whatever command touches them, each finds what is
 * there, and asks for it once. The whole table where not all of it is in memory; rows that others
 * change or that end; a database that does not answer. Against all databases.
 */
#include "tests/backend/reading_kit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const struct place *place;

/* ---- every way to a key ---------------------------------------------------------------------- */

/* Each line finds its keys in the table alone. */
static const struct {
    const char *line, *reply;
} cold[] = {
    {"GET c1", "'one'"},
    {"MGET c2 nothing c3", "['two' nil '3']"},
    {"INCR c4", ":5"},
    {"EXISTS c5 nothing c5", ":2"},
    {"TYPE h1", "+hash"},
    {"HGETALL h2", "{'a' '1' 'b' '2'}"},
    {"LRANGE l1 0 -1", "['x' 'y' 'z']"},
    {"RPUSH l2 w", ":4"},
    {"SMEMBERS s1", "~['m']"},
    {"ZRANGE z1 0 -1 WITHSCORES", "[['a' ,1] ['b' ,2.5]]"},
    {"TTL c6", ":-1"},
    {"STRLEN c7", ":5"},
    {"OBJECT ENCODING c8", "'embstr'"},
    {"DEBUG OBJECT c9", "/Value at:.*"},
    {"MEMORY USAGE c10", "/:[1-9].*"},
    {"TOUCH c11", ":1"},
    {"VERSION c12", "/:[1-9].*"},
    {"WHEN EXISTS c13 THEN GET c13", "/.*"},
    {"RENAME c14 c15", "+OK"},
    {"GET c15", "'v14'"},
    {"SORT l3 BY w_* GET # GET g_*", "['2' 'second' '1' 'first']"},
    {"SET c16 new NX", "nil"},
    {"SET c17 new GET", "'v17'"},
    {"GETDEL c18", "'v18'"},
    {"EXISTS c18", ":0"},
    {"DEL c19 c20 nothing", ":2"},
    {"COPY c21 copy DB 1", ":1"},
    {"BLPOP l4 0", "['l4' 'q']"},
    {"LMOVE l5 l6 LEFT RIGHT", "'a'"},
    {"LRANGE l6 0 -1", "['b' 'a']"},
    {"WATCH c22 c23", "+OK"},
    {"MULTI", "+OK"},
    {"APPEND c24 !", "+QUEUED"},
    {"GET c25", "+QUEUED"},
    {"SINTER s2 s3", "+QUEUED"},
    {"EXEC", "[:4 'v25' ~['b']]"},
    {"SELECT 1", "+OK"},
    {"SET c26 elsewhere", "+OK"},
    {"MOVE c26 0", ":0"},
    {"GET c26", "'elsewhere'"},
    {"SELECT 0", "+OK"},
    {"GET c26", "'v26'"},
    {"DUMP c27", "/'.*'"},
    {"GEORADIUS nowhere 1 1 1 km", "[]"},
    {"OBJECT FREQ nothing", "nil"},
};

static void put_row(const char *table, const char *key, const char *value, const char *type)
{
    if (type)
        reading_other(place, "INSERT INTO %s (k, v, type) VALUES ('%s', '%s', '%s')", table, key,
                      value, type);
    else
        reading_other(place, "INSERT INTO %s (k, v) VALUES ('%s', '%s')", table, key, value);
}

static void fill_cold(void)
{
    static const char *const rows[][3] = {
        {"c1", "one", NULL},
        {"c2", "two", NULL},
        {"c3", "3", NULL},
        {"c4", "4", NULL},
        {"h1", "{\"f\":\"v\"}", "hash"},
        {"h2", "{\"a\":\"1\",\"b\":\"2\"}", "hash"},
        {"l1", "[\"x\",\"y\",\"z\"]", "list"},
        {"l2", "[\"x\",\"y\",\"z\"]", "list"},
        {"s1", "[\"m\"]", "set"},
        {"z1", "{\"a\":1,\"b\":2.5}", "zset"},
        {"c7", "seven", NULL},
        {"l3", "[\"1\",\"2\"]", "list"},
        {"w_1", "9", NULL},
        {"w_2", "8", NULL},
        {"g_1", "first", NULL},
        {"g_2", "second", NULL},
        {"l4", "[\"q\"]", "list"},
        {"l5", "[\"a\"]", "list"},
        {"l6", "[\"b\"]", "list"},
        {"s2", "[\"a\",\"b\"]", "set"},
        {"s3", "[\"b\",\"c\"]", "set"},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        put_row("ways", rows[i][0], rows[i][1], rows[i][2]);
    for (int i = 5; i <= 27; i++) {
        char key[16], value[16];

        snprintf(key, sizeof(key), "c%d", i);
        snprintf(value, sizeof(value), "v%d", i);
        if (i != 7 && i != 15)
            put_row("ways", key, value, NULL);
    }
}

static bool is_reply(const char *got, const char *want, const char *line)
{
    return want[0] == '/' ? is_like(got, want + 1, "%s", line) : is_str(got, want, "%s", line);
}

static void test_ways(void)
{
    struct server *s = reading_server(place, "ways", "");
    struct wire *w;

    server_stop(s);
    fill_cold();
    s = reading_server(place, "ways", "--enable-debug-command yes");
    w = reading_wire(s);
    is_int(reading_info(w, "backend_all_in_memory"), 0, "not all is in memory");
    for (size_t i = 0; i < sizeof(cold) / sizeof(cold[0]); i++)
        is_reply(wire_call(w, cold[i].line), cold[i].reply, cold[i].line);
    wire_close(w);
    server_stop(s);
    is_str(reading_ask(place, "SELECT v FROM ways WHERE k = 'c4'"), "5",
           "what was changed is there");
    is_str(reading_ask(place, "SELECT v FROM ways WHERE k = 'c24'"), "v24!", "and by EXEC");
    is_str(reading_ask(place, "SELECT v FROM ways WHERE k = 'c19'"), "", "what was deleted is not");
}

/* ---- keys of which nothing need be known ----------------------------------------------------- */

static const struct {
    const char *line, *reply;
    int selects; /* that it makes */
} blind[] = {
    {"SET b1 x", "+OK", 0},
    {"SET b2 x EX 1000", "+OK", 0},
    {"MSET b3 x b4 y", "+OK", 0},
    {"SETEX b5 1000 x", "+OK", 0},
    {"PSETEX b6 100000 x", "+OK", 0},
    {"SET b7 x NX", "nil", 1},
    {"SET b8 x GET", "'v'", 1},
    {"SET b9 x KEEPTTL", "+OK", 1},
    {"SETNX b10 x", ":0", 1},
    {"GET b1", "'x'", 0},
    {"APPEND b2 y", ":2", 0},
    {"TYPE b3", "+string", 0},
    {"CONFIG SET notify-keyspace-events KEAn", "+OK", 0},
    {"SET b11 x", "+OK", 1},
};

static void test_blind(void)
{
    struct server *s = reading_server(place, "blind", "");
    struct wire *w;

    server_stop(s);
    for (int i = 1; i <= 11; i++) {
        char key[16];

        snprintf(key, sizeof(key), "b%d", i);
        put_row("blind", key, i == 3 ? "[\"v\"]" : "v", i == 3 ? "list" : NULL);
    }
    s = reading_server(place, "blind", "");
    w = reading_wire(s);
    for (size_t i = 0; i < sizeof(blind) / sizeof(blind[0]); i++) {
        long long before = reading_info(w, "backend_selects");

        is_str(wire_call(w, blind[i].line), blind[i].reply, "%s", blind[i].line);
        is_int(reading_info(w, "backend_selects") - before, blind[i].selects, "%s asks the table",
               blind[i].line);
    }
    wire_close(w);
    server_stop(s);
    is_str(reading_ask(place, "SELECT v FROM blind WHERE k = 'b3'"), "x", "what was set is there");
    is_str(reading_ask(place, "SELECT count(*) FROM blind"), "11", "each key once");
}

/* ---- one key, many clients ------------------------------------------------------------------- */

enum { CLIENTS = 1000 };

static void test_stampede(void)
{
    struct server *s = reading_server(place, "stampede", "--threads 4");
    static int fds[CLIENTS];
    struct wire *w = reading_wire(s);
    long long selects, asked;
    bool all = true;

    reading_other(place, "INSERT INTO stampede (k, v) VALUES ('warm', 'x'), ('hot', 'value')");
    server_stop(s);
    wire_close(w);
    s = reading_server(place, "stampede", "--threads 4");
    w = reading_wire(s);
    is_str(wire_call(w, "GET warm"), "'x'", "the reader is there");
    selects = reading_info(w, "backend_selects");
    asked = reading_info(w, "backend_keys_asked");
    for (int i = 0; i < CLIENTS; i++)
        fds[i] = server_connect_unix(s);
    for (int i = 0; i < CLIENTS; i++)
        raw_send_str(fds[i], "*2\r\n$3\r\nGET\r\n$3\r\nhot\r\n*1\r\n$4\r\nPING\r\n");
    for (int i = 0; i < CLIENTS; i++)
        all = raw_expect_str(fds[i], "$5\r\nvalue\r\n+PONG\r\n") && all;
    ok(all, "%d clients on one key that is not in memory: all are answered, in order", CLIENTS);
    is_int(reading_info(w, "backend_selects") - selects, 1, "by one statement");
    is_int(reading_info(w, "backend_keys_asked") - asked, 1, "that asked for one key");
    for (int i = 0; i < CLIENTS; i++)
        raw_send_str(fds[i], "*2\r\n$3\r\nGET\r\n$4\r\nnone\r\n");
    for (all = true, selects++, asked++; selects >= 0; selects = -1) {
        for (int i = 0; i < CLIENTS; i++)
            all = raw_expect_str(fds[i], "$-1\r\n") && all;
        ok(all, "the same of a key that is not there either");
        is_int(reading_info(w, "backend_selects") - selects, 1, "by one statement");
    }
    for (int i = 0; i < CLIENTS; i++)
        close(fds[i]);
    wire_close(w);
    server_stop(s);
}

/* ---- the whole table ------------------------------------------------------------------------- */

static int scan_all(struct wire *w, const char *options)
{
    char cursor[32] = "0";
    int n = 0;

    do {
        char line[128];
        struct answer *a;

        snprintf(line, sizeof(line), "SCAN %s %s", cursor, options);
        wire_send(w, line);
        a = wire_next(w, RAW_TIMEOUT_MS);
        if (!a || a->count != 2) {
            diag("%s: %s", line, a && a->text ? a->text : "nothing");
            answer_free(a);
            return -1;
        }
        snprintf(cursor, sizeof(cursor), "%s", a->items[0]->text);
        n += (int)a->items[1]->count;
        answer_free(a);
    } while (strcmp(cursor, "0") != 0);
    return n;
}

static void check_whole(struct wire *w, const char *how)
{
    is_int(wire_int(w, "DBSIZE"), 304, "DBSIZE %s", how);
    is_int(scan_all(w, "COUNT 7"), 304, "SCAN %s", how);
    is_int(scan_all(w, "MATCH key1* COUNT 50"), 111, "SCAN MATCH %s", how);
    is_int(scan_all(w, "TYPE hash"), 1, "SCAN TYPE %s", how);
    is_int(scan_all(w, "TYPE string COUNT 100"), 303, "SCAN TYPE string %s", how);
    is_int(scan_all(w, "TYPE nonsense"), 0, "SCAN TYPE of none %s", how);
    is_str(wire_call(w, "KEYS key29[1-1]"), "['key291']", "KEYS %s", how);
    is_str(wire_call(w, "KEYS \"bin*\\xff\""), "['bin\\xff']", "KEYS of what is no text %s", how);
    is_str(wire_call(w, "KEYS Dirty?"), "['Dirty1']", "KEYS tells cases apart %s", how);
    is_like(wire_call(w, "RANDOMKEY"), "'.*'", "RANDOMKEY %s", how);
}

static void test_whole(void)
{
    struct server *s = reading_server(place, "whole", "");
    struct wire *w = reading_wire(s);

    for (int i = 0; i < 300; i++)
        wire_callf(w, "SET key%d v", i);
    wire_call(w, "HSET a_hash f v");
    wire_call(w, "SET \"bin\\xff\" v");
    check_whole((wire_call(w, "SET Dirty1 v"), wire_call(w, "SET dirty11 v"), w), "from memory");
    server_stop(s);
    wire_close(w);
    s = reading_server(place, "whole", "");
    w = reading_wire(s);
    check_whole(w, "from the table");
    wire_call(w, "DEL key0 key1");
    wire_call(w, "SET more1 v");
    is_int(wire_int(w, "DBSIZE"), 303, "what is not in the table yet counts");
    wire_call(w, "SET more1 v PX 1");
    raw_sleep_ms(20);
    is_int(wire_int(w, "DBSIZE"), 302, "what has ended does not");
    is_str(wire_call(w, "SCAN 4503599627370499 COUNT 1000 MATCH more*"), "['0' []]",
           "an unknown cursor begins anew");
    is_str(wire_call(w, "MULTI"), "+OK", "in a transaction");
    wire_call(w, "DBSIZE");
    is_like(wire_call(w, "EXEC"), "\\[-BACKEND .*\\]", "nobody can wait");
    wire_call(w, "FLUSHALL");
    wire_call(w, "SET a b");
    is_int(reading_info(w, "backend_all_in_memory"), 1, "after FLUSHALL all is in memory");
    is_int(wire_int(w, "DBSIZE"), 1, "which is what was written since");
    is_str(wire_call(w, "GET key5"), "nil", "and nothing comes back");
    server_stop(s);
    wire_close(w);
    is_str(reading_ask(place, "SELECT count(*) FROM whole"), "1", "nor is it in the table");
}

static void test_load_all(void)
{
    struct server *s = reading_server(place, "loadall", "");
    struct wire *w = reading_wire(s);

    for (int i = 0; i < 5000; i++)
        wire_callf(w, "SET key%d %d", i, i);
    server_stop(s);
    wire_close(w);
    s = reading_server(place, "loadall", "--backend-load all");
    w = reading_wire(s);
    is_int(reading_info(w, "backend_all_in_memory"), 1, "all of it is loaded at the start");
    is_int(reading_info(w, "backend_rows_loaded"), 5000, "and counted");
    is_str(wire_call(w, "GET key4999"), "'4999'", "it is there");
    is_str(wire_call(w, "GET none"), "nil", "and nothing else");
    is_int(wire_int(w, "DBSIZE"), 5000, "nothing is missing");
    is_int(reading_info(w, "backend_selects"), 0, "nobody asked for a row");
    server_stop(s);
    wire_close(w);
}

/* ---- what others do -------------------------------------------------------------------------- */

static void test_versions_stay(void)
{
    struct server *s = reading_server(place, "versions", "");
    struct wire *w = reading_wire(s);
    long long version;

    wire_call(w, "SET k v");
    version = wire_int(w, "VERSION k");
    server_stop(s);
    wire_close(w);
    s = reading_server(place, "versions", "");
    w = reading_wire(s);
    is_int(wire_int(w, "VERSION k"), version, "a key comes back with its version");
    wire_call(w, "SET k w");
    ok(wire_int(w, "VERSION k") > version, "which only grows");
    wire_close(w);
    server_stop(s);
}

static void test_changed_there(void)
{
    struct server *s = reading_server(place, "there", "--backend-watch yes --backend-poll 20");
    struct wire *w = reading_wire(s), *events = reading_wire(s), *other = reading_wire(s);
    long long version;

    wire_call(w, "CONFIG SET notify-keyspace-events KEA");
    wire_call(w, "MSET a 1 b 2 c 3");
    is_str(wire_call(w, "BACKEND FLUSH"), "+OK", "what is here is there");
    version = wire_int(w, "VERSION a");
    wire_call(events, "PSUBSCRIBE __keyspace@0__:*");
    wire_call(other, "WATCH b");
    reading_other(place, "UPDATE there SET v = 'there' WHERE k = 'a'");
    is_str(wire_read(events), ">['pmessage' '__keyspace@0__:*' '__keyspace@0__:a' 'set']",
           "a row that another program changes is an event");
    is_str(wire_call(w, "GET a"), "'there'", "and the key is different");
    ok(wire_int(w, "VERSION a") > version, "with another version");
    reading_other(place, "DELETE FROM there WHERE k = 'b'");
    is_str(wire_read(events), ">['pmessage' '__keyspace@0__:*' '__keyspace@0__:b' 'del']",
           "so is one that is deleted");
    is_str(wire_call(w, "GET b"), "nil", "and it is gone");
    wire_call(other, "MULTI");
    wire_call(other, "PING");
    is_str(wire_call(other, "EXEC"), "nil", "WATCH sees it");
    wire_call(w, "GET d");
    reading_other(place, "INSERT INTO there (k, v) VALUES ('d', 'new')");
    ok(reading_comes_to(w, "GET d", "'new'"), "a key that was known to be absent is there");
    wire_close(events);
    wire_close(other);
    wire_close(w);
    server_stop(s);
}

static void test_refresh(void)
{
    struct server *s = reading_server(place, "refresh", "");
    struct wire *w = reading_wire(s);

    wire_call(w, "SET a 1");
    wire_call(w, "BACKEND FLUSH");
    reading_other(place, "UPDATE refresh SET v = 'there' WHERE k = 'a'");
    is_str(wire_call(w, "GET a"), "'1'", "nobody has told");
    is_str(wire_call(w, "BACKEND REFRESH a"), "+OK", "it is looked at");
    is_str(wire_call(w, "GET a"), "'there'", "and taken over");
    is_str(wire_call(w, "BACKEND REFRESH none"), "+OK", "nothing to take over");
    wire_close(w);
    server_stop(s);
}

/* Both sides write the same keys; in the end they agree. */
static void test_both_sides(void)
{
    enum { KEYS = 8, ROUNDS = 300 };
    struct server *s = reading_server(place, "sides", "--backend-watch yes --backend-poll 5");
    struct wire *w = reading_wire(s);
    bool same = true;

    for (int i = 0; i < KEYS; i++)
        wire_callf(w, "SET k%d 0", i);
    wire_call(w, "BACKEND FLUSH");
    for (int i = 0; i < ROUNDS; i++) {
        wire_callf(w, i % 7 ? "SET k%d here%d" : "DEL k%d", i % KEYS, i);
        if (i % 3 == 0)
            reading_other(place, "UPDATE sides SET v = 'there%d' WHERE k = 'k%d'", i,
                          (i * 5 + 3) % KEYS);
        if (i % 20 == 0)
            raw_sleep_ms(7);
    }
    wire_call(w, "BACKEND FLUSH");
    for (int i = 0; i < KEYS; i++) {
        char want[128], line[32];

        snprintf(line, sizeof(line), "GET k%d", i);
        snprintf(want, sizeof(want), "'%s'",
                 reading_ask(place, "SELECT v FROM sides WHERE k = 'k%d'", i));
        same = reading_comes_to(w, line, strcmp(want, "''") ? want : "nil") && same;
    }
    ok(same, "memory and table agree after both sides have written");
    wire_close(w);
    server_stop(s);
}

static void test_purge(void)
{
    struct server *s = reading_server(place, "endings", "");
    struct wire *w = reading_wire(s), *events = reading_wire(s);

    wire_call(w, "SET stays v");
    wire_call(w, "CONFIG SET notify-keyspace-events KEA");
    wire_call(events, "SUBSCRIBE __keyevent@0__:expired");
    reading_other(place, "INSERT INTO endings (k, v, expiry) VALUES ('ended', 'v', 5)");
    is_str(wire_read(events), ">['message' '__keyevent@0__:expired' 'ended']",
           "a row whose time is over is an event, though it was never in memory");
    is_str(wire_call(w, "BACKEND FLUSH"), "+OK", "what is here is there");
    is_str(reading_ask(place, "SELECT count(*) FROM endings"), "1", "and that row is not");
    is_str(wire_call(w, "GET stays"), "'v'", "others stay");
    wire_close(events);
    wire_close(w);
    server_stop(s);
}

/* ---- a database that does not answer --------------------------------------------------------- */

static void test_away(void)
{
    struct server *s = reading_server(place, "away", "--backend-timeout 700");
    struct wire *w = reading_wire(s), *gone, *killed;
    long long start, id;

    wire_call(w, "MSET a 1 b 2 c 3 d 4");
    server_stop(s);
    wire_close(w);
    s = reading_server(place, "away", "--backend-timeout 700");
    w = reading_wire(s);
    gone = reading_wire(s);
    killed = reading_wire(s);
    is_str(wire_call(w, "GET a"), "'1'", "one is in memory");
    id = wire_int(killed, "CLIENT ID");
    place->pause(true);
    wire_send(gone, "GET b");
    wire_send(killed, "GET c");
    raw_sleep_ms(50);
    wire_close(gone);
    is_str(wire_callf(w, "CLIENT KILL ID %lld", id), ":1", "who waits can be killed");
    is_str(wire_read(killed), "(closed)", "and is gone");
    start = raw_now_ms();
    wire_send(w, "GET d");
    wire_send(w, "GET a");
    is_like(wire_read(w), "-BACKEND .*", "what is not in memory is an error");
    is_str(wire_read(w), "'1'", "what is is served, in order");
    ok(raw_now_ms() - start < 5000, "in time: %lld ms", raw_now_ms() - start);
    place->pause(false);
    ok(reading_comes_to(w, "GET d", "'4'"), "and it comes back by itself");
    is_str(wire_call(w, "MGET b c"), "['2' '3']", "nothing is lost");
    wire_close(killed);
    wire_close(w);
    server_stop(s);
}

int main(void)
{
    size_t n;
    const struct place *places = places_start(&n);

    for (size_t i = 0; i < n; i++) {
        place = &places[i];
        diag("%s", place->scheme);
        test_ways();
        test_blind();
        test_stampede();
        test_whole();
        test_load_all();
        test_versions_stay();
        test_changed_there();
        test_refresh();
        test_both_sides();
        test_purge();
        if (place->pause)
            test_away();
    }
    places_stop();
    return tap_done();
}
