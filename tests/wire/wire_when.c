/*
 * WHEN: conditions, and commands of all kinds that depend on them. What concerns versions and locks
 * is in wire_conditions.c.
 */
#include <stdio.h>
#include <string.h>

#include "tests/lib/tap.h"
#include "tests/lib/wire.h"

#define WRONGTYPE "-WRONGTYPE Operation against a key holding the wrong kind of value"
#define NOT_AN_INTEGER "-ERR value is not an integer or out of range"
#define FENCED "-FENCED the lock is not held with that token"
#define IS_MISSING "-EXISTS the key does not exist"
#define IS_THERE "-ABSENT the key exists"
#define IS_OTHER "-NOTEQUAL the key has another value"
#define NO_VERSION "-VERSION 0 is the version of the key"

static const struct wire_case conditions[] = {
    {"WHEN EXISTS k DO SET x 1", IS_MISSING},
    {"EXISTS x", ":0"},
    {"WHEN ABSENT k DO SET k 1", "+OK"},
    {"WHEN ABSENT k DO SET k 2", IS_THERE},
    {"GET k", "'1'"},
    {"WHEN EXISTS k DO INCR k", ":2"},
    {"WHEN EQ k 2 DO SET k three", "+OK"},
    {"WHEN EQ k 2 DO SET k four", IS_OTHER},
    {"WHEN EQ k three DO GET k", "'three'"},
    {"WHEN EQ k THREE DO GET k", IS_OTHER},
    {"WHEN EQ none '' DO GET k", IS_OTHER},
    {"WHEN VERSION none 0 DO GET k", "'three'"},
    {"WHEN VERSION none 1 DO GET k", NO_VERSION},
    {"WHEN VERSION k 0 DO GET k", "/^-VERSION [1-9][0-9]* is the version of the key$"},
    {"RPUSH l a", ":1"},
    {"WHEN EQ l a DO LPOP l", WRONGTYPE},
    {"WHEN EXISTS l DO LPOP l", "'a'"},
    {"when exists k eq k three absent none version none 0 do append k !", ":6"},
    /* The first that does not hold. */
    {"WHEN EXISTS none ABSENT k DO PING k", "-ERR 'ping' cannot be run by 'when'"},
    {"WHEN EXISTS none ABSENT k DO GET k", IS_MISSING},
    {"WHEN ABSENT k EXISTS none DO GET k", IS_THERE},
    {"WHEN EXISTS k EQ k x VERSION k 1 DO GET k", IS_OTHER},
    {"WHEN HELD lock 5 DO GET k", FENCED},
    {"WHEN HELD lock 0 DO GET k", FENCED},
    /* Words are keys where a key stands. */
    {"SET DO 1", "+OK"},
    {"WHEN EXISTS DO DO GET DO", "'1'"},
    {"SET EXISTS 1", "+OK"},
    {"WHEN EXISTS EXISTS EQ DO 1 DO GET EXISTS", "'1'"},
};

static const struct wire_case arguments[] = {
    {"WHEN", "-ERR wrong number of arguments for 'when' command"},
    {"WHEN EXISTS k DO", "-ERR wrong number of arguments for 'when' command"},
    {"WHEN EXISTS k EXISTS DO", "-ERR syntax error"},
    {"WHEN EXISTS k EXISTS l DO", "-ERR syntax error"},
    {"WHEN DO SET k 1 NX", "-ERR syntax error"},
    {"WHEN LIKE k 1 DO GET k", "-ERR syntax error"},
    {"WHEN EXISTS k GET k l", "-ERR syntax error"},
    {"WHEN EXISTS k EQ k DO GET", "-ERR syntax error"},
    {"WHEN VERSION k x DO GET k", NOT_AN_INTEGER},
    {"WHEN VERSION k -1 DO GET k", NOT_AN_INTEGER},
    {"WHEN EXISTS none VERSION k x DO GET k", NOT_AN_INTEGER},
    {"WHEN EXISTS none HELD k x DO GET k", NOT_AN_INTEGER},
    {"WHEN EXISTS none HELD k -5 DO GET k", NOT_AN_INTEGER},
    /* What is wrong with the command is told as if it had come alone. */
    {"WHEN EXISTS k DO NOPE a b",
     "-ERR unknown command 'NOPE', with args beginning with: 'a' 'b' "},
    {"WHEN EXISTS k DO GET", "-ERR wrong number of arguments for 'get' command"},
    {"WHEN EXISTS k DO GET a b", "-ERR wrong number of arguments for 'get' command"},
    {"WHEN EXISTS k DO OBJECT NOPE k", "-ERR unknown subcommand 'NOPE'. Try OBJECT HELP."},
    {"WHEN ABSENT k DO SET k 1 EX", "-ERR syntax error"},
    {"WHEN ABSENT k DO ZUNIONSTORE d 0 k", "/^-ERR at least 1 input key is needed for "},
    {"WHEN ABSENT k DO ZUNIONSTORE d 9 k", "-ERR syntax error"},
    {"WHEN ABSENT k DO MULTI", "-ERR 'multi' cannot be run by 'when'"},
    {"WHEN ABSENT k DO EXEC", "-ERR 'exec' cannot be run by 'when'"},
    {"WHEN ABSENT k DO DISCARD", "-ERR 'discard' cannot be run by 'when'"},
    {"WHEN ABSENT k DO WATCH k", "-ERR 'watch' cannot be run by 'when'"},
    {"WHEN ABSENT k DO SUBSCRIBE c", "-ERR 'subscribe' cannot be run by 'when'"},
    {"WHEN ABSENT k DO MONITOR", "-ERR 'monitor' cannot be run by 'when'"},
    {"WHEN ABSENT k DO SELECT 1", "-ERR 'select' cannot be run by 'when'"},
    {"WHEN ABSENT k DO CLIENT ID", "-ERR 'client|id' cannot be run by 'when'"},
    {"WHEN ABSENT k DO CONFIG SET maxmemory 0", "-ERR 'config|set' cannot be run by 'when'"},
    {"WHEN ABSENT k DO DEBUG SLEEP 0", "-ERR 'debug' cannot be run by 'when'"},
    {"WHEN ABSENT k DO SHUTDOWN", "-ERR 'shutdown' cannot be run by 'when'"},
    {"WHEN ABSENT k DO WHEN ABSENT k DO GET k", "-ERR 'when' cannot be run by 'when'"},
    {"WHEN ABSENT k DO WHEN", "-ERR 'when' cannot be run by 'when'"},
    {"WHEN ABSENT k DO QUIT", "-ERR 'quit' cannot be run by 'when'"},
    {"WHEN ABSENT k DO RESET", "-ERR 'reset' cannot be run by 'when'"},
    {"WHEN ABSENT k DO AUTH x", "-ERR 'auth' cannot be run by 'when'"},
    {"WHEN ABSENT k DO HELLO 3", "-ERR 'hello' cannot be run by 'when'"},
    {"EXISTS k", ":0"},
};

/* Of any type, on several keys, on all of them; and reads. */
static const struct wire_case any_command[] = {
    {"WHEN ABSENT k DO MSET a 1 b 2 c 3", "+OK"},
    {"WHEN EXISTS a DO MGET a b c d", "['1' '2' '3' nil]"},
    {"WHEN EXISTS a DO RENAME a d", "+OK"},
    {"WHEN EXISTS d DO DEL b c d", ":3"},
    {"WHEN ABSENT k DO HSET k f v", ":1"},
    {"WHEN EXISTS k DO HGETALL k", "{'f' 'v'}"},
    {"WHEN ABSENT s DO SADD s a", ":1"},
    {"WHEN EXISTS s DO SMEMBERS s", "~['a']"},
    {"WHEN EXISTS s DO ZADD z 1 a 2 b", ":2"},
    {"WHEN EXISTS z DO ZUNIONSTORE y 2 z none", ":2"},
    {"WHEN EXISTS z DO ZSCORE y b", ",2"},
    {"WHEN EXISTS z DO RPUSH l 3 1 2", ":3"},
    {"WHEN EXISTS l DO SORT l STORE sorted", ":3"},
    {"LRANGE sorted 0 -1", "['1' '2' '3']"},
    {"WHEN EXISTS l DO SORT l BY w_* GET #", "['1' '2' '3']"},
    {"WHEN EXISTS l DO OBJECT ENCODING l", "'quicklist'"},
    {"WHEN EXISTS l DO DBSIZE", ":6"},
    {"WHEN EXISTS l DO KEYS sort*", "['sorted']"},
    {"WHEN EXISTS l DO SCAN 0 MATCH sort* COUNT 1000", "['0' ['sorted']]"},
    {"WHEN EXISTS l DO PUBLISH c hello", ":0"},
    {"WHEN EXISTS l DO EXPIRE l 100", ":1"},
    {"WHEN EXISTS l DO COPY l m DB 1", ":1"},
    {"WHEN EXISTS l DO MOVE l 2", ":1"},
    {"WHEN ABSENT l DO SWAPDB 0 1", "+OK"},
    {"WHEN EXISTS m DO FLUSHALL SYNC", "+OK"},
    {"WHEN EXISTS m DO FLUSHDB", IS_MISSING},
    {"DURABLE NO WHEN ABSENT k DO MSET k 1 l 2", "+OK"},
    {"DURABLE NO WHEN ABSENT k DO MSET k 1 l 2", IS_THERE},
    {"DURABLE NO WHEN EXISTS k DO GET", "-ERR wrong number of arguments for 'get' command"},
    {"DURABLE NO WHEN EXISTS k DO PING", "-ERR 'ping' cannot be run by 'when'"},
    {"DURABLE NO DURABLE NO DEL k l", "-ERR 'durable' cannot be run by 'durable'"},
    {"WHEN EXISTS k DO DURABLE NO DEL k l", "-ERR 'durable' cannot be run by 'when'"},
    {"DURABLE NO WHEN EXISTS k DO SORT k BY w* GET #", WRONGTYPE},
    {"COMMAND GETKEYS DURABLE NO WHEN EXISTS a DO MSET k 1 l 2", "['a' 'k' 'l']"},
    {"DURABLE NO WHEN EXISTS k DO DEL k l", ":2"},
    {"DBSIZE", ":0"},
};

static const struct wire_case nothing_to_wait_for[] = {
    {"WHEN ABSENT k DO BLPOP k 0", "nil", "nil*"},
    {"WHEN ABSENT k DO BLMOVE k l LEFT RIGHT 0", "nil"},
    {"WHEN ABSENT k DO VERSION k SINCE 0 WAIT -1", "nil"},
    {"RPUSH k a", ":1"},
    {"WHEN EXISTS k DO BLPOP k 0", "['k' 'a']"},
    {"@1 BLPOP k 0", "(waits)"},
    {"@2 VERSION k SINCE 0 WAIT -1", "(waits)"},
    {"WHEN ABSENT k DO RPUSH k a b", ":2"},
    {"@1", "['k' 'a']"},
    {"@2", "/^:[1-9]"},
};

static const struct wire_case in_transactions[] = {
    {"MULTI", "+OK"},
    {"WHEN ABSENT k DO SET k 1", "+QUEUED"},
    {"WHEN ABSENT k DO SET k 2", "+QUEUED"},
    {"WHEN EQ k 1 DO INCR k", "+QUEUED"},
    {"WHEN EXISTS k DO DBSIZE", "+QUEUED"},
    {"WHEN EXISTS k DO BLPOP none 0", "+QUEUED"},
    {"WHEN EXISTS k", "-ERR wrong number of arguments for 'when' command"},
    {"EXEC", "-EXECABORT Transaction discarded because of previous errors."},
    {"MULTI", "+OK"},
    {"WHEN EXISTS k DO NOPE", "-ERR unknown command 'NOPE', with args beginning with: "},
    {"EXEC", "-EXECABORT Transaction discarded because of previous errors."},
    {"MULTI", "+OK"},
    {"WHEN ABSENT k DO SELECT 1", "-ERR 'select' cannot be run by 'when'"},
    {"EXEC", "-EXECABORT Transaction discarded because of previous errors."},
    {"EXISTS k", ":0"},
    {"MULTI", "+OK"},
    {"WHEN ABSENT k DO SET k 1", "+QUEUED"},
    {"WHEN ABSENT k DO SET k 2", "+QUEUED"},
    {"WHEN EQ k 1 DO INCR k", "+QUEUED"},
    {"WHEN EXISTS k DO DBSIZE", "+QUEUED"},
    {"WHEN EXISTS k DO BLPOP none 0", "+QUEUED"},
    {"EXEC", "[+OK " IS_THERE " :2 :1 nil]", "[+OK " IS_THERE " :2 :1 nil*]"},
    {"MULTI", "+OK"},
    {"WHEN EXISTS k DO MSET a 1 b 2", "+QUEUED"},
    {"WHEN EXISTS a DO MGET a b", "+QUEUED"},
    {"WHEN EXISTS a BOGUS", "-ERR wrong number of arguments for 'when' command"},
    {"DISCARD", "+OK"},
    {"MULTI", "+OK"},
    {"WHEN EXISTS k DO MSET a 1 b 2", "+QUEUED"},
    {"WHEN EXISTS a DO MGET a b", "+QUEUED"},
    {"WHEN EXISTS k BOGUS k DO GET k", "+QUEUED"},
    {"EXEC", "[+OK ['1' '2'] -ERR syntax error]"},
};

static const struct wire_case introspection[] = {
    {"COMMAND GETKEYS WHEN EXISTS a EQ b x VERSION c 1 DO MSET d 1 e 2", "['a' 'b' 'c' 'd' 'e']"},
    {"COMMAND GETKEYS WHEN ABSENT a DO PUBLISH c m", "['a']"},
    {"COMMAND GETKEYS WHEN ABSENT a DO ZUNIONSTORE d 2 x y", "['a' 'd' 'x' 'y']"},
    {"COMMAND GETKEYS WHEN ABSENT a DO SORT l BY w* STORE d", "['a' 'l' 'd']"},
    {"COMMAND GETKEYSANDFLAGS WHEN ABSENT a DO SET k v", "[['a' ~[+RO]] ['k' ~[+OW +update]]]"},
    {"COMMAND GETKEYS WHEN ABSENT a DO", "-ERR Invalid number of arguments specified for command"},
    {"COMMAND INFO when",
     "[['when' :-5 ~[+noscript +movablekeys] :0 :0 :0 ~[+@slow +@transaction] ~[] ~[{'flags' "
     "~[+RW] 'begin_search' {'type' 'unknown' 'spec' {}} 'find_keys' {'type' 'unknown' 'spec' "
     "{}}}] ~[]]]"},
};

/* ---- gates ----------------------------------------------------------------------------------- */

static const struct wire_case gates[] = {
    {"SET k v", "+OK"},
    {"CONFIG SET maxmemory 1", "+OK"},
    {"WHEN EXISTS k DO GET k", "'v'"},
    {"WHEN EXISTS k DO SET k w", "-OOM command not allowed when used memory > 'maxmemory'."},
    {"WHEN EXISTS none DO SET k w", "-OOM command not allowed when used memory > 'maxmemory'."},
    {"MULTI", "+OK"},
    {"WHEN EXISTS k DO GET k", "-OOM command not allowed when used memory > 'maxmemory'."},
    {"DISCARD", "+OK"},
    {"WHEN EXISTS k DO DEL k", ":1"},
    {"CONFIG SET maxmemory 0", "+OK"},
    {"@1 CLIENT PAUSE 100 WRITE", "+OK"},
    {"WHEN ABSENT k DO GET k", "nil"},
    {"MULTI", "+OK"},
    {"WHEN ABSENT k DO GET k", "+QUEUED"},
    {"EXEC", "[nil]"},
    {"WHEN ABSENT k DO SET k 1", "+OK"},
    {"@1 CLIENT PAUSE 1000000 WRITE", "+OK"},
    {"WHEN EXISTS k DO SET k 2", "(waits)"},
    {"@1 GET k", "'1'"},
    {"@1 CLIENT UNPAUSE", "+OK"},
    {"", "+OK"},
    {"MULTI", "+OK"},
    {"WHEN EXISTS k DO SET k 2", "+QUEUED"},
    {"@1 CLIENT PAUSE 1000000 WRITE", "+OK"},
    {"EXEC", "(waits)"},
    {"@1 CLIENT UNPAUSE", "+OK"},
    {"", "[+OK]"},
    {"WHEN EXISTS k DO PUBLISH c m", ":0"},
};

static void who_may_not(struct session *t)
{
    struct wire *w = session_wire(t, 0), *stranger;

    if (t->protocol == 3)
        return;
    is_str(wire_call(w, "CONFIG SET requirepass secret"), "+OK", "a password");
    stranger = session_wire(t, 1);
    is_str(wire_call(stranger, "WHEN ABSENT k DO SET k 1"), "-NOAUTH Authentication required.",
           "who has not told it");
    is_str(wire_call(stranger, "WHEN ABSENT k DO AUTH secret"),
           "-ERR 'auth' cannot be run by 'when'", "and cannot in this way");
    is_str(wire_call(w, "CONFIG SET requirepass ''"), "+OK", "none");
    is_like(wire_call(stranger, "SUBSCRIBE c"), "'subscribe'", "a subscriber");
    is_like(wire_call(stranger, "WHEN ABSENT k DO SET k 1"), "-ERR Can't execute 'when'",
            "neither");
    is_int(wire_int(w, "EXISTS k"), 0, "nothing is written");
}

static const struct wire_case statistics[] = {
    {"CONFIG RESETSTAT", "+OK"},
    {"WHEN ABSENT k DO SET k 1", "+OK"},
    {"WHEN ABSENT k DO SET k 1", IS_THERE},
    {"WHEN EXISTS k DO INCR k x", "-ERR wrong number of arguments for 'incr' command"},
    {"WHEN EXISTS k DO LPOP k", WRONGTYPE},
    {"WHEN EXISTS k DO INCR k", ":2"},
    {"INFO commandstats",
     "/cmdstat_when:calls=4,usec=[0-9]+,usec_per_call=[0-9.]+,rejected_calls=1,failed_calls=2"},
    {"INFO commandstats",
     "/cmdstat_set:calls=1,usec=[0-9]+,usec_per_call=[0-9.]+,rejected_calls=0,failed_calls=0"},
    {"INFO commandstats",
     "/cmdstat_lpop:calls=1,usec=[0-9]+,usec_per_call=[0-9.]+,rejected_calls=0,failed_calls=1"},
    {"INFO commandstats",
     "/cmdstat_incr:calls=1,usec=[0-9]+,usec_per_call=[0-9.]+,rejected_calls=0,failed_calls=0"},
    {"INFO errorstats", "/errorstat_ABSENT:count=1"},
    {"INFO errorstats", "/errorstat_WRONGTYPE:count=1"},
    {"INFO errorstats", "/errorstat_ERR:count=1"},
    {"INFO stats", "/total_error_replies:3"},
};

static const struct wire_case seen_by_others[] = {
    {"PING", "+PONG"},
    {"@1 MONITOR", "+OK"},
    {"WHEN ABSENT k DO SET k 1", "+OK"},
    {"@1", "/^\\+.* .0 .*. \"WHEN\" \"ABSENT\" \"k\" \"DO\" \"SET\" \"k\" \"1\"$"},
    {"PING", "+PONG"},
    {"@1", "/\"PING\"$"},
    {"CONFIG SET notify-keyspace-events KA", "+OK"},
    {"@2 PSUBSCRIBE __keyspace@0__:*", ">['psubscribe' '__keyspace@0__:*' :1]"},
    {"WHEN EXISTS k DO EXPIRE k 100", ":1"},
    {"@2", ">['pmessage' '__keyspace@0__:*' '__keyspace@0__:k' 'expire']"},
    {"WHEN ABSENT k DO SET k 2", IS_THERE},
    {"WHEN EXISTS k DO SET k 2 EX 100", "+OK"},
    {"@2", ">['pmessage' '__keyspace@0__:*' '__keyspace@0__:k' 'set']"},
    {"@2", ">['pmessage' '__keyspace@0__:*' '__keyspace@0__:k' 'expire']"},
    {"CONFIG SET notify-keyspace-events ''", "+OK"},
};

/* Only what the inner command reads is remembered, and what it changes is told. */
static void caching(struct session *t)
{
    struct wire *w = session_wire(t, 0), *reader;

    if (t->protocol < 3)
        return;
    reader = session_wire(t, 1);
    wire_call(w, "MSET k 1 l 2");
    is_str(wire_call(reader, "CLIENT TRACKING ON"), "+OK", "caching");
    is_str(wire_call(reader, "WHEN EXISTS l DO GET k"), "'1'", "read");
    wire_call(w, "SET l 3");
    is_str(wire_call(w, "WHEN EXISTS k DO SET k 2"), "+OK", "changed");
    is_str(wire_read(reader), ">['invalidate' ['k']]", "told of that alone");
}

/* More keys than most have, and values that are read into allocations of their own. */
static void many_keys(struct session *t)
{
    enum { PAIRS = 100, WORDS = 5 + 2 * PAIRS, KEY_MAX = 16 };
    static const char *args[WORDS] = {"WHEN", "ABSENT", "k:5", "DO", "MSET"};
    static char keys[PAIRS][KEY_MAX];
    size_t lens[WORDS];
    struct wire *w = session_wire(t, 0);

    for (int i = 0; i < PAIRS; i++) {
        snprintf(keys[i], KEY_MAX, "k:%d", i);
        args[5 + i * 2] = keys[i];
        args[6 + i * 2] = "value";
    }
    for (int i = 0; i < WORDS; i++)
        lens[i] = strlen(args[i]);
    wire_send_args(w, WORDS, args, lens);
    is_str(wire_read(w), "+OK", "%d keys", PAIRS);
    is_int(wire_int(w, "DBSIZE"), PAIRS, "all set");
    wire_send_args(w, WORDS, args, lens);
    is_str(wire_read(w), IS_THERE, "once");
}

/* One within the other. */
static void nested(struct session *t)
{
    enum { DEEP = 50000, WORDS = 2 + 4 * DEEP };
    static const char *args[WORDS] = {"COMMAND", "GETKEYS"};
    static size_t lens[WORDS];
    static const char *const words[] = {"WHEN", "ABSENT", "k", "DO"};
    struct wire *w = session_wire(t, 0);

    for (int i = 2; i < WORDS; i++)
        args[i] = words[(i - 2) % 4];
    for (int i = 0; i < WORDS; i++)
        lens[i] = strlen(args[i]);
    wire_send_args(w, WORDS - 3, args + 2, lens + 2);
    is_str(wire_read(w), "-ERR 'when' cannot be run by 'when'", "%d levels", DEEP);
    wire_send_args(w, WORDS - 1, args, lens);
    is_str(wire_read(w), "['k']", "the keys of the first are told");
}

static void long_values(struct session *t)
{
    enum { LONG = 100000 };
    static char value[LONG];
    const char *args[] = {"WHEN", "ABSENT", "k", "DO", "SET", "k", value};
    const size_t lens[] = {4, 6, 1, 2, 3, 1, LONG};
    struct wire *w = session_wire(t, 0);

    memset(value, 'x', LONG);
    for (int queued = 0; queued < 2; queued++) {
        if (queued)
            wire_call(w, "MULTI");
        for (int i = 0; i < 2; i++) {
            wire_send_args(w, 7, args, lens);
            is_str(wire_read(w), queued ? "+QUEUED" : i ? IS_THERE : "+OK", "a long value");
        }
        if (queued)
            is_str(wire_call(w, "EXEC"), "[+OK " IS_THERE "]", "in a transaction");
        is_int(wire_int(w, "STRLEN k"), LONG, "is there");
        wire_call(w, "DEL k");
    }
}

static const struct group groups[] = {
    NEW_TABLE(conditions),
    NEW_TABLE(arguments),
    NEW_TABLE(any_command),
    NEW_TABLE(nothing_to_wait_for),
    NEW_TABLE(in_transactions),
    NEW_TABLE(introspection),
    NEW_TABLE(gates),
    NEW_TEST(who_may_not),
    NEW_TABLE(statistics),
    NEW_TABLE(seen_by_others),
    NEW_TEST(caching),
    NEW_TEST(many_keys),
    NEW_TEST(long_values),
    NEW_TEST(nested),
    {NULL},
};

int main(void)
{
    static const int threads[] = {1, 4, 0};

    return session_main("when", "--enable-debug-command yes", threads, groups);
}
