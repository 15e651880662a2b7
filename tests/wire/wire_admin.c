/*
 * Administration: CONFIG, COMMAND, SLOWLOG, LATENCY, MEMORY, DEBUG and the small ones.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/lib/raw.h"
#include "tests/lib/tap.h"
#include "tests/lib/wire.h"

static const struct wire_case config_get[] = {
    {"CONFIG GET maxmemory", "{'maxmemory' '0'}"},
    {"CONFIG GET MAXMEMORY", "{'MAXMEMORY' '0'}"},
    {"CONFIG GET nosuchthing", "{}"},
    {"CONFIG GET maxmemory timeout", "%{'0' '0' 'maxmemory' 'timeout'}"},
    {"CONFIG GET maxmemory maxmemory", "{'maxmemory' '0'}"},
    {"CONFIG GET maxmemory-sample*", "{'maxmemory-samples' '5'}"},
    {"CONFIG GET maxmemory-s?mples timeout", "%{'0' '5' 'maxmemory-samples' 'timeout'}"},
    {"CONFIG GET databases", "{'databases' '16'}"},
    {"CONFIG GET appendonly", "{'appendonly' 'no'}"},
    {"CONFIG GET save", "{'save' ''}"},
    {"CONFIG GET maxclients", "{'maxclients' '10000'}"},
    {"CONFIG GET tcp-keepalive", "{'tcp-keepalive' '300'}"},
    {"CONFIG GET timeout", "{'timeout' '0'}"},
    {"CONFIG GET proto-max-bulk-len", "{'proto-max-bulk-len' '536870912'}"},
    {"CONFIG GET client-query-buffer-limit", "{'client-query-buffer-limit' '1073741824'}"},
    {"CONFIG GET client-output-buffer-limit",
     "{'client-output-buffer-limit' 'normal 0 0 0 slave 268435456 67108864 60 pubsub 33554432 "
     "8388608 60'}"},
    {"CONFIG GET maxmemory-policy", "{'maxmemory-policy' 'noeviction'}"},
    {"CONFIG GET hz", "{'hz' '10'}"},
    {"CONFIG GET slowlog*", "%{'10000' '128' 'slowlog-log-slower-than' 'slowlog-max-len'}"},
    {"CONFIG GET lfu-*", "%{'1' '10' 'lfu-decay-time' 'lfu-log-factor'}"},
    {"CONFIG GET notify-keyspace-events", "{'notify-keyspace-events' ''}"},
    {"CONFIG GET requirepass", "{'requirepass' ''}"},
    {"CONFIG GET bind", "/bind"},
    {"CONFIG GET *", "/'maxmemory-policy'"},
    {"CONFIG GET", "-ERR wrong number of arguments for 'config|get' command"},
};

static const struct wire_case config_set[] = {
    {"CONFIG SET maxmemory 100mb", "+OK"},
    {"CONFIG GET maxmemory", "{'maxmemory' '104857600'}"},
    {"CONFIG SET maxmemory 1gb", "+OK"},
    {"CONFIG GET maxmemory", "{'maxmemory' '1073741824'}"},
    {"CONFIG SET maxmemory 1k", "+OK"},
    {"CONFIG GET maxmemory", "{'maxmemory' '1000'}"},
    {"CONFIG SET maxmemory 1kb", "+OK"},
    {"CONFIG GET maxmemory", "{'maxmemory' '1024'}"},
    {"CONFIG SET maxmemory 0", "+OK"},
    {"CONFIG SET maxmemory -1",
     "-ERR CONFIG SET failed (possibly related to argument 'maxmemory') - argument must be a "
     "memory value"},
    {"CONFIG SET maxmemory abc",
     "-ERR CONFIG SET failed (possibly related to argument 'maxmemory') - argument must be a "
     "memory value"},
    {"CONFIG SET maxmemory 1xb",
     "-ERR CONFIG SET failed (possibly related to argument 'maxmemory') - argument must be a "
     "memory value"},
    {"CONFIG SET timeout 30 maxmemory-samples 7", "+OK"},
    {"CONFIG GET timeout maxmemory-samples", "%{'30' '7' 'maxmemory-samples' 'timeout'}"},
    {"CONFIG SET timeout 40 maxmemory-samples bogus",
     "-ERR CONFIG SET failed (possibly related to argument 'maxmemory-samples') - argument "
     "couldn't be parsed into an integer"},
    {"CONFIG GET timeout maxmemory-samples", "%{'30' '7' 'maxmemory-samples' 'timeout'}"},
    {"CONFIG SET timeout 40 nosuchthing 1",
     "-ERR Unknown option or number of arguments for CONFIG SET - 'nosuchthing'"},
    {"CONFIG GET timeout", "{'timeout' '30'}"},
    {"CONFIG SET timeout 40 timeout 50",
     "-ERR CONFIG SET failed (possibly related to argument 'timeout') - duplicate parameter"},
    {"CONFIG SET timeout", "-ERR wrong number of arguments for 'config|set' command"},
    {"CONFIG SET timeout 40 hz", "-ERR syntax error"},
    {"CONFIG SET", "-ERR wrong number of arguments for 'config|set' command"},
    {"CONFIG SET nosuchthing x",
     "-ERR Unknown option or number of arguments for CONFIG SET - 'nosuchthing'"},
    {"CONFIG SET timeout -1",
     "-ERR CONFIG SET failed (possibly related to argument 'timeout') - argument must be "
     "between 0 and 2147483647 inclusive"},
    {"CONFIG SET timeout 99999999999",
     "-ERR CONFIG SET failed (possibly related to argument 'timeout') - argument must be "
     "between 0 and 2147483647 inclusive"},
    {"CONFIG SET maxmemory-samples 0",
     "-ERR CONFIG SET failed (possibly related to argument 'maxmemory-samples') - argument "
     "must be between 1 and 2147483647 inclusive"},
    {"CONFIG SET maxmemory-policy allkeys-lru", "+OK"},
    {"CONFIG GET maxmemory-policy", "{'maxmemory-policy' 'allkeys-lru'}"},
    {"CONFIG SET maxmemory-policy ALLKEYS-LFU", "+OK"},
    {"CONFIG GET maxmemory-policy", "{'maxmemory-policy' 'allkeys-lfu'}"},
    {"CONFIG SET maxmemory-policy bogus",
     "-ERR CONFIG SET failed (possibly related to argument 'maxmemory-policy') - argument(s) "
     "must be one of the following: volatile-lru, volatile-lfu, volatile-random, "
     "volatile-ttl, allkeys-lru, allkeys-lfu, allkeys-random, noeviction"},
    {"CONFIG SET maxmemory-policy noeviction", "+OK"},
    {"CONFIG SET lazyfree-lazy-user-del maybe",
     "-ERR CONFIG SET failed (possibly related to argument 'lazyfree-lazy-user-del') - "
     "argument must be 'yes' or 'no'"},
    {"CONFIG SET lazyfree-lazy-user-del YES", "+OK"},
    {"CONFIG GET lazyfree-lazy-user-del", "{'lazyfree-lazy-user-del' 'yes'}"},
    {"CONFIG SET lazyfree-lazy-user-del no", "+OK"},
    {"CONFIG SET databases 20",
     "-ERR CONFIG SET failed (possibly related to argument 'databases') - can't set immutable "
     "config"},
    {"CONFIG SET port abc",
     "-ERR CONFIG SET failed (possibly related to argument 'port') - argument couldn't be "
     "parsed into an integer"},
    {"CONFIG SET client-output-buffer-limit \"normal 1mb 0 0\"", "+OK"},
    {"CONFIG GET client-output-buffer-limit",
     "{'client-output-buffer-limit' 'normal 1048576 0 0 slave 268435456 67108864 60 pubsub "
     "33554432 8388608 60'}"},
    {"CONFIG SET client-output-buffer-limit \"normal 0 0 0 pubsub 64mb 16mb 30\"", "+OK"},
    {"CONFIG GET client-output-buffer-limit",
     "{'client-output-buffer-limit' 'normal 0 0 0 slave 268435456 67108864 60 pubsub 67108864 "
     "16777216 30'}"},
    {"CONFIG SET client-output-buffer-limit \"normal 0 0\"",
     "-ERR CONFIG SET failed (possibly related to argument 'client-output-buffer-limit') - "
     "Wrong number of arguments in buffer limit configuration."},
    {"CONFIG SET client-output-buffer-limit \"bogus 0 0 0\"",
     "-ERR CONFIG SET failed (possibly related to argument 'client-output-buffer-limit') - "
     "Invalid client class specified in buffer limit configuration."},
    {"CONFIG SET client-output-buffer-limit \"normal a b c\"",
     "-ERR CONFIG SET failed (possibly related to argument 'client-output-buffer-limit') - "
     "Error in hard, soft or soft_seconds setting in buffer limit configuration."},
    {"CONFIG SET client-output-buffer-limit \"pubsub 32mb 8mb 60\"", "+OK"},
    {"CONFIG SET slowlog-log-slower-than -1", "+OK"},
    {"CONFIG GET slowlog-log-slower-than", "{'slowlog-log-slower-than' '-1'}"},
    {"CONFIG SET slowlog-log-slower-than 10000", "+OK"},
    {"CONFIG SET hz 1", "+OK"},
    {"CONFIG GET hz", "{'hz' '1'}"},
    {"CONFIG SET hz 1000", "+OK"},
    {"CONFIG GET hz", "{'hz' '500'}"},
    {"CONFIG SET hz 10", "+OK"},
    {"CONFIG SET tcp-keepalive 100", "+OK"},
    {"CONFIG SET tcp-keepalive 300", "+OK"},
    {"CONFIG SET loglevel verbose", "+OK"},
    {"CONFIG GET loglevel", "{'loglevel' 'verbose'}"},
    {"CONFIG SET loglevel bogus",
     "-ERR CONFIG SET failed (possibly related to argument 'loglevel') - argument(s) must be "
     "one of the following: debug, verbose, notice, warning"},
    {"CONFIG SET loglevel notice", "+OK"},
    {"CONFIG SET save \"\"", "+OK"},
    {"CONFIG GET save", "{'save' ''}"},
    {"CONFIG SET save \"100 10 60 1000\"", "+OK"},
    {"CONFIG GET save", "{'save' '100 10 60 1000'}"},
    {"CONFIG SET save \"abc\"",
     "-ERR CONFIG SET failed (possibly related to argument 'save') - Invalid save parameters"},
    {"CONFIG SET save \"\"", "+OK"},
    {"CONFIG SET timeout 0 maxmemory-samples 5", "+OK"},
    {"CONFIG BOGUS", "-ERR unknown subcommand 'BOGUS'. Try CONFIG HELP."},
    {"CONFIG HELP", "/^\\[\\+CONFIG <subcommand>"},
    {"CONFIG RESETSTAT", "+OK"},
    {"CONFIG RESETSTAT x", "-ERR wrong number of arguments for 'config|resetstat' command"},
    {"CONFIG REWRITE x", "-ERR wrong number of arguments for 'config|rewrite' command"},
    {"CONFIG REWRITE", "-ERR The server is running without a config file"},
};

static const struct wire_case command_info[] = {
    {"COMMAND COUNT", "/^:[1-9][0-9]+$"},
    {"COMMAND INFO get",
     "/^\\[\\['get' :2 ~?\\[\\+readonly \\+fast\\] :1 :1 :1 ~?\\[.*\\+@read.*\\] .* "
     "'begin_search' .'type' 'index' 'spec' .'index' :1.. 'find_keys' .'type' 'range' 'spec' "
     ".'lastkey' :0 'keystep' :1 'limit' :0...\\] ~?\\[\\]\\]\\]$"},
    {"COMMAND INFO set GET nosuchcommand",
     "/^\\[\\['set' :-3 ~?\\[\\+write \\+denyoom\\] :1 :1 :1 .*\\] \\['get' :2 .*\\] "
     "nil\\*?\\]$"},
    {"COMMAND INFO getex", "/^\\[\\['getex' .* ~?\\[.'notes' 'RW and UPDATE because it changes the "
                           "TTL' 'flags' ~?\\[.RW"},
    {"COMMAND INFO del",
     "/^\\[\\['del' :-2 ~?\\[\\+write\\] :1 :-1 :1 .*\\+RM \\+delete.*'lastkey' :-1 "
     "'keystep' :1"},
    {"COMMAND INFO mset",
     "/^\\[\\['mset' :-3 ~?\\[\\+write \\+denyoom\\] :1 :-1 :2 .*\\+OW \\+update.*'lastkey' "
     ":-1 'keystep' :2"},
    {"COMMAND INFO config|get",
     "/^\\[\\['config.get' :-3 ~?\\[\\+admin \\+noscript \\+loading \\+stale\\] :0 :0 :0 "
     ".*\\+@admin"},
    {"COMMAND INFO ping", "/^\\[\\['ping' :-1 ~?\\[\\+fast\\] :0 :0 :0 ~?\\[.*\\+@connection"},
    {"COMMAND INFO subscribe",
     "/^\\[\\['subscribe' :-2 ~?\\[\\+pubsub \\+noscript \\+loading \\+stale\\] :0 :0 :0"},
    {"COMMAND INFO bitop",
     "/^\\[\\['bitop' :-4 ~?\\[\\+write \\+denyoom\\] :2 :-1 :1 .*'index' :2.*'index' :3"},
    {"COMMAND INFO rename",
     "/^\\[\\['rename' :3 ~?\\[\\+write\\] :1 :2 :1 .*\\+RW \\+access \\+delete.*\\+OW "
     "\\+update"},
    {"COMMAND INFO expire",
     "/^\\[\\['expire' :-3 ~?\\[\\+write \\+fast\\] :1 :1 :1 .*\\+RW \\+update"},
    {"COMMAND INFO config", "/^\\[\\['config' :-2"},
    {"COMMAND LIST FILTERBY PATTERN xgetx*", "[]"},
    {"COMMAND LIST FILTERBY PATTERN getb*", "['getbit']"},
    {"COMMAND LIST FILTERBY PATTERN config|*",
     "%['config|get' 'config|help' 'config|resetstat' 'config|rewrite' 'config|set']"},
    {"COMMAND LIST FILTERBY ACLCAT bogus", "[]"},
    {"COMMAND LIST FILTERBY MODULE bogus", "[]"},
    {"COMMAND LIST FILTERBY BOGUS x", "-ERR syntax error"},
    {"COMMAND LIST FILTERBY", "-ERR syntax error"},
    {"COMMAND LIST x", "-ERR syntax error"},
    {"COMMAND GETKEYS SET k v", "['k']"},
    {"COMMAND GETKEYS MSET a 1 b 2", "['a' 'b']"},
    {"COMMAND GETKEYS MGET a b c", "['a' 'b' 'c']"},
    {"COMMAND GETKEYS BITOP AND d a b", "['d' 'a' 'b']"},
    {"COMMAND GETKEYS RENAME a b", "['a' 'b']"},
    {"COMMAND GETKEYS PING", "-ERR wrong number of arguments for 'command|getkeys' command"},
    {"COMMAND GETKEYS NOSUCH x", "-ERR Invalid command specified"},
    {"COMMAND GETKEYS GET", "-ERR wrong number of arguments for 'command|getkeys' command"},
    {"COMMAND GETKEYS", "-ERR wrong number of arguments for 'command|getkeys' command"},
    {"COMMAND GETKEYSANDFLAGS SET k v", "[['k' ~[+OW +update]]]"},
    {"COMMAND GETKEYSANDFLAGS SET k v GET", "[['k' ~[+RW +access +update]]]"},
    {"COMMAND GETKEYSANDFLAGS GET k", "[['k' ~[+RO +access]]]"},
    {"COMMAND GETKEYSANDFLAGS MSET a 1 b 2", "[['a' ~[+OW +update]] ['b' ~[+OW +update]]]"},
    {"COMMAND GETKEYSANDFLAGS COPY a b", "[['a' ~[+RO +access]] ['b' ~[+OW +update]]]"},
    {"COMMAND GETKEYSANDFLAGS BITFIELD k GET u8 0", "[['k' ~[+RO +access]]]"},
    {"COMMAND GETKEYSANDFLAGS BITFIELD k SET u8 0 1", "[['k' ~[+RW +access +update]]]"},
    {"COMMAND GETKEYSANDFLAGS DEL a b", "[['a' ~[+RM +delete]] ['b' ~[+RM +delete]]]"},
    {"COMMAND GETKEYSANDFLAGS PING",
     "-ERR wrong number of arguments for 'command|getkeysandflags' command"},
    {"COMMAND DOCS nosuch", "{}"},
    {"COMMAND DOCS get", "/^.'get' .'summary' '"},
    {"COMMAND BOGUS", "-ERR unknown subcommand 'BOGUS'. Try COMMAND HELP."},
    {"COMMAND HELP", "/^\\[\\+COMMAND <subcommand>"},
    {"COMMAND COUNT x", "-ERR wrong number of arguments for 'command|count' command"},
};

/* Passwords are not kept, whatever stands around them. */
static const struct wire_case slowlog_secrets[] = {
    {"CONFIG SET slowlog-log-slower-than 0", "+OK"},
    {"CONFIG SET maxmemory 0 requirepass \"\" appendonly no", "+OK"},
    {"SLOWLOG GET 1", "/\\['CONFIG' 'SET' 'maxmemory' '0' 'requirepass' '.redacted.' "
                      "'appendonly' 'no'\\]"},
    {"HELLO 2 AUTH default secret SETNAME x", "/'server'"},
    {"SLOWLOG GET 1", "/\\['HELLO' '2' 'AUTH' '.redacted.' '.redacted.' 'SETNAME' 'x'\\]"},
    {"AUTH default secret", "+OK"},
    {"SLOWLOG GET 1", "/\\['AUTH' '.redacted.' '.redacted.'\\]"},
    {"CONFIG SET slowlog-log-slower-than 10000", "+OK"},
};

static const struct wire_case slowlog[] = {
    {"CONFIG SET slowlog-log-slower-than 0", "+OK"},
    {"SLOWLOG RESET", "+OK"},
    {"PING hello", "'hello'"},
    {"CONFIG SET slowlog-log-slower-than -1", "+OK"},
    {"SLOWLOG LEN", ":2"},
    {"SLOWLOG GET 1", "/^\\[\\[:[0-9]+ :[0-9]+ :[0-9]+ \\['PING' 'hello'\\] '[^']*' ''\\]\\]$"},
    {"SLOWLOG GET",
     "/\\['PING' 'hello'\\] '[^']*' ''\\] \\[:[0-9]+ :[0-9]+ :[0-9]+ \\['SLOWLOG' 'RESET'\\]"},
    {"SLOWLOG GET -1", "/\\['PING' 'hello'\\]"},
    {"SLOWLOG GET 0", "[]"},
    {"SLOWLOG GET -2", "-ERR count should be greater than or equal to -1"},
    {"SLOWLOG GET abc", "-ERR count should be greater than or equal to -1"},
    {"SLOWLOG RESET", "+OK"},
    {"SLOWLOG LEN", ":0"},
    {"SLOWLOG GET", "[]"},
    {"SLOWLOG BOGUS", "-ERR unknown subcommand 'BOGUS'. Try SLOWLOG HELP."},
    {"SLOWLOG", "-ERR wrong number of arguments for 'slowlog' command"},
    {"SLOWLOG LEN x", "-ERR wrong number of arguments for 'slowlog|len' command"},
    {"SLOWLOG HELP", "/^\\[\\+SLOWLOG <subcommand>"},
    {"CONFIG SET slowlog-log-slower-than 10000", "+OK"},
};

static const struct wire_case latency[] = {
    {"CONFIG SET latency-monitor-threshold 1", "+OK"},
    {"LATENCY RESET", "/^:[0-9]+$"},
    {"DEBUG SLEEP 0.01", "+OK"},
    {"CONFIG SET latency-monitor-threshold 0", "+OK"},
    {"LATENCY LATEST", "/\\['command' :[0-9]+ :[0-9]+ :[0-9]+\\]"},
    {"LATENCY HISTORY command", "/^\\[\\[:[0-9]+ :[0-9]+\\].*\\]$"},
    {"LATENCY HISTORY nothing", "[]"},
    {"LATENCY RESET command nothing", ":1"},
    {"LATENCY HISTORY command", "[]"},
    {"LATENCY RESET", "/^:[0-9]+$"},
    {"LATENCY LATEST", "[]"},
    {"LATENCY RESET", ":0"},
    {"LATENCY HISTOGRAM nosuch", "{}"},
    {"LATENCY HISTOGRAM ping", "/'ping' .'calls' :[0-9]+ 'histogram_usec' .(:[0-9]+ :[0-9]+ ?)+"},
    {"LATENCY GRAPH nothing", "-ERR No samples available for event 'nothing'"},
    {"LATENCY DOCTOR", "/[Ll]atency"},
    {"LATENCY BOGUS", "-ERR unknown subcommand 'BOGUS'. Try LATENCY HELP."},
    {"LATENCY HISTORY", "-ERR wrong number of arguments for 'latency|history' command"},
    {"LATENCY", "-ERR wrong number of arguments for 'latency' command"},
    {"LATENCY HELP", "/^\\[\\+LATENCY <subcommand>"},
};

static const struct wire_case memory_and_object[] = {
    {"SET k v", "+OK"},
    {"MEMORY USAGE k", "/^:[1-9][0-9]+$"},
    {"MEMORY USAGE nokey", "nil"},
    {"MEMORY USAGE k SAMPLES 5", "/^:[1-9][0-9]+$"},
    {"MEMORY USAGE k SAMPLES", "-ERR syntax error"},
    {"MEMORY USAGE k SAMPLES abc", "-ERR value is not an integer or out of range"},
    {"MEMORY USAGE k BOGUS 1", "-ERR syntax error"},
    {"MEMORY USAGE", "-ERR wrong number of arguments for 'memory|usage' command"},
    {"MEMORY STATS",
     "/'peak\\.allocated' :[0-9]+ 'total\\.allocated' :[0-9]+ 'startup\\.allocated' :[0-9]+ "
     ".*'keys\\.count' :1"},
    {"MEMORY DOCTOR", "/^(=txt:)?'.+'$"},
    {"MEMORY PURGE", "+OK"},
    {"MEMORY BOGUS", "-ERR unknown subcommand 'BOGUS'. Try MEMORY HELP."},
    {"MEMORY", "-ERR wrong number of arguments for 'memory' command"},
    {"MEMORY HELP", "/^\\[\\+MEMORY <subcommand>"},
    {"CONFIG SET maxmemory-policy allkeys-lfu", "+OK"},
    {"SET k v", "+OK"},
    {"OBJECT FREQ k", "/^:[0-9]+$"},
    {"OBJECT IDLETIME k",
     "-ERR An LFU maxmemory policy is selected, idle time not tracked. Please note that when "
     "switching between policies at runtime LRU and LFU data will take some time to adjust."},
    {"CONFIG SET maxmemory-policy noeviction", "+OK"},
};

static const struct wire_case debug[] = {
    {"DEBUG SLEEP 0", "+OK"},
    {"DEBUG SLEEP 0.01", "+OK"},
    {"DEBUG SET-ACTIVE-EXPIRE 0", "+OK"},
    {"SET short v PX 1", "+OK"},
    {"~20"},
    {"DBSIZE", ":1"},
    {"GET short", "nil"},
    {"DBSIZE", ":0"},
    {"DEBUG SET-ACTIVE-EXPIRE 1", "+OK"},
    {"SET k v", "+OK"},
    {"DEBUG OBJECT k",
     "/^\\+Value at:.* refcount:1 encoding:embstr serializedlength:[0-9]+ lru:[0-9]+ "
     "lru_seconds_idle:[0-9]+"},
    {"DEBUG OBJECT nokey", "-ERR no such key"},
    {"DEBUG BOGUS",
     "-ERR unknown subcommand or wrong number of arguments for 'BOGUS'. Try DEBUG HELP."},
    {"DEBUG", "-ERR wrong number of arguments for 'debug' command"},
    {"DEBUG JMAP",
     "-ERR unknown subcommand or wrong number of arguments for 'JMAP'. Try DEBUG HELP."},
    {"DEBUG HELP", "/^\\[\\+DEBUG <subcommand>"},
    {"DEBUG SLEEP",
     "-ERR unknown subcommand or wrong number of arguments for 'SLEEP'. Try DEBUG HELP."},
};

static const struct wire_case time_lolwut_and_others[] = {
    {"TIME", "/^\\['[0-9]{10}' '[0-9]{1,6}'\\]$"},
    {"TIME x", "-ERR wrong number of arguments for 'time' command"},
    {"LOLWUT", "/^(=txt:)?'.+'$"},
    {"LOLWUT VERSION 5 1 1 1", "/^(=txt:)?'.+'$"},
    {"SHUTDOWN BOGUS", "-ERR syntax error"},
    {"SHUTDOWN NOSAVE SAVE", "-ERR syntax error"},
    {"SHUTDOWN ABORT", "-ERR No shutdown in progress."},
    {"SHUTDOWN ABORT NOW", "-ERR syntax error"},
    {"SHUTDOWN NOW FORCE NOSAVE SAVE", "-ERR syntax error"},
    {"DBSIZE", ":0"},
};

/* Latchkey keeps this one, which Redis 7.0 has given up. */
static const struct wire_case string_match[] = {
    {"DEBUG STRINGMATCH-LEN 1000 *a*b*c*d*e*f*g*h*i*", ":0"},
    {"DEBUG STRINGMATCH-LEN 1000 *", ":1"},
};

static void command_replies(struct session *t)
{
    struct wire *w = session_wire(t, 0);
    struct answer *all, *list;
    long long count = wire_int(w, "COMMAND COUNT");

    wire_send(w, "COMMAND");
    all = wire_next(w, RAW_TIMEOUT_MS);
    is_int(all != NULL ? all->count : -1, count, "admin RESP%d: COMMAND has all commands",
           t->protocol);
    wire_send(w, "COMMAND LIST");
    list = wire_next(w, RAW_TIMEOUT_MS);
    ok(list != NULL && list->count > count, "admin RESP%d: COMMAND LIST has subcommands too",
       t->protocol);
    answer_free(all);
    answer_free(list);
    wire_send(w, "COMMAND DOCS");
    all = wire_next(w, RAW_TIMEOUT_MS);
    is_int(all != NULL ? all->count / 2 : -1, count, "admin RESP%d: COMMAND DOCS too", t->protocol);
    answer_free(all);
    is_like(wire_call(w, "COMMAND DOCS set"),
            "'summary' '[^']+' 'since' '1.0.0' 'group' 'string' 'complexity' 'O\\(1\\)'.*"
            "'arguments' \\[.'name' 'key' 'type' 'key'.* 'key_spec_index' :0",
            "admin RESP%d: COMMAND DOCS of one", t->protocol);
}

static void slow_commands_are_logged(struct session *t)
{
    CASES(t, "SLOWLOG of slow commands", {"CONFIG SET slowlog-log-slower-than 5000", "+OK"},
          {"CONFIG SET slowlog-max-len 2", "+OK"}, {"SLOWLOG RESET", "+OK"}, {"PING", "+PONG"},
          {"DEBUG SLEEP 0.011", "+OK"}, {"DEBUG SLEEP 0.012", "+OK"}, {"DEBUG SLEEP 0.013", "+OK"},
          {"CONFIG SET slowlog-log-slower-than -1", "+OK"}, {"SLOWLOG LEN", ":2"},
          {"SLOWLOG GET", "/^\\[\\[:[0-9]+ :[0-9]+ :[0-9]{5,} \\['DEBUG' 'SLEEP' '0.013'\\].*"
                          "'0.012'\\] '[^']*' ''\\]\\]$"},
          {"CONFIG SET slowlog-max-len 128", "+OK"},
          {"CONFIG SET slowlog-log-slower-than 10000", "+OK"}, {"SLOWLOG RESET", "+OK"});
}

/* Long commands are cut: 32 arguments, 128 bytes each. */
static void slowlog_is_short(struct session *t)
{
    struct wire *w = session_wire(t, 0);
    char line[2000] = "MGET";

    for (int i = 0; i < 40; i++)
        snprintf(line + strlen(line), sizeof(line) - strlen(line), " k%d", i);
    wire_call(w, "SLOWLOG RESET");
    wire_call(w, "CONFIG SET slowlog-log-slower-than 0");
    wire_call(w, line);
    is_like(wire_call(w, "SLOWLOG GET 1"), "'k29' '\\.\\.\\. \\(10 more arguments\\)'\\]",
            "admin RESP%d: SLOWLOG of many arguments", t->protocol);
    wire_callf(w, "ECHO %0200d", 0);
    is_like(wire_call(w, "SLOWLOG GET 1"), "'0{128}\\.\\.\\. \\(72 more bytes\\)'\\]",
            "admin RESP%d: SLOWLOG of a long argument", t->protocol);
    wire_call(w, "CONFIG SET slowlog-log-slower-than 10000");
}

/* The figures that DEBUG and MEMORY give of one key grow with it. */
static void memory_usage_grows(struct session *t)
{
    struct wire *w = session_wire(t, 0);
    long long small, large;

    wire_call(w, "SET small v");
    wire_callf(w, "SET large %010000d", 0);
    small = wire_int(w, "MEMORY USAGE small");
    large = wire_int(w, "MEMORY USAGE large");
    ok(small >= 16 && small < 200, "admin RESP%d: MEMORY USAGE of a small value", t->protocol);
    ok(large >= 10000 && large < 13000, "admin RESP%d: MEMORY USAGE of a large value", t->protocol);
}

static const struct group groups[] = {
    TABLE(config_get),
    TABLE(config_set),
    TABLE(command_info),
    TABLE(slowlog_secrets),
    TABLE(slowlog),
    TABLE(latency),
    TABLE(memory_and_object),
    TABLE(debug),
    TABLE(time_lolwut_and_others),
    NEW_TABLE(string_match),
    TEST(command_replies),
    TEST(slow_commands_are_logged),
    TEST(slowlog_is_short),
    TEST(memory_usage_grows),
    {NULL},
};

int main(void)
{
    static const int threads[] = {1, 4, 0};

    return session_main("admin", "--enable-debug-command yes", threads, groups);
}
