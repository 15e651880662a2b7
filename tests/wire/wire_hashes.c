/*
 * Hashes: every command of the family, its options, its errors, the encodings that result, and the
 * events. Times of fields: wire_hash_ttl.c, wire_fields_in_time.c.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/lib/raw.h"
#include "tests/lib/tap.h"
#include "tests/lib/wire.h"

#define WRONGTYPE "-WRONGTYPE Operation against a key holding the wrong kind of value"
#define NOT_AN_INTEGER "-ERR value is not an integer or out of range"
#define ARITY(name) "-ERR wrong number of arguments for '" name "' command"

static const struct wire_case fields[] = {
    {"HSET k a 1", ":1"},
    {"HSET k a 2", ":0"},
    {"HSET k b x a 3 c '' b y", ":2"},
    {"TYPE k", "+hash"},
    {"HLEN k", ":3"},
    {"HGETALL k", "{'a' '3' 'b' 'y' 'c' ''}"},
    {"HKEYS k", "['a' 'b' 'c']"},
    {"HVALS k", "['3' 'y' '']"},
    {"HGET k a", "'3'"},
    {"HGET k d", "nil"},
    {"HMGET k a d c a", "['3' nil '' '3']"},
    {"HEXISTS k c", ":1"},
    {"HEXISTS k d", ":0"},
    {"HSTRLEN k b", ":1"},
    {"HSTRLEN k c", ":0"},
    {"HSTRLEN k d", ":0"},
    {"HSETNX k a 4", ":0"},
    {"HSETNX k d 4", ":1"},
    {"HGET k d", "'4'"},
    {"HMSET k d 5 e 6", "+OK"},
    {"HDEL k d x", ":1"},
    {"HDEL k d", ":0"},
    {"EXPIRE k 100", ":1"},
    {"HSET k f 1", ":1"},
    {"TTL k", "/^:(100|99)$"},
    {"HDEL k a b c e f a", ":5"},
    {"EXISTS k", ":0"},
    {"HSETNX k x 1", ":1"},
    {"HSET k \"\" \"\\x00\\r\\n\\xff\" \"\\x00\" z", ":2"},
    {"HGET k \"\"", "'\\x00\\r\\n\\xff'"},
    {"HGET k \"\\x00\"", "'z'"},
    {"SET k v", "+OK"},
    {"TYPE k", "+string"},
};

/* Of numbers the spelling stays. */
static const struct wire_case spellings[] = {
    {"HSET k 1 01 01 1 -0 -0 1.0 1e2 9223372036854775807 -9223372036854775808", ":5"},
    {"HKEYS k", "['1' '01' '-0' '1.0' '9223372036854775807']"},
    {"HVALS k", "['01' '1' '-0' '1e2' '-9223372036854775808']"},
    {"HGET k 1", "'01'"},
    {"HGET k +1", "nil"},
    {"HSTRLEN k 9223372036854775807", ":20"},
    {"HSET k 01 70000", ":0"},
    {"HGET k 01", "'70000'"},
    {"HSET k 01 abc", ":0"},
    {"HGETALL k", "{'1' '01' '01' 'abc' '-0' '-0' '1.0' '1e2' '9223372036854775807' "
                  "'-9223372036854775808'}"},
};

static const struct wire_case missing_and_wrong[] = {
    {"HGETALL nokey", "{}"},
    {"HKEYS nokey", "[]"},
    {"HVALS nokey", "[]"},
    {"HLEN nokey", ":0"},
    {"HGET nokey a", "nil"},
    {"HMGET nokey a b", "[nil nil]"},
    {"HEXISTS nokey a", ":0"},
    {"HSTRLEN nokey a", ":0"},
    {"HDEL nokey a", ":0"},
    {"SET s v", "+OK"},
    {"HSET s a 1", WRONGTYPE},
    {"HMSET s a 1", WRONGTYPE},
    {"HSETNX s a 1", WRONGTYPE},
    {"HGET s a", WRONGTYPE},
    {"HMGET s a", WRONGTYPE},
    {"HGETALL s", WRONGTYPE},
    {"HDEL s a", WRONGTYPE},
    {"HEXISTS s a", WRONGTYPE},
    {"HLEN s", WRONGTYPE},
    {"HKEYS s", WRONGTYPE},
    {"HVALS s", WRONGTYPE},
    {"HSTRLEN s a", WRONGTYPE},
    {"HINCRBY s a 1", WRONGTYPE},
    {"HINCRBYFLOAT s a 1", WRONGTYPE},
    {"HSET s a", ARITY("hset")},
    {"HSET s a 1 b", ARITY("hset")},
    {"HMSET s a 1 b", ARITY("hmset")},
    {"HSETNX s a", ARITY("hsetnx")},
    {"HGET s", ARITY("hget")},
    {"HMGET s", ARITY("hmget")},
    {"HGETALL s x", ARITY("hgetall")},
    {"HDEL s", ARITY("hdel")},
    {"HINCRBY s a", ARITY("hincrby")},
    {"HRANDFIELD", ARITY("hrandfield")},
    {"HSCAN s", ARITY("hscan")},
    {"HSET k a 1", ":1"},
    {"GET k", WRONGTYPE},
    {"APPEND k x", WRONGTYPE},
    {"SADD k x", WRONGTYPE},
};

static const struct wire_case counting[] = {
    {"HINCRBY k n 5", ":5"},
    {"HINCRBY k n -7", ":-2"},
    {"HGET k n", "'-2'"},
    {"HINCRBY k n 9223372036854775807", ":9223372036854775805"},
    {"HINCRBY k n 3", "-ERR increment or decrement would overflow"},
    {"HGET k n", "'9223372036854775805'"},
    {"HINCRBY k n x", NOT_AN_INTEGER},
    {"HINCRBY k n 1.5", NOT_AN_INTEGER},
    {"HSET k t abc space ' 1' empty '' float 1.5", ":4"},
    {"HINCRBY k t 1", "-ERR hash value is not an integer"},
    {"HINCRBY k space 1", "-ERR hash value is not an integer"},
    {"HINCRBY k empty 1", "-ERR hash value is not an integer"},
    {"HINCRBY k float 1", "-ERR hash value is not an integer"},
    {"HINCRBYFLOAT k float 1.25", "'2.75'"},
    {"HINCRBYFLOAT k float 0.25", "'3'"},
    {"HINCRBY k float 1", ":4"},
    {"HINCRBYFLOAT k new 1e2", "'100'"},
    {"HINCRBYFLOAT k t 1", "-ERR hash value is not a float"},
    {"HINCRBYFLOAT k space 1", "-ERR hash value is not a float"},
    {"HINCRBYFLOAT k new x", "-ERR value is not a valid float"},
    {"HINCRBYFLOAT k new inf", "-ERR value is NaN or Infinity"},
    {"HINCRBYFLOAT k new nan", "-ERR value is not a valid float"},
    {"HSET k huge 1e4931", ":1"},
    {"HINCRBYFLOAT k huge 1.1e4932", "-ERR increment would produce NaN or Infinity"},
    {"HINCRBY nokey n x", NOT_AN_INTEGER},
    {"HINCRBYFLOAT nokey n inf", "-ERR value is NaN or Infinity"},
    {"EXISTS nokey", ":0"},
    {"SET s v", "+OK"},
    {"HINCRBY s n x", NOT_AN_INTEGER},
    {"HINCRBYFLOAT s n x", "-ERR value is not a valid float"},
};

#define X64 "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"

static const struct wire_case encodings[] = {
    {"HSET k a 1", ":1"},
    {"OBJECT ENCODING k", "'listpack'"},
    {"HSET k " X64 " " X64, ":1"},
    {"OBJECT ENCODING k", "'listpack'"},
    {"HSETNX k a x" X64, ":0"},
    {"HGET k x" X64, "nil"},
    {"OBJECT ENCODING k", "'listpack'"},
    {"HSET k b x" X64, ":1"},
    {"OBJECT ENCODING k", "'hashtable'"},
    {"HDEL k b", ":1"},
    {"OBJECT ENCODING k", "'hashtable'"},
    {"HLEN k", ":2"},
    {"HGET k " X64, "'" X64 "'"},
    {"HINCRBY n x" X64 " 1", ":1"},
    {"OBJECT ENCODING n", "'hashtable'"},
    {"HINCRBYFLOAT f x" X64 " 1", "'1'"},
    {"OBJECT ENCODING f", "'hashtable'"},
    {"CONFIG SET hash-max-listpack-entries 2", "+OK"},
    {"HSET small a 1 b 2", ":2"},
    {"OBJECT ENCODING small", "'listpack'"},
    {"HSET small a 1 b 2", ":0"},
    {"OBJECT ENCODING small", "'listpack'"},
    {"HSET small c 3", ":1"},
    {"OBJECT ENCODING small", "'hashtable'"},
    {"HGETALL small", "%{'1' '2' '3' 'a' 'b' 'c'}"},
    {"HINCRBY small c 4", ":7"},
    {"HSET small a " X64 " b ''", ":0"},
    {"HMGET small a b c", "['" X64 "' '' '7']"},
    {"HSET same f 1 f 2 f 3 f 4", ":1"},
    {"OBJECT ENCODING same", "'listpack'"},
    {"CONFIG SET hash-max-listpack-entries 512 hash-max-listpack-value 5", "+OK"},
    {"HSET value a 12345", ":1"},
    {"OBJECT ENCODING value", "'listpack'"},
    {"HSET value a 123456", ":0"},
    {"OBJECT ENCODING value", "'hashtable'"},
    {"CONFIG SET hash-max-listpack-value 64", "+OK"},
    {"COPY small copy", ":1"},
    {"OBJECT ENCODING copy", "'hashtable'"},
    {"HDEL small a", ":1"},
    {"HLEN copy", ":3"},
    {"RENAME copy moved", "+OK"},
    {"HGET moved c", "'7'"},
};

#define HRAND_RANGE                                                                                \
    "-ERR value is out of range, value must between -9223372036854775807 and 9223372036854775807"

static const struct wire_case hrandfield[] = {
    {"HRANDFIELD nokey", "nil"},
    {"HRANDFIELD nokey 3", "[]"},
    {"HRANDFIELD nokey 3 WITHVALUES", "[]"},
    {"HSET one f v", ":1"},
    {"HRANDFIELD one", "'f'"},
    {"HRANDFIELD one 5", "['f']"},
    {"HRANDFIELD one -3", "['f' 'f' 'f']"},
    {"HRANDFIELD one 2 WITHVALUES", "[['f' 'v']]", "['f' 'v']"},
    {"HRANDFIELD one -2 withvalues", "[['f' 'v'] ['f' 'v']]", "['f' 'v' 'f' 'v']"},
    {"HRANDFIELD one 0", "[]"},
    {"HRANDFIELD one 0 WITHVALUES", "[]"},
    {"HSET k a 1 b 2 c 3", ":3"},
    {"HRANDFIELD k 10", "['a' 'b' 'c']"},
    {"HRANDFIELD k 10 WITHVALUES", "[['a' '1'] ['b' '2'] ['c' '3']]", "['a' '1' 'b' '2' 'c' '3']"},
    {"HRANDFIELD k 2", "/^\\['[abc]' '[abc]'\\]$"},
    {"HRANDFIELD k -4", "/^\\['[abc]' '[abc]' '[abc]' '[abc]'\\]$"},
    {"HRANDFIELD k x", NOT_AN_INTEGER},
    {"HRANDFIELD nokey x", NOT_AN_INTEGER},
    {"HRANDFIELD k 1 BOGUS", "-ERR syntax error"},
    {"HRANDFIELD k 1 WITHVALUES x", "-ERR syntax error"},
    {"HRANDFIELD k -9223372036854775808", HRAND_RANGE},
    {"HRANDFIELD k -9223372036854775808 BOGUS", HRAND_RANGE},
    {"HRANDFIELD k 9223372036854775807 WITHVALUES", "-ERR value is out of range"},
    {"HRANDFIELD k 9223372036854775807", "['a' 'b' 'c']"},
    {"SET s v", "+OK"},
    {"HRANDFIELD s", WRONGTYPE},
    {"HRANDFIELD s 1 BOGUS", "-ERR syntax error"},
};

static const struct wire_case hscan[] = {
    {"HSCAN nokey 0", "['0' []]"},
    {"HSCAN nokey 0 BOGUS", "['0' []]"},
    {"HSCAN nokey x", "-ERR invalid cursor"},
    {"HSET k one 1 two 2 three 3", ":3"},
    {"HSCAN k 0", "['0' ['one' '1' 'two' '2' 'three' '3']]"},
    {"HSCAN k 0 COUNT 1", "['0' ['one' '1' 'two' '2' 'three' '3']]"},
    {"HSCAN k 5 MATCH t*", "['0' ['two' '2' 'three' '3']]"},
    {"HSCAN k 0 MATCH 1", "['0' []]"},
    {"HSCAN k 0 COUNT 0", "-ERR syntax error"},
    {"HSCAN k 0 COUNT x", NOT_AN_INTEGER},
    {"HSCAN k 0 MATCH", "-ERR syntax error"},
    {"HSCAN k 0 TYPE hash", "-ERR syntax error"},
    {"SET s v", "+OK"},
    {"HSCAN s 0", WRONGTYPE},
    {"HSCAN s x", "-ERR invalid cursor"},
    {"SCAN 0 TYPE hash COUNT 1000", "['0' ['k']]"},
};

static const struct wire_case hscan_novalues[] = {
    {"HSET k one 1 two 2", ":2"},
    {"HSCAN k 0 NOVALUES", "['0' ['one' 'two']]"},
    {"HSCAN k 0 COUNT 5 novalues MATCH t*", "['0' ['two']]"},
    {"SCAN 0 NOVALUES", "-ERR syntax error"},
};

#define EVENT(name, key) ">['pmessage' '__keyevent@0__:*' '__keyevent@0__:" name "' '" key "']"

static const struct wire_case events[] = {
    {"CONFIG SET notify-keyspace-events EAn", "+OK"},
    {"@1 PSUBSCRIBE __keyevent@0__:*", ">['psubscribe' '__keyevent@0__:*' :1]"},
    {"HSET k a 1 b 2", ":2"},
    {"@1", EVENT("new", "k")},
    {"@1", EVENT("hset", "k")},
    {"HSET k a 1", ":0"},
    {"@1", EVENT("hset", "k")},
    {"HMSET k a 1", "+OK"},
    {"@1", EVENT("hset", "k")},
    {"HSETNX k a 1", ":0"},
    {"HSETNX k c 1", ":1"},
    {"@1", EVENT("hset", "k")},
    {"HINCRBY k a 1", ":2"},
    {"@1", EVENT("hincrby", "k")},
    {"HINCRBYFLOAT k a 1", "'3'"},
    {"@1", EVENT("hincrbyfloat", "k")},
    {"HINCRBY k a x", NOT_AN_INTEGER},
    {"HDEL k x", ":0"},
    {"HDEL k a x", ":1"},
    {"@1", EVENT("hdel", "k")},
    {"HDEL k b c", ":2"},
    {"@1", EVENT("hdel", "k")},
    {"@1", EVENT("del", "k")},
    {"HINCRBY k a 1", ":1"},
    {"@1", EVENT("new", "k")},
    {"@1", EVENT("hincrby", "k")},
    {"CONFIG SET notify-keyspace-events Kh", "+OK"},
    {"@1 PUNSUBSCRIBE", ">['punsubscribe' '__keyevent@0__:*' :0]"},
    {"@1 SUBSCRIBE __keyspace@0__:k", ">['subscribe' '__keyspace@0__:k' :1]"},
    {"HSET k a 1", ":0"},
    {"@1", ">['message' '__keyspace@0__:k' 'hset']"},
    {"CONFIG SET notify-keyspace-events ''", "+OK"},
};

static const struct wire_case watched[] = {
    {"HSET k a 1", ":1"},      {"WATCH k", "+OK"},         {"@1 HSET k a 1", ":0"},
    {"MULTI", "+OK"},          {"HGET k a", "+QUEUED"},    {"EXEC", "nil", "nil*"},
    {"WATCH k", "+OK"},        {"@1 HGET k a", "'1'"},     {"@1 HDEL k b", ":0"},
    {"@1 HSETNX k a 2", ":0"}, {"MULTI", "+OK"},           {"HINCRBY k a 1", "+QUEUED"},
    {"HGETALL k", "+QUEUED"},  {"EXEC", "[:2 {'a' '2'}]"},
};

/* ---- large ones ------------------------------------------------------------------------------ */

enum { LARGE = 3000 };

static void fill(struct wire *w)
{
    for (int i = 0; i < LARGE; i++)
        wire_callf(w, "HSET big field:%d %d", i, i * 7);
}

static void large_hash(struct session *t)
{
    struct wire *w = session_wire(t, 0);
    int right = 0;

    fill(w);
    is_str(wire_call(w, "HLEN big"), ":3000", "all fields are there");
    is_str(wire_call(w, "OBJECT ENCODING big"), "'hashtable'", "in a table");
    for (int i = 0; i < LARGE; i++) {
        char want[32];

        snprintf(want, sizeof(want), "'%d'", i * 7);
        right += strcmp(wire_callf(w, "HGET big field:%d", i), want) == 0;
    }
    is_int(right, LARGE, "and have their values");
    for (int i = 0; i < LARGE; i += 2)
        wire_callf(w, "HDEL big field:%d", i);
    is_str(wire_call(w, "HLEN big"), ":1500", "half of them go");
    is_str(wire_call(w, "HMGET big field:1 field:2 field:2999"), "['7' nil '20993']",
           "and the right ones");
    is_str(wire_call(w, "DEL big"), ":1", "the whole goes");
}

/* Every field that stays is returned, though others come and go. */
static void scan_large(struct session *t)
{
    struct wire *w = session_wire(t, 0);
    static bool seen[LARGE];
    unsigned long long cursor = 0;
    int found = 0, calls = 0, n;

    memset(seen, 0, sizeof(seen));
    fill(w);
    do {
        char line[64];
        struct answer *a;

        snprintf(line, sizeof(line), "HSCAN big %llu COUNT 20", cursor);
        wire_send(w, line);
        a = wire_next(w, RAW_TIMEOUT_MS);
        if (a == NULL || a->count != 2)
            bail("%s has no answer", line);
        cursor = strtoull(a->items[0]->text, NULL, 10);
        for (long i = 0; i < a->items[1]->count; i += 2) {
            if (sscanf(a->items[1]->items[i]->text, "field:%d", &n) == 1 && n < LARGE)
                seen[n] = true;
        }
        answer_free(a);
        wire_callf(w, "HSET big other:%d x", calls);
        wire_callf(w, "HDEL big other:%d field:%d", calls - 5, LARGE - 1 - calls);
    } while (cursor != 0 && calls++ < 2 * LARGE);
    for (int i = 0; i < LARGE / 2; i++)
        found += seen[i];
    is_int(found, LARGE / 2, "all that stay are found");
    ok(calls < LARGE / 5, "in %d calls", calls);
}

/* Distinct draws are distinct, whatever part of the hash they are. */
static void draw_large(struct session *t)
{
    static const int counts[] = {10, 900, 1100, 2900, 3000, 5000};
    struct wire *w = session_wire(t, 0);

    fill(w);
    for (size_t c = 0; c < sizeof(counts) / sizeof(counts[0]); c++) {
        int want = counts[c] < LARGE ? counts[c] : LARGE, distinct = 0, n, v;
        static bool seen[LARGE];
        struct answer *a;
        char line[64];

        memset(seen, 0, sizeof(seen));
        snprintf(line, sizeof(line), "HRANDFIELD big %d WITHVALUES", counts[c]);
        wire_send(w, line);
        a = wire_next(w, RAW_TIMEOUT_MS);
        for (long i = 0; a != NULL && i < a->count; i += w->protocol == 2 ? 2 : 1) {
            struct answer **pair = w->protocol == 2 ? &a->items[i] : a->items[i]->items;

            if (sscanf(pair[0]->text, "field:%d", &n) == 1 &&
                sscanf(pair[1]->text, "%d", &v) == 1 && v == n * 7 && !seen[n]) {
                seen[n] = true;
                distinct++;
            }
        }
        is_int(distinct, want, "%d of %d fields", counts[c], LARGE);
        answer_free(a);
    }
}

/* A value that is read from the socket in one go, and one of which a hash has many. */
static void long_values(struct session *t)
{
    enum { LEN = 300000 };
    struct wire *w = session_wire(t, 0);
    char *bytes = malloc(LEN), *got;
    const char *args[] = {"HSET", "k", "f", bytes, "g", bytes, "f", "short"};
    const size_t lens[] = {4, 1, 1, LEN, 1, 70000, 1, 5};

    memset(bytes, 'q', LEN);
    wire_send_args(w, 6, args, lens);
    is_str(wire_read(w), ":2", "long values");
    is_str(wire_call(w, "HSTRLEN k f"), ":300000", "have their lengths");
    is_str(wire_call(w, "HSTRLEN k g"), ":70000", "each");
    got = wire_bulk(w, "HGET k f");
    ok(got != NULL && memcmp(got, bytes, LEN) == 0, "and their bytes");
    is_str(wire_call(w, "HSET k f short"), ":0", "one becomes short");
    is_str(wire_call(w, "HGET k f"), "'short'", "and is that");
    free(got);
    free(bytes);
}

static const struct group groups[] = {
    TABLE(fields),    TABLE(spellings),          TABLE(missing_and_wrong),
    TABLE(counting),  TABLE(encodings),          TABLE(hrandfield),
    TABLE(hscan),     NEW_TABLE(hscan_novalues), TABLE(events),
    TABLE(watched),   TEST(large_hash),          TEST(scan_large),
    TEST(draw_large), TEST(long_values),         {NULL},
};

int main(void)
{
    static const int threads[] = {1, 4, 0};

    return session_main("hashes", "", threads, groups);
}
