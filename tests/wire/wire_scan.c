/*
 * SCAN: its arguments, and its guarantee that a key which stays is returned, however the table
 * changes meanwhile.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/lib/raw.h"
#include "tests/lib/tap.h"
#include "tests/lib/wire.h"

static const struct wire_case scan_arguments[] = {
    {"SCAN 0", "['0' []]"},
    {"SCAN", "-ERR wrong number of arguments for 'scan' command"},
    {"SCAN abc", "-ERR invalid cursor"},
    {"SCAN -1", "['0' []]"},
    {"SCAN 18446744073709551616", "-ERR invalid cursor"},
    {"SCAN 18446744073709551615", "['0' []]"},
    {"SCAN 1.5", "-ERR invalid cursor"},
    {"SCAN \" 0\"", "-ERR invalid cursor"},
    {"SCAN 0 COUNT", "-ERR syntax error"},
    {"SCAN 0 COUNT abc", "-ERR value is not an integer or out of range"},
    {"SCAN 0 COUNT 0", "-ERR syntax error"},
    {"SCAN 0 COUNT -5", "-ERR syntax error"},
    {"SCAN 0 MATCH", "-ERR syntax error"},
    {"SCAN 0 BOGUS x", "-ERR syntax error"},
    {"SCAN 0 TYPE", "-ERR syntax error"},
    {"SCAN 0 TYPE bogus", "['0' []]"},
    {"SCAN 0 COUNT 99999999999999999999", "-ERR value is not an integer or out of range"},
    {"MSET a 1 b 2 c 3 aa 4", "+OK"},
    {"SCAN 0 COUNT 1000", "/^\\['0' \\['[abc]+' '[abc]+' '[abc]+' '[abc]+'\\]\\]$"},
    {"SCAN 0 MATCH a COUNT 1000", "['0' ['a']]"},
    {"SCAN 0 MATCH aa COUNT 1000", "['0' ['aa']]"},
    {"SCAN 0 match *x* count 1000", "['0' []]"},
    {"SCAN 0 MATCH b COUNT 1000 TYPE string", "['0' ['b']]"},
    {"SCAN 0 COUNT 1000 TYPE hash", "['0' []]"},
    {"SCAN 0 COUNT 1000 TYPE STRING MATCH c", "['0' ['c']]"},
    {"SCAN 0 COUNT 1000 COUNT 2000 MATCH x MATCH c", "['0' ['c']]"},
};

enum { KEYS_MAX = 20000 };

/* One SCAN call; marks the keys k:N that it returns, returns the next cursor. */
static unsigned long long scan_once(struct wire *w, const char *line, int *seen, long *returned)
{
    unsigned long long cursor;
    struct answer *a;

    wire_send(w, line);
    a = wire_next(w, RAW_TIMEOUT_MS);
    if (a == NULL || a->count != 2 || a->items[0]->text == NULL)
        bail("%s has no answer of a cursor and keys", line);
    cursor = strtoull(a->items[0]->text, NULL, 10);
    *returned = a->items[1]->count;
    for (long i = 0; i < *returned; i++) {
        int n = -1;

        if (sscanf(a->items[1]->items[i]->text, "k:%d", &n) == 1 && n >= 0 && n < KEYS_MAX)
            seen[n]++;
    }
    answer_free(a);
    return cursor;
}

/* MSET or DEL of the keys k:from to k:to-1, some at a time. */
static void change(struct wire *w, const char *command, const char *value, int from, int to)
{
    enum { AT_ONCE = 40 };

    for (int i = from; i < to; i += AT_ONCE) {
        char line[AT_ONCE * 20];
        int len = snprintf(line, sizeof(line), "%s", command);

        for (int j = i; j < i + AT_ONCE && j < to; j++)
            len += snprintf(line + len, sizeof(line) - (size_t)len, " k:%d %s", j, value);
        wire_call(w, line);
    }
}

static int missing(const int *seen, int from, int to)
{
    int n = 0;

    for (int i = from; i < to; i++)
        n += seen[i] == 0;
    return n;
}

static void complete_and_bounded(struct session *t)
{
    static const int counts[] = {1, 10, 100, 1000, 100000};
    struct wire *w = session_wire(t, 0);

    change(w, "MSET", "v", 0, 3000);
    for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
        unsigned long long cursor = 0;
        int *seen = calloc(KEYS_MAX, sizeof(int)), calls = 0;
        long returned;
        char line[100];

        do {
            snprintf(line, sizeof(line), "SCAN %llu COUNT %d", cursor, counts[i]);
            cursor = scan_once(w, line, seen, &returned);
            calls++;
        } while (cursor != 0 && calls < 100000);
        is_int(missing(seen, 0, 3000), 0, "scan RESP%d: every key with COUNT %d", t->protocol,
               counts[i]);
        if (counts[i] == 100000)
            is_int(calls, 1, "scan RESP%d: one call with a COUNT over all", t->protocol);
        free(seen);
    }
}

/*
 * Keys that are there from the beginning to the end of a scan are returned, whatever else comes and
 * goes.
 */
static void while_it_changes(struct session *t, const char *name, const char *command,
                             const char *value)
{
    struct wire *w = session_wire(t, 0);
    int *seen = calloc(KEYS_MAX, sizeof(int)), step = 0;
    unsigned long long cursor = 0;
    long returned;
    char line[100];

    do {
        int from = 500 + step * 500;

        snprintf(line, sizeof(line), "SCAN %llu COUNT 13", cursor);
        cursor = scan_once(w, line, seen, &returned);
        if (from < KEYS_MAX)
            change(w, command, value, from, from + 500 < KEYS_MAX ? from + 500 : KEYS_MAX);
        step++;
    } while (cursor != 0 && step < 100000);
    is_int(missing(seen, 0, 500), 0, "scan RESP%d: every lasting key while the table %s",
           t->protocol, name);
    free(seen);
}

static void while_growing_and_shrinking(struct session *t)
{
    change(session_wire(t, 0), "MSET", "v", 0, 500);
    while_it_changes(t, "grows", "MSET", "v");
    while_it_changes(t, "shrinks", "DEL", "");
    is_str(wire_call(session_wire(t, 0), "DBSIZE"), ":500", "scan RESP%d: what is left",
           t->protocol);
}

/*
 * The filter leaves keys out, not the way: the scan still ends, with all that fit and nothing else.
 */
static void with_filters(struct session *t)
{
    struct wire *w = session_wire(t, 0);
    int *seen = calloc(KEYS_MAX, sizeof(int));
    unsigned long long cursor = 0;
    long returned, total = 0;
    char line[100];

    change(w, "MSET", "v", 0, 2000);
    do {
        snprintf(line, sizeof(line), "SCAN %llu MATCH k:*99 TYPE string", cursor);
        cursor = scan_once(w, line, seen, &returned);
        total += returned;
    } while (cursor != 0);
    is_int(total, 20, "scan RESP%d: MATCH with TYPE returns what fits", t->protocol);
    is_int(missing(seen, 99, 100) + missing(seen, 1999, 2000), 0,
           "scan RESP%d: MATCH returns all of it", t->protocol);
    do {
        snprintf(line, sizeof(line), "SCAN %llu TYPE hash COUNT 1000", cursor);
        cursor = scan_once(w, line, seen, &returned);
        total += returned;
    } while (cursor != 0);
    is_int(total, 20, "scan RESP%d: no key of another type", t->protocol);
    free(seen);
}

/* Databases have scans of their own, and a key that has expired is in none. */
static void other_databases(struct session *t)
{
    struct wire *w = session_wire(t, 0);

    wire_call(w, "MSET a 1 b 2");
    wire_call(w, "SELECT 3");
    is_str(wire_call(w, "SCAN 0 COUNT 1000"), "['0' []]", "scan RESP%d: another database is empty",
           t->protocol);
    wire_call(w, "SET short v PX 1");
    wire_call(w, "SET long v EX 100");
    raw_sleep_ms(20);
    is_str(wire_call(w, "SCAN 0 COUNT 1000"), "['0' ['long']]", "scan RESP%d: no expired keys",
           t->protocol);
}

static const struct group groups[] = {
    TABLE(scan_arguments), TEST(complete_and_bounded), TEST(while_growing_and_shrinking),
    TEST(with_filters),    TEST(other_databases),      {NULL},
};

int main(void)
{
    static const int threads[] = {1, 4, 0};

    return session_main("scan", "", threads, groups);
}
