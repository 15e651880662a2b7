/*
 * Sets: every command of the family, its options, its errors, the encodings that result, and the
 * events.
 */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/lib/raw.h"
#include "tests/lib/tap.h"
#include "tests/lib/wire.h"

#define WRONGTYPE "-WRONGTYPE Operation against a key holding the wrong kind of value"
#define NOT_AN_INTEGER "-ERR value is not an integer or out of range"

static const struct wire_case members[] = {
    {"SADD k a", ":1"},
    {"SADD k a", ":0"},
    {"SADD k b a c b", ":2"},
    {"TYPE k", "+set"},
    {"SCARD k", ":3"},
    {"SMEMBERS k", "%~['a' 'b' 'c']"},
    {"SISMEMBER k a", ":1"},
    {"SISMEMBER k d", ":0"},
    {"SMISMEMBER k a d c a", "[:1 :0 :1 :1]"},
    {"SREM k d", ":0"},
    {"SREM k a d c a", ":2"},
    {"SMEMBERS k", "~['b']"},
    {"EXPIRE k 100", ":1"},
    {"SADD k x", ":1"},
    {"TTL k", "/^:(100|99)$"},
    {"SREM k b x y", ":2"},
    {"EXISTS k", ":0"},
    {"SADD k \"\" \"\\x00\\r\\n\\xff\"", ":2"},
    {"SISMEMBER k \"\"", ":1"},
    {"SISMEMBER k \"\\x00\\r\\n\\xff\"", ":1"},
    {"SCARD nokey", ":0"},
    {"SMEMBERS nokey", "~[]"},
    {"SISMEMBER nokey a", ":0"},
    {"SMISMEMBER nokey a b", "[:0 :0]"},
    {"SREM nokey a", ":0"},
    {"SET s v", "+OK"},
    {"SADD s a", WRONGTYPE},
    {"SREM s a", WRONGTYPE},
    {"SCARD s", WRONGTYPE},
    {"SISMEMBER s a", WRONGTYPE},
    {"SMISMEMBER s a", WRONGTYPE},
    {"SMEMBERS s", WRONGTYPE},
    {"GET k", WRONGTYPE},
    {"APPEND k x", WRONGTYPE},
    {"SADD k", "-ERR wrong number of arguments for 'sadd' command"},
    {"SREM k", "-ERR wrong number of arguments for 'srem' command"},
    {"SCARD k x", "-ERR wrong number of arguments for 'scard' command"},
    {"SISMEMBER k", "-ERR wrong number of arguments for 'sismember' command"},
    {"SMISMEMBER k", "-ERR wrong number of arguments for 'smismember' command"},
    {"SET k v", "+OK"},
    {"TYPE k", "+string"},
};

static const struct wire_case encodings[] = {
    {"SADD k 3 1 2", ":3"},
    {"OBJECT ENCODING k", "'intset'"},
    {"SMEMBERS k", "~['1' '2' '3']"},
    {"SADD k -70000 40000 9223372036854775807 -9223372036854775808", ":4"},
    {"SMEMBERS k", "~['-9223372036854775808' '-70000' '1' '2' '3' '40000' '9223372036854775807']"},
    {"SISMEMBER k 40000", ":1"},
    {"SISMEMBER k 9223372036854775808", ":0"},
    {"OBJECT ENCODING k", "'intset'"},
    {"SADD k 9223372036854775808", ":1"},
    {"OBJECT ENCODING k", "'hashtable'"},
    {"SREM k 9223372036854775808", ":1"},
    {"OBJECT ENCODING k", "'hashtable'"},
    {"SCARD k", ":7"},
    {"SADD t 007", ":1"},
    {"OBJECT ENCODING t", "'hashtable'"},
    {"SADD t 7 +7 \" 7\" 7.0 -0 0", ":6"},
    {"SCARD t", ":7"},
    {"CONFIG SET set-max-intset-entries 3", "+OK"},
    {"SADD few 1 2 3", ":3"},
    {"OBJECT ENCODING few", "'intset'"},
    {"SADD few 3", ":0"},
    {"OBJECT ENCODING few", "'intset'"},
    {"SADD few 4", ":1"},
    {"OBJECT ENCODING few", "'hashtable'"},
    {"SREM few 4", ":1"},
    {"OBJECT ENCODING few", "'hashtable'"},
    {"SUNIONSTORE few few", ":3"},
    {"OBJECT ENCODING few", "'intset'"},
    {"CONFIG SET set-max-intset-entries 0", "+OK"},
    {"SADD few 3", ":0"},
    {"OBJECT ENCODING few", "'intset'"},
    {"SREM few 1", ":1"},
    {"OBJECT ENCODING few", "'intset'"},
    {"SADD none 1", ":1"},
    {"OBJECT ENCODING none", "'hashtable'"},
    {"CONFIG SET set-max-intset-entries 512", "+OK"},
    {"COPY k copy", ":1"},
    {"OBJECT ENCODING copy", "'hashtable'"},
    {"COPY few copied", ":1"},
    {"OBJECT ENCODING copied", "'intset'"},
    {"SMEMBERS copied", "~['2' '3']"},
    {"RENAME copied renamed", "+OK"},
    {"SADD renamed 1", ":1"},
    {"SMEMBERS renamed", "~['1' '2' '3']"},
    {"SMEMBERS few", "~['2' '3']"},
};

static const struct wire_case smove[] = {
    {"SADD a 1 2 x", ":3"},
    {"SMOVE a b 1", ":1"},
    {"OBJECT ENCODING b", "'intset'"},
    {"SMOVE a b 1", ":0"},
    {"SMOVE a b x", ":1"},
    {"SMEMBERS b", "%~['1' 'x']"},
    {"SMOVE a a 2", ":1"},
    {"SMOVE a a 9", ":0"},
    {"SMEMBERS a", "~['2']"},
    {"SADD b 2", ":1"},
    {"SMOVE a b 2", ":1"},
    {"EXISTS a", ":0"},
    {"SCARD b", ":3"},
    {"SET s v", "+OK"},
    {"SMOVE nokey s 1", ":0"},
    {"SMOVE nokey nokey 1", ":0"},
    {"SMOVE s b 1", WRONGTYPE},
    {"SMOVE s nokey 1", WRONGTYPE},
    {"SMOVE b s nomember", WRONGTYPE},
    {"SMOVE b s 1", WRONGTYPE},
    {"SMOVE a b", "-ERR wrong number of arguments for 'smove' command"},
};

static const struct wire_case spop[] = {
    {"SPOP nokey", "nil"},
    {"SPOP nokey 3", "~[]"},
    {"SPOP nokey 0", "~[]"},
    {"SADD k only", ":1"},
    {"SPOP k 0", "~[]"},
    {"SPOP k", "'only'"},
    {"EXISTS k", ":0"},
    {"SADD k 3 1 2", ":3"},
    {"SPOP k", "/^'[123]'$"},
    {"SCARD k", ":2"},
    {"SPOP k 1", "/^~\\['[123]'\\]$", "/^\\['[123]'\\]$"},
    {"SCARD k", ":1"},
    {"SPOP k 5", "/^~\\['[123]'\\]$", "/^\\['[123]'\\]$"},
    {"EXISTS k", ":0"},
    {"SADD k c a b", ":3"},
    {"SPOP k 9223372036854775807", "%~['a' 'b' 'c']"},
    {"SADD k 5 4 3 2 1 0", ":6"},
    {"EXPIRE k 100", ":1"},
    {"SPOP k 5", "/^~\\['[0-5]'( '[0-5]'){4}\\]$", "/^\\['[0-5]'( '[0-5]'){4}\\]$"},
    {"SCARD k", ":1"},
    {"TTL k", "/^:(100|99)$"},
    {"SADD m x 1 2 3 4 5 6 7 8 9", ":10"},
    {"SREM m x", ":1"},
    {"OBJECT ENCODING m", "'hashtable'"},
    {"SPOP m 2", "/^~\\[", "/^\\["},
    {"OBJECT ENCODING m", "'hashtable'"},
    {"SPOP m 6", "/^~\\[", "/^\\["},
    {"OBJECT ENCODING m", "'intset'"},
    {"SCARD m", ":1"},
    {"SET s v", "+OK"},
    {"SPOP s", WRONGTYPE},
    {"SPOP s 1", WRONGTYPE},
    {"SPOP s 0", WRONGTYPE},
    {"SPOP s -1", "-ERR value is out of range, must be positive"},
    {"SPOP m a", "-ERR value is out of range, must be positive"},
    {"SPOP m 9223372036854775808", "-ERR value is out of range, must be positive"},
    {"SPOP m 1 2", "-ERR syntax error"},
    {"SPOP", "-ERR wrong number of arguments for 'spop' command"},
};

static const struct wire_case srandmember[] = {
    {"SRANDMEMBER nokey", "nil"},
    {"SRANDMEMBER nokey 5", "[]"},
    {"SRANDMEMBER nokey -5", "[]"},
    {"SADD k x", ":1"},
    {"SRANDMEMBER k", "'x'"},
    {"SRANDMEMBER k 0", "[]"},
    {"SRANDMEMBER k 1", "['x']"},
    {"SRANDMEMBER k 7", "['x']"},
    {"SRANDMEMBER k 9223372036854775807", "['x']"},
    {"SRANDMEMBER k -3", "['x' 'x' 'x']"},
    {"SADD k y z", ":2"},
    {"SRANDMEMBER k 3", "%['x' 'y' 'z']"},
    {"SRANDMEMBER k 2", "/^\\['[xyz]' '[xyz]'\\]$"},
    {"SRANDMEMBER k -2", "/^\\['[xyz]' '[xyz]'\\]$"},
    {"SCARD k", ":3"},
    {"SADD i 2 1", ":2"},
    {"SRANDMEMBER i 5", "['1' '2']"},
    {"SRANDMEMBER k a", NOT_AN_INTEGER},
    {"SRANDMEMBER k -9223372036854775808",
     "-ERR value is out of range, value must between -9223372036854775807 and "
     "9223372036854775807"},
    {"SRANDMEMBER k 1 2", "-ERR syntax error"},
    {"SET s v", "+OK"},
    {"SRANDMEMBER s", WRONGTYPE},
    {"SRANDMEMBER s 1", WRONGTYPE},
    {"SRANDMEMBER s a", NOT_AN_INTEGER},
};

/* Redis would go on until its memory is used up. */
static const struct wire_case drawn_too_often[] = {
    {"SADD k x", ":1"},
    {"SRANDMEMBER k -9223372036854775807", "-ERR value is out of range"},
    {"SRANDMEMBER k -1000000000", "-ERR value is out of range"},
};

static const struct wire_case algebra[] = {
    {"SADD a 1 2 3 4 5", ":5"},
    {"SADD b 3 4 5 6", ":4"},
    {"SADD c 5 6 7 x", ":4"},
    {"SINTER a", "~['1' '2' '3' '4' '5']"},
    {"SINTER a b", "~['3' '4' '5']"},
    {"SINTER a b c", "~['5']"},
    {"SINTER b a b a", "~['3' '4' '5']"},
    {"SINTER a nokey", "~[]"},
    {"SUNION a b", "~['1' '2' '3' '4' '5' '6']"},
    {"SUNION c", "%~['5' '6' '7' 'x']"},
    {"SUNION a c b a nokey", "%~['1' '2' '3' '4' '5' '6' '7' 'x']"},
    {"SUNION nokey nokey", "~[]"},
    {"SDIFF a b", "~['1' '2']"},
    {"SDIFF a b c nokey", "~['1' '2']"},
    {"SDIFF c a b", "%~['7' 'x']"},
    {"SDIFF nokey a", "~[]"},
    {"SDIFF a nokey", "~['1' '2' '3' '4' '5']"},
    {"SDIFF a a", "~[]"},
    {"SDIFF a b a", "~[]"},
    {"SINTERSTORE d a b", ":3"},
    {"SMEMBERS d", "~['3' '4' '5']"},
    {"SUNIONSTORE d d c", ":6"},
    {"SMEMBERS d", "%~['3' '4' '5' '6' '7' 'x']"},
    {"SDIFFSTORE d d c", ":2"},
    {"SMEMBERS d", "~['3' '4']"},
    {"OBJECT ENCODING d", "'intset'"},
    {"EXPIRE d 100", ":1"},
    {"SUNIONSTORE d a", ":5"},
    {"TTL d", ":-1"},
    {"SINTERSTORE d a nokey", ":0"},
    {"EXISTS d", ":0"},
    {"SET s v", "+OK"},
    {"SUNIONSTORE s a", ":5"},
    {"TYPE s", "+set"},
    {"SET s v", "+OK"},
    {"SDIFFSTORE s nokey", ":0"},
    {"EXISTS s", ":0"},
    {"SET s v", "+OK"},
    {"SINTER a s", WRONGTYPE},
    {"SINTER nokey s", WRONGTYPE},
    {"SUNION nokey s", WRONGTYPE},
    {"SDIFF nokey s", WRONGTYPE},
    {"SINTERSTORE d a s", WRONGTYPE},
    {"SUNIONSTORE s s a", WRONGTYPE},
    {"GET s", "'v'"},
    {"SINTER", "-ERR wrong number of arguments for 'sinter' command"},
    {"SUNIONSTORE d", "-ERR wrong number of arguments for 'sunionstore' command"},
};

/* Which way to subtract Redis takes shows in the encoding. */
static const struct wire_case subtracting[] = {
    {"SADD first 1 2 3 4 5 6 7 8 9 10 x", ":11"},
    {"SADD one x", ":1"},
    {"SADD two y", ":1"},
    {"SDIFFSTORE d first one", ":10"},
    {"OBJECT ENCODING d", "'intset'"},
    {"SDIFFSTORE d first one two", ":10"},
    {"OBJECT ENCODING d", "'hashtable'"},
    {"SMEMBERS d", "%~['1' '10' '2' '3' '4' '5' '6' '7' '8' '9']"},
    {"SDIFF first one two", "%~['1' '10' '2' '3' '4' '5' '6' '7' '8' '9']"},
    {"SREM first x", ":1"},
    {"SDIFFSTORE d first one two", ":10"},
    {"OBJECT ENCODING d", "'intset'"},
    {"CONFIG SET set-max-intset-entries 9", "+OK"},
    {"SADD two 1 2", ":2"},
    {"SDIFFSTORE d first two", ":8"},
    {"OBJECT ENCODING d", "'intset'"},
    {"SREM two y 2", ":2"},
    {"SDIFFSTORE d first two one", ":9"},
    {"OBJECT ENCODING d", "'hashtable'"},
    {"CONFIG SET set-max-intset-entries 512", "+OK"},
};

static const struct wire_case sintercard[] = {
    {"SADD a 1 2 3 4 5", ":5"},
    {"SADD b 3 4 5 6", ":4"},
    {"SINTERCARD 1 a", ":5"},
    {"SINTERCARD 2 a b", ":3"},
    {"SINTERCARD 2 a b LIMIT 2", ":2"},
    {"SINTERCARD 2 a b limit 0", ":3"},
    {"SINTERCARD 2 a b LIMIT 9", ":3"},
    {"SINTERCARD 2 a b LIMIT 1 LIMIT 2", ":2"},
    {"SINTERCARD 2 a nokey", ":0"},
    {"SET s v", "+OK"},
    {"SINTERCARD 2 nokey s", WRONGTYPE},
    {"SINTERCARD 0 a", "-ERR numkeys should be greater than 0"},
    {"SINTERCARD -1 a", "-ERR numkeys should be greater than 0"},
    {"SINTERCARD x a", "-ERR numkeys should be greater than 0"},
    {"SINTERCARD 3 a b", "-ERR Number of keys can't be greater than number of args"},
    {"SINTERCARD 9223372036854775807 a",
     "-ERR Number of keys can't be greater than number of args"},
    {"SINTERCARD 1 a b", "-ERR syntax error"},
    {"SINTERCARD 2 a b LIMIT", "-ERR syntax error"},
    {"SINTERCARD 2 a b LIMIT x", "-ERR LIMIT can't be negative"},
    {"SINTERCARD 2 a b LIMIT -1", "-ERR LIMIT can't be negative"},
    {"SINTERCARD 1 s LIMIT -1", "-ERR LIMIT can't be negative"},
    {"SINTERCARD 1", "-ERR wrong number of arguments for 'sintercard' command"},
};

static const struct wire_case sscan[] = {
    {"SSCAN nokey 0", "['0' []]"},
    {"SADD k 3 1 2 20", ":4"},
    {"SSCAN k 0", "['0' ['1' '2' '3' '20']]"},
    {"SSCAN k 0 COUNT 1", "['0' ['1' '2' '3' '20']]"},
    {"SSCAN k 0 MATCH 2*", "['0' ['2' '20']]"},
    {"SSCAN k 7", "['0' ['1' '2' '3' '20']]"},
    {"SADD t x y", ":2"},
    {"SSCAN t 0 COUNT 100", "/^\\['0' \\['[xy]' '[xy]'\\]\\]$"},
    {"SSCAN t 0 MATCH x COUNT 100", "['0' ['x']]"},
    {"SSCAN nokey x", "-ERR invalid cursor"},
    {"SSCAN k x", "-ERR invalid cursor"},
    {"SSCAN nokey 0 COUNT x", "['0' []]"},
    {"SSCAN k 0 COUNT x", NOT_AN_INTEGER},
    {"SSCAN k 0 COUNT 0", "-ERR syntax error"},
    {"SSCAN k 0 MATCH", "-ERR syntax error"},
    {"SSCAN k 0 TYPE set", "-ERR syntax error"},
    {"SET s v", "+OK"},
    {"SSCAN s 0 COUNT x", WRONGTYPE},
    {"SSCAN s x", "-ERR invalid cursor"},
    {"SCAN 0 TYPE set COUNT 100", "/^\\['0' \\['[kt]' '[kt]'\\]\\]$"},
};

#define EVENT(name, key) ">['pmessage' '__keyevent@0__:*' '__keyevent@0__:" name "' '" key "']"

static const struct wire_case events[] = {
    {"CONFIG SET notify-keyspace-events EAn", "+OK"},
    {"@1 PSUBSCRIBE __keyevent@0__:*", ">['psubscribe' '__keyevent@0__:*' :1]"},
    {"SADD k 1 2 3", ":3"},
    {"@1", EVENT("new", "k")},
    {"@1", EVENT("sadd", "k")},
    {"SADD k 1", ":0"},
    {"SREM k 9", ":0"},
    {"SREM k 1", ":1"},
    {"@1", EVENT("srem", "k")},
    {"SMOVE k other 2", ":1"},
    {"@1", EVENT("srem", "k")},
    {"@1", EVENT("new", "other")},
    {"@1", EVENT("sadd", "other")},
    {"SADD k 2", ":1"},
    {"@1", EVENT("sadd", "k")},
    {"SMOVE k other 2", ":1"},
    {"@1", EVENT("srem", "k")},
    {"SMOVE k k 3", ":1"},
    {"SMOVE k other 3", ":1"},
    {"@1", EVENT("srem", "k")},
    {"@1", EVENT("del", "k")},
    {"@1", EVENT("sadd", "other")},
    {"SPOP other", "/'[23]'"},
    {"@1", EVENT("spop", "other")},
    {"SPOP other", "/'[23]'"},
    {"@1", EVENT("spop", "other")},
    {"@1", EVENT("del", "other")},
    {"SADD k 1 2 3 4 5 6 7 8 9", ":9"},
    {"@1", EVENT("new", "k")},
    {"@1", EVENT("sadd", "k")},
    {"SPOP k 0", "~[]"},
    {"SPOP k 1", "/."},
    {"@1", EVENT("spop", "k")},
    {"SPOP k 7", "/."},
    {"@1", EVENT("spop", "k")},
    {"SPOP k 7", "/."},
    {"@1", EVENT("spop", "k")},
    {"@1", EVENT("del", "k")},
    {"SADD k 1", ":1"},
    {"@1", EVENT("new", "k")},
    {"@1", EVENT("sadd", "k")},
    {"SUNIONSTORE d k", ":1"},
    {"@1", EVENT("new", "d")},
    {"@1", EVENT("sunionstore", "d")},
    {"SINTERSTORE d k", ":1"},
    {"@1", EVENT("sinterstore", "d")},
    {"SDIFFSTORE d k", ":1"},
    {"@1", EVENT("sdiffstore", "d")},
    {"SDIFFSTORE d k d", ":0"},
    {"@1", EVENT("del", "d")},
    {"SDIFFSTORE d k k", ":0"},
    {"SREM k 1", ":1"},
    {"@1", EVENT("srem", "k")},
    {"@1", EVENT("del", "k")},
    {"CONFIG SET notify-keyspace-events \"\"", "+OK"},
    {"@1", "(silence)"},
};

/* ---- more members than a table can tell -------------------------------------------------------- */

enum { MANY = 3000 };

/* `command` with the members `prefix`N for N from `from` to `to` - 1; the sum of the replies. */
static long long each_member(struct wire *w, const char *command, const char *prefix, int from,
                             int to)
{
    enum { AT_ONCE = 50 };
    long long sum = 0;

    for (int i = from; i < to; i += AT_ONCE) {
        char line[AT_ONCE * 20 + 40];
        int len = snprintf(line, sizeof(line), "%s", command);

        for (int j = i; j < i + AT_ONCE && j < to; j++)
            len += snprintf(line + len, sizeof(line) - (size_t)len, " %s%d", prefix, j);
        sum += wire_int(w, line);
    }
    return sum;
}

static void grown_and_shrunk(struct session *t, const char *prefix, bool integers)
{
    struct wire *w;

    session_reset(t);
    w = session_wire(t, 0);
    is_int(each_member(w, "SADD k", prefix, 0, 512), 512, "RESP%d: 512 members %sN", t->protocol,
           prefix);
    is_str(wire_call(w, "OBJECT ENCODING k"), integers ? "'intset'" : "'hashtable'",
           "RESP%d: their encoding", t->protocol);
    is_int(each_member(w, "SADD k", prefix, 500, MANY), MANY - 512, "RESP%d: more of them",
           t->protocol);
    is_str(wire_call(w, "OBJECT ENCODING k"), "'hashtable'", "RESP%d: their encoding", t->protocol);
    is_int(wire_int(w, "SCARD k"), MANY, "RESP%d: as many as were added", t->protocol);
    is_int(each_member(w, "SREM k", prefix, 10, MANY), MANY - 10, "RESP%d: all but ten go",
           t->protocol);
    is_int(wire_int(w, "SCARD k"), 10, "RESP%d: ten stay", t->protocol);
    is_str(wire_call(w, "OBJECT ENCODING k"), "'hashtable'", "RESP%d: their encoding", t->protocol);
    is_int(each_member(w, "SREM k", prefix, 0, 10), 10, "RESP%d: and go", t->protocol);
    is_int(wire_int(w, "EXISTS k"), 0, "RESP%d: with the key", t->protocol);
}

static void large(struct session *t)
{
    grown_and_shrunk(t, "", true);
    grown_and_shrunk(t, "member:", false);
}

/* Marks the members m:N that an array or set has; how many it has. */
static long mark(const struct answer *a, int *seen)
{
    for (long i = 0; i < a->count; i++) {
        int n = -1;

        if (sscanf(a->items[i]->text, "m:%d", &n) == 1 && n >= 0 && n < MANY)
            seen[n]++;
    }
    return a->count;
}

/* Of all members, how many are marked; INT_MAX if one is more than once. */
static int distinct(const int *seen)
{
    int n = 0;

    for (int i = 0; i < MANY; i++) {
        if (seen[i] > 1)
            return INT_MAX;
        n += seen[i];
    }
    return n;
}

static long ask(struct wire *w, int *seen, const char *command, int count)
{
    struct answer *a;
    char line[100];
    long n;

    snprintf(line, sizeof(line), "%s %d", command, count);
    wire_send(w, line);
    a = wire_next(w, RAW_TIMEOUT_MS);
    if (!a)
        bail("%s has no answer", line);
    n = mark(a, seen);
    answer_free(a);
    return n;
}

/* A number of distinct ones, whatever part of the set it is; or the same again. */
static void random_of_many(struct session *t)
{
    static const int counts[] = {1, 10, 900, 1100, 2900, MANY, MANY * 2};
    struct wire *w = session_wire(t, 0);
    static int seen[MANY];

    each_member(w, "SADD k", "m:", 0, MANY);
    for (size_t i = 0; i < sizeof(counts) / sizeof(*counts); i++) {
        int expected = counts[i] < MANY ? counts[i] : MANY;

        memset(seen, 0, sizeof(seen));
        is_int(ask(w, seen, "SRANDMEMBER k", counts[i]), expected, "RESP%d: SRANDMEMBER of %d",
               t->protocol, counts[i]);
        is_int(distinct(seen), expected, "RESP%d: and no member twice", t->protocol);
    }
    memset(seen, 0, sizeof(seen));
    is_int(ask(w, seen, "SRANDMEMBER k", -2 * MANY), 2 * MANY, "RESP%d: more than there are",
           t->protocol);
    is_int(distinct(seen), INT_MAX, "RESP%d: some of them twice", t->protocol);
}

/* What is popped is gone, and what is not stays. */
static void popped_of_many(struct session *t)
{
    static const int counts[] = {1, 10, 900, 1100, 2700, MANY - 1, MANY};
    struct wire *w = session_wire(t, 0);
    static int seen[MANY];

    for (size_t i = 0; i < sizeof(counts) / sizeof(*counts); i++) {
        wire_call(w, "DEL k");
        each_member(w, "SADD k", "m:", 0, MANY);
        memset(seen, 0, sizeof(seen));
        is_int(ask(w, seen, "SPOP k", counts[i]), counts[i], "RESP%d: SPOP of %d", t->protocol,
               counts[i]);
        is_int(wire_int(w, "SCARD k"), MANY - counts[i], "RESP%d: the others stay", t->protocol);
        ask(w, seen, "SRANDMEMBER k", MANY);
        is_int(distinct(seen), MANY, "RESP%d: each member is popped or stays", t->protocol);
    }
}

/* Members that are there from the beginning to the end are returned, whatever else happens. */
static void scanned_while_it_changes(struct session *t)
{
    struct wire *w = session_wire(t, 0);
    static int seen[MANY];
    char cursor[40] = "0", line[100];
    int step = 0;

    each_member(w, "SADD k", "m:", 0, 300);
    memset(seen, 0, sizeof(seen));
    do {
        struct answer *a;

        snprintf(line, sizeof(line), "SSCAN k %s COUNT 7", cursor);
        wire_send(w, line);
        a = wire_next(w, RAW_TIMEOUT_MS);
        if (!a || a->count != 2)
            bail("%s has no answer of a cursor and members", line);
        mark(a->items[1], seen);
        snprintf(cursor, sizeof(cursor), "%s", a->items[0]->text);
        answer_free(a);
        each_member(w, step < 40 ? "SADD k" : "SREM k", "n:", step % 40 * 100,
                    step % 40 * 100 + 100);
        step++;
    } while (strcmp(cursor, "0") != 0 && step < 10000);
    for (int i = 0; i < 300; i++)
        seen[i] = seen[i] > 0;
    is_int(distinct(seen), 300, "RESP%d: SSCAN returns every lasting member", t->protocol);
}

/* Equal members give an equal digest, in whatever encoding. */
static void digests(struct session *t)
{
    struct wire *w = session_wire(t, 0);
    char first[100];

    wire_call(w, "SADD a 1 2 3");
    wire_call(w, "SADD b 3 2 1 x");
    wire_call(w, "SREM b x");
    is_str(wire_call(w, "OBJECT ENCODING b"), "'hashtable'", "RESP%d: of another encoding",
           t->protocol);
    snprintf(first, sizeof(first), "%s", wire_call(w, "DEBUG DIGEST-VALUE a"));
    is_str(wire_call(w, "DEBUG DIGEST-VALUE b"), first, "RESP%d: and the same digest", t->protocol);
    wire_call(w, "SADD b 4");
    ok(strcmp(wire_call(w, "DEBUG DIGEST-VALUE b"), first) != 0, "RESP%d: until it changes",
       t->protocol);
}

/* What it takes is told, and more of it takes more. */
static void memory(struct session *t)
{
    struct wire *w = session_wire(t, 0);
    long long packed, table;

    wire_call(w, "SADD k member:one member:two member:three");
    packed = wire_int(w, "MEMORY USAGE k");
    each_member(w, "SADD k", "member:", 0, MANY);
    table = wire_int(w, "MEMORY USAGE k SAMPLES 0");
    ok(packed > 40 && packed < 400, "RESP%d: a small set takes %lld bytes", t->protocol, packed);
    ok(table > MANY * 16LL && table < MANY * 150LL, "RESP%d: a large one %lld", t->protocol, table);
    ok(wire_int(w, "MEMORY USAGE k") > table / 2, "RESP%d: and by samples not much else",
       t->protocol);
}

static const struct group groups[] = {
    TABLE(members),       TABLE(encodings),     TABLE(smove),
    TABLE(spop),          TABLE(srandmember),   NEW_TABLE(drawn_too_often),
    TABLE(algebra),       TABLE(subtracting),   TABLE(sintercard),
    TABLE(sscan),         TABLE(events),        TEST(large),
    TEST(random_of_many), TEST(popped_of_many), TEST(scanned_while_it_changes),
    TEST(digests),        TEST(memory),         {NULL},
};

int main(void)
{
    static const int threads[] = {1, 4, 0};

    return session_main("sets", "--enable-debug-command yes", threads, groups);
}
