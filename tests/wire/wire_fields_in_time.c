/* Fields of hashes go at their time, few or many of them, and are not seen behind it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/lib/raw.h"
#include "tests/lib/tap.h"
#include "tests/lib/wire.h"

static const struct wire_case fields_go_in_time[] = {
    {"HSET k a 1 b 2 c 3", ":3"},
    {"HPEXPIRE k 30 FIELDS 2 a b", "[:1 :1]"},
    {"~80"},
    {"HGETALL k", "{'c' '3'}"},
    {"HLEN k", ":1"},
    {"HGET k a", "nil"},
    {"HTTL k FIELDS 2 a c", "[:-2 :-1]"},
    {"HSETNX k a new", ":1"},
    {"HPEXPIRE k 30 FIELDS 2 a c", "[:1 :1]"},
    {"~80"},
    {"EXISTS k", ":0"},
    {"DBSIZE", ":0"},
    {"TYPE k", "+none"},
    {"KEYS *", "[]"},
    {"RANDOMKEY", "nil"},
    {"HSETEX k PX 30 FIELDS 1 a 5", ":1"},
    {"~80"},
    {"HINCRBY k a 1", ":1"},
    {"HTTL k FIELDS 1 a", "[:-1]"},
    {"HSETEX k PX 30 FIELDS 1 b 5", ":1"},
    {"RENAME k l", "+OK"},
    {"COPY l m", ":1"},
    {"MOVE m 3", ":1"},
    {"~80"},
    {"HKEYS l", "['a']"},
    {"SELECT 3", "+OK"},
    {"HKEYS m", "['a']"},
    {"HSETEX m PX 30 FIELDS 1 b 5", ":1"},
    {"SWAPDB 3 4", "+OK"},
    {"~80"},
    {"SELECT 4", "+OK"},
    {"HLEN m", ":1"},
    {"SELECT 0", "+OK"},
    {"SWAPDB 3 4", "+OK"},
    {"HSETEX n PX 30 FIELDS 1 b 5", ":1"},
    {"EXPIRE n 100", ":1"},
    {"~80"},
    {"EXISTS n", ":0"},
};

/* Nobody but who looks takes them out; what is looked at is as it should be. */
static const struct wire_case seen_in_time[] = {
    {"DEBUG SET-ACTIVE-EXPIRE 0", "+OK"},
    {"HSETEX k PX 20 FIELDS 2 a 1 b 2", ":1"},
    {"HSET k c 3", ":1"},
    {"HSETEX gone PX 20 FIELDS 2 a 1 b 2", ":1"},
    {"COPY gone gone2", ":1"},
    {"COPY gone gone3", ":1"},
    {"~40"},
    {"KEYS *", "['k']"},
    {"HLEN k", ":1"},
    {"HEXISTS k a", ":0"},
    {"EXISTS gone gone2", ":0"},
    {"TYPE gone3", "+none"},
    {"HSETEX k PX 20 FIELDS 2 a 1 b 2", ":1"},
    {"~40"},
    {"HSET k a 5", ":1"},
    {"HSETEX k PX 20 FIELDS 1 a 1", ":1"},
    {"~40"},
    {"HSETNX k a 1", ":1"},
    {"HPEXPIRE k 20 FIELDS 1 a", "[:1]"},
    {"~40"},
    {"HDEL k a", ":0"},
    {"HSETEX k PX 20 FIELDS 1 a 1", ":1"},
    {"~40"},
    {"MULTI", "+OK"},
    {"HGETALL k", "+QUEUED"},
    {"HPERSIST k FIELDS 1 a", "+QUEUED"},
    {"EXEC", "[{'c' '3'} [:-2]]"},
    {"RENAME k l", "+OK"},
    {"HPEXPIRE l 20 FIELDS 1 c", "[:1]"},
    {"~40"},
    {"RENAME l k", "-ERR no such key"},
    {"DBSIZE", ":0"},
    {"DEBUG SET-ACTIVE-EXPIRE 1", "+OK"},
};

/* ---- in numbers ------------------------------------------------------------------------------ */

/*
 * Fields of many hashes, and many of one, all due within a short time: each is gone soon behind its
 * time, and events tell of each hash.
 */
static void all_go_in_time(struct session *t)
{
    enum { HASHES = 300, FIELDS = 2000, LATE_MS = 500 };
    struct wire *w = session_wire(t, 0);
    long long end;

    for (int i = 0; i < HASHES; i++)
        wire_callf(w, "HSETEX h:%d PX %d FIELDS 2 a 1 b 2", i, 300 + i % 50);
    for (int i = 0; i < FIELDS; i++)
        wire_callf(w, "HSETEX big PX %d FIELDS 1 f:%d v", 400 + i % 100, i);
    wire_call(w, "HSET big stays 1");
    end = raw_now_ms() + 500 + LATE_MS;
    while (strcmp(wire_call(w, "DBSIZE"), ":1") != 0 && raw_now_ms() < end)
        raw_sleep_ms(5);
    is_str(wire_call(w, "DBSIZE"), ":1", "small hashes are gone");
    while (strcmp(wire_call(w, "HLEN big"), ":1") != 0 && raw_now_ms() < end)
        raw_sleep_ms(5);
    is_str(wire_call(w, "HGETALL big"), w->protocol == 2 ? "['stays' '1']" : "{'stays' '1'}",
           "and what the large one had");
    ok(raw_now_ms() <= end, "in time");
}

enum { MANY = 20000 };

/* HPEXPIRE of all of them in one command. */
static void expire_many(struct wire *w, const char *ms)
{
    static char names[MANY][16], count[16];
    static const char *args[MANY + 5];
    static size_t lens[MANY + 5];
    size_t n = 0;

    args[n++] = "HPEXPIRE";
    args[n++] = "big";
    args[n++] = ms;
    args[n++] = "FIELDS";
    snprintf(count, sizeof(count), "%d", MANY);
    args[n++] = count;
    for (int i = 0; i < MANY; i++) {
        snprintf(names[i], sizeof(names[i]), "f:%d", i);
        args[n++] = names[i];
    }
    for (size_t i = 0; i < n; i++)
        lens[i] = strlen(args[i]);
    wire_send_args(w, n, args, lens);
    answer_free(wire_next(w, RAW_TIMEOUT_MS));
}

/* Many fields are due at once, and are not seen while they go in small steps. */
static void many_at_once(struct session *t)
{
    struct wire *w = session_wire(t, 0);
    long long gone = 0;

    wire_call(w, "CONFIG RESETSTAT");
    for (int i = 0; i < MANY; i += 4)
        wire_callf(w, "HSET big f:%d v f:%d v f:%d v f:%d v", i, i + 1, i + 2, i + 3);
    wire_call(w, "HSETEX big EX 1000 FIELDS 1 stays 1");
    wire_call(w, "DEBUG SET-ACTIVE-EXPIRE 0");
    expire_many(w, "1");
    raw_sleep_ms(5);
    is_str(wire_call(w, "HLEN big"), ":1", "nothing of what is due is counted");
    is_str(wire_call(w, "HRANDFIELD big 3"), "['stays']", "or drawn");
    is_str(wire_call(w, "HMGET big f:1 f:9000 stays"), "[nil nil '1']", "or found");
    is_str(wire_call(w, "HSET big f:9000 again"), ":1", "and can be set anew");
    is_str(wire_call(w, "HDEL big f:9001 f:9000"), ":1", "or, being gone, not be removed");
    is_str(wire_call(w, "HKEYS big"), "['stays']", "what stays is there");
    wire_call(w, "DEBUG SET-ACTIVE-EXPIRE 1");
    for (int i = 0; i < 500 && gone < MANY - 1; i++) {
        char *info = wire_bulk(w, "INFO stats");

        gone = strtoll(strstr(info, "expired_subkeys:") + strlen("expired_subkeys:"), NULL, 10);
        free(info);
        raw_sleep_ms(10);
    }
    is_int(gone, MANY - 1, "all that were due go by themselves, but for the one set anew");
    is_str(wire_call(w, "HGETALL big"), w->protocol == 2 ? "['stays' '1']" : "{'stays' '1'}",
           "and what stays is left");
}

static const struct group groups[] = {
    NEW_TABLE(seen_in_time),
    NEW_TABLE(fields_go_in_time),
    NEW_TEST(all_go_in_time),
    NEW_TEST(many_at_once),
    {NULL},
};

int main(void)
{
    static const int threads[] = {1, 4, 0};

    return session_main("fields_in_time", "--enable-debug-command yes", threads, groups);
}
