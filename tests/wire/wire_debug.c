/*
 * DEBUG, SHUTDOWN and small ones: replies of each kind, digests, keys made in numbers, who may, and
 * the end.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/lib/raw.h"
#include "tests/lib/tap.h"
#include "tests/lib/wire.h"

#define ZEROS "0000000000000000000000000000000000000000"
#define UNKNOWN(name)                                                                              \
    "-ERR unknown subcommand or wrong number of arguments for '" name "'. Try DEBUG HELP."

static const struct wire_case protocol[] = {
    {"DEBUG PROTOCOL string", "'Hello World'"},
    {"DEBUG PROTOCOL integer", ":12345"},
    {"DEBUG PROTOCOL double", ",3.141"},
    {"DEBUG PROTOCOL bignum", "(1234567999999999999999999999999999999",
     "'1234567999999999999999999999999999999'"},
    {"DEBUG PROTOCOL null", "nil"},
    {"DEBUG PROTOCOL array", "[:0 :1 :2]"},
    {"DEBUG PROTOCOL set", "~[:0 :1 :2]"},
    {"DEBUG PROTOCOL map", "{:0 #f :1 #t :2 #f}"},
    {"DEBUG PROTOCOL attrib",
     "|{'key-popularity' ['key:123' :90]} 'Some real reply following the attribute'",
     "'Some real reply following the attribute'"},
    {"DEBUG PROTOCOL verbatim", "=txt:'This is a verbatim\\nstring'"},
    {"DEBUG PROTOCOL true", "#t"},
    {"DEBUG PROTOCOL FALSE", "#f"},
    {"DEBUG PROTOCOL nope", "/^-ERR Wrong protocol type name\\."},
    {"DEBUG PROTOCOL", UNKNOWN("PROTOCOL")},
};

static void push(struct session *t)
{
    struct wire *w = session_wire(t, 0);

    if (t->protocol == 2) {
        is_str(wire_call(w, "DEBUG PROTOCOL push"), "-ERR RESP2 is not supported by this command",
               "debug RESP2: no push");
        return;
    }
    is_str(wire_call(w, "DEBUG PROTOCOL push"), ">['server-cpu-usage' :42]", "debug RESP3: a push");
    is_str(wire_read(w), "'Some real reply following the push reply'", "debug RESP3: its reply");
}

static const struct wire_case words[] = {
    {"DEBUG ERROR 'MY own error'", "-MY own error"},
    {"DEBUG ERROR \"a\\r\\nb\"", "-a  b"},
    {"DEBUG ERROR", UNKNOWN("ERROR")},
    {"DEBUG LOG hello", "+OK"},
    {"DEBUG CHANGE-REPL-ID", "+OK"},
    {"DEBUG WAITING", "{'waiters' :0 'keys' :0 'places' :0 'tried' :0}"},
    {"DEBUG STRUCTSIZE", "/^'bits:64 [a-z]+:[0-9]+"},
    {"DEBUG PAUSE-CRON 1", "+OK"},
    {"PING", "+PONG"},
    {"DEBUG PAUSE-CRON 0", "+OK"},
    {"DEBUG QUICKLIST-PACKED-THRESHOLD 100b", "+OK"},
    {"DEBUG QUICKLIST-PACKED-THRESHOLD 5gb",
     "-ERR argument must be a memory value bigger than 1 and smaller than 4gb"},
    {"DEBUG QUICKLIST-PACKED-THRESHOLD 0", "+OK"},
    {"DEBUG REPLYBUFFER RESIZING 0", "+OK"},
    {"DEBUG REPLYBUFFER RESIZING 1", "+OK"},
    {"DEBUG REPLYBUFFER PEAK-RESET-TIME RESET", "+OK"},
    {"DEBUG REPLYBUFFER NOPE 1", UNKNOWN("REPLYBUFFER")},
    {"DEBUG SLEEP nonsense", "+OK"},
    {"DEBUG HELP x", UNKNOWN("HELP")},
};

static const struct wire_case data[] = {
    {"DEBUG DIGEST", "+" ZEROS},
    {"DEBUG DIGEST-VALUE", "[]"},
    {"DEBUG DIGEST-VALUE k", "[+" ZEROS "]"},
    {"DEBUG POPULATE 5", "+OK"},
    {"DBSIZE", ":5"},
    {"MGET key:0 key:4 key:5", "['value:0' 'value:4' nil]"},
    {"SET key:6 mine", "+OK"},
    {"DEBUG POPULATE 8 key 10", "+OK"},
    {"DBSIZE", ":8"},
    {"MGET key:0 key:6 key:7", "['value:0' 'mine' 'value:7\\x00\\x00\\x00']"},
    {"DEBUG POPULATE 2 p 3", "+OK"},
    {"MGET p:0 p:1", "['val' 'val']"},
    {"DEBUG POPULATE -1", "-ERR value is out of range, must be positive"},
    {"DEBUG POPULATE 1 p x", "-ERR value is out of range, must be positive"},
    {"DEBUG POPULATE 1 p 1 x", UNKNOWN("POPULATE")},
    {"DEBUG HTSTATS 0", "/^(=txt:)?'\\[Dictionary HT\\].*number of elements: .*\\[Expires HT\\]"},
    {"DEBUG HTSTATS 99", "-ERR Out of range database"},
    {"DEBUG HTSTATS x", "-ERR value is not an integer or out of range"},
    {"DEBUG HTSTATS-KEY key:0",
     "-ERR The value stored at the specified key is not represented using an hash table"},
    {"SADD integers 1 2 3", ":3"},
    {"DEBUG HTSTATS-KEY integers",
     "-ERR The value stored at the specified key is not represented using an hash table"},
    {"SADD members a b xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
     "xxxxxxxxxx",
     ":3"},
    {"DEBUG HTSTATS-KEY members",
     "/^(=txt:)?'Hash table 0 stats \\(main hash table\\):.* number of elements: 3[^0-9]"},
    {"DEBUG HTSTATS-KEY none", "-ERR no such key"},
    {"SET n 1000", "+OK"},
    {"DEBUG OBJECT n",
     "/^\\+Value at:0x[0-9a-f]+ refcount:[0-9]+ encoding:int serializedlength:3 "},
};

/* The reply, copied. */
static char *reply_of(struct wire *w, const char *line)
{
    return strdup(wire_call(w, line));
}

static bool changes(struct wire *w, char **digest, const char *line)
{
    char *old = *digest;
    bool changed;

    wire_call(w, line);
    *digest = reply_of(w, "DEBUG DIGEST");
    changed = strcmp(old, *digest) != 0;
    free(old);
    return changed;
}

/* Equal for equal data however it came to be, different for whatever is different. */
static void digests(struct session *t)
{
    struct wire *w = session_wire(t, 0);
    char *digest = reply_of(w, "DEBUG DIGEST"), *before;

    ok(changes(w, &digest, "MSET a 1 b 2"), "debug RESP%d: two keys have a digest", t->protocol);
    before = strdup(digest);
    ok(changes(w, &digest, "MSET a 2 b 1"), "debug RESP%d: values exchanged", t->protocol);
    ok(!changes(w, &digest, "PING"), "debug RESP%d: nothing done", t->protocol);
    ok(changes(w, &digest, "FLUSHALL"), "debug RESP%d: all gone", t->protocol);
    wire_call(w, "SET b 2");
    wire_call(w, "SETRANGE a 0 1");
    ok(changes(w, &digest, "PING"), "debug RESP%d: the same again", t->protocol);
    is_str(digest, before, "debug RESP%d: in another order and encoding", t->protocol);
    ok(changes(w, &digest, "EXPIRE a 1000"), "debug RESP%d: with a time to live", t->protocol);
    ok(!changes(w, &digest, "EXPIRE a 2000"), "debug RESP%d: whichever", t->protocol);
    wire_call(w, "PERSIST a");
    ok(changes(w, &digest, "MOVE a 1"), "debug RESP%d: in another database", t->protocol);
    ok(changes(w, &digest, "RENAME b c"), "debug RESP%d: under another name", t->protocol);
    is_like(wire_call(w, "DEBUG DIGEST-VALUE c none"), "^\\[\\+[0-9a-f]{40} \\+0{40}\\]$",
            "debug RESP%d: of values", t->protocol);
    free(digest);
    free(before);
}

/* Nobody is served while the server sleeps. */
static void sleep_stops_all(struct session *t)
{
    struct wire *w = session_wire(t, 0), *other = session_wire(t, 1);

    wire_call(other, "PING");
    wire_send(w, "DEBUG SLEEP 0.3");
    raw_sleep_ms(100);
    wire_send(other, "TIME");
    is_str(wire_read(w), "+OK", "debug RESP%d: asleep", t->protocol);
    is_like(wire_read(other), "^\\[", "debug RESP%d: awake for others too", t->protocol);
}

static void codes_are_counted(struct session *t)
{
    struct wire *w = session_wire(t, 0);
    char *info;

    wire_call(w, "CONFIG RESETSTAT");
    wire_call(w, "DEBUG ERROR 'MYCODE text'");
    wire_call(w, "DEBUG ERROR 'A:B text'");
    info = wire_bulk(w, "INFO errorstats");
    ok(strstr(info, "errorstat_MYCODE:count=1\r\n") != NULL, "debug RESP%d: an error's code",
       t->protocol);
    ok(strstr(info, "errorstat_A_B:count=1\r\n") != NULL, "debug RESP%d: never a colon in it",
       t->protocol);
    free(info);
}

static void new_replication_id(struct session *t)
{
    struct wire *w = session_wire(t, 0);
    char *before = wire_bulk(w, "INFO replication"), *after;

    wire_call(w, "DEBUG CHANGE-REPL-ID");
    after = wire_bulk(w, "INFO replication");
    ok(strcmp(before, after) != 0, "debug RESP%d: another replication ID", t->protocol);
    free(before);
    free(after);
}

static const struct wire_case only_here[] = {
    {"DEBUG LOADAOF", "-ERR There is no log of changes to load the data from"},
    {"LOLWUT", "/Redis ver\\. 7\\.0\\.[0-9]+, Latchkey ver\\. [0-9.]+\\\\n'$"},
    {"LOLWUT VERSION 1 3", "/Latchkey ver"},
};

/* Options that take effect at once. */
static const struct wire_case at_once[] = {
    {"CONFIG SET slowlog-log-slower-than 0", "+OK"},
    {"PING", "+PONG"},
    {"PING", "+PONG"},
    {"CONFIG SET slowlog-log-slower-than -1", "+OK"},
    {"SLOWLOG LEN", "/^:[2-9]"},
    {"CONFIG SET slowlog-max-len 1", "+OK"},
    {"SLOWLOG LEN", ":1"},
    {"CONFIG SET slowlog-max-len 128 slowlog-log-slower-than 10000", "+OK"},
    {"SLOWLOG RESET", "+OK"},
    {"CONFIG SET latency-tracking-info-percentiles '50 99.99 100'", "+OK"},
    {"INFO latencystats", "/_ping:p50=[0-9.]+,p99\\.99=[0-9.]+,p100=[0-9]+\\.[0-9]{3}\\\\r"},
    {"CONFIG SET latency-tracking-info-percentiles ''", "+OK"},
    {"INFO latencystats", "/_ping:\\\\r"},
    {"CONFIG SET latency-tracking no", "+OK"},
    {"INFO latencystats", "=txt:'# Latencystats\\r\\n'"},
    {"CONFIG SET latency-tracking yes latency-tracking-info-percentiles '50 99 99.9'", "+OK"},
    {"CONFIG SET hz 500", "+OK"},
    {"PING", "+PONG"},
    {"INFO server", "/\\\\nhz:500\\\\r"},
    {"CONFIG SET hz 10", "+OK"},
};

static const struct wire_case small_ones[] = {
    {"ACL WHOAMI", "'default'"},
    {"ACL USERS", "['default']"},
    {"ACL CAT", "['keyspace' 'read' 'write' 'set' 'sortedset' 'list' 'hash' 'string' 'bitmap' "
                "'hyperloglog' 'geo' 'stream' 'pubsub' 'admin' 'fast' 'slow' 'blocking' "
                "'dangerous' 'connection' 'transaction' 'scripting']"},
    {"ACL CAT bitmap", "%['bitcount' 'bitfield' 'bitfield_ro' 'bitop' 'bitpos' 'getbit' 'setbit']"},
    {"ACL CAT CONNECTION", "/'client\\|list'"},
    {"ACL CAT nope", "-ERR Unknown category 'nope'"},
    {"ACL CAT a b",
     "-ERR unknown subcommand or wrong number of arguments for 'CAT'. Try ACL HELP."},
    {"ACL HELP", "/^\\[\\+ACL <subcommand>"},
    {"ACL LIST", "['user default on nopass ~* &* +@all']"},
    {"ACL LIST x", "-ERR wrong number of arguments for 'acl|list' command"},
    {"ACL GETUSER default",
     "{'flags' ~['on' 'nopass'] 'passwords' [] 'commands' '+@all' 'keys' '~*' 'channels' '&*' "
     "'selectors' []}"},
    {"ACL GETUSER Default", "nil"},
    {"ACL GETUSER", "-ERR wrong number of arguments for 'acl|getuser' command"},
    {"CONFIG SET requirepass foo", "+OK"},
    {"ACL LIST", "['user default on "
                 "#2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae ~* &* +@all']"},
    {"ACL GETUSER default",
     "{'flags' ~['on'] 'passwords' "
     "['2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae'] 'commands' '+@all' "
     "'keys' '~*' 'channels' '&*' 'selectors' []}"},
    {"CONFIG SET requirepass \"\"", "+OK"},
    {"ACL GENPASS", "/^'[0-9a-f]{64}'$"},
    {"ACL GENPASS 1", "/^'[0-9a-f]'$"},
    {"ACL GENPASS 5", "/^'[0-9a-f]{2}'$"},
    {"ACL GENPASS 4096", "/^'[0-9a-f]{1024}'$"},
    {"ACL GENPASS 4097", "-ERR ACL GENPASS argument must be the number of bits for the output "
                         "password, a positive number up to 4096"},
    {"ACL GENPASS x", "-ERR value is not an integer or out of range"},
    {"ACL GENPASS 1 2",
     "-ERR unknown subcommand or wrong number of arguments for 'GENPASS'. Try ACL HELP."},
    {"ROLE", "['master' :0 []]"},
    {"ROLE x", "-ERR wrong number of arguments for 'role' command"},
    {"LOLWUT VERSION x", "-ERR value is not an integer or out of range"},
    {"LOLWUT", "/Redis ver\\. [0-9.]+"},
    {"LOLWUT x", "/Redis ver\\. [0-9.]+"},
};

/* ---- servers of their own -------------------------------------------------------------------- */

static const char not_allowed[] =
    "-ERR DEBUG command not allowed. If the enable-debug-command option is set to \"local\", you "
    "can run it from a local connection, otherwise you need to set this option in the "
    "configuration file, and then restart the server.";

static void who_may(const char *option, const char *reply)
{
    struct server *s = server_run(option);
    struct wire *w = wire_open(s, 2);

    is_str(wire_call(w, "DEBUG SLEEP 0"), reply, "debug: %s", option[0] ? option : "not enabled");
    wire_close(w);
    server_stop(s);
}

/* What was sent behind it is not run, and the connection stays until the port is free. */
static void shutdown_in_a_pipeline(void)
{
    struct server *s = server_run(""), *next;
    int fd = server_connect(s), port = s->port;
    char args[200], byte;

    raw_send_str(fd, "SHUTDOWN NOSAVE\r\nPING\r\n");
    is_int(read(fd, &byte, 1), 0, "shutdown: it has no reply, nor has what is behind it");
    snprintf(args, sizeof(args), "--port %d --save \"\" --dir {dir} --unixsocket {sock}", port);
    next = server_spawn(args, NULL);
    next->port = port;
    ok(server_wait_ready(next), "shutdown: the port can be used at once");
    is_int(server_wait_end(s, 10000), 0, "shutdown: the end is in order");
    close(fd);
    server_stop(next);
    server_discard(s);
}

static void shutdown_save_by_force(void)
{
    struct server *s = server_run("");
    struct wire *w = wire_open(s, 2);

    is_str(wire_call(w, "SHUTDOWN SAVE FORCE"), "(closed)", "shutdown: SAVE FORCE ends it");
    is_int(server_wait_end(s, 10000), 0, "shutdown: in order");
    wire_close(w);
    server_discard(s);
}

static void signal_that_would_save(void)
{
    struct server *s = server_run("--shutdown-on-sigterm save now");

    kill(s->pid, SIGTERM);
    is_int(server_wait_end(s, 10000), 0, "shutdown: a signal ends it");
    if (!s->is_redis)
        ok(server_log_has(s, "DB saved on disk"),
           "shutdown: and what it says about saving is done");
    server_discard(s);
}

static void crash(const char *line, int status)
{
    struct server *s = server_run("--enable-debug-command yes");
    struct wire *w = wire_open(s, 2);

    is_str(wire_call(w, line), "(closed)", "debug: %s ends it", line);
    is_int(server_wait_end(s, 20000), status, "debug: by signal");
    ok(server_log_has(s, "STACK TRACE"), "debug: and tells where it was");
    wire_close(w);
    server_discard(s);
}

static const struct group groups[] = {
    TABLE(protocol),
    TEST(push),
    TABLE(words),
    TABLE(data),
    TEST(digests),
    TEST(sleep_stops_all),
    NEW_TEST(codes_are_counted),
    TEST(new_replication_id),
    TABLE(small_ones),
    NEW_TABLE(only_here),
    NEW_TABLE(at_once),
    {NULL},
};

int main(void)
{
    static const int threads[] = {1, 4, 0};
    const char *sanitizer = getenv("SAN");

    session_family("debug", "--enable-debug-command yes", threads, groups);
    who_may("", not_allowed);
    who_may("--enable-debug-command no", not_allowed);
    who_may("--enable-debug-command local", "+OK");
    shutdown_in_a_pipeline();
    shutdown_save_by_force();
    signal_that_would_save();
    if (sanitizer && sanitizer[0]) {
        skip("a sanitizer reports crashes", "debug: crashes");
    } else {
        crash("DEBUG SEGFAULT", 128 + 11);
        crash("DEBUG PANIC", 128 + 6);
        crash("DEBUG ASSERT", 128 + 6);
    }
    return tap_done();
}
