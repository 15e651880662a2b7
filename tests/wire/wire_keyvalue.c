/*
 * Events that carry the value: what is told of each change, to whom. Tables are run for who
 * subscribes to a pattern of such channels, to the channel of each key, and to everything with the
 * letter W in notify-keyspace-events: all are told the same.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/lib/raw.h"
#include "tests/lib/tap.h"
#include "tests/lib/wire.h"

enum { TOLD_MAX = 6, TEXT_MAX = 512 };

/*
 * A command, its reply (NULL: whatever it is), and what is told of it: "db:key event state type
 * size body". The version is left out; that it grows is checked throughout.
 */
struct step {
    const char *line;
    const char *reply;
    const char *told[TOLD_MAX];
};

/* ---- reading what is told -------------------------------------------------------------------- */

/* By database and key, the last version that was told. */
static struct {
    char key[64];
    unsigned long long version;
} seen[256];
static size_t seen_len;

/* Further events of a change have its version; else it is greater than those before. */
static bool grows(const char *key, const char *event, unsigned long long version)
{
    static const char *const further[] = {"expire", "persist", "hexpire", "hdel"};
    size_t i = 0;
    bool may_be_same = false, right;

    for (size_t k = 0; k < sizeof(further) / sizeof(further[0]); k++)
        may_be_same |= strcmp(event, further[k]) == 0;
    while (i < seen_len && strcmp(seen[i].key, key) != 0)
        i++;
    if (i == seen_len) {
        snprintf(seen[i].key, sizeof(seen[i].key), "%s", key);
        seen[seen_len++].version = 0;
    }
    right = version > seen[i].version || (may_be_same && version == seen[i].version);
    seen[i].version = version;
    return right;
}

/* "db:key event state type size body" of a message, or what is wrong with it. */
static void describe(const struct answer *channel, const struct answer *message,
                     char text[TEXT_MAX])
{
    static const char prefix[] = "__keyvalue@";
    const char *key = strstr(channel->text, "__:"),
               *body = memchr(message->text, '\n', message->len);
    char event[32], state[16], type[16], name[64];
    unsigned long long version, size;

    if (strncmp(channel->text, prefix, sizeof(prefix) - 1) != 0 || !key || !body ||
        sscanf(message->text, "%31s %llu %15s %15s %llu", event, &version, state, type, &size) !=
            5) {
        snprintf(text, TEXT_MAX, "strange: %s %s", channel->text, message->text);
        return;
    }
    snprintf(name, sizeof(name), "%d:%s", atoi(channel->text + sizeof(prefix) - 1), key + 3);
    snprintf(text, TEXT_MAX, "%s %s %s %s %llu%s%.*s%s", name, event, state, type, size,
             body[1] ? " " : "", (int)(message->len - (size_t)(body + 1 - message->text)), body + 1,
             strcmp(type, "none") == 0 || grows(name, event, version) ? ""
                                                                      : " (version does not grow)");
}

/* The next message of a connection, "silence" if there is none. */
static void next_told(struct wire *w, int timeout_ms, char text[TEXT_MAX])
{
    struct answer *a = wire_next(w, timeout_ms);

    if (!a)
        snprintf(text, TEXT_MAX, "silence");
    else if (a->count < 3)
        snprintf(text, TEXT_MAX, "no message");
    else
        describe(a->items[a->count - 2], a->items[a->count - 1], text);
    answer_free(a);
}

static void run_step(struct session *t, const char *group, const struct step *s)
{
    const char *reply = wire_call(session_wire(t, 0), s->line);
    char told[TEXT_MAX];

    if (s->reply)
        is_str(reply, s->reply, "%s: %s", group, s->line);
    for (int i = 0; i < TOLD_MAX && s->told[i]; i++) {
        next_told(session_wire(t, 1), RAW_TIMEOUT_MS, told);
        is_str(told, s->told[i], "%s: told of %s, %d", group, s->line, i);
    }
}

/* What is published last comes next. */
static void is_silent(struct session *t, const char *group)
{
    char told[TEXT_MAX];

    wire_call(session_wire(t, 0), "PUBLISH __keyvalue@9__:end \"end 0 now none 0\n\"");
    next_told(session_wire(t, 1), RAW_TIMEOUT_MS, told);
    is_str(told, "9:end end now none 0", "%s: nothing else is told", group);
}

static void subscribe_keys(struct wire *w)
{
    wire_call(w, "SUBSCRIBE __keyvalue@9__:end");
    for (int db = 0; db < 4; db++) {
        for (const char *key = "abcde"; *key; key++)
            wire_callf(w, "SUBSCRIBE __keyvalue@%d__:%c", db, *key);
    }
}

static void subscribe(struct session *t, int way)
{
    struct wire *w = session_wire(t, 1);

    wire_callf(session_wire(t, 0), "CONFIG SET notify-keyspace-events %s",
               way == 2 ? "AW" : "\"\"");
    if (way == 0)
        wire_call(w, "PSUBSCRIBE __keyvalue@*");
    else if (way == 1)
        subscribe_keys(w);
    else
        wire_call(w, "PSUBSCRIBE *");
}

/* Keys a to e of databases 0 to 3. */
static void run_steps(struct session *t, const char *group, const struct step *steps, size_t n)
{
    static const char *const ways[] = {"by pattern", "by key", "by letter"};

    for (int way = 0; way < 3; way++) {
        char name[64];

        session_reset(t);
        seen_len = 0;
        snprintf(name, sizeof(name), "%s %s", group, ways[way]);
        subscribe(t, way);
        for (size_t i = 0; i < n; i++)
            run_step(t, name, &steps[i]);
        is_silent(t, name);
    }
    wire_call(session_wire(t, 0), "CONFIG SET notify-keyspace-events \"\"");
}

#define STEPS(t, group, ...)                                                                       \
    do {                                                                                           \
        static const struct step steps_[] = {__VA_ARGS__};                                         \
        run_steps(t, group, steps_, sizeof(steps_) / sizeof(steps_[0]));                           \
    } while (0)

/* ---- what is told ---------------------------------------------------------------------------- */

static void strings(struct session *t)
{
    STEPS(t, "strings", {"SET a v", "+OK", {"0:a set now string 1 v"}},
          {"SET a \"x\\ny\"", "+OK", {"0:a set now string 3 x\ny"}},
          {"SET a \"\"", "+OK", {"0:a set now string 0"}},
          {"SET a 12", "+OK", {"0:a set now string 2 12"}},
          {"INCR a", ":13", {"0:a incrby now string 2 13"}},
          {"INCRBYFLOAT a 0.5", "'13.5'", {"0:a incrbyfloat now string 4 13.5"}},
          {"APPEND a x", ":5", {"0:a append now string 5 13.5x"}},
          {"SETRANGE a 0 99", ":5", {"0:a setrange now string 5 99.5x"}},
          {"SETBIT a 7 0", NULL, {"0:a setbit now string 5 89.5x"}},
          {"SET a w EX 100", "+OK", {"0:a set now string 1 w", "0:a expire now string 1 w"}},
          {"PERSIST a", ":1", {"0:a persist now string 1 w"}},
          {"EXPIRE a 100", ":1", {"0:a expire now string 1 w"}},
          {"GETEX a PERSIST", "'w'", {"0:a persist now string 1 w"}},
          {"GETSET a u", "'w'", {"0:a set now string 1 u"}}, {"SETNX a n", ":0"},
          {"SET a n NX", "nil"}, {"SETNX b n", ":1", {"0:b set now string 1 n"}},
          {"MSET a 1 c 2 a 3",
           "+OK",
           {"0:a set now string 1 1", "0:c set now string 1 2", "0:a set now string 1 3"}},
          {"GETDEL a", "'3'", {"0:a del gone string 1 3"}},
          {"DEL a b c", ":2", {"0:b del gone string 1 n", "0:c del gone string 1 2"}},
          {"SET a v", "+OK", {"0:a set now string 1 v"}},
          {"EXPIRE a -1", ":1", {"0:a del gone string 1 v"}},
          {"SET a v PXAT 1",
           "+OK",
           {"0:a set now string 1 v", "0:a expire now string 1 v", "0:a expired gone string 1 v"}},
          {"GET a", "nil"}, {"BITOP OR d a", ":0"}, {"SET e x", "+OK", {"0:e set now string 1 x"}},
          {"BITOP OR d e", ":1", {"0:d set now string 1 x"}},
          {"BITOP OR d a", ":0", {"0:d del gone string 1 x"}});
}

static void keys(struct session *t)
{
    STEPS(
        t, "keys", {"SET a v", "+OK", {"0:a set now string 1 v"}},
        {"RENAME a b", "+OK", {"0:a rename_from gone string 1 v", "0:b rename_to now string 1 v"}},
        {"COPY b c", ":1", {"0:c copy_to now string 1 v"}},
        {"COPY b c DB 2", ":1", {"2:c copy_to now string 1 v"}},
        {"MOVE b 1", ":1", {"0:b move_from gone string 1 v", "1:b move_to now string 1 v"}},
        {"SET e w", "+OK", {"0:e set now string 1 w"}},
        {"RENAME c e", "+OK", {"0:c rename_from gone string 1 v", "0:e rename_to now string 1 v"}},
        {"UNLINK e", ":1", {"0:e del gone string 1 v"}}, {"SELECT 2", "+OK"},
        {"DEL c", ":1", {"2:c del gone string 1 v"}},
        {"SET c v PX 10",
         "+OK",
         {"2:c set now string 1 v", "2:c expire now string 1 v", "2:c expired gone string 1 v"}},
        {"MULTI", "+OK"}, {"SET a 1", "+QUEUED"}, {"INCR a", "+QUEUED"}, {"DEL a", "+QUEUED"},
        {"SET a 2", "+QUEUED"},
        {"EXEC",
         "[+OK :2 :1 +OK]",
         {"2:a set now string 1 1", "2:a incrby now string 1 2", "2:a del gone string 1 2",
          "2:a set now string 1 2"}},
        {"SELECT 0", "+OK"});
}

static void hashes(struct session *t)
{
    STEPS(t, "hashes", {"HSET a f 1 g 2 f 3", ":2", {"0:a hset now hash 3 1:f,1:g,1:f,"}},
          {"HSET a \"\" 1", ":1", {"0:a hset now hash 1 0:,"}}, {"HSETNX a f 1", ":0"},
          {"HSETNX a longer:name 1", ":1", {"0:a hset now hash 1 11:longer:name,"}},
          {"HMSET a h 1", "+OK", {"0:a hset now hash 1 1:h,"}},
          {"HINCRBY a h 2", ":3", {"0:a hincrby now hash 1 1:h,"}},
          {"HINCRBYFLOAT a h 0.5", "'3.5'", {"0:a hincrbyfloat now hash 1 1:h,"}},
          {"HINCRBY a h 2", "-ERR hash value is not an integer"},
          {"HDEL a x g h", ":2", {"0:a hdel now hash 2 1:g,1:h,"}}, {"HDEL a x", ":0"},
          {"HEXPIRE a 100 FIELDS 2 x f", "[:-2 :1]", {"0:a hexpire now hash 1 1:f,"}},
          {"HPERSIST a FIELDS 2 x f", "[:-2 :1]", {"0:a hpersist now hash 1 1:f,"}},
          {"HPERSIST a FIELDS 1 f", "[:-1]"},
          {"HGETEX a EX 100 FIELDS 1 f", "['3']", {"0:a hexpire now hash 1 1:f,"}},
          {"HGETEX a PERSIST FIELDS 1 f", "['3']", {"0:a hpersist now hash 1 1:f,"}},
          {"HSETEX a FIELDS 2 f 1 g 2", ":1", {"0:a hset now hash 2 1:f,1:g,"}},
          {"HSETEX a EX 100 FIELDS 1 i 1",
           ":1",
           {"0:a hset now hash 1 1:i,", "0:a hexpire now hash 1 1:i,"}},
          {"HSETEX a PXAT 1 FIELDS 1 i 1",
           ":1",
           {"0:a hset now hash 1 1:i,", "0:a hdel now hash 1 1:i,"}},
          {"HPEXPIREAT a 1 FIELDS 1 g", "[:2]", {"0:a hdel now hash 1 1:g,"}},
          {"HPEXPIRE a 10 FIELDS 1 f",
           "[:1]",
           {"0:a hexpire now hash 1 1:f,", "0:a hexpired now hash 1 1:f,"}},
          {"HGETDEL a FIELDS 2 \"\" longer:name",
           "['1' '1']",
           {"0:a hdel now hash 2 0:,11:longer:name,", "0:a del gone hash 0"}},
          {"HSET a f 1 g 1", ":2", {"0:a hset now hash 2 1:f,1:g,"}},
          {"HPEXPIRE a 10 FIELDS 2 f g",
           "[:1 :1]",
           {"0:a hexpire now hash 2 1:f,1:g,", "0:a hexpired now hash 2 1:f,1:g,",
            "0:a del gone hash 0"}},
          {"HSET a f 1", ":1", {"0:a hset now hash 1 1:f,"}},
          {"PEXPIRE a 10", ":1", {"0:a expire now hash 0", "0:a expired gone hash 0"}},
          {"HSET a f 1", ":1", {"0:a hset now hash 1 1:f,"}},
          {"HDEL a f g", ":1", {"0:a hdel now hash 1 1:f,", "0:a del gone hash 0"}});
}

static void sets(struct session *t)
{
    STEPS(t, "sets", {"SADD a 1 2 1 3", ":3", {"0:a sadd now set 3 1:1,1:2,1:3,"}},
          {"SADD a 1 2", ":0"}, {"SADD a x", ":1", {"0:a sadd now set 1 1:x,"}},
          {"SREM a y x 2", ":2", {"0:a srem now set 2 1:x,1:2,"}},
          {"SMOVE a b 3", ":1", {"0:a srem now set 1 1:3,", "0:b sadd now set 1 1:3,"}},
          {"SPOP a", "'1'", {"0:a spop now set 1 1:1,", "0:a del gone set 0"}},
          {"SADD a m m m", ":1", {"0:a sadd now set 1 1:m,"}},
          {"SMOVE a b m",
           ":1",
           {"0:a srem now set 1 1:m,", "0:a del gone set 0", "0:b sadd now set 1 1:m,"}},
          {"SADD b 3 m", ":0"}, {"SUNIONSTORE c b", ":2", {"0:c sunionstore now set 0"}},
          {"SREM b m", ":1", {"0:b srem now set 1 1:m,"}},
          {"SINTERSTORE d b c", ":1", {"0:d sinterstore now set 0"}},
          {"SDIFFSTORE d c b", ":1", {"0:d sdiffstore now set 0"}},
          {"SDIFFSTORE d b c", ":0", {"0:d del gone set 0"}},
          {"SPOP b 5", NULL, {"0:b spop now set 1 1:3,", "0:b del gone set 0"}},
          {"SREM c 3 m", ":2", {"0:c srem now set 2 1:3,1:m,", "0:c del gone set 0"}});
}

static void zsets(struct session *t)
{
    STEPS(t, "sorted sets", {"ZADD a 1 x 2 y 3 z", ":3", {"0:a zadd now zset 3 1:x,1:y,1:z,"}},
          {"ZADD a 1 x 2 w 5 y", ":1", {"0:a zadd now zset 2 1:w,1:y,"}}, {"ZADD a NX 5 x", ":0"},
          {"ZADD a INCR 1 x", NULL, {"0:a zincr now zset 1 1:x,"}},
          {"ZINCRBY a 1 x", NULL, {"0:a zincr now zset 1 1:x,"}},
          {"ZREM a v w", ":1", {"0:a zrem now zset 1 1:w,"}},
          {"ZPOPMIN a", NULL, {"0:a zpopmin now zset 1 1:x,"}},
          {"ZPOPMAX a 1", NULL, {"0:a zpopmax now zset 1 1:y,"}},
          {"ZADD a 1 x 2 y", ":2", {"0:a zadd now zset 2 1:x,1:y,"}},
          {"ZREMRANGEBYRANK a 0 1", ":2", {"0:a zremrangebyrank now zset 2 1:x,1:y,"}},
          {"ZRANGESTORE b a 0 -1", ":1", {"0:b zrangestore now zset 0"}},
          {"ZUNIONSTORE c 1 a", ":1", {"0:c zunionstore now zset 0"}},
          {"ZINTERSTORE c 2 a b", ":1", {"0:c zinterstore now zset 0"}},
          {"ZDIFFSTORE c 2 a b", ":0", {"0:c del gone zset 0"}},
          {"ZREMRANGEBYSCORE a 0 9",
           ":1",
           {"0:a zremrangebyscore now zset 1 1:z,", "0:a del gone zset 0"}},
          {"ZREMRANGEBYLEX b - +",
           ":1",
           {"0:b zremrangebylex now zset 1 1:z,", "0:b del gone zset 0"}},
          {"ZADD a 1 x 2 y", ":2", {"0:a zadd now zset 2 1:x,1:y,"}},
          {"ZMPOP 2 b a MIN COUNT 5",
           NULL,
           {"0:a zpopmin now zset 2 1:x,1:y,", "0:a del gone zset 0"}},
          {"GEOADD a 1 2 x 3 4 y", ":2", {"0:a zadd now zset 2 1:x,1:y,"}},
          {"GEOADD a CH 1 2 x 5 4 y", ":1", {"0:a zadd now zset 1 1:y,"}},
          {"GEOSEARCHSTORE b a FROMLONLAT 1 2 BYRADIUS 1 km",
           ":1",
           {"0:b geosearchstore now zset 0"}},
          {"ZREM a x y", ":2", {"0:a zrem now zset 2 1:x,1:y,", "0:a del gone zset 0"}});
}

static void lists(struct session *t)
{
    STEPS(
        t, "lists", {"RPUSH a x y z", ":3", {"0:a rpush now list 3 1:0,1:1,1:2,"}},
        {"RPUSH a x y", ":5", {"0:a rpush now list 2 1:3,1:4,"}},
        {"LPUSH a v w", ":7", {"0:a lpush now list 2 1:0,1:1,"}}, {"LPUSHX b v", ":0"},
        {"LSET a -1 u", "+OK", {"0:a lset now list 1 1:6,"}},
        {"LINSERT a AFTER v n", ":8", {"0:a linsert now list 1 1:2,"}},
        {"LINSERT a BEFORE w n", ":9", {"0:a linsert now list 1 1:0,"}},
        {"LREM a 0 n", ":2", {"0:a lrem now list 2 1:0,1:3,"}},
        {"LREM a -1 x", ":1", {"0:a lrem now list 1 1:5,"}},
        {"LPOP a", "'w'", {"0:a lpop now list 1 1:0,"}},
        {"RPOP a 2", "['u' 'z']", {"0:a rpop now list 2 1:3,1:4,"}},
        {"RPUSH a z u", ":5", {"0:a rpush now list 2 1:3,1:4,"}},
        {"LTRIM a 1 2", "+OK", {"0:a ltrim now list 3 1:0,1:3,1:4,"}},
        {"LTRIM a 0 -1", "+OK", {"0:a ltrim now list 0"}},
        {"LMOVE a b LEFT RIGHT", "'x'", {"0:b rpush now list 1 1:0,", "0:a lpop now list 1 1:0,"}},
        {"RPOPLPUSH a b",
         "'y'",
         {"0:b lpush now list 1 1:0,", "0:a rpop now list 1 1:0,", "0:a del gone list 0"}},
        {"LMOVE b b LEFT RIGHT", "'y'", {"0:b rpush now list 1 1:2,", "0:b lpop now list 1 1:0,"}},
        {"SORT b ALPHA STORE c", ":2", {"0:c sortstore now list 0"}},
        {"LMPOP 2 a b LEFT COUNT 5", NULL, {"0:b lpop now list 2 1:0,1:1,", "0:b del gone list 0"}},
        {"LTRIM c 5 6", "+OK", {"0:c ltrim now list 2 1:0,1:1,", "0:c del gone list 0"}},
        {"RPUSH c x", ":1", {"0:c rpush now list 1 1:0,"}},
        {"LREM c 0 x", ":1", {"0:c lrem now list 1 1:0,", "0:c del gone list 0"}});
}

static void sketches(struct session *t)
{
    static const char raw[] = "CONFIG SET keyvalue-max-value-size ";

    wire_callf(session_wire(t, 0), "%s1", raw);
    STEPS(t, "sketches", {"PFADD a x", ":1", {"0:a pfadd now string 20"}}, {"PFADD a x", ":0"},
          {"PFCOUNT a", ":1", {"0:a rewritten now string 20"}}, {"PFCOUNT a", ":1"},
          {"PFMERGE b a", "+OK", {"0:b pfadd now string 20"}}, {"PFCOUNT a b", ":1"});
    wire_callf(session_wire(t, 0), "%s64kb", raw);
}

/* What waits is served by whoever pushes, and each step is told. */
static void served(struct session *t)
{
    session_reset(t);
    seen_len = 0;
    subscribe(t, 0);
    session_block(t, 2, "BLMOVE a b LEFT RIGHT 0");
    session_block(t, 3, "BLPOP b 0");
    static const struct step push = {"RPUSH a x",
                                     ":1",
                                     {"0:a rpush now list 1 1:0,", "0:b rpush now list 1 1:0,",
                                      "0:a lpop now list 1 1:0,", "0:a del gone list 0",
                                      "0:b lpop now list 1 1:0,", "0:b del gone list 0"}};
    run_step(t, "served", &push);
    session_block(t, 2, "BZPOPMIN c 0");
    static const struct step add = {
        "ZADD c 1 x",
        ":1",
        {"0:c zadd now zset 1 1:x,", "0:c zpopmin now zset 1 1:x,", "0:c del gone zset 0"}};
    run_step(t, "served", &add);
    is_silent(t, "served");
}

/* Whole databases: each key that is subscribed, and patterns once. */
static void databases(struct session *t)
{
    static const struct step by_key[] = {
        {"MSET a v x w", "+OK", {"0:a set now string 1 v"}},
        {"FLUSHDB", "+OK", {"0:a flushed gone string 1 v"}},
        {"FLUSHALL", "+OK"},
        {"SET a v", "+OK", {"0:a set now string 1 v"}},
        {"RPUSH b x", ":1", {"0:b rpush now list 1 1:0,"}},
        {"SELECT 1", "+OK"},
        {"SET b w", "+OK", {"1:b set now string 1 w"}},
        {"SWAPDB 1 3", "+OK", {"1:b swapped gone string 1 w", "3:b swapped now string 1 w"}},
        {"SWAPDB 2 2", "+OK"},
        {"SELECT 3", "+OK"},
        {"SET b u", "+OK", {"3:b set now string 1 u"}},
        {"FLUSHDB", "+OK", {"3:b flushed gone string 1 u"}},
        {"SELECT 0", "+OK"},
        {"DEL b", ":1", {"0:b del gone list 0"}},
        {"FLUSHALL", "+OK", {"0:a flushed gone string 1 v"}},
    };
    static const struct step by_pattern[] = {
        {"SET user:1 v", "+OK", {"0:user:1 set now string 1 v"}},
        {"SET other:1 v", "+OK"},
        {"SWAPDB 0 1", "+OK", {"0: swapped now none 0"}},
        {"FLUSHALL", "+OK"},
        {"SET other:1 v", "+OK"},
        {"FLUSHDB", "+OK", {"0: flushed gone none 0"}},
        {"SET user:1 v", "+OK", {"0:user:1 set now string 1 v"}},
        {"FLUSHALL", "+OK", {"0: flushed gone none 0"}},
    };

    session_reset(t);
    seen_len = 0;
    subscribe(t, 1);
    for (size_t i = 0; i < sizeof(by_key) / sizeof(by_key[0]); i++)
        run_step(t, "databases by key", &by_key[i]);
    is_silent(t, "databases by key");
    session_reset(t);
    seen_len = 0;
    wire_call(session_wire(t, 1), "PSUBSCRIBE __keyvalue@0__:user:*");
    for (size_t i = 0; i < sizeof(by_pattern) / sizeof(by_pattern[0]); i++)
        run_step(t, "databases by pattern", &by_pattern[i]);
}

static void evicted(struct session *t)
{
    static const struct step set = {"SET a v", "+OK", {"0:a set now string 1 v"}};
    static const struct step gone = {"SET b v", NULL, {"0:a evicted gone string 1 v"}};
    struct wire *w;

    session_reset(t);
    seen_len = 0;
    subscribe(t, 1);
    run_step(t, "evicted", &set);
    w = session_wire(t, 0);
    wire_call(w, "CONFIG SET maxmemory-policy allkeys-random maxmemory 1");
    run_step(t, "evicted", &gone);
    wire_call(w, "CONFIG SET maxmemory-policy noeviction maxmemory 0");
}

/* ---- who is told ----------------------------------------------------------------------------- */

static const struct wire_case subscribers[] = {
    {"CONFIG SET notify-keyspace-events \"\"", "+OK"},
    {"@1 SUBSCRIBE __keyvalue@0__:k", ">['subscribe' '__keyvalue@0__:k' :1]"},
    {"@2 PSUBSCRIBE *", ">['psubscribe' '*' :1]"},
    {"@2 PSUBSCRIBE __key*__:*", ">['psubscribe' '__key*__:*' :2]"},
    {"@3 PSUBSCRIBE __keyvalue@?__:[kl]*", ">['psubscribe' '__keyvalue@?__:[kl]*' :1]"},
    {"@4 SUBSCRIBE __keyvalue@16__:k __keyvalue@-1__:k __keyvalue@x__:k __keyvalue@ __keyvalue@0_k",
     ">['subscribe' '__keyvalue@16__:k' :1]"},
    {"@4", ">['subscribe' '__keyvalue@-1__:k' :2]"},
    {"@4", ">['subscribe' '__keyvalue@x__:k' :3]"},
    {"@4", ">['subscribe' '__keyvalue@' :4]"},
    {"@4", ">['subscribe' '__keyvalue@0_k' :5]"},
    {"SET other v", "+OK"},
    {"SET l v", "+OK"},
    {"@3", "/'pmessage' '__keyvalue@.__:.kl..' '__keyvalue@0__:l' 'set [0-9]+ now string 1.nv'.$"},
    {"SET k v", "+OK"},
    {"@1", "/'message' '__keyvalue@0__:k' 'set [0-9]+ now string 1.nv'.$"},
    {"@3", "/'pmessage' '__keyvalue@.__:.kl..' '__keyvalue@0__:k' 'set [0-9]+ now string 1.nv'.$"},
    {"@1 UNSUBSCRIBE __keyvalue@0__:k", ">['unsubscribe' '__keyvalue@0__:k' :0]"},
    {"@3 PUNSUBSCRIBE", ">['punsubscribe' '__keyvalue@?__:[kl]*' :0]"},
    {"SET k w", "+OK"},
    {"@1 PING", "+PONG"},
    {"@3 PING", "+PONG"},
    {"@4 UNSUBSCRIBE", "/unsubscribe"},
    {"@4", "/unsubscribe"},
    {"@4", "/unsubscribe"},
    {"@4", "/unsubscribe"},
    {"@4", "/unsubscribe"},
    {"CONFIG SET notify-keyspace-events $W", "+OK"},
    {"SET k u", "+OK"},
    {"@2", "/'pmessage' '[*]' '__keyvalue@0__:k' 'set [0-9]+ now string 1.nu'.$"},
    {"@2", "/'pmessage' '__key[*]__:[*]' '__keyvalue@0__:k' 'set [0-9]+ now string 1.nu'.$"},
    {"DEL k", ":1"},
    {"CONFIG SET notify-keyspace-events Wnm", "+OK"},
    {"@2 PUNSUBSCRIBE *", ">['punsubscribe' '*' :1]"},
    {"GET k", "nil"},
    {"@2", "/'__keyvalue@0__:k' 'keymiss 0 now none 0.n'.$"},
    {"SET k v", "+OK"},
    {"@2", "/'__keyvalue@0__:k' 'new 0 now none 0.n'.$"},
    {"CONFIG SET notify-keyspace-events \"\"", "+OK"},
    {"SET k v", "+OK"},
    {"@2", "(silence)"},
    {"@1", "(silence)"},
    {"@3", "(silence)"},
    {"@4", "(silence)"},
};

/* Subscribing within a transaction: what comes behind it is told. */
static const struct wire_case transactions[] = {
    {"MULTI", "+OK"},
    {"SET k v", "+QUEUED"},
    {"SUBSCRIBE __keyvalue@0__:k", "+QUEUED"},
    {"PSUBSCRIBE __keyvalue@0__:*", "+QUEUED"},
    {"EXEC", "/OK"},
    {"@1 SET k w", "+OK"},
    {"", "/'message' '__keyvalue@0__:k' 'set [0-9]+ now string 1.nw'"},
    {"", "/'pmessage' '__keyvalue@0__:[*]' '__keyvalue@0__:k' 'set [0-9]+ now string 1.nw'"},
};

static const struct wire_case letters[] = {
    {"CONFIG SET notify-keyspace-events W", "+OK"},
    {"CONFIG GET notify-keyspace-events", "{'notify-keyspace-events' 'W'}"},
    {"CONFIG SET notify-keyspace-events AKEWmn", "+OK"},
    {"CONFIG GET notify-keyspace-events", "{'notify-keyspace-events' 'AKEmW'}"},
    {"CONFIG SET notify-keyspace-events A", "+OK"},
    {"CONFIG GET notify-keyspace-events", "{'notify-keyspace-events' 'A'}"},
    {"CONFIG SET notify-keyspace-events \"\"", "+OK"},
    {"CONFIG GET keyvalue-max-value-size", "{'keyvalue-max-value-size' '65536'}"},
};

/* ---- limits ---------------------------------------------------------------------------------- */

static void sizes(struct session *t)
{
    wire_call(session_wire(t, 0), "CONFIG SET keyvalue-max-value-size 8");
    STEPS(t, "sizes", {"SET a 12345678", "+OK", {"0:a set now string 8 12345678"}},
          {"APPEND a 9", ":9", {"0:a append now string 9"}},
          {"DEL a", ":1", {"0:a del gone string 9"}},
          {"SADD a x yy zzz z", ":4", {"0:a sadd now set 4 1:x,2:yy,"}},
          {"RPUSH b 1 2 3 4", ":4", {"0:b rpush now list 4 1:0,1:1,"}},
          {"SET c x", "+OK", {"0:c set now string 1 x"}});
    wire_call(session_wire(t, 0), "CONFIG SET keyvalue-max-value-size 0");
    STEPS(t, "no limit", {"SADD a x yy zzz z", ":4", {"0:a sadd now set 4 1:x,2:yy,3:zzz,1:z,"}});
    wire_call(session_wire(t, 0), "CONFIG SET keyvalue-max-value-size 64kb");
}

static const struct group groups[] = {
    NEW_TEST(strings),       NEW_TEST(keys),     NEW_TEST(hashes),
    NEW_TEST(sets),          NEW_TEST(zsets),    NEW_TEST(lists),
    NEW_TEST(sketches),      NEW_TEST(served),   NEW_TEST(sizes),
    NEW_TEST(databases),     NEW_TEST(evicted),  NEW_TABLE(subscribers),
    NEW_TABLE(transactions), NEW_TABLE(letters), {0},
};

int main(void)
{
    static const int threads[] = {1, 4, 0};

    return session_main("keyvalue", "", threads, groups);
}
