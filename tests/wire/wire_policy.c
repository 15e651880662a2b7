/*
 * POLICY: keys that end when idle or old, and caches of bounded size, by prefix.
 *
 * No Redis has it. Policies outlive FLUSHALL, so each table takes away what it has set.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/lib/raw.h"
#include "tests/lib/tap.h"
#include "tests/lib/wire.h"

#define MS_ERROR(word) "-ERR " word " must be a number of milliseconds from 1 to 1000000000000"
#define ARITY(sub) "-ERR wrong number of arguments for 'policy|" sub "' command"

static const struct wire_case arguments[] = {
    {"POLICY", "-ERR wrong number of arguments for 'policy' command"},
    {"POLICY NONE", "-ERR unknown subcommand 'NONE'. Try POLICY HELP."},
    {"POLICY SET", ARITY("set")},
    {"POLICY SET p", ARITY("set")},
    {"POLICY SET p IDLE", ARITY("set")},
    {"POLICY SET p IDLE 5 MAXAGE", "-ERR syntax error"},
    {"POLICY SET p IDLE 5 IDLE 6", "-ERR syntax error"},
    {"POLICY SET p SLOW 5", "-ERR syntax error"},
    {"POLICY SET p IDLE 0", MS_ERROR("IDLE")},
    {"POLICY SET p IDLE -1", MS_ERROR("IDLE")},
    {"POLICY SET p IDLE x", MS_ERROR("IDLE")},
    {"POLICY SET p IDLE 1000000000001", MS_ERROR("IDLE")},
    {"POLICY SET p MAXAGE 1.5", MS_ERROR("MAXAGE")},
    {"POLICY SET p MAXKEYS 0", "-ERR MAXKEYS must be a number from 1 to 9007199254740992"},
    {"POLICY SET p MAXKEYS 9007199254740993",
     "-ERR MAXKEYS must be a number from 1 to 9007199254740992"},
    {"POLICY SET p MAXMEMORY ''",
     "-ERR MAXMEMORY must be a number of bytes from 1 to 9007199254740992"},
    {"POLICY GET", ARITY("get")},
    {"POLICY GET p q", ARITY("get")},
    {"POLICY GET p", "nil"},
    {"POLICY LIST p", ARITY("list")},
    {"POLICY LIST", "[]"},
    {"POLICY DEL", ARITY("del")},
    {"POLICY DEL p", ":0"},
    {"POLICY STATS p q", "/^-ERR"},
    {"POLICY STATS p", "nil"},
    {"POLICY STATS", "[]"},
    {"POLICY OF", ARITY("of")},
    {"POLICY OF p", "nil"},
    {"POLICY TTL p", ":-2"},
    {"POLICY HELP", "/SET <prefix> .IDLE <ms>"},
};

static const struct wire_case described[] = {
    {"POLICY SET b IDLE 1000 MAXAGE 2000 MAXKEYS 3 MAXMEMORY 4000", "+OK"},
    {"POLICY SET a maxkeys 5", "+OK"},
    {"POLICY SET '' IDLE 1000000000000", "+OK"},
    {"POLICY GET b", "{'prefix' 'b' 'idle' :1000 'maxage' :2000 'maxkeys' :3 "
                     "'maxmemory' :4000}"},
    {"POLICY GET ''", "{'prefix' '' 'idle' :1000000000000 'maxage' :0 'maxkeys' :0 "
                      "'maxmemory' :0}"},
    {"POLICY LIST", "[{'prefix' '' 'idle' :1000000000000 'maxage' :0 'maxkeys' :0 "
                    "'maxmemory' :0} {'prefix' 'a' 'idle' :0 'maxage' :0 'maxkeys' :5 "
                    "'maxmemory' :0} {'prefix' 'b' 'idle' :1000 'maxage' :2000 "
                    "'maxkeys' :3 'maxmemory' :4000}]"},
    {"POLICY SET b MAXAGE 7", "+OK"},
    {"POLICY GET b", "{'prefix' 'b' 'idle' :0 'maxage' :7 'maxkeys' :0 'maxmemory' :0}"},
    {"POLICY STATS b", "{'prefix' 'b' 'keys' :0 'memory' :0 'expired' :0 'evicted' :0 "
                       "'surveying' :0}"},
    {"POLICY DEL b", ":1"},
    {"POLICY DEL b", ":0"},
    {"POLICY DEL a", ":1"},
    {"POLICY DEL ''", ":1"},
    {"POLICY LIST", "[]"},
};

/* The least recently used goes, at once; reading and writing are uses, asking is none. */
static const struct wire_case least_used[] = {
    {"POLICY SET c: MAXKEYS 3", "+OK"},
    {"SET other:1 x", "+OK"},
    {"SET c:1 x", "+OK"},
    {"SET c:2 x", "+OK"},
    {"SET c:3 x", "+OK"},
    {"SET c:4 x", "+OK"},
    {"EXISTS c:1 c:2 c:3 c:4", ":3"},
    {"EXISTS c:1", ":0"},
    {"GET c:2", "'x'"},
    {"SET c:5 x", "+OK"},
    {"KEYS *", "%['c:2' 'c:4' 'c:5' 'other:1']"},
    {"SET c:4 y", "+OK"},
    {"EXISTS c:2", ":1"},
    {"TYPE c:2", "+string"},
    {"TTL c:2", ":-1"},
    {"OBJECT IDLETIME c:2", ":0"},
    {"POLICY TTL c:2", ":-1"},
    {"LPUSH c:6 a b", ":2"},
    {"KEYS c:*", "%['c:4' 'c:5' 'c:6']"},
    {"LRANGE c:6 0 -1", "['b' 'a']"},
    {"HSET c:7 f v", ":1"},
    {"KEYS c:*", "%['c:4' 'c:6' 'c:7']"},
    {"MSET c:8 1 c:9 2 c:10 3", "+OK"},
    {"KEYS c:*", "%['c:10' 'c:8' 'c:9']"},
    {"DEL c:8", ":1"},
    {"SET c:11 x", "+OK"},
    {"EXISTS c:9 c:10 c:11", ":3"},
    {"POLICY STATS c:", "/'keys' :3 'memory' :[0-9]+ 'expired' :0 'evicted' :7"},
    {"POLICY DEL c:", ":1"},
    {"SET c:12 x", "+OK"},
    {"EXISTS c:9 c:10 c:11 c:12", ":4"},
};

/* The longest prefix counts; what comes under it later comes at once when keys are few. */
static const struct wire_case prefixes[] = {
    {"SET a:b:1 x", "+OK"},
    {"SET a:1 x", "+OK"},
    {"POLICY OF a:1", "nil"},
    {"POLICY SET a: MAXKEYS 100", "+OK"},
    {"POLICY OF a:1", "'a:'"},
    {"POLICY OF a:b:1", "'a:'"},
    {"POLICY OF a:none", "nil"},
    {"POLICY SET a:b: IDLE 100000", "+OK"},
    {"POLICY OF a:1", "'a:'"},
    {"POLICY OF a:b:1", "'a:b:'"},
    {"POLICY TTL a:1", ":-1"},
    {"POLICY TTL a:b:1", "/^:(9[0-9]{4}|100000)$"},
    {"SET a:b x", "+OK"},
    {"POLICY OF a:b", "'a:'"},
    {"SET b x", "+OK"},
    {"POLICY OF b", "nil"},
    {"POLICY SET '' MAXAGE 100000", "+OK"},
    {"POLICY OF b", "''"},
    {"POLICY TTL b", "/^:(9[0-9]{4}|100000)$"},
    {"POLICY STATS a:", "/'keys' :2 "},
    {"POLICY DEL a:b:", ":1"},
    {"POLICY OF a:b:1", "'a:'"},
    {"POLICY STATS a:", "/'keys' :3 "},
    {"POLICY DEL a:", ":1"},
    {"POLICY OF a:b:1", "''"},
    {"POLICY TTL a:b:1", "/^:(9[0-9]{4}|100000)$"},
    {"POLICY DEL ''", ":1"},
    {"POLICY OF a:b:1", "nil"},
    {"POLICY TTL a:b:1", ":-1"},
    {"POLICY SET \"\\x00\\xff\" IDLE 5000000", "+OK"},
    {"SET \"\\x00\\xffk\" x", "+OK"},
    {"POLICY TTL \"\\x00\\xffk\"", "/^:(49[0-9]{5}|5000000)$"},
    {"POLICY DEL \"\\x00\\xff\"", ":1"},
};

/* Another policy in the place of a former one keeps what is known of the keys' use. */
static const struct wire_case replaced[] = {
    {"POLICY SET c: IDLE 100000", "+OK"},
    {"SET c:1 x", "+OK"},
    {"SET c:2 x", "+OK"},
    {"SET c:3 x", "+OK"},
    {"GET c:1", "'x'"},
    {"POLICY SET c: MAXKEYS 2", "+OK"},
    {"KEYS *", "%['c:1' 'c:3']"},
    {"POLICY TTL c:1", ":-1"},
    {"SET c:9:1 x", "+OK"},
    {"SET c:9:2 x", "+OK"},
    {"GET c:9:1", "'x'"},
    {"POLICY SET c:9: MAXKEYS 1", "+OK"},
    {"KEYS *", "%['c:9:1']"},
    {"SET c:4 x", "+OK"},
    {"SET c:5 x", "+OK"},
    {"GET c:9:1", "'x'"},
    {"POLICY DEL c:9:", ":1"},
    {"KEYS *", "%['c:5' 'c:9:1']"},
    {"POLICY DEL c:", ":1"},
};

/* Keys that were there before any policy: used some time ago, in the order of their use. */
static const struct wire_case there_before[] = {
    {"SET c:1 x", "+OK"},
    {"~10", ""},
    {"SET c:2 x", "+OK"},
    {"~10", ""},
    {"SET c:3 x", "+OK"},
    {"~10", ""},
    {"GET c:1", "'x'"},
    {"SET d:1 x", "+OK"},
    {"POLICY SET c: MAXKEYS 2", "+OK"},
    {"KEYS *", "%['c:1' 'c:3' 'd:1']"},
    {"POLICY DEL c:", ":1"},
};

/* A time to live of its own wins, PERSIST gives the policy back. */
static const struct wire_case times[] = {
    {"POLICY SET c: IDLE 60 MAXKEYS 3", "+OK"},
    {"SET c:1 x EX 100", "+OK"},
    {"SET c:2 x", "+OK"},
    {"EXPIRE c:2 100", ":1"},
    {"SET c:3 x", "+OK"},
    {"TTL c:1", "/^:(99|100)$"},
    {"TTL c:3", "/^:-[12]$"},
    {"POLICY TTL c:1", "/^:(9[0-9]{4}|100000)$"},
    {"~100", ""},
    {"KEYS *", "%['c:1' 'c:2']"},
    {"GET c:3", "nil"},
    {"PERSIST c:1", ":1"},
    {"TTL c:1", "/^:-[12]$"},
    {"~100", ""},
    {"KEYS *", "%['c:2']"},
    {"SET c:2 y", "+OK"},
    {"TTL c:2", "/^:-[12]$"},
    {"~100", ""},
    {"KEYS *", "%[]"},
    {"SET c:4 x EX 100", "+OK"},
    {"SET c:5 x EX 100", "+OK"},
    {"SET c:6 x EX 100", "+OK"},
    {"GET c:4", "'x'"},
    {"SET c:7 x EX 100", "+OK"},
    {"EXISTS c:4 c:6 c:7", ":3"},
    {"EXISTS c:5", ":0"},
    {"POLICY DEL c:", ":1"},
};

/* The age counts from the last change, whatever is read. */
static const struct wire_case ages[] = {
    {"POLICY SET c: MAXAGE 80", "+OK"},
    {"SET c:1 x", "+OK"},
    {"RPUSH c:2 x", ":1"},
    {"~30", ""},
    {"GET c:1", "/x|nil"},
    {"LRANGE c:2 0 -1", "/.*"},
    {"~60", ""},
    {"EXISTS c:1 c:2", ":0"},
    {"POLICY STATS c:", "/'keys' :0 'memory' :0 'expired' :2"},
    {"POLICY DEL c:", ":1"},
};

/* Names that go into a prefix and out of it. */
static const struct wire_case moved[] = {
    {"POLICY SET c: MAXKEYS 2", "+OK"},
    {"SET a x", "+OK"},
    {"SET b y", "+OK"},
    {"RENAME a c:a", "+OK"},
    {"POLICY OF c:a", "'c:'"},
    {"RENAME b c:b", "+OK"},
    {"COPY c:a c:c", ":1"},
    {"KEYS *", "%['c:a' 'c:c']"},
    {"RENAME c:a other", "+OK"},
    {"POLICY OF other", "nil"},
    {"POLICY STATS c:", "/'keys' :1 "},
    {"COPY c:c outside", ":1"},
    {"POLICY OF outside", "nil"},
    {"MOVE c:c 1", ":1"},
    {"POLICY STATS c:", "/'keys' :1 "},
    {"SET c:1 x", "+OK"},
    {"SET c:2 x", "+OK"},
    {"DBSIZE", ":4"},
    {"SELECT 1", "+OK"},
    {"SET c:1 x", "+OK"},
    {"SET c:2 x", "+OK"},
    {"KEYS *", "%['c:1' 'c:2']"},
    {"SWAPDB 0 1", "+OK"},
    {"SET c:3 x", "+OK"},
    {"KEYS *", "%['c:2' 'c:3' 'other' 'outside']"},
    {"POLICY STATS c:", "/'keys' :4 "},
    {"FLUSHDB", "+OK"},
    {"POLICY STATS c:", "/'keys' :2 "},
    {"SET c:4 x", "+OK"},
    {"SET c:5 x", "+OK"},
    {"SET c:6 x", "+OK"},
    {"KEYS *", "%['c:5' 'c:6']"},
    {"FLUSHALL", "+OK"},
    {"POLICY STATS c:", "/'keys' :0 'memory' :0 "},
    {"SELECT 0", "+OK"},
    {"RPUSH l c b a", ":3"},
    {"SORT l ALPHA STORE c:sorted", ":3"},
    {"SUNIONSTORE c:set none", ":0"},
    {"SADD s 1 2", ":2"},
    {"SUNIONSTORE c:set s", ":2"},
    {"BITOP NOT c:not l2", ":0"},
    {"ZADD c:z 1 a", ":1"},
    {"KEYS c:*", "%['c:set' 'c:z']"},
    {"POLICY DEL c:", ":1"},
};

/* A value of any type and size, as it grows and shrinks. */
static const struct wire_case transactions[] = {
    {"POLICY SET c: MAXKEYS 2", "+OK"},
    {"MULTI", "+OK"},
    {"SET c:1 x", "+QUEUED"},
    {"SET c:2 x", "+QUEUED"},
    {"SET c:3 x", "+QUEUED"},
    {"EXISTS c:1 c:2 c:3", "+QUEUED"},
    {"EXEC", "[+OK +OK +OK :3]"},
    {"EXISTS c:1 c:2 c:3", ":2"},
    {"EXISTS c:1", ":0"},
    {"MULTI", "+OK"},
    {"POLICY SET c: MAXKEYS 7", "+QUEUED"},
    {"POLICY GET c:", "+QUEUED"},
    {"POLICY DEL c:", "+QUEUED"},
    {"POLICY DEL c:", "+QUEUED"},
    {"POLICY LIST", "+QUEUED"},
    {"EXEC", "[+OK {'prefix' 'c:' 'idle' :0 'maxage' :0 'maxkeys' :7 'maxmemory' :0} :1 :0 []]",
     "[+OK ['prefix' 'c:' 'idle' :0 'maxage' :0 'maxkeys' :7 'maxmemory' :0] :1 :0 []]"},
    {"EXISTS c:2 c:3", ":2"},
    {"POLICY SET c: MAXKEYS 2", "+OK"},
    {"WATCH c:2", "+OK"},
    {"GET c:3", "'x'"},
    {"@1 SET c:4 x", "+OK"},
    {"MULTI", "+OK"},
    {"SET won yes", "+QUEUED"},
    {"EXEC", "nil", "nil*"},
    {"POLICY DEL c:", ":1"},
};

static const struct wire_case events[] = {
    {"POLICY SET c: MAXKEYS 1 IDLE 500", "+OK"},
    {"CONFIG SET notify-keyspace-events EA", "+OK"},
    {"@1 PSUBSCRIBE __keyevent@0__:e*", ">['psubscribe' '__keyevent@0__:e*' :1]"},
    {"CONFIG RESETSTAT", "+OK"},
    {"SET c:1 x", "+OK"},
    {"SET c:2 x", "+OK"},
    {"@1", ">['pmessage' '__keyevent@0__:e*' '__keyevent@0__:evicted' 'c:1']"},
    {"@1", ">['pmessage' '__keyevent@0__:e*' '__keyevent@0__:expired' 'c:2']"},
    {"INFO stats", "/expired_keys:1.*evicted_keys:1"},
    {"CONFIG SET notify-keyspace-events ''", "+OK"},
    {"POLICY DEL c:", ":1"},
};

/* The conditions of the customary policy of all keys stay as they were. */
static const struct wire_case access[] = {
    {"POLICY SET c: MAXKEYS 3", "+OK"},
    {"CONFIG SET maxmemory-policy allkeys-lfu", "+OK"},
    {"SET c:1 x", "+OK"},
    {"SET c:2 x", "+OK"},
    {"SET c:3 x", "+OK"},
    {"OBJECT FREQ c:1", ":5"},
    {"GET c:1", "'x'"},
    {"OBJECT FREQ c:1", ":6"},
    {"SET c:1 y", "+OK"},
    {"OBJECT FREQ c:1", "/^:[67]$"},
    {"RENAME c:1 out", "+OK"},
    {"OBJECT FREQ out", "/^:[67]$"},
    {"RENAME out c:1", "+OK"},
    {"OBJECT FREQ c:1", "/^:[67]$"},
    {"GET c:2", "'x'"},
    {"SET c:4 x", "+OK"},
    {"KEYS *", "%['c:1' 'c:2' 'c:4']"},
    {"CONFIG SET maxmemory-policy noeviction", "+OK"},
    {"SET c:5 x", "+OK"},
    {"OBJECT IDLETIME c:5", ":0"},
    {"POLICY SET d: IDLE 1000000", "+OK"},
    {"SET d:1 x", "+OK"},
    {"CLIENT NO-TOUCH ON", "+OK"},
    {"GET d:1", "'x'"},
    {"CLIENT NO-TOUCH OFF", "+OK"},
    {"POLICY DEL d:", ":1"},
    {"POLICY DEL c:", ":1"},
};

static struct wire *begin(struct session *t)
{
    session_reset(t);
    return session_wire(t, 0);
}

/* ---- in time -------------------------------------------------------------------------------- */

/* Read again and again a key stays, and goes when that ends: never sooner than IDLE later. */
static void idle(struct session *t)
{
    enum { IDLE = 60, READS = 12 };
    struct wire *w = begin(t);
    long long used = raw_now_ms(), last;
    int too_soon = 0;

    wire_callf(w, "POLICY SET s: IDLE %d", IDLE);
    wire_call(w, "SET s:1 x");
    for (int i = 0; i < READS; i++) {
        bool there;

        last = used;
        used = raw_now_ms();
        there = strcmp(wire_call(w, i % 3 ? "GET s:1" : "SET s:1 x GET"), "nil") != 0;
        too_soon += !there && raw_now_ms() - last < IDLE;
        if (!there)
            wire_call(w, "SET s:1 x");
        raw_sleep_ms(IDLE / 3);
    }
    is_int(too_soon, 0, "policy RESP%d: what is used does not end", t->protocol);
    while (strcmp(wire_call(w, "EXISTS s:1"), ":1") == 0)
        raw_sleep_ms(1);
    ok(raw_now_ms() - used >= IDLE, "policy RESP%d: it is idle for as long as was said",
       t->protocol);
    wire_call(w, "POLICY DEL s:");
}

/* Without anybody who looks after it a key has ended too, for whoever asks. */
static void ended_but_there(struct session *t)
{
    struct wire *w = begin(t);

    wire_call(w, "POLICY SET s: IDLE 20");
    wire_call(w, "DEBUG SET-ACTIVE-EXPIRE 0");
    wire_call(w, "MSET s:1 x s:2 x s:3 x other x");
    wire_call(w, "RPUSH s:4 x");
    raw_sleep_ms(50);
    is_str(wire_call(w, "GET s:1"), "nil", "policy RESP%d: ended for GET", t->protocol);
    is_str(wire_call(w, "INCR s:2"), ":1", "policy RESP%d: for INCR", t->protocol);
    is_like(wire_call(w, "KEYS s:*"), "^\\[('s:2')?\\]$", "policy RESP%d: for KEYS", t->protocol);
    is_str(wire_call(w, "EXISTS s:3 s:4"), ":0", "policy RESP%d: for EXISTS", t->protocol);
    wire_call(w, "DEBUG SET-ACTIVE-EXPIRE 1");
    wire_call(w, "POLICY DEL s:");
}

/* ---- memory --------------------------------------------------------------------------------- */

static long long stat(struct wire *w, const char *prefix, const char *field)
{
    const char *at;
    char name[64];

    wire_callf(w, "POLICY STATS %s", prefix);
    snprintf(name, sizeof(name), "'%s' :", field);
    at = strstr(w->last, name);
    return at ? atoll(at + strlen(name)) : -1;
}

static long long usage(struct wire *w, const char *key)
{
    char line[64];

    snprintf(line, sizeof(line), "MEMORY USAGE %s", key);
    return (wire_int(w, line) + 15) / 16 * 16;
}

static void memory(struct session *t)
{
    struct wire *w = begin(t);
    char big[2049] = {0};
    int wrong = 0;

    memset(big, 'x', sizeof(big) - 1);
    wire_call(w, "POLICY SET m: MAXMEMORY 20k");
    for (int i = 0; i < 500; i++) {
        wire_callf(w, "HSET m:h f:%d %.*s", i, i, big);
        wrong += stat(w, "m:", "keys") > 0 && usage(w, "m:h") != stat(w, "m:", "memory");
        wrong += stat(w, "m:", "memory") > 20000;
    }
    is_int(wrong, 0, "policy RESP%d: memory follows what a key takes", t->protocol);
    ok(stat(w, "m:", "evicted") > 3, "policy RESP%d: a key alone can be too much", t->protocol);
    for (int i = 0; i < 100; i++)
        wire_callf(w, "SET m:%d %s", i, big);
    is_int(stat(w, "m:", "keys"), 20000 / (stat(w, "m:", "memory") / stat(w, "m:", "keys")),
           "policy RESP%d: as many as fit", t->protocol);
    is_str(wire_call(w, "EXISTS m:99 m:98 m:97"), ":3", "policy RESP%d: the last ones",
           t->protocol);
    for (int i = 99; i > 90; i--)
        wire_callf(w, "SET m:%d y", i);
    wrong = 0;
    for (int i = 99; i > 90; i--) {
        char key[16];

        snprintf(key, sizeof(key), "m:%d", i);
        wrong += usage(w, key) > 200;
    }
    is_int(wrong, 0, "policy RESP%d: small ones", t->protocol);
    wire_call(w, "FLUSHALL");
    is_int(stat(w, "m:", "memory"), 0, "policy RESP%d: nothing is left", t->protocol);
    wire_call(w, "POLICY DEL m:");
}

/* ---- many keys ------------------------------------------------------------------------------ */

static void wait_for(struct wire *w, const char *line, const char *reply)
{
    while (strcmp(wire_call(w, line), reply) != 0)
        raw_sleep_ms(2);
}

static void many(struct session *t)
{
    struct wire *w = begin(t);

    wire_call(w, "DEBUG POPULATE 60000 p 10");
    wire_call(w, "DEBUG POPULATE 20000 p:q 10");
    wire_call(w, "SET other x");
    wire_call(w, "POLICY SET p: MAXKEYS 100000");
    while (stat(w, "p:", "keys") != 80000)
        raw_sleep_ms(2);
    wire_call(w, "POLICY SET p:q: IDLE 10000000");
    while (stat(w, "p:q:", "keys") != 20000)
        raw_sleep_ms(2);
    is_int(stat(w, "p:", "keys"), 60000, "policy RESP%d: a longer prefix takes its keys",
           t->protocol);
    wire_call(w, "GET p:7");
    wire_call(w, "POLICY SET p: MAXKEYS 1000");
    wait_for(w, "DBSIZE", ":21001");
    is_str(wire_call(w, "GET p:7"), "'value:7\\x00\\x00\\x00'",
           "policy RESP%d: what was used last stays", t->protocol);
    wire_call(w, "POLICY DEL p:q:");
    wait_for(w, "DBSIZE", ":1001");
    is_int(stat(w, "p:", "keys"), 1000, "policy RESP%d: a shorter prefix gets them back",
           t->protocol);
    wire_call(w, "POLICY SET p: IDLE 1");
    wait_for(w, "DBSIZE", ":1");
    is_int(stat(w, "p:", "expired"), 1000, "policy RESP%d: all at the same time", t->protocol);
    wire_call(w, "POLICY DEL p:");
}

/* As many as there can be, each found by its prefix; others take their place. */
static void all_policies(struct session *t)
{
    struct wire *w = begin(t);
    int wrong = 0;

    for (int i = 0; i < 512; i++) {
        wire_callf(w, "POLICY SET p%d: MAXKEYS %d", i, i + 1);
        wire_callf(w, "SET p%d:x 1", i);
    }
    is_str(wire_call(w, "POLICY SET more IDLE 1"),
           "-ERR there are 512 policies, which are all that there can be",
           "policy RESP%d: no more than these", t->protocol);
    is_str(wire_call(w, "POLICY SET p7: MAXKEYS 1"), "+OK", "policy RESP%d: but another rule",
           t->protocol);
    for (int i = 0; i < 512; i++) {
        char prefix[16];

        snprintf(prefix, sizeof(prefix), "'p%d:'", i);
        wrong += strcmp(wire_callf(w, "POLICY OF p%d:x", i), prefix) != 0;
    }
    is_int(wrong, 0, "policy RESP%d: each has its key", t->protocol);
    is_str(wire_call(w, "CONFIG SET key-policy 'other: idle 100000 more maxkeys 3'"), "+OK",
           "policy RESP%d: CONFIG SET sets all", t->protocol);
    is_str(wire_call(w, "POLICY OF p1:x"), "nil", "policy RESP%d: the others are gone",
           t->protocol);
    is_str(wire_call(w, "CONFIG GET key-policy"),
           t->protocol == 3 ? "{'key-policy' 'more maxkeys 3 other: idle 100000'}"
                            : "['key-policy' 'more maxkeys 3 other: idle 100000']",
           "policy RESP%d: CONFIG GET tells them", t->protocol);
    wire_call(w, "CONFIG SET key-policy ''");
    is_str(wire_call(w, "POLICY LIST"), "[]", "policy RESP%d: none", t->protocol);
}

static const struct group groups[] = {
    NEW_TABLE(arguments),    NEW_TABLE(described),      NEW_TABLE(least_used),
    NEW_TABLE(prefixes),     NEW_TABLE(replaced),       NEW_TABLE(there_before),
    NEW_TABLE(times),        NEW_TABLE(ages),           NEW_TABLE(moved),
    NEW_TABLE(transactions), NEW_TABLE(events),         NEW_TABLE(access),
    NEW_TEST(idle),          NEW_TEST(ended_but_there), NEW_TEST(memory),
    NEW_TEST(many),          NEW_TEST(all_policies),    {NULL},
};

int main(void)
{
    static const int threads[] = {1, 4, 0};

    return session_main("policy", "--enable-debug-command yes", threads, groups);
}
