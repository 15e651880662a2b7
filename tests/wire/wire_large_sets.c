/*
 * Large sets: what they hold while they grow and shrink, and what is drawn, popped and scanned of
 * them.
 */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/lib/raw.h"
#include "tests/lib/tap.h"
#include "tests/lib/wire.h"

enum { MANY = 3000 };

/* `command` with the members `prefix`N for N from `from` to `to` - 1; the sum of the replies. */
static long long each_member(struct wire *w, const char *command, const char *prefix, int from,
                             int to)
{
    enum { AT_ONCE = 50 };
    long long sum = 0;

    for (int i = from; i < to; i += AT_ONCE) {
        char line[AT_ONCE * 20 + 40];
        int len = snprintf(line, sizeof(line), "%s", command);

        for (int j = i; j < i + AT_ONCE && j < to; j++)
            len += snprintf(line + len, sizeof(line) - (size_t)len, " %s%d", prefix, j);
        sum += wire_int(w, line);
    }
    return sum;
}

static void grown_and_shrunk(struct session *t, const char *prefix, bool integers)
{
    struct wire *w;

    session_reset(t);
    w = session_wire(t, 0);
    is_int(each_member(w, "SADD k", prefix, 0, 512), 512, "RESP%d: 512 members %sN", t->protocol,
           prefix);
    is_str(wire_call(w, "OBJECT ENCODING k"), integers ? "'intset'" : "'hashtable'",
           "RESP%d: their encoding", t->protocol);
    is_int(each_member(w, "SADD k", prefix, 500, MANY), MANY - 512, "RESP%d: more of them",
           t->protocol);
    is_str(wire_call(w, "OBJECT ENCODING k"), "'hashtable'", "RESP%d: their encoding", t->protocol);
    is_int(wire_int(w, "SCARD k"), MANY, "RESP%d: as many as were added", t->protocol);
    is_int(each_member(w, "SREM k", prefix, 10, MANY), MANY - 10, "RESP%d: all but ten go",
           t->protocol);
    is_int(wire_int(w, "SCARD k"), 10, "RESP%d: ten stay", t->protocol);
    is_str(wire_call(w, "OBJECT ENCODING k"), "'hashtable'", "RESP%d: their encoding", t->protocol);
    is_int(each_member(w, "SREM k", prefix, 0, 10), 10, "RESP%d: and go", t->protocol);
    is_int(wire_int(w, "EXISTS k"), 0, "RESP%d: with the key", t->protocol);
}

static void large(struct session *t)
{
    grown_and_shrunk(t, "", true);
    grown_and_shrunk(t, "member:", false);
}

/* Marks the members m:N that an array or set has; how many it has. */
static long mark(const struct answer *a, int *seen)
{
    for (long i = 0; i < a->count; i++) {
        int n = -1;

        if (sscanf(a->items[i]->text, "m:%d", &n) == 1 && n >= 0 && n < MANY)
            seen[n]++;
    }
    return a->count;
}

/* Of all members, how many are marked; INT_MAX if one is more than once. */
static int distinct(const int *seen)
{
    int n = 0;

    for (int i = 0; i < MANY; i++) {
        if (seen[i] > 1)
            return INT_MAX;
        n += seen[i];
    }
    return n;
}

static long ask(struct wire *w, int *seen, const char *command, int count)
{
    struct answer *a;
    char line[100];
    long n;

    snprintf(line, sizeof(line), "%s %d", command, count);
    wire_send(w, line);
    a = wire_next(w, RAW_TIMEOUT_MS);
    if (!a)
        bail("%s has no answer", line);
    n = mark(a, seen);
    answer_free(a);
    return n;
}

/* A number of distinct ones, whatever part of the set it is; or the same again. */
static void random_of_many(struct session *t)
{
    static const int counts[] = {1, 10, 900, 1100, 2900, MANY, MANY * 2};
    struct wire *w = session_wire(t, 0);
    static int seen[MANY];

    each_member(w, "SADD k", "m:", 0, MANY);
    for (size_t i = 0; i < sizeof(counts) / sizeof(*counts); i++) {
        int expected = counts[i] < MANY ? counts[i] : MANY;

        memset(seen, 0, sizeof(seen));
        is_int(ask(w, seen, "SRANDMEMBER k", counts[i]), expected, "RESP%d: SRANDMEMBER of %d",
               t->protocol, counts[i]);
        is_int(distinct(seen), expected, "RESP%d: and no member twice", t->protocol);
    }
    memset(seen, 0, sizeof(seen));
    is_int(ask(w, seen, "SRANDMEMBER k", -2 * MANY), 2 * MANY, "RESP%d: more than there are",
           t->protocol);
    is_int(distinct(seen), INT_MAX, "RESP%d: some of them twice", t->protocol);
}

/* What is popped is gone, and what is not stays. */
static void popped_of_many(struct session *t)
{
    static const int counts[] = {1, 10, 900, 1100, 2700, MANY - 1, MANY};
    struct wire *w = session_wire(t, 0);
    static int seen[MANY];

    for (size_t i = 0; i < sizeof(counts) / sizeof(*counts); i++) {
        wire_call(w, "DEL k");
        each_member(w, "SADD k", "m:", 0, MANY);
        memset(seen, 0, sizeof(seen));
        is_int(ask(w, seen, "SPOP k", counts[i]), counts[i], "RESP%d: SPOP of %d", t->protocol,
               counts[i]);
        is_int(wire_int(w, "SCARD k"), MANY - counts[i], "RESP%d: the others stay", t->protocol);
        ask(w, seen, "SRANDMEMBER k", MANY);
        is_int(distinct(seen), MANY, "RESP%d: each member is popped or stays", t->protocol);
    }
}

/* Members that are there from the beginning to the end are returned, whatever else happens. */
static void scanned_while_it_changes(struct session *t)
{
    struct wire *w = session_wire(t, 0);
    static int seen[MANY];
    char cursor[40] = "0", line[100];
    int step = 0;

    each_member(w, "SADD k", "m:", 0, 300);
    memset(seen, 0, sizeof(seen));
    do {
        struct answer *a;

        snprintf(line, sizeof(line), "SSCAN k %s COUNT 7", cursor);
        wire_send(w, line);
        a = wire_next(w, RAW_TIMEOUT_MS);
        if (!a || a->count != 2)
            bail("%s has no answer of a cursor and members", line);
        mark(a->items[1], seen);
        snprintf(cursor, sizeof(cursor), "%s", a->items[0]->text);
        answer_free(a);
        each_member(w, step < 40 ? "SADD k" : "SREM k", "n:", step % 40 * 100,
                    step % 40 * 100 + 100);
        step++;
    } while (strcmp(cursor, "0") != 0 && step < 10000);
    for (int i = 0; i < 300; i++)
        seen[i] = seen[i] > 0;
    is_int(distinct(seen), 300, "RESP%d: SSCAN returns every lasting member", t->protocol);
}

/* Equal members give an equal digest, in whatever encoding. */
static void digests(struct session *t)
{
    struct wire *w = session_wire(t, 0);
    char first[100];

    wire_call(w, "SADD a 1 2 3");
    wire_call(w, "SADD b 3 2 1 x");
    wire_call(w, "SREM b x");
    is_str(wire_call(w, "OBJECT ENCODING b"), "'hashtable'", "RESP%d: of another encoding",
           t->protocol);
    snprintf(first, sizeof(first), "%s", wire_call(w, "DEBUG DIGEST-VALUE a"));
    is_str(wire_call(w, "DEBUG DIGEST-VALUE b"), first, "RESP%d: and the same digest", t->protocol);
    wire_call(w, "SADD b 4");
    ok(strcmp(wire_call(w, "DEBUG DIGEST-VALUE b"), first) != 0, "RESP%d: until it changes",
       t->protocol);
}

/* What it takes is told, and more of it takes more. */
static void memory(struct session *t)
{
    struct wire *w = session_wire(t, 0);
    long long packed, table;

    wire_call(w, "SADD k member:one member:two member:three");
    packed = wire_int(w, "MEMORY USAGE k");
    each_member(w, "SADD k", "member:", 0, MANY);
    table = wire_int(w, "MEMORY USAGE k SAMPLES 0");
    ok(packed > 40 && packed < 400, "RESP%d: a small set takes %lld bytes", t->protocol, packed);
    ok(table > MANY * 16LL && table < MANY * 150LL, "RESP%d: a large one %lld", t->protocol, table);
    ok(wire_int(w, "MEMORY USAGE k") > table / 2, "RESP%d: and by samples not much else",
       t->protocol);
}

static const struct group groups[] = {
    TEST(large),
    TEST(random_of_many),
    TEST(popped_of_many),
    TEST(scanned_while_it_changes),
    TEST(digests),
    TEST(memory),
    {NULL},
};

int main(void)
{
    static const int threads[] = {1, 4, 0};

    return session_main("large-sets", "--enable-debug-command yes", threads, groups);
}
