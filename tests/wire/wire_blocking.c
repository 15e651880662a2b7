/*
 * Commands that wait for lists: who is served, by what, in which order, and how waiting ends. What
 * concerns sorted sets is in wire_blocking_zsets.c.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/lib/raw.h"
#include "tests/lib/tap.h"
#include "tests/lib/wire.h"

#define WRONGTYPE "-WRONGTYPE Operation against a key holding the wrong kind of value"
#define NOT_A_FLOAT "-ERR timeout is not a float or out of range"
#define NEGATIVE "-ERR timeout is negative"
#define NUMKEYS "-ERR numkeys should be greater than 0"

static const struct wire_case at_once[] = {
    {"RPUSH k a b c d", ":4"},
    {"BLPOP k 0", "['k' 'a']"},
    {"BRPOP k 0", "['k' 'd']"},
    {"BLPOP none k 0", "['k' 'b']"},
    {"BRPOP none k other 0", "['k' 'c']"},
    {"EXISTS k", ":0"},
    {"RPUSH k a b c", ":3"},
    {"RPUSH l x", ":1"},
    {"BLPOP l k 0", "['l' 'x']"},
    {"BLMOVE k l LEFT RIGHT 0", "'a'"},
    {"BLMOVE k l right left 0", "'c'"},
    {"LRANGE l 0 -1", "['c' 'a']"},
    {"BRPOPLPUSH l k 0", "'a'"},
    {"LRANGE k 0 -1", "['a' 'b']"},
    {"BLMOVE k k LEFT RIGHT 0", "'a'"},
    {"LRANGE k 0 -1", "['b' 'a']"},
    {"BLMPOP 0 2 none k LEFT", "['k' ['b']]"},
    {"RPUSH k c d e", ":4"},
    {"BLMPOP 0 1 k RIGHT COUNT 2", "['k' ['e' 'd']]"},
    {"BLMPOP 0 1 k LEFT COUNT 100", "['k' ['a' 'c']]"},
    {"EXISTS k", ":0"},
};

static const struct wire_case arguments[] = {
    {"BLPOP k", "-ERR wrong number of arguments for 'blpop' command"},
    {"BRPOP", "-ERR wrong number of arguments for 'brpop' command"},
    {"BLMOVE a b LEFT RIGHT", "-ERR wrong number of arguments for 'blmove' command"},
    {"BRPOPLPUSH a b", "-ERR wrong number of arguments for 'brpoplpush' command"},
    {"BLMPOP 0 1 k", "-ERR wrong number of arguments for 'blmpop' command"},
    {"BLPOP k x", NOT_A_FLOAT},
    {"BLPOP k ''", NOT_A_FLOAT},
    {"BLPOP k ' 1'", NOT_A_FLOAT},
    {"BLPOP k nan", NOT_A_FLOAT},
    {"BLPOP k -1", NEGATIVE},
    {"BLPOP k -0.01", NEGATIVE},
    {"BLPOP k inf", NEGATIVE},
    {"BLPOP k -inf", NEGATIVE},
    {"BLPOP k 1e300", NEGATIVE},
    {"BLPOP k 9223372036854776", NEGATIVE},
    {"BRPOPLPUSH a b -1", NEGATIVE},
    {"BRPOPLPUSH a b x", NOT_A_FLOAT},
    {"BLMOVE a b LEFT RIGHT x", NOT_A_FLOAT},
    {"BLMOVE a b UP RIGHT x", "-ERR syntax error"},
    {"BLMOVE a b LEFT DOWN -1", "-ERR syntax error"},
    {"BLMPOP x 1 k LEFT", NOT_A_FLOAT},
    {"BLMPOP -1 1 k LEFT", NEGATIVE},
    {"BLMPOP -1 0 k LEFT", NUMKEYS},
    {"BLMPOP 0 x k LEFT", NUMKEYS},
    {"BLMPOP 0 -1 k LEFT", NUMKEYS},
    {"BLMPOP 0 2 k LEFT", "-ERR syntax error"},
    {"BLMPOP 0 1 k UP", "-ERR syntax error"},
    {"BLMPOP 0 1 k LEFT COUNT", "-ERR syntax error"},
    {"BLMPOP 0 1 k LEFT COUNT 0", "-ERR count should be greater than 0"},
    {"BLMPOP 0 1 k LEFT COUNT x", "-ERR count should be greater than 0"},
    {"BLMPOP 0 1 k LEFT COUNT 1 COUNT 1", "-ERR syntax error"},
    {"BLMPOP 0 1 k LEFT NOPE 1", "-ERR syntax error"},
    {"SET s 1", "+OK"},
    {"RPUSH k a", ":1"},
    {"BLPOP s 0", WRONGTYPE},
    {"BLPOP none s k 0", WRONGTYPE},
    {"BLPOP k s 0", "['k' 'a']"},
    {"BLPOP s x", NOT_A_FLOAT},
    {"BLMOVE s k LEFT LEFT 0", WRONGTYPE},
    {"RPUSH k a", ":1"},
    {"BLMOVE k s LEFT LEFT 0", WRONGTYPE},
    {"BRPOPLPUSH k s 0", WRONGTYPE},
    {"LRANGE k 0 -1", "['a']"},
    {"BLMPOP 0 2 none s LEFT", WRONGTYPE},
};

static const struct wire_case times[] = {
    {"BLPOP k 0.01", "nil", "nil*"},
    {"BRPOP k l m 0.001", "nil", "nil*"},
    {"BLPOP k 1e-300", "nil", "nil*"},
    {"BLPOP k 0x1p-7", "nil", "nil*"},
    {"BLMOVE k l LEFT RIGHT 0.01", "nil", "nil*"},
    {"BRPOPLPUSH k l 0.01", "nil", "nil*"},
    {"BLMPOP 0.01 1 k LEFT", "nil", "nil*"},
    {"@1 BLPOP k 0", "(waits)"},
    {"@2 BLPOP k 9223372036854775", "(waits)"},
    {"@3 BLPOP k -0.0001", "(waits)"},
    {"@4 BLPOP k 0.05", "nil", "nil*"},
    {"RPUSH k a b c", ":3"},
    {"@1", "['k' 'a']"},
    {"@2", "['k' 'b']"},
    {"@3", "['k' 'c']"},
};

static const struct wire_case first_come[] = {
    {"@1 BLPOP k 0", "(waits)"},
    {"@2 BRPOP k 0", "(waits)"},
    {"@3 BLMPOP 0 1 k LEFT COUNT 2", "(waits)"},
    {"@4 BLMOVE k l LEFT RIGHT 0", "(waits)"},
    {"RPUSH k a", ":1"},
    {"@1", "['k' 'a']"},
    {"RPUSH k b c d e f", ":5"},
    {"@2", "['k' 'f']"},
    {"@3", "['k' ['b' 'c']]"},
    {"@4", "'d'"},
    {"LRANGE k 0 -1", "['e']"},
    {"LRANGE l 0 -1", "['d']"},
    {"@1 BLPOP x 0", "(waits)"},
    {"@2 BLPOP x 0", "(waits)"},
    {"@1", "(silence)"},
    {"LPUSH x 1 2", ":2"},
    {"@1", "['x' '2']"},
    {"@2", "['x' '1']"},
};

static const struct wire_case several_keys[] = {
    {"@1 BLPOP a b c 0", "(waits)"},
    {"@2 BLPOP c b 0", "(waits)"},
    {"RPUSH b 1", ":1"},
    {"@1", "['b' '1']"},
    {"RPUSH a 2", ":1"},
    {"@2", "(silence)"},
    {"RPUSH c 3", ":1"},
    {"@2", "['c' '3']"},
    {"LRANGE a 0 -1", "['2']"},
    {"@1 BLPOP k k k 0", "(waits)"},
    {"@2 BLPOP k 0", "(waits)"},
    {"RPUSH k 1 2 3", ":3"},
    {"@1", "['k' '1']"},
    {"@2", "['k' '2']"},
    {"LRANGE k 0 -1", "['3']"},
    {"@1 BLPOP x y x z y 0", "(waits)"},
    {"RPUSH y 1", ":1"},
    {"@1", "['y' '1']"},
    {"RPUSH x 1", ":1"},
    {"@1", "(silence)"},
    {"@1 BLMPOP 0 3 p q r RIGHT COUNT 3", "(waits)"},
    {"RPUSH r 1 2", ":2"},
    {"@1", "['r' ['2' '1']]"},
};

/* Whatever makes a list of a key hands it over. */
static const struct wire_case served_by[] = {
    {"@1 BLPOP k 0", "(waits)"}, {"LPUSHX k 1", ":0"},
    {"RPUSH x 1 2", ":2"},       {"RENAME x k", "+OK"},
    {"@1", "['k' '1']"},         {"LRANGE k 0 -1", "['2']"},
    {"@1 BLPOP l 0", "(waits)"}, {"RENAMENX k l", ":1"},
    {"@1", "['l' '2']"},         {"EXISTS k l", ":0"},
    {"RPUSH x 1 2", ":2"},       {"@1 BRPOP k 0", "(waits)"},
    {"COPY x k", ":1"},          {"@1", "['k' '2']"},
    {"LRANGE k 0 -1", "['1']"},  {"DEL k", ":1"},
    {"@1 BRPOP k 0", "(waits)"}, {"LMOVE x k LEFT LEFT", "'1'"},
    {"@1", "['k' '1']"},         {"@1 BRPOP k 0", "(waits)"},
    {"RPOPLPUSH x k", "'2'"},    {"@1", "['k' '2']"},
    {"RPUSH k 3 4", ":2"},       {"@1 SELECT 1", "+OK"},
    {"@1 BLPOP k 0", "(waits)"}, {"MOVE k 1", ":1"},
    {"@1", "['k' '3']"},         {"@1 BLPOP l 0", "(waits)"},
    {"COPY none l DB 1", ":0"},  {"RPUSH l 5", ":1"},
    {"@1", "(silence)"},         {"COPY l l DB 1", ":1"},
    {"@1", "['l' '5']"},         {"@1 BLPOP l 0", "(waits)"},
    {"SWAPDB 0 1", "+OK"},       {"@1", "['l' '5']"},
    {"LRANGE k 0 -1", "['4']"},
};

static const struct wire_case other_types[] = {
    {"@1 BLPOP k 0", "(waits)"},
    {"SET k 1", "+OK"},
    {"SADD s 1", ":1"},
    {"RENAME s k", "+OK"},
    {"RPUSH k a", WRONGTYPE},
    {"@1", "(silence)"},
    {"DEL k", ":1"},
    {"RPUSH k a", ":1"},
    {"@1", "['k' 'a']"},
    {"@1 BLMOVE k l LEFT LEFT 0", "(waits)"},
    {"@2 BLPOP k 0", "(waits)"},
    {"SET l 1", "+OK"},
    {"RPUSH k a", ":1"},
    {"@1", WRONGTYPE},
    {"@2", "['k' 'a']"},
    {"@1 BRPOPLPUSH k l 0", "(waits)"},
    {"RPUSH k a", ":1"},
    {"@1", WRONGTYPE},
    {"LRANGE k 0 -1", "['a']"},
    {"@1 PING", "+PONG"},
};

/* Redis serves only keys that were not there before. */
static const struct wire_case overwritten[] = {
    {"@1 BLPOP k 0", "(waits)"}, {"SET k 1", "+OK"},   {"RPUSH x 2 1", ":2"},
    {"SORT x STORE k", ":2"},    {"@1", "['k' '1']"},  {"@1 BZPOPMIN z 0", "(waits)"},
    {"SET z 1", "+OK"},          {"ZADD y 1 a", ":1"}, {"ZUNIONSTORE z 1 y", ":1"},
    {"@1", "['z' 'a' ,1]"},
};

static const struct wire_case chains[] = {
    {"@1 BLMOVE a b LEFT RIGHT 0", "(waits)"},
    {"@2 BLMOVE b c LEFT RIGHT 0", "(waits)"},
    {"@3 BRPOPLPUSH c d 0", "(waits)"},
    {"@4 BLPOP d 0", "(waits)"},
    {"RPUSH a x", ":1"},
    {"@1", "'x'"},
    {"@2", "'x'"},
    {"@3", "'x'"},
    {"@4", "['d' 'x']"},
    {"EXISTS a b c d", ":0"},
    /* Round and round, but each only once. */
    {"@1 BLMOVE a b LEFT RIGHT 0", "(waits)"},
    {"@2 BLMOVE b a LEFT RIGHT 0", "(waits)"},
    {"@3 BLMOVE a b LEFT RIGHT 0", "(waits)"},
    {"RPUSH a x", ":1"},
    {"@1", "'x'"},
    {"@2", "'x'"},
    {"@3", "'x'"},
    {"LRANGE b 0 -1", "['x']"},
    {"@1 BLMOVE k k LEFT RIGHT 0", "(waits)"},
    {"@2 BLMOVE k k LEFT RIGHT 0", "(waits)"},
    {"@3 BLPOP k 0", "(waits)"},
    {"RPUSH k 1 2 3", ":3"},
    {"@1", "'1'"},
    {"@2", "'2'"},
    {"@3", "['k' '3']"},
    {"LRANGE k 0 -1", "['1' '2']"},
    /* The waiters of one key come before those of the next. */
    {"@1 BLMOVE p q LEFT RIGHT 0", "(waits)"},
    {"@2 BLPOP q 0", "(waits)"},
    {"@3 BLMOVE p q LEFT LEFT 0", "(waits)"},
    {"@4 BLPOP q 0", "(waits)"},
    {"RPUSH p 1 2", ":2"},
    {"@1", "'1'"},
    {"@3", "'2'"},
    {"@2", "['q' '2']"},
    {"@4", "['q' '1']"},
};

static const struct wire_case transactions[] = {
    {"MULTI", "+OK"},
    {"BLPOP k 0", "+QUEUED"},
    {"BRPOP k 0", "+QUEUED"},
    {"BLMOVE a b LEFT RIGHT 0", "+QUEUED"},
    {"BRPOPLPUSH a b 0", "+QUEUED"},
    {"BLMPOP 0 1 k LEFT", "+QUEUED"},
    {"RPUSH k a", "+QUEUED"},
    {"BLPOP k 0", "+QUEUED"},
    {"EXEC", "[nil nil nil nil nil :1 ['k' 'a']]", "[nil* nil* nil nil nil* :1 ['k' 'a']]"},
    /* Served behind all of it, and only what is left. */
    {"@1 BLPOP k 0", "(waits)"},
    {"MULTI", "+OK"},
    {"RPUSH k a", "+QUEUED"},
    {"RPUSH k b", "+QUEUED"},
    {"LPOP k", "+QUEUED"},
    {"EXEC", "[:1 :2 'a']"},
    {"@1", "['k' 'b']"},
    {"@1 BLPOP k 0", "(waits)"},
    {"MULTI", "+OK"},
    {"RPUSH k a", "+QUEUED"},
    {"DEL k", "+QUEUED"},
    {"EXEC", "[:1 :1]"},
    {"@1", "(silence)"},
    {"MULTI", "+OK"},
    {"RPUSH k a", "+QUEUED"},
    {"DEL k", "+QUEUED"},
    {"SET k 1", "+QUEUED"},
    {"EXEC", "[:1 :1 +OK]"},
    {"@1", "(silence)"},
    {"MULTI", "+OK"},
    {"DEL k", "+QUEUED"},
    {"RPUSH k b", "+QUEUED"},
    {"EXEC", "[:1 :1]"},
    {"@1", "['k' 'b']"},
    /* The key that was first made, not the first of the command. */
    {"@1 BLPOP a b 0", "(waits)"},
    {"MULTI", "+OK"},
    {"RPUSH b 1", "+QUEUED"},
    {"RPUSH a 2", "+QUEUED"},
    {"EXEC", "[:1 :1]"},
    {"@1", "['b' '1']"},
    {"LRANGE a 0 -1", "['2']"},
    {"DEL a", ":1"},
    {"@1 BLPOP a b 0", "(waits)"},
    {"MULTI", "+OK"},
    {"RPUSH b 1", "+QUEUED"},
    {"RPUSH a 2", "+QUEUED"},
    {"DEL b", "+QUEUED"},
    {"EXEC", "[:1 :1 :1]"},
    {"@1", "['a' '2']"},
    /* Who watches sees a change. */
    {"@1 BLPOP k 0", "(waits)"},
    {"@2 WATCH k", "+OK"},
    {"RPUSH k a", ":1"},
    {"@1", "['k' 'a']"},
    {"@2 MULTI", "+OK"},
    {"@2 EXEC", "nil", "nil*"},
};

static const struct wire_case events[] = {
    {"CONFIG SET notify-keyspace-events KA", "+OK"},
    {"@5 PSUBSCRIBE __keyspace@0__:*", ">['psubscribe' '__keyspace@0__:*' :1]"},
    {"@1 BLPOP k 0", "(waits)"},
    {"RPUSH k a", ":1"},
    {"@1", "['k' 'a']"},
    {"@5", ">['pmessage' '__keyspace@0__:*' '__keyspace@0__:k' 'rpush']"},
    {"@5", ">['pmessage' '__keyspace@0__:*' '__keyspace@0__:k' 'lpop']"},
    {"@5", ">['pmessage' '__keyspace@0__:*' '__keyspace@0__:k' 'del']"},
    {"@1 BRPOP k 0", "(waits)"},
    {"RPUSH k a b", ":2"},
    {"@1", "['k' 'b']"},
    {"@5", ">['pmessage' '__keyspace@0__:*' '__keyspace@0__:k' 'rpush']"},
    {"@5", ">['pmessage' '__keyspace@0__:*' '__keyspace@0__:k' 'rpop']"},
    {"@1 BLMOVE x y LEFT RIGHT 0", "(waits)"},
    {"@2 BLMPOP 0 1 y LEFT COUNT 5", "(waits)"},
    {"LPUSH x a", ":1"},
    {"@1", "'a'"},
    {"@2", "['y' ['a']]"},
    {"@5", ">['pmessage' '__keyspace@0__:*' '__keyspace@0__:x' 'lpush']"},
    {"@5", ">['pmessage' '__keyspace@0__:*' '__keyspace@0__:y' 'rpush']"},
    {"@5", ">['pmessage' '__keyspace@0__:*' '__keyspace@0__:x' 'lpop']"},
    {"@5", ">['pmessage' '__keyspace@0__:*' '__keyspace@0__:x' 'del']"},
    {"@5", ">['pmessage' '__keyspace@0__:*' '__keyspace@0__:y' 'lpop']"},
    {"@5", ">['pmessage' '__keyspace@0__:*' '__keyspace@0__:y' 'del']"},
    {"CONFIG SET notify-keyspace-events ''", "+OK"},
};

/* What was sent behind a command that waits is done behind it, and in order. */
static const struct wire_case pipelines[] = {
    {"@1 BLPOP a 0", "(waits)"},
    {"@1 ECHO one", ""},
    {"@1 BLPOP b 0", ""},
    {"@1 ECHO two", ""},
    {"@1", "(silence)"},
    {"RPUSH b y", ":1"},
    {"RPUSH a x", ":1"},
    {"@1", "['a' 'x']"},
    {"@1", "'one'"},
    {"@1", "['b' 'y']"},
    {"@1", "'two'"},
    {"@1 BLPOP a 0", "(waits)"},
    {"@1 RPUSH b z", ""},
    {"@2 BLPOP b 0", "(waits)"},
    {"RPUSH a x", ":1"},
    {"@1", "['a' 'x']"},
    {"@1", ":1"},
    {"@2", "['b' 'z']"},
};

/* Who waited is the one who changes the keys. */
static const struct wire_case tracked[] = {
    {"RPUSH dst 1", ":1"},
    {"@1 HELLO 3", "/server"},
    {"@1 CLIENT TRACKING ON NOLOOP", "+OK"},
    {"@1 LLEN dst", ":1"},
    {"@2 HELLO 3", "/server"},
    {"@2 CLIENT TRACKING ON NOLOOP", "+OK"},
    {"@2 LLEN dst", ":1"},
    {"@2 BLMOVE k dst LEFT LEFT 0", "(waits)"},
    {"RPUSH k x", ":1"},
    {"@2", "'x'"},
    {"@1", ">['invalidate' ['dst']]", ">['invalidate' ['dst']]"},
    {"@2", "(silence)"},
};

static const struct wire_case replies_off[] = {
    {"@1 CLIENT REPLY SKIP", ""}, {"@1 BLPOP k 0", "(waits)"}, {"RPUSH k a", ":1"},
    {"@1 PING", "+PONG"},         {"EXISTS k", ":0"},          {"@1 CLIENT REPLY OFF", ""},
    {"@1 BLPOP k 0", "(waits)"},  {"RPUSH k a", ":1"},         {"@1 CLIENT REPLY ON", "+OK"},
};

/* ---- waiting that ends otherwise ---- */

static void unblock(struct session *t)
{
    long long id = wire_int(session_wire(t, 1), "CLIENT ID");
    struct wire *w = session_wire(t, 0), *other = session_wire(t, 1);
    const char *vain = t->protocol == 2 ? "nil*" : "nil";

    is_str(wire_callf(w, "CLIENT UNBLOCK %lld", id), ":0", "nothing to unblock");
    session_block(t, 1, "BLPOP k l 0");
    is_str(wire_callf(w, "CLIENT UNBLOCK %lld", id), ":1", "unblocked");
    is_str(wire_read(other), vain, "as if in time");
    session_block(t, 1, "BLMOVE k l LEFT LEFT 0");
    is_str(wire_callf(w, "CLIENT UNBLOCK %lld TIMEOUT", id), ":1", "unblocked as if in time");
    is_str(wire_read(other), vain, "as if in time");
    session_block(t, 1, "BRPOP k l 0");
    is_str(wire_callf(w, "CLIENT UNBLOCK %lld error", id), ":1", "unblocked with an error");
    is_str(wire_read(other), "-UNBLOCKED client unblocked via CLIENT UNBLOCK", "an error");
    is_str(wire_call(other, "PING"), "+PONG", "usable as before");
    session_block(t, 1, "BRPOP k l 0");
    is_str(wire_callf(w, "CLIENT UNBLOCK %lld NOPE", id),
           "-ERR CLIENT UNBLOCK reason should be TIMEOUT or ERROR", "a reason that is none");
    is_str(wire_call(w, "RPUSH l x"), ":1", "what comes later");
    is_str(wire_read(other), "['l' 'x']", "is served");
    is_str(wire_call(w, "RPUSH l x"), ":1", "nobody waits any more");
    is_str(wire_callf(w, "CLIENT UNBLOCK %lld", id), ":0", "so nobody is unblocked");
}

static void killed(struct session *t)
{
    long long id = wire_int(session_wire(t, 1), "CLIENT ID");
    struct wire *w = session_wire(t, 0);

    session_block(t, 1, "BLPOP k l 0");
    session_block(t, 2, "BLPOP k 0");
    is_str(wire_callf(w, "CLIENT KILL ID %lld", id), ":1", "killed");
    is_str(wire_call(w, "RPUSH l x"), ":1", "an element");
    is_str(wire_call(w, "RPUSH k x"), ":1", "and another one");
    is_str(wire_read(session_wire(t, 2)), "['k' 'x']", "the next one is served");
    is_str(wire_call(w, "LRANGE l 0 -1"), "['x']", "the one who was killed is not");
    is_str(wire_read(session_wire(t, 1)), "(closed)", "its connection is closed");
}

/* Closed without the server having had time to look. */
static void closed(struct session *t)
{
    struct wire *w = session_wire(t, 0);

    for (int i = 0; i < 20; i++) {
        session_block(t, 1, "BLPOP k l 0");
        session_block(t, 2, "BLPOP k 0");
        wire_close(t->connections[1]);
        t->connections[1] = NULL;
        is_str(wire_call(w, "RPUSH k x"), ":1", "an element");
        is_str(wire_read(session_wire(t, 2)), "['k' 'x']", "is the next one's");
        is_str(wire_call(w, "RPUSH l x"), ":1", "an element");
        is_str(wire_call(w, "LPOP l"), "'x'", "for nobody stays");
    }
}

static void half_closed(struct session *t)
{
    struct wire *w = session_wire(t, 0);

    session_block(t, 1, "BLPOP k 0");
    shutdown(session_wire(t, 1)->fd, SHUT_WR);
    is_str(wire_call(w, "RPUSH k x"), ":1", "an element");
    is_str(wire_call(w, "LRANGE k 0 -1"), "['x']", "for who has closed its side stays");
    is_str(wire_read(session_wire(t, 1)), "(closed)", "and its connection is closed");
}

static bool has_text(struct wire *w, const char *line, const char *text)
{
    char *got = wire_bulk(w, line);
    bool has = got != NULL && strstr(got, text) != NULL;

    if (!has)
        diag("%s: no %s in %s", line, text, got != NULL ? got : "nothing");
    free(got);
    return has;
}

static void seen(struct session *t)
{
    struct wire *w = session_wire(t, 0);

    wire_call(session_wire(t, 1), "CLIENT SETNAME waits");
    session_block(t, 1, "BLPOP k 0");
    session_block(t, 2, "BLMOVE k l LEFT RIGHT 100");
    ok(has_text(w, "INFO clients", "blocked_clients:2\r"), "two wait");
    ok(has_text(w, "INFO clients", "clients_in_timeout_table:1\r"), "one of them not for ever");
    ok(has_text(w, "CLIENT LIST", " flags=b"), "they have a flag");
    ok(has_text(w, "CLIENT LIST", " cmd=blmove "), "and a command");
    is_str(wire_call(w, "RPUSH k 1 2"), ":2", "elements for both");
    ok(has_text(w, "INFO clients", "blocked_clients:0\r"), "nobody waits any more");
    ok(!has_text(w, "CLIENT LIST", " flags=b"), "nobody has the flag");
    is_str(wire_read(session_wire(t, 1)), "['k' '1']", "the first is served");
    is_str(wire_read(session_wire(t, 2)), "'2'", "the second is served");
}

static void counted(struct session *t)
{
    struct wire *w = session_wire(t, 0);
    long long id = wire_int(session_wire(t, 1), "CLIENT ID");

    wire_call(session_wire(t, 2), "PING");
    is_str(wire_call(w, "CONFIG RESETSTAT"), "+OK", "nothing counted");
    session_block(t, 1, "BLPOP k 0");
    ok(has_text(w, "INFO commandstats", "cmdstat_blpop:calls=1,"), "one call");
    wire_call(w, "RPUSH k x");
    wire_read(session_wire(t, 1));
    ok(has_text(w, "INFO commandstats", "cmdstat_blpop:calls=1,"), "still one");
    is_str(wire_call(session_wire(t, 1), "BLPOP k 0.001"), t->protocol == 2 ? "nil*" : "nil",
           "in vain");
    ok(has_text(w, "INFO commandstats", "cmdstat_blpop:calls=2,"), "one more");
    session_block(t, 1, "BRPOP k 0");
    wire_callf(w, "CLIENT UNBLOCK %lld ERROR", id);
    wire_read(session_wire(t, 1));
    ok(has_text(w, "INFO errorstats", "errorstat_UNBLOCKED:count=1\r"), "an error");
    session_block(t, 1, "BLMOVE k s LEFT LEFT 0");
    wire_call(w, "SET s 1");
    wire_call(w, "RPUSH k x");
    is_str(wire_read(session_wire(t, 1)), WRONGTYPE, "an error for who waited");
    ok(has_text(w, "INFO errorstats", "errorstat_WRONGTYPE:count=1\r"), "is counted");
    ok(has_text(w, "INFO commandstats", "cmdstat_blmove:"), "and so is the command");
    ok(has_text(w, "INFO stats", "total_error_replies:2\r"), "two errors in all");
}

/* Shown when it is called, and not again. */
static void monitored(struct session *t)
{
    struct wire *w = session_wire(t, 0), *monitor = session_wire(t, 5);

    session_wire(t, 1);
    is_str(wire_call(monitor, "MONITOR"), "+OK", "MONITOR");
    wire_send(session_wire(t, 1), "BLPOP k 0");
    is_like(wire_read(monitor), "\"BLPOP\" \"k\" \"0\"", "shown when it begins");
    is_str(wire_call(w, "RPUSH k x"), ":1", "an element");
    is_like(wire_read(monitor), "\"RPUSH\" \"k\" \"x\"", "what serves it");
    is_str(wire_read(session_wire(t, 1)), "['k' 'x']", "served");
    is_str(wire_call(w, "PING"), "+PONG", "later");
    is_like(wire_read(monitor), "\"PING\"", "is next");
}

static void paused(struct session *t)
{
    struct wire *w = session_wire(t, 0);
    const char *vain = t->protocol == 2 ? "nil*" : "nil";

    session_block(t, 1, "BLPOP k 0.05");
    session_block(t, 2, "BLPOP k 0");
    session_wire(t, 3);
    is_str(wire_call(w, "CLIENT PAUSE 60000 WRITE"), "+OK", "who writes is paused");
    is_str(wire_read(session_wire(t, 1)), vain, "time passes all the same");
    wire_send(session_wire(t, 3), "RPUSH k x");
    is_str(wire_call(w, "CLIENT UNPAUSE"), "+OK", "and go on");
    is_str(wire_read(session_wire(t, 3)), ":1", "what waited for that");
    is_str(wire_read(session_wire(t, 2)), "['k' 'x']", "serves who waits for it");
}

/* A name that is too long to be kept with the other arguments. */
static void long_names(struct session *t)
{
    enum { LEN = 100000 };
    struct wire *w = session_wire(t, 0), *waits = session_wire(t, 1);
    char *name = malloc(LEN);
    const char *push[] = {"RPUSH", name, "x"}, *pop[] = {"BLPOP", "a", name, name, "0"};

    memset(name, 'n', LEN);
    wire_send_args(waits, 5, pop, (const size_t[]){5, 1, LEN, LEN, 1});
    while (!has_text(w, "INFO clients", "blocked_clients:1\r"))
        ;
    wire_send_args(w, 3, push, (const size_t[]){5, LEN, 1});
    is_str(wire_read(w), ":1", "an element for a key with a long name");
    is_like(wire_read(waits), "^\\['n+' 'x'\\]$", "is served");
    free(name);
}

int main(void)
{
    static const int threads[] = {1, 4, 0};
    static const struct group groups[] = {
        TABLE(at_once),      TABLE(arguments),    TABLE(times),       TABLE(first_come),
        TABLE(several_keys), TABLE(served_by),    TABLE(other_types), NEW_TABLE(overwritten),
        TABLE(chains),       TABLE(transactions), TABLE(events),      TABLE(pipelines),
        TABLE(tracked),      TABLE(replies_off),  TEST(unblock),      TEST(killed),
        TEST(closed),        TEST(half_closed),   TEST(seen),         TEST(counted),
        TEST(monitored),     TEST(paused),        TEST(long_names),   {NULL, NULL, 0, NULL, false},
    };

    return session_main("blocking", "", threads, groups);
}
