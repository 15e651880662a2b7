/*
 * Transactions: what is queued, what spoils it, and when EXEC runs it.
 */
#include "tests/lib/wire.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/lib/raw.h"
#include "tests/lib/tap.h"

static const struct wire_case queueing[] = {
    {"MULTI", "+OK"},
    {"SET k 1", "+QUEUED"},
    {"INCR k", "+QUEUED"},
    {"GET k", "+QUEUED"},
    {"@1 GET k", "nil"},
    {"EXEC", "[+OK :2 '2']"},
    {"@1 GET k", "'2'"},
    {"MULTI", "+OK"},
    {"EXEC", "[]"},
    {"MULTI", "+OK"},
    {"PING", "+QUEUED"},
    {"ECHO 'a b'", "+QUEUED"},
    {"MSET a 1 b 2", "+QUEUED"},
    {"MGET a b c", "+QUEUED"},
    {"DEL a b", "+QUEUED"},
    {"EXEC", "[+PONG 'a b' +OK ['1' '2' nil] :2]"},
    {"EXEC", "-ERR EXEC without MULTI"},
    {"DISCARD", "-ERR DISCARD without MULTI"},
    {"MULTI", "+OK"},
    {"SET k discarded", "+QUEUED"},
    {"DISCARD", "+OK"},
    {"GET k", "'2'"},
    {"EXEC", "-ERR EXEC without MULTI"},
    {"UNWATCH", "+OK"},
    {"MULTI", "+OK"},
    {"UNWATCH", "+QUEUED"},
    {"EXEC", "[+OK]"},
};

static const struct wire_case errors_while_running[] = {
    {"SET s text", "+OK"},
    {"MULTI", "+OK"},
    {"SET a 1", "+QUEUED"},
    {"INCR s", "+QUEUED"},
    {"SET b 2", "+QUEUED"},
    {"EXEC", "[+OK -ERR value is not an integer or out of range +OK]"},
    {"MGET a b", "['1' '2']"},
    {"MULTI", "+OK"},
    {"BITOP AND d", "-ERR wrong number of arguments for 'bitop' command"},
    {"EXEC", "-EXECABORT Transaction discarded because of previous errors."},
    {"MULTI", "+OK"},
    {"SET a 1 NOPE", "+QUEUED"},
    {"EXPIRE a b", "+QUEUED"},
    {"SELECT 99", "+QUEUED"},
    {"RENAME none other", "+QUEUED"},
    {"EXEC", "[-ERR syntax error -ERR value is not an integer or out of range "
             "-ERR DB index is out of range -ERR no such key]"},
};

static const struct wire_case errors_while_queueing[] = {
    {"MULTI", "+OK"},
    {"SET a 1", "+QUEUED"},
    {"NOSUCH x", "-ERR unknown command 'NOSUCH', with args beginning with: 'x' "},
    {"SET b 1", "+QUEUED"},
    {"EXEC", "-EXECABORT Transaction discarded because of previous errors."},
    {"EXISTS a b", ":0"},
    {"MULTI", "+OK"},
    {"SET a", "-ERR wrong number of arguments for 'set' command"},
    {"EXEC", "-EXECABORT Transaction discarded because of previous errors."},
    {"EXEC", "-ERR EXEC without MULTI"},
    {"MULTI", "+OK"},
    {"CLIENT NOSUCH", "-ERR unknown subcommand 'NOSUCH'. Try CLIENT HELP."},
    {"EXEC", "-EXECABORT Transaction discarded because of previous errors."},
    {"MULTI", "+OK"},
    {"SET a", "-ERR wrong number of arguments for 'set' command"},
    {"DISCARD", "+OK"},
    {"MULTI", "+OK"},
    {"SET a 1", "+QUEUED"},
    {"EXEC", "[+OK]"},
    {"MULTI", "+OK"},
    {"MULTI", "-ERR MULTI calls can not be nested"},
    {"WATCH a", "-ERR WATCH inside MULTI is not allowed"},
    {"SET a 2", "+QUEUED"},
    {"EXEC", "[+OK]"},
    {"MULTI", "+OK"},
    {"MULTI x", "-ERR wrong number of arguments for 'multi' command"},
    {"EXEC", "-EXECABORT Transaction discarded because of previous errors."},
    {"MULTI", "+OK"},
    {"WATCH", "-ERR wrong number of arguments for 'watch' command"},
    {"EXEC", "-EXECABORT Transaction discarded because of previous errors."},
    {"MULTI", "+OK"},
    {"SHUTDOWN", "-ERR Command not allowed inside a transaction"},
    {"EXEC", "-EXECABORT Transaction discarded because of previous errors."},
    {"MULTI", "+OK"},
    {"EXEC x", "-EXECABORT Transaction discarded because of: wrong number of arguments for 'exec' "
               "command"},
    {"EXEC", "-ERR EXEC without MULTI"},
    {"EXEC x", "-EXECABORT Transaction discarded because of: wrong number of arguments for 'exec' "
               "command"},
    {"MULTI", "+OK"},
    {"DISCARD x", "-ERR wrong number of arguments for 'discard' command"},
    {"DISCARD", "+OK"},
    {"WATCH k", "+OK"},
    {"@1 SET k 1", "+OK"},
    {"MULTI", "+OK"},
    {"GET", "-ERR wrong number of arguments for 'get' command"},
    {"EXEC", "-EXECABORT Transaction discarded because of previous errors."},
};

static const struct wire_case ends[] = {
    {"MULTI", "+OK"},        {"SET k 1", "+QUEUED"},
    {"RESET", "+RESET"},     {"EXEC", "-ERR EXEC without MULTI"},
    {"@2 WATCH k", "+OK"},   {"@2 RESET", "+RESET"},
    {"@1 SET k 2", "+OK"},   {"@2 MULTI", "+OK"},
    {"@2 GET k", "+QUEUED"}, {"@2 EXEC", "['2']"},
    {"@3 MULTI", "+OK"},     {"@3 SET k 3", "+QUEUED"},
    {"@3 QUIT", "+OK"},      {"@3", "(closed)"},
    {"@1 GET k", "'2'"},
};

static const struct wire_case databases[] = {
    {"MULTI", "+OK"},        {"SET k 0", "+QUEUED"},
    {"SELECT 1", "+QUEUED"}, {"SET k 1", "+QUEUED"},
    {"MOVE k 2", "+QUEUED"}, {"SELECT 2", "+QUEUED"},
    {"GET k", "+QUEUED"},    {"EXEC", "[+OK +OK +OK :1 +OK '1']"},
    {"GET k", "'1'"},        {"SELECT 0", "+OK"},
    {"GET k", "'0'"},        {"SELECT 1", "+OK"},
    {"WATCH k", "+OK"},      {"SELECT 0", "+OK"},
    {"@1 SET k x", "+OK"},   {"MULTI", "+OK"},
    {"PING", "+QUEUED"},     {"EXEC", "[+PONG]"},
    {"SELECT 1", "+OK"},     {"WATCH k", "+OK"},
    {"SELECT 0", "+OK"},     {"@1 SELECT 1", "+OK"},
    {"@1 SET k x", "+OK"},   {"MULTI", "+OK"},
    {"PING", "+QUEUED"},     {"EXEC", "nil", "nil*"},
};

static const struct wire_case whole_keyspace[] = {
    {"MULTI", "+OK"},
    {"FLUSHALL", "+QUEUED"},
    {"SET a 1", "+QUEUED"},
    {"DBSIZE", "+QUEUED"},
    {"KEYS *", "+QUEUED"},
    {"RANDOMKEY", "+QUEUED"},
    {"SCAN 0 COUNT 1000", "+QUEUED"},
    {"SWAPDB 0 1", "+QUEUED"},
    {"DBSIZE", "+QUEUED"},
    {"SELECT 1", "+QUEUED"},
    {"GET a", "+QUEUED"},
    {"FLUSHDB SYNC", "+QUEUED"},
    {"DBSIZE", "+QUEUED"},
    {"EXEC", "[+OK +OK :1 ['a'] 'a' ['0' ['a']] +OK :0 +OK '1' +OK :0]"},
    {"SELECT 0", "+OK"},
    {"MULTI", "+OK"},
    {"SET a 1", "+QUEUED"},
    {"CONFIG SET maxmemory-samples 6", "+QUEUED"},
    {"CONFIG GET maxmemory-samples", "+QUEUED"},
    {"CONFIG SET maxmemory-samples 5", "+QUEUED"},
    {"CONFIG RESETSTAT", "+QUEUED"},
    {"CLIENT PAUSE 0", "+QUEUED"},
    {"CLIENT UNPAUSE", "+QUEUED"},
    {"CLIENT KILL ID 999999999", "+QUEUED"},
    {"MGET a b", "+QUEUED"},
    {"EXEC", "[+OK +OK {'maxmemory-samples' '6'} +OK +OK +OK +OK :0 ['1' nil]]"},
};

/* ---- with the rest of the server ---- */

static const struct wire_case channels[] = {
    {"@1 SUBSCRIBE c", ">['subscribe' 'c' :1]"},
    {"MULTI", "+OK"},
    {"PUBLISH c one", "+QUEUED"},
    {"SET k 1", "+QUEUED"},
    {"PUBLISH c two", "+QUEUED"},
    {"EXEC", "[:1 +OK :1]"},
    {"@1", ">['message' 'c' 'one']"},
    {"@1", ">['message' 'c' 'two']"},
    {"MULTI", "+OK"},
    {"MONITOR", "+QUEUED"},
    {"EXEC", "[-ERR MONITOR isn't allowed for DENY BLOCKING client]"},
};

static const struct wire_case clients[] = {
    {"MULTI", "+OK"},
    {"CLIENT INFO", "+QUEUED"},
    {"PING", "+QUEUED"},
    {"EXEC", "/ flags=xU .* multi=2 .* cmd=exec .*PONG"},
    {"CLIENT INFO", "/ flags=U .* multi=-1 .* cmd=client.info "},
};

static const struct wire_case muted[] = {
    {"CLIENT REPLY SKIP", ""},
    {"MULTI", ""},
    {"SET k 1", "+QUEUED"},
    {"CLIENT REPLY SKIP", "+QUEUED"},
    {"GET k", "+QUEUED"},
    {"@1 CLIENT REPLY OFF", ""},
    {"@1 MULTI", ""},
    {"@1 SET z 1", ""},
    {"@1 EXEC", ""},
    {"@1 CLIENT REPLY ON", "+OK"},
    {"@1 GET z", "'1'"},
    {"@1 CLIENT REPLY OFF", ""},
    {"@1 MULTI", ""},
    {"@1 SET z 2", ""},
    {"@1 CLIENT REPLY ON", ""},
    {"@1 GET z", ""},
    {"@1 EXEC", "+OK"},
    {"@1", "'2'"},
    {"@1 PING", "+PONG"},
};

static const struct wire_case pausing[] = {
    {"MULTI", "+OK"},
    {"SET k 1", "+QUEUED"},
    {"@1 MULTI", "+OK"},
    {"@1 GET k", "+QUEUED"},
    {"@2 CLIENT PAUSE 200 WRITE", "+OK"},
    {"@1 EXEC", "[nil]"},
    {"EXEC", "[+OK]"},
};

static const struct wire_case introspection[] = {
    {"COMMAND INFO watch",
     "[['watch' :-2 ~[+noscript +loading +stale +fast +allow_busy] :1 :-1 :1 "
     "~[+@fast +@transaction] ~[] ~[{'flags' ~[+RO] 'begin_search' {'type' 'index' 'spec' "
     "{'index' :1}} 'find_keys' {'type' 'range' 'spec' {'lastkey' :-1 'keystep' :1 'limit' :0}}}] "
     "~[]]]"},
    {"COMMAND INFO unwatch multi",
     "[['unwatch' :1 ~[+noscript +loading +stale +fast +allow_busy] :0 :0 :0 ~[+@fast "
     "+@transaction] ~[] ~[] ~[]] ['multi' :1 ~[+noscript +loading +stale +fast +allow_busy] :0 "
     ":0 :0 ~[+@fast +@transaction] ~[] ~[] ~[]]]"},
    {"COMMAND INFO exec discard",
     "[['exec' :1 ~[+noscript +loading +stale +skip_slowlog] :0 :0 :0 ~[+@slow +@transaction] ~[] "
     "~[] ~[]] ['discard' :1 ~[+noscript +loading +stale +fast +allow_busy] :0 :0 :0 ~[+@fast "
     "+@transaction] ~[] ~[] ~[]]]"},
    {"COMMAND GETKEYS WATCH a b c", "['a' 'b' 'c']"},
};

/* Queued commands are shown and counted when they run, before EXEC. */
static void shown_when_they_run(struct session *t)
{
    struct wire *w = session_wire(t, 0), *monitor = session_wire(t, 1);
    static const char *const shown[] = {"\"MULTI\"", "\"SET\" \"k\" \"1\"", "\"GET\" \"k\"",
                                        "\"EXEC\""};

    is_str(wire_call(monitor, "MONITOR"), "+OK", "monitor");
    wire_call(w, "MULTI");
    wire_call(w, "SET k 1");
    wire_call(w, "GET k");
    is_str(wire_call(w, "EXEC"), "[+OK '1']", "exec is answered");
    for (int i = 0; i < 4; i++) {
        const char *line = wire_read(monitor);

        ok(strstr(line, shown[i]) != NULL, "monitor shows %s: %s", shown[i], line);
    }
}

static bool stat_has(struct wire *w, const char *name, const char *counts)
{
    char *stats = wire_bulk(w, "INFO commandstats"), *at = strstr(stats, name);
    char *end = at != NULL ? strchr(at, '\n') : NULL;
    bool has;

    if (end != NULL)
        *end = '\0';
    has = at != NULL && strstr(at, counts) != NULL;
    if (!has)
        diag("%s", at != NULL ? at : "no line");
    free(stats);
    return has;
}

static void counted_when_they_run(struct session *t)
{
    struct wire *w = session_wire(t, 0), *other = session_wire(t, 1);

    wire_call(w, "CONFIG RESETSTAT");
    wire_call(w, "MULTI");
    wire_call(w, "SET k x");
    wire_call(w, "INCR k");
    ok(!stat_has(other, "cmdstat_set:", "calls="), "what is queued is not counted");
    wire_call(w, "EXEC");
    ok(stat_has(w, "cmdstat_set:", "calls=1,"), "SET is counted");
    ok(stat_has(w, "cmdstat_incr:", "failed_calls=1"), "INCR has failed");
    ok(stat_has(w, "cmdstat_exec:", "failed_calls=0"), "EXEC has not");
    wire_call(w, "MULTI");
    wire_call(w, "GET");
    wire_call(w, "EXEC");
    ok(stat_has(w, "cmdstat_get:", "rejected_calls=1"), "GET was refused");
    ok(stat_has(w, "cmdstat_exec:", "failed_calls=1"), "EXEC has failed");
}

/* Each command has its own line, EXEC none. */
static void slow_ones(struct session *t)
{
    struct wire *w = session_wire(t, 0);

    wire_call(w, "CONFIG SET slowlog-log-slower-than 0");
    wire_call(w, "MULTI");
    wire_call(w, "SET k 1");
    wire_call(w, "GET k");
    wire_call(w, "SLOWLOG RESET");
    wire_call(w, "SET k 2");
    wire_call(w, "MGET k l");
    wire_call(w, "EXEC");
    wire_call(w, "CONFIG SET slowlog-log-slower-than 10000");
    /* SLOWLOG RESET itself, SET, MGET, CONFIG SET */
    is_int(wire_int(w, "SLOWLOG LEN"),
           3 + (strstr(wire_call(w, "SLOWLOG GET 1"), "CONFIG") != NULL),
           "the commands of a transaction are noted, EXEC is not");
    ok(strstr(wire_call(w, "SLOWLOG GET 10"), "EXEC") == NULL, "EXEC is not noted");
    wire_call(w, "SLOWLOG RESET");
}

/* Arguments of some KB and of more than are read at once. */
static void long_arguments(struct session *t)
{
    static const size_t lengths[] = {2000, 40000, 300000};
    struct wire *w = session_wire(t, 0);

    for (int i = 0; i < 3; i++) {
        char *value = malloc(lengths[i]);
        const char *set[] = {"SET", "long", value}, *append[] = {"APPEND", "long", value};
        const size_t lens[] = {3, 4, lengths[i]}, append_lens[] = {6, 4, lengths[i]};

        memset(value, 'a' + i, lengths[i]);
        wire_call(w, "MULTI");
        wire_send_args(w, 3, set, lens);
        is_str(wire_read(w), "+QUEUED", "%zu bytes are queued", lengths[i]);
        wire_send_args(w, 3, append, append_lens);
        wire_read(w);
        wire_call(w, "BITCOUNT long");
        wire_call(w, "SETRANGE long 0 z");
        wire_call(w, "STRLEN long");
        wire_call(w, "GETRANGE long 0 2");
        wire_call(w, "GETRANGE long -2 -1");
        wire_callf(w, "EXEC");
        is_str(wire_callf(w, "GETRANGE long 0 1"),
               i == 0   ? "'za'"
               : i == 1 ? "'zb'"
                        : "'zc'",
               "their beginning is right");
        is_int(wire_int(w, "STRLEN long"), 2 * (long long)lengths[i], "their length is right");
        wire_call(w, "MULTI");
        wire_send_args(w, 3, set, lens);
        wire_read(w);
        is_str(wire_call(w, "DISCARD"), "+OK", "long arguments are discarded");
        free(value);
    }
}

/* All in one batch, and batch by batch. */
static void pipelined(struct session *t)
{
    struct wire *w = session_wire(t, 0);

    for (int i = 0; i < 100; i++) {
        wire_send(w, "MULTI");
        wire_send(w, "INCR n");
        wire_send(w, "EXEC");
        wire_send(w, "GET n");
    }
    for (int i = 1; i <= 100; i++) {
        char text[32];

        wire_read(w);
        wire_read(w);
        snprintf(text, sizeof(text), "[:%d]", i);
        if (strcmp(wire_read(w), text) != 0)
            break;
        snprintf(text, sizeof(text), "'%d'", i);
        if (strcmp(wire_read(w), text) != 0)
            break;
        if (i == 100)
            ok(true, "transactions in a pipeline");
    }
    is_str(wire_call(w, "GET n"), "'100'", "all have run");
}

static void passwords(struct session *t)
{
    struct wire *w = session_wire(t, 0), *other = session_wire(t, 1);

    wire_call(w, "CONFIG SET requirepass secret");
    wire_call(other, "RESET");
    is_str(wire_call(other, "MULTI"), "-NOAUTH Authentication required.", "MULTI without password");
    is_str(wire_call(other, "EXEC"),
           "-EXECABORT Transaction discarded because of: NOAUTH Authentication required.",
           "EXEC without password");
    wire_call(w, "CONFIG SET requirepass \"\"");
}

static void out_of_memory(struct session *t)
{
    struct wire *w = session_wire(t, 0), *other = session_wire(t, 1);

    wire_call(w, "MULTI");
    wire_call(w, "SET k 1");
    wire_call(other, "CONFIG SET maxmemory 1");
    is_str(
        wire_call(w, "EXEC"),
        "-EXECABORT Transaction discarded because of: OOM command not allowed when used memory > "
        "'maxmemory'.",
        "EXEC of what needs memory");
    is_str(wire_call(w, "MULTI"), "+OK", "MULTI needs none");
    is_str(wire_call(w, "GET k"), "-OOM command not allowed when used memory > 'maxmemory'.",
           "but a queue does");
    is_str(wire_call(w, "EXEC"), "-EXECABORT Transaction discarded because of previous errors.",
           "and that spoils it");
    wire_call(w, "MULTI");
    is_str(wire_call(w, "DISCARD"), "+OK", "DISCARD needs none");
    wire_call(other, "CONFIG SET maxmemory 0");
    wire_call(w, "MULTI");
    wire_call(w, "GET k");
    wire_call(other, "CONFIG SET maxmemory 1");
    is_str(wire_call(w, "EXEC"), "[nil]", "EXEC of what only reads");
    wire_call(other, "CONFIG SET maxmemory 0");
}

/* A connection that goes takes what it watched with it, and one in EXEC can be killed. */
static void connections_that_end(struct session *t)
{
    struct wire *w = session_wire(t, 0), *other = wire_open(t->server, t->protocol);

    wire_call(other, "WATCH k l");
    wire_call(other, "MULTI");
    wire_call(other, "SET k gone");
    wire_close(other);
    wire_wait_alone(w);
    is_str(wire_call(w, "SET k 1"), "+OK", "its keys can be changed");
    is_str(wire_call(w, "DEL k l"), ":1", "and deleted");
    other = wire_open(t->server, t->protocol);
    wire_callf(other, "MULTI");
    wire_callf(other, "SET k before");
    wire_callf(other, "CLIENT KILL ID %lld SKIPME no", wire_int(w, "CLIENT ID") + 0);
    wire_callf(other, "SET k after");
    is_str(wire_call(other, "EXEC"), "[+OK :1 +OK]", "one can kill another in EXEC");
    is_str(wire_read(w), "(closed)", "which ends");
    is_str(wire_call(other, "GET k"), "'after'", "and goes on");
    wire_close(other);
}

static void too_much_queued(struct session *t)
{
    struct wire *w = session_wire(t, 0), *other = session_wire(t, 1);
    static char value[30000];
    const char *set[] = {"SET", "k", value};
    const size_t lens[] = {3, 1, sizeof(value)};
    int n = 0;

    memset(value, 'x', sizeof(value));
    wire_call(w, "CONFIG SET client-query-buffer-limit 1mb");
    wire_call(other, "MULTI");
    for (; n < 200; n++) {
        wire_send_args(other, 3, set, lens);
        if (strcmp(wire_read(other), "+QUEUED") != 0)
            break;
    }
    ok(n > 10 && n < 100, "a client that queues too much is closed (%d were queued)", n);
    wire_call(w, "CONFIG SET client-query-buffer-limit 1gb");
}

int main(void)
{
    static const int threads[] = {1, 4, 0};
    static const struct group groups[] = {
        TABLE(queueing),
        TABLE(errors_while_running),
        TABLE(errors_while_queueing),
        TABLE(ends),
        TABLE(databases),
        TABLE(whole_keyspace),
        TABLE(channels),
        TABLE(clients),
        TABLE(muted),
        TABLE(pausing),
        TABLE(introspection),
        TEST(shown_when_they_run),
        TEST(counted_when_they_run),
        TEST(slow_ones),
        TEST(long_arguments),
        TEST(pipelined),
        TEST(passwords),
        TEST(out_of_memory),
        TEST(connections_that_end),
        NEW_TEST(too_much_queued),
        {NULL},
    };

    return session_main("transactions", "", threads, groups);
}
