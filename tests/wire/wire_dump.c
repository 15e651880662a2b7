/*
 * DUMP and RESTORE: the same bytes as Redis, options, errors in its order.
 */
#include "tests/lib/wire.h"

#define DUMP_N "\\x00\\xc0\\x0a\\x0a\\x00\\x6e\\x9f\\x57\\x45\\x0e\\xae\\x63\\xbb"
#define DUMP_S                                                                                     \
    "\\x00\\x05\\x68\\x65\\x6c\\x6c\\x6f\\x0a\\x00\\x63\\x72\\xdf\\x76\\x65\\x34\\x20\\x0a"
#define DUMP_L                                                                                     \
    "\\x12\\x01\\x02\\x0c\\x0c\\x00\\x00\\x00\\x02\\x00\\x81\\x61\\x02\\x01\\x01\\xff\\x0a\\x00\\" \
    "x94\\x96\\x2b\\x23\\xac\\x17\\xaa\\x85"
#define DUMP_S1                                                                                    \
    "\\x0b\\x0c\\x02\\x00\\x00\\x00\\x02\\x00\\x00\\x00\\x01\\x00\\x02\\x00\\x0a\\x00\\x6f\\x79\\" \
    "x38\\xb1\\x34\\xeb\\x20\\x2e"
#define DUMP_S2 "\\x02\\x01\\x01\\x78\\x0a\\x00\\xff\\xe8\\x80\\xba\\x76\\x0c\\x2f\\x09"
#define DUMP_H                                                                                     \
    "\\x10\\x0d\\x0d\\x00\\x00\\x00\\x02\\x00\\x81\\x66\\x02\\x81\\x76\\x02\\xff\\x0a\\x00\\x20\\" \
    "xf1\\x3d\\x44\\x23\\x54\\x08\\x9d"
#define DUMP_Z                                                                                     \
    "\\x11\\x0f\\x0f\\x00\\x00\\x00\\x02\\x00\\x81\\x6d\\x02\\x83\\x31\\x2e\\x35\\x04\\xff\\x0a\\" \
    "x00\\x49\\xd9\\x87\\x60\\x78\\x25\\x4e\\x8a"
#define DUMP_TORN "\\x00\\xc0\\x0a\\x0a\\x00\\x6e\\x9f\\x57\\x45\\x0e\\xae\\x63\\xbc"
#define DUMP_EMPTY_SET "\\x02\\x00\\x0a\\x00\\x3a\\xce\\x39\\x00\\x9b\\x89\\x39\\xe8"
#define DUMP_NO_TYPE "\\x08\\x00\\x0a\\x00\\xc1\\xce\\xc9\\x41\\x5e\\xa5\\xcd\\x10"
#define DUMP_NEWER "\\x00\\xc0\\x0a\\x63\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00"

static const struct wire_case dump_and_restore[] = {
    {"DUMP k", "nil"},
    {"RESTORE n 0 \"" DUMP_N "\"", "+OK"},
    {"GET n", "'10'"},
    {"OBJECT ENCODING n", "'int'"},
    {"DUMP n", "'\\x00\\xc0\\n\\n\\x00n\\x9fWE\\x0e\\xaec\\xbb'"},
    {"RESTORE s 0 \"" DUMP_S "\"", "+OK"},
    {"GET s", "'hello'"},
    {"OBJECT ENCODING s", "'embstr'"},
    {"RESTORE l 0 \"" DUMP_L "\"", "+OK"},
    {"LRANGE l 0 -1", "['a' '1']"},
    {"RESTORE s1 0 \"" DUMP_S1 "\"", "+OK"},
    {"SMEMBERS s1", "%~['1' '2']"},
    {"OBJECT ENCODING s1", "'intset'"},
    {"RESTORE s2 0 \"" DUMP_S2 "\"", "+OK"},
    {"SISMEMBER s2 x", ":1"},
    {"RESTORE h 0 \"" DUMP_H "\"", "+OK"},
    {"HGET h f", "'v'"},
    {"RESTORE z 0 \"" DUMP_Z "\"", "+OK"},
    {"ZRANGE z 0 -1", "['m']"},
    {"ZSCORE z m", ",1.5"},
    {"DBSIZE", ":7"},
    {"DUMP", "-ERR wrong number of arguments for 'dump' command"},
    {"RESTORE a 0", "-ERR wrong number of arguments for 'restore' command"},
};

static const struct wire_case options[] = {
    {"SET k 1", "+OK"},
    {"RESTORE k 0 \"" DUMP_S "\"", "-BUSYKEY Target key name already exists."},
    {"RESTORE k x \"" DUMP_S "\"", "-BUSYKEY Target key name already exists."},
    {"RESTORE k 0 \"" DUMP_S "\" REPLACE", "+OK"},
    {"GET k", "'hello'"},
    {"RESTORE t 100000 \"" DUMP_S "\"", "+OK"},
    {"PTTL t", "/^:(100000|9[0-9]{4})$"},
    {"RESTORE t 1 \"" DUMP_S "\" ABSTTL", "-BUSYKEY Target key name already exists."},
    {"RESTORE t 1 \"" DUMP_S "\" ABSTTL REPLACE", "+OK"},
    {"EXISTS t", ":0"},
    {"RESTORE t 1 \"" DUMP_S "\" absttl", "+OK"},
    {"EXISTS t", ":0"},
    {"RESTORE t 4000000000000 \"" DUMP_S "\" ABSTTL", "+OK"},
    {"PEXPIRETIME t", ":4000000000000"},
    {"RESTORE i 0 \"" DUMP_S "\" IDLETIME 1000", "+OK"},
    {"OBJECT IDLETIME i", "/^:100[0-9]$"},
    {"RESTORE i 0 \"" DUMP_S "\" IDLETIME -1", "-ERR Invalid IDLETIME value, must be >= 0"},
    {"RESTORE i 0 \"" DUMP_S "\" IDLETIME x", "-ERR value is not an integer or out of range"},
    {"RESTORE i 0 \"" DUMP_S "\" FREQ 256", "-ERR Invalid FREQ value, must be >= 0 and <= 255"},
    {"RESTORE i 0 \"" DUMP_S "\" FREQ 1 IDLETIME 1", "-ERR syntax error"},
    {"RESTORE i 0 \"" DUMP_S "\" IDLETIME", "-ERR syntax error"},
    {"RESTORE i 0 \"" DUMP_S "\" NOPE", "-ERR syntax error"},
    {"RESTORE i 0 \"" DUMP_S "\" FREQ 5 REPLACE", "+OK"},
    {"CONFIG SET maxmemory-policy allkeys-lfu", "+OK"},
    {"RESTORE f 0 \"" DUMP_S "\" FREQ 200", "+OK"},
    {"OBJECT FREQ f", ":200"},
    {"CONFIG SET maxmemory-policy noeviction", "+OK"},
};

static const struct wire_case errors[] = {
    {"RESTORE k -1 x", "-ERR Invalid TTL value, must be >= 0"},
    {"RESTORE k x x", "-ERR value is not an integer or out of range"},
    {"RESTORE k 0 x", "-ERR DUMP payload version or checksum are wrong"},
    {"RESTORE k 0 \"" DUMP_TORN "\"", "-ERR DUMP payload version or checksum are wrong"},
    {"RESTORE k 0 \"" DUMP_NEWER "\"", "-ERR DUMP payload version or checksum are wrong"},
    {"RESTORE k 0 \"" DUMP_EMPTY_SET "\"", "-ERR Bad data format"},
    {"RESTORE k 0 \"" DUMP_NO_TYPE "\"", "-ERR Bad data format"},
    {"SET k 1", "+OK"},
    {"RESTORE k 0 x REPLACE", "-ERR DUMP payload version or checksum are wrong"},
    {"GET k", "'1'"},
};

static const struct wire_case in_transactions[] = {
    {"MULTI", "+OK"},
    {"RESTORE k 0 \"" DUMP_S "\"", "+QUEUED"},
    {"DUMP nokey", "+QUEUED"},
    {"EXEC", "[+OK nil]"},
    {"CONFIG SET notify-keyspace-events KA", "+OK"},
    {"@1 SUBSCRIBE __keyspace@0__:k", ">['subscribe' '__keyspace@0__:k' :1]"},
    {"RESTORE k 0 \"" DUMP_S "\" REPLACE", "+OK"},
    {"@1", ">['message' '__keyspace@0__:k' 'restore']"},
    {"RESTORE k 1 \"" DUMP_S "\" REPLACE ABSTTL", "+OK"},
    {"@1", ">['message' '__keyspace@0__:k' 'del']"},
    {"CONFIG SET notify-keyspace-events \"\"", "+OK"},
};

int main(void)
{
    static const struct group groups[] = {
        TABLE(dump_and_restore), TABLE(options), TABLE(errors), TABLE(in_transactions), {NULL},
    };

    return session_main("dump", "", NULL, groups);
}
