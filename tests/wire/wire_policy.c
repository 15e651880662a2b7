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

static const struct group groups[] = {
    NEW_TABLE(arguments),
    NEW_TABLE(described),
    NEW_TABLE(least_used),
    {NULL},
};

int main(void)
{
    static const int threads[] = {1, 4, 0};

    return session_main("policy", "--enable-debug-command yes", threads, groups);
}
