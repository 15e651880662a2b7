/*
 * HyperLogLogs: what they reply and the bytes that they are kept as, which are those of Redis.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/lib/tap.h"
#include "tests/lib/wire.h"

#define EMPTY "HYLL\\x01\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x7f\\xff"
#define NOT_COUNTED "HYLL\\x01\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x80"
#define COUNTED_0 "HYLL\\x01\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00"
#define COUNTED_2 "HYLL\\x01\\x00\\x00\\x00\\x02\\x00\\x00\\x00\\x00\\x00\\x00\\x00"
#define A_AND_B "q\\xa6\\x84K\\xfb\\x80BZ"
#define NO_HLL "-WRONGTYPE Key is not a valid HyperLogLog string value."
#define CORRUPT "-INVALIDOBJ Corrupted HLL object detected"

static const struct wire_case pfadd[] = {
    {"PFADD k", ":1"},
    {"GET k", "'" NOT_COUNTED "\\x7f\\xff'"},
    {"PFADD k", ":0"},
    {"OBJECT ENCODING k", "'raw'"},
    {"TYPE k", "+string"},
    {"PFADD k a b", ":1"},
    {"PFADD k a b", ":0"},
    {"PFADD k b", ":0"},
    {"GET k", "'" NOT_COUNTED A_AND_B "'"},
    {"EXPIRE k 100", ":1"},
    {"PFADD k c", ":1"},
    {"TTL k", "/^:(100|99)$"},
    {"PFADD k \"\"", ":1"},
    {"PFCOUNT k", ":4"},
    {"PFADD", "-ERR wrong number of arguments for 'pfadd' command"},
    {"SET s \"" EMPTY "\"", "+OK"},
    {"OBJECT ENCODING s", "'embstr'"},
    {"PFADD s", ":0"},
    {"OBJECT ENCODING s", "'raw'"},
    {"SET s 12", "+OK"},
    {"PFADD s a", NO_HLL},
    {"OBJECT ENCODING s", "'int'"},
    {"SETRANGE z 12303 x", ":12304"},
    {"PFADD z a", NO_HLL},
    {"SETRANGE z 0 HYLL", ":12304"},
    {"PFADD z a", ":1"},
    {"PFCOUNT z", ":2"},
    {"PFDEBUG ENCODING z", "+dense"},
};

static const struct wire_case pfcount[] = {
    {"PFCOUNT k", ":0"},
    {"PFADD k a b", ":1"},
    {"PFCOUNT k", ":2"},
    {"GET k", "'" COUNTED_2 A_AND_B "'"},
    {"PFADD k a", ":0"},
    {"GET k", "'" COUNTED_2 A_AND_B "'"},
    {"PFADD l a c", ":1"},
    {"PFCOUNT k l", ":3"},
    {"PFCOUNT k none l k", ":3"},
    {"PFCOUNT none nobody", ":0"},
    {"GET l", "/^'HYLL.x01(.x00){10}.x80"},
    {"PFCOUNT", "-ERR wrong number of arguments for 'pfcount' command"},
    /* What the value remembers is believed; a union is counted. */
    {"SETRANGE k 8 \"\\x07\"", ":24"},
    {"PFCOUNT k", ":7"},
    {"PFCOUNT k k", ":2"},
    {"SET s abc", "+OK"},
    {"PFCOUNT s", NO_HLL},
    {"PFCOUNT k s", NO_HLL},
    {"SET e \"" EMPTY "\"", "+OK"},
    {"PFCOUNT e e", ":0"},
    {"OBJECT ENCODING e", "'embstr'"},
    {"PFCOUNT e", ":0"},
    {"OBJECT ENCODING e", "'raw'"},
};

static const struct wire_case pfmerge[] = {
    {"PFMERGE d", "+OK"},
    {"GET d", "'" NOT_COUNTED "\\x7f\\xff'"},
    {"PFADD k a", ":1"},
    {"PFADD l b", ":1"},
    {"PFMERGE d k l none", "+OK"},
    {"GET d", "'" NOT_COUNTED A_AND_B "'"},
    {"PFCOUNT d", ":2"},
    {"PFMERGE d k", "+OK"},
    {"GET d", "'HYLL\\x01\\x00\\x00\\x00\\x02\\x00\\x00\\x00\\x00\\x00\\x00\\x80" A_AND_B "'"},
    {"PFDEBUG TODENSE l", ":1"},
    {"EXPIRE d 100", ":1"},
    {"PFMERGE d l", "+OK"},
    {"TTL d", "/^:(100|99)$"},
    {"PFDEBUG ENCODING d", "+dense"},
    {"STRLEN d", ":12304"},
    {"PFCOUNT d", ":2"},
    {"PFMERGE new l", "+OK"},
    {"PFDEBUG ENCODING new", "+dense"},
    {"SET s abc", "+OK"},
    {"PFMERGE d s", NO_HLL},
    {"PFMERGE s d", NO_HLL},
    {"PFMERGE", "-ERR wrong number of arguments for 'pfmerge' command"},
    {"PFCOUNT d", ":2"},
};

static const struct wire_case pfdebug[] = {
    {"PFADD k a b", ":1"},
    {"PFDEBUG DECODE k", "'Z:12711 v:2,1 Z:3068 v:1,1 Z:603'"},
    {"PFDEBUG encoding k", "+sparse"},
    {"PFDEBUG TODENSE k", ":1"},
    {"PFDEBUG TODENSE k", ":0"},
    {"PFDEBUG ENCODING k", "+dense"},
    {"PFDEBUG DECODE k", "-ERR HLL encoding is not sparse"},
    {"PFDEBUG NOPE k", "-ERR Unknown PFDEBUG subcommand 'NOPE'"},
    {"PFDEBUG NOPE none", "-ERR The specified key does not exist"},
    {"PFDEBUG DECODE none", "-ERR The specified key does not exist"},
    {"PFDEBUG DECODE", "-ERR wrong number of arguments for 'pfdebug' command"},
    {"PFDEBUG DECODE k x", "-ERR wrong number of arguments for 'pfdebug' command"},
    {"PFADD l a", ":1"},
    {"SET s abc", "+OK"},
    {"PFDEBUG ENCODING s", NO_HLL},
    {"PFSELFTEST", "+OK"},
    {"PFSELFTEST x", "-ERR wrong number of arguments for 'pfselftest' command"},
};

/* Too few registers, too many, and an encoding that is none. */
static const struct wire_case corrupt[] = {
    {"SET k \"" NOT_COUNTED "\\x7f\\xfe\"", "+OK"},
    {"PFCOUNT k", CORRUPT},
    {"PFCOUNT k k", CORRUPT},
    {"PFMERGE d k", CORRUPT},
    {"PFMERGE k", CORRUPT},
    {"EXISTS d", ":0"},
    {"PFDEBUG TODENSE k", CORRUPT},
    {"PFDEBUG GETREG k", CORRUPT},
    {"PFDEBUG DECODE k", "'Z:16383'"},
    {"PFADD k a b", ":1"},
    {"PFCOUNT k", CORRUPT},
    {"SET k \"" COUNTED_0 "\\x7f\\xff\\x80\"", "+OK"},
    {"PFCOUNT k", ":0"},
    {"PFCOUNT k k", CORRUPT},
    {"SET k \"" COUNTED_0 "\"", "+OK"},
    {"PFADD k a", CORRUPT},
    {"GET k", "'" COUNTED_0 "'"},
    /* Elements before the one that cannot be added remain. */
    {"SET k \"" COUNTED_0 "\\x71\\xa6\\x00\"", "+OK"},
    {"PFADD k a b", CORRUPT},
    {"GET k", "'" NOT_COUNTED "q\\xa6\\x84'"},
    {"SET k \"HYLL\\x02\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x7f\\xff\"", "+OK"},
    {"PFADD k a", NO_HLL},
    {"SET k \"HYLL\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x7f\\xff\"", "+OK"},
    {"PFADD k a", NO_HLL},
    {"SET k HYLL", "+OK"},
    {"PFCOUNT k", NO_HLL},
};

static const struct wire_case watching[] = {
    {"PFADD k a", ":1"}, {"WATCH k", "+OK"},       {"@1 PFCOUNT k", ":1"},
    {"MULTI", "+OK"},    {"PING", "+QUEUED"},      {"EXEC", "nil", "nil*"},
    {"WATCH k", "+OK"},  {"@1 PFCOUNT k", ":1"},   {"@1 PFADD k a", ":0"},
    {"MULTI", "+OK"},    {"PFADD k b", "+QUEUED"}, {"PFCOUNT k", "+QUEUED"},
    {"EXEC", "[:1 :2]"}, {"WATCH k", "+OK"},       {"@1 PFMERGE k", "+OK"},
    {"MULTI", "+OK"},    {"EXEC", "nil", "nil*"},
};

static const struct wire_case events[] = {
    {"CONFIG SET notify-keyspace-events KEA", "+OK"},
    {"@1 SUBSCRIBE __keyspace@0__:k", ">['subscribe' '__keyspace@0__:k' :1]"},
    {"PFADD k a", ":1"},
    {"@1", ">['message' '__keyspace@0__:k' 'pfadd']"},
    {"PFADD k a", ":0"},
    {"PFCOUNT k", ":1"},
    {"PFMERGE k", "+OK"},
    {"@1", ">['message' '__keyspace@0__:k' 'pfadd']"},
    {"PFDEBUG TODENSE k", ":1"},
    {"SET k x", "+OK"},
    {"@1", ">['message' '__keyspace@0__:k' 'set']"},
    {"CONFIG SET notify-keyspace-events \"\"", "+OK"},
};

/* Some thousand elements, one by one and many at once: the estimate, and when a value is dense. */
static void growing(struct session *t)
{
    struct wire *w = session_wire(t, 0);
    long long n, worst = 0;

    for (int i = 1; i <= 3000; i++) {
        wire_callf(w, "PFADD one element-%d", i);
        wire_callf(w, "PFADD few element-%d element-%d", i, i + 1);
        n = wire_int(w, "PFCOUNT one");
        n = n > i ? n - i : i - n;
        worst = n * 1000 / i > worst && i > 100 ? n * 1000 / i : worst;
    }
    ok(worst <= 30, "within 3 %%: %lld per mille", worst);
    is_int(wire_int(w, "STRLEN one"), 12304, "a value of many elements is dense");
    is_int(wire_int(w, "PFCOUNT one few"), wire_int(w, "PFCOUNT few"), "one is part of the other");
    wire_call(w, "PFDEBUG TODENSE none");
    wire_call(w, "PFMERGE both one few");
    is_int(wire_int(w, "PFCOUNT both"), wire_int(w, "PFCOUNT few"), "and so is their union");
}

/* PFDEBUG GETREG shows them all, and leaves them dense. */
static void registers(struct session *t)
{
    struct wire *w = session_wire(t, 0);
    const char *at;
    int i = 0, sum = 0;

    is_str(wire_call(w, "PFADD k a b"), ":1", "two elements");
    wire_call(w, "PFDEBUG GETREG k");
    for (at = strchr(w->last, ':'); at; at = strchr(at + 1, ':'), i++) {
        if (i == 12711 || i == 15780)
            sum = sum * 10 + atoi(at + 1);
        else if (at[1] != '0')
            sum = -1;
    }
    is_int(i, 16384, "all registers");
    is_int(sum, 21, "have their values");
    is_str(wire_call(w, "PFDEBUG ENCODING k"), "+dense", "the value has become dense");
}

/* Where a sparse value ends. */
static void sparse_max(struct session *t)
{
    struct wire *w = session_wire(t, 0);

    is_str(wire_call(w, "CONFIG SET hll-sparse-max-bytes 30"), "+OK", "a short limit");
    is_str(wire_call(w, "PFADD k a b c d"), ":1", "four elements");
    is_int(wire_int(w, "STRLEN k"), 30, "fit");
    is_str(wire_call(w, "PFADD k e"), ":1", "a fifth");
    is_int(wire_int(w, "STRLEN k"), 12304, "does not");
    is_str(wire_call(w, "CONFIG SET hll-sparse-max-bytes 0"), "+OK", "no sparse values");
    is_str(wire_call(w, "PFADD l"), ":1", "but for one without elements");
    is_int(wire_int(w, "STRLEN l"), 18, "which is short");
    is_str(wire_call(w, "PFADD l a"), ":1", "with its first element");
    is_int(wire_int(w, "STRLEN l"), 12304, "it is dense");
    wire_call(w, "CONFIG SET hll-sparse-max-bytes 3000");
}

/* Changes are counted one for each element that made one. */
static long long changes(struct wire *w)
{
    char *info = wire_bulk(w, "INFO persistence");
    const char *at = strstr(info, "rdb_changes_since_last_save:");
    long long n = -1;

    if (at)
        sscanf(at, "rdb_changes_since_last_save:%lld", &n);
    free(info);
    return n;
}

static void counting_changes(struct session *t)
{
    struct wire *w = session_wire(t, 0);
    long long before = changes(w);

    wire_call(w, "PFADD k a b c");
    is_int(changes(w) - before, 4, "a new key and three elements");
    wire_call(w, "PFADD k a b d e");
    is_int(changes(w) - before, 6, "two more elements");
    wire_call(w, "PFCOUNT k");
    wire_call(w, "PFCOUNT k");
    is_int(changes(w) - before, 7, "PFCOUNT that remembers, and one that need not");
    wire_call(w, "PFMERGE k k");
    is_int(changes(w) - before, 8, "PFMERGE");
}

int main(void)
{
    static const int threads[] = {1, 4, 0};
    static const struct group groups[] = {
        TABLE(pfadd),   TABLE(pfcount),   TABLE(pfmerge),         TABLE(pfdebug),
        TABLE(corrupt), TABLE(watching),  TABLE(events),          TEST(registers),
        TEST(growing),  TEST(sparse_max), TEST(counting_changes), {0},
    };

    return session_main("hyperloglog", "--enable-debug-command yes", threads, groups);
}
