/*
 * Large sorted sets: ranks and ranges while they grow and shrink, what is drawn and scanned of
 * them, digests and memory. Member m:N has the score N.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/lib/raw.h"
#include "tests/lib/tap.h"
#include "tests/lib/wire.h"

enum { MANY = 20000, AT_ONCE = 25 };

/* Adds the members whose numbers are `from`, `from` + `step` … below `to`. */
static void add(struct wire *w, int from, int to, int step)
{
    for (int i = from; i < to;) {
        char line[AT_ONCE * 20 + 40];
        int len = snprintf(line, sizeof(line), "ZADD k");

        for (int j = 0; j < AT_ONCE && i < to; j++, i += step)
            len += snprintf(line + len, sizeof(line) - (size_t)len, " %d m:%d", i, i);
        wire_int(w, line);
    }
}

static void ranks(struct session *t)
{
    struct wire *w = session_wire(t, 0);
    bool right = true;

    add(w, 1, MANY, 2);
    add(w, 0, MANY, 2);
    is_int(wire_int(w, "ZCARD k"), MANY, "RESP%d: all are there", t->protocol);
    is_str(wire_call(w, "OBJECT ENCODING k"), "'skiplist'", "RESP%d: their encoding", t->protocol);
    for (int i = 0; i < MANY; i += 613) {
        char line[60];

        snprintf(line, sizeof(line), "ZRANK k m:%d", i);
        right = right && wire_int(w, line) == i;
        snprintf(line, sizeof(line), "ZCOUNT k (%d +inf", i);
        right = right && wire_int(w, line) == MANY - 1 - i;
    }
    ok(right, "RESP%d: ranks and counts", t->protocol);
    is_str(wire_call(w, "ZRANGE k 9999 10001"), "['m:9999' 'm:10000' 'm:10001']",
           "RESP%d: a range in the middle", t->protocol);
    is_str(wire_call(w, "ZRANGE k 5000 (4997 BYSCORE REV LIMIT 1 5"), "['m:4999' 'm:4998']",
           "RESP%d: a range of scores", t->protocol);
}

static void changes(struct session *t)
{
    struct wire *w = session_wire(t, 0);

    add(w, 0, MANY, 1);
    is_str(wire_call(w, "ZADD k INCR 0.5 m:777"), t->protocol == 3 ? ",777.5" : "'777.5'",
           "RESP%d: a score within its neighbours", t->protocol);
    is_int(wire_int(w, "ZRANK k m:777"), 777, "RESP%d: the rank stays", t->protocol);
    wire_call(w, "ZADD k 10000.5 m:777");
    is_int(wire_int(w, "ZRANK k m:777"), 10000, "RESP%d: far away", t->protocol);
    is_int(wire_int(w, "ZREMRANGEBYRANK k 100 19899"), MANY - 200, "RESP%d: most are removed",
           t->protocol);
    is_str(wire_call(w, "ZRANGE k 98 101"), "['m:98' 'm:99' 'm:19900' 'm:19901']",
           "RESP%d: these are neighbours now", t->protocol);
    is_int(wire_int(w, "ZREMRANGEBYSCORE k 99 19900"), 2, "RESP%d: two more", t->protocol);
    is_int(wire_int(w, "ZREMRANGEBYSCORE k -inf +inf"), 198, "RESP%d: the others", t->protocol);
    is_int(wire_int(w, "EXISTS k"), 0, "RESP%d: and the key", t->protocol);
}

/* ---- members in replies ---------------------------------------------------------------------- */

/* Marks the members m:N that an array has at every `every`th place; how many there are. */
static long mark(const struct answer *a, int *seen, long every)
{
    for (long i = 0; i < a->count; i += every) {
        int n = -1;

        if (sscanf(a->items[i]->text, "m:%d", &n) == 1 && n >= 0 && n < MANY)
            seen[n]++;
    }
    return a->count / every;
}

/* Of all members, how many are marked once; -1 if one is more often. */
static int distinct(const int *seen)
{
    int n = 0;

    for (int i = 0; i < MANY; i++) {
        if (seen[i] > 1)
            return -1;
        n += seen[i];
    }
    return n;
}

static struct answer *ask(struct wire *w, const char *line)
{
    struct answer *a;

    wire_send(w, line);
    a = wire_next(w, RAW_TIMEOUT_MS);
    if (!a || a->count < 0)
        bail("%s has no answer", line);
    return a;
}

static void random_of_many(struct session *t)
{
    static const int counts[] = {1, 10, 6000, 7000, 19000, MANY, MANY * 2};
    struct wire *w = session_wire(t, 0);
    static int seen[MANY];

    add(w, 0, MANY, 1);
    for (size_t i = 0; i < sizeof(counts) / sizeof(*counts); i++) {
        int expected = counts[i] < MANY ? counts[i] : MANY;
        struct answer *a;
        char line[60];

        memset(seen, 0, sizeof(seen));
        snprintf(line, sizeof(line), "ZRANDMEMBER k %d", counts[i]);
        a = ask(w, line);
        is_int(mark(a, seen, 1), expected, "RESP%d: ZRANDMEMBER of %d", t->protocol, counts[i]);
        is_int(distinct(seen), expected, "RESP%d: and no member twice", t->protocol);
        answer_free(a);
    }
}

/* Members that are there from the beginning to the end are shown, whatever else happens. */
static void scanned_while_it_changes(struct session *t)
{
    struct wire *w = session_wire(t, 0);
    static int seen[MANY];
    char cursor[40] = "0", line[100];
    int step = 0;

    add(w, 0, 1000, 1);
    memset(seen, 0, sizeof(seen));
    do {
        struct answer *a;

        snprintf(line, sizeof(line), "ZSCAN k %s COUNT 20", cursor);
        a = ask(w, line);
        mark(a->items[1], seen, 2);
        snprintf(cursor, sizeof(cursor), "%s", a->items[0]->text);
        answer_free(a);
        if (step < 20)
            add(w, 1000 + step * 500, 1500 + step * 500, 1);
        else
            wire_call(w, "ZREMRANGEBYRANK k 1000 1499");
        step++;
    } while (strcmp(cursor, "0") != 0 && step < 10000);
    for (int i = 0; i < MANY; i++)
        seen[i] = i < 1000 && seen[i] > 0;
    is_int(distinct(seen), 1000, "RESP%d: ZSCAN shows every lasting member", t->protocol);
}

/* ---- others ---------------------------------------------------------------------------------- */

static void algebra_of_many(struct session *t)
{
    struct wire *w = session_wire(t, 0);

    add(w, 0, MANY, 1);
    is_int(wire_int(w, "ZRANGESTORE a k 0 14999"), 15000, "RESP%d: a part", t->protocol);
    is_int(wire_int(w, "ZRANGESTORE b k 10000 -1 REV"), 10000, "RESP%d: another", t->protocol);
    is_int(wire_int(w, "ZINTERSTORE c 2 a b"), 10000, "RESP%d: what both have", t->protocol);
    is_int(wire_int(w, "ZUNIONSTORE d 2 a b WEIGHTS 1 -1"), 15000, "RESP%d: what any has",
           t->protocol);
    is_int(wire_int(w, "ZCOUNT d 0 0"), 10000, "RESP%d: with the difference of scores",
           t->protocol);
    is_int(wire_int(w, "ZDIFFSTORE d 2 a b"), 5000, "RESP%d: what only one has", t->protocol);
    is_str(wire_call(w, "ZRANGE d 0 1"), "['m:10000' 'm:10001']", "RESP%d: from there on",
           t->protocol);
    is_int(wire_int(w, "ZINTERCARD 2 a b LIMIT 77"), 77, "RESP%d: counted up to a limit",
           t->protocol);
    is_int(wire_int(w, "DEL a b c d k"), 5, "RESP%d: all goes", t->protocol);
}

/* Equal elements give an equal digest, in whatever encoding. */
static void digests(struct session *t)
{
    struct wire *w = session_wire(t, 0);
    char first[100];

    wire_call(w, "ZADD a 1 x 2.5 y 3 z");
    wire_call(w, "CONFIG SET zset-max-listpack-entries 0");
    wire_call(w, "ZADD b 3 z 2.5 y 1 x");
    wire_call(w, "CONFIG SET zset-max-listpack-entries 128");
    is_str(wire_call(w, "OBJECT ENCODING b"), "'skiplist'", "RESP%d: of another encoding",
           t->protocol);
    snprintf(first, sizeof(first), "%s", wire_call(w, "DEBUG DIGEST-VALUE a"));
    is_str(wire_call(w, "DEBUG DIGEST-VALUE b"), first, "RESP%d: and the same digest", t->protocol);
    wire_call(w, "ZINCRBY b 1 x");
    ok(strcmp(wire_call(w, "DEBUG DIGEST-VALUE b"), first) != 0, "RESP%d: until it changes",
       t->protocol);
}

static void memory(struct session *t)
{
    struct wire *w = session_wire(t, 0);
    long long packed, large;

    wire_call(w, "ZADD k 1 one 2 two 3 three");
    packed = wire_int(w, "MEMORY USAGE k");
    add(w, 0, MANY, 1);
    large = wire_int(w, "MEMORY USAGE k SAMPLES 0");
    ok(packed > 40 && packed < 400, "RESP%d: a small one takes %lld bytes", t->protocol, packed);
    ok(large > MANY * 30LL && large < MANY * 200LL, "RESP%d: a large one %lld", t->protocol, large);
}

static const struct group groups[] = {
    TEST(ranks),           TEST(changes), TEST(random_of_many), TEST(scanned_while_it_changes),
    TEST(algebra_of_many), TEST(digests), TEST(memory),         {NULL},
};

int main(void)
{
    static const int threads[] = {1, 4, 0};

    return session_main("large-zsets", "--enable-debug-command yes", threads, groups);
}
