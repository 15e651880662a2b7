/*
 * Lists of many elements in nodes of all sizes, large elements, and what they count for.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/lib/tap.h"
#include "tests/lib/wire.h"

/* ---- lists of many nodes -------------------------------------------------------------------- */

enum { MANY = 3000 };

static void fill(struct wire *w)
{
    enum { AT_ONCE = 50 };
    char line[AT_ONCE * 16];
    bool right = true;

    for (int i = 0; i < MANY;) {
        int len = snprintf(line, sizeof(line), "RPUSH k");

        for (int k = 0; k < AT_ONCE; k++, i++)
            len += snprintf(line + len, sizeof(line) - (size_t)len, " item:%d", i);
        right = right && wire_int(w, line) == i;
    }
    ok(right, "%d elements", MANY);
}

static void check(struct wire *w, const char *line, const char *reply)
{
    is_str(wire_call(w, line), reply, "%s", line);
}

static void test_long_list(struct session *t, const char *size)
{
    struct wire *w;
    bool right = true;

    session_reset(t);
    w = session_wire(t, 0);
    is_str(wire_callf(w, "CONFIG SET list-max-listpack-size %s", size), "+OK", "nodes of %s", size);
    fill(w);
    for (int i = 0; i < MANY; i += 37) {
        char item[32];

        snprintf(item, sizeof(item), "'item:%d'", i);
        right = right && strcmp(wire_callf(w, "LINDEX k %d", i), item) == 0 &&
                strcmp(wire_callf(w, "LINDEX k %d", i - MANY), item) == 0 &&
                atoi(wire_callf(w, "LPOS k item:%d", i) + 1) == i;
    }
    ok(right, "each is where it should be");
    check(w, "LRANGE k 1498 1501", "['item:1498' 'item:1499' 'item:1500' 'item:1501']");
    check(w, "LINSERT k BEFORE item:1500 new", ":3001");
    check(w, "LINSERT k AFTER item:1500 newer", ":3002");
    check(w, "LRANGE k 1499 1503", "['item:1499' 'new' 'item:1500' 'newer' 'item:1501']");
    check(w, "LSET k 1501 changed", "+OK");
    check(w, "LPOS k item:1500", "nil");
    check(w, "LREM k -1 newer", ":1");
    check(w, "LREM k 0 new", ":1");
    check(w, "LPOS k item:2999 RANK -1", ":2999");
    check(w, "COPY k copy", ":1");
    check(w, "LTRIM k 1000 1999", "+OK");
    check(w, "LRANGE k 498 501", "['item:1498' 'item:1499' 'changed' 'item:1501']");
    check(w, "LLEN k", ":1000");
    check(w, "LPOP k 3", "['item:1000' 'item:1001' 'item:1002']");
    check(w, "RPOP k 3", "['item:1999' 'item:1998' 'item:1997']");
    check(w, "LMOVE k k RIGHT LEFT", "'item:1996'");
    check(w, "LTRIM k 0 2", "+OK");
    check(w, "LRANGE k 0 -1", "['item:1996' 'item:1003' 'item:1004']");
    check(w, "LLEN copy", ":3000");
    check(w, "LINDEX copy -1", "'item:2999'");
    check(w, "DEL copy", ":1");
    check(w, "CONFIG SET list-max-listpack-size -2", "+OK");
}

static void long_lists(struct session *t)
{
    static const char *const sizes[] = {"-2", "-1", "-5", "1", "4", "100", "0"};

    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++)
        test_long_list(t, sizes[i]);
}

/* ---- large elements ------------------------------------------------------------------------- */

static const char *push_large(struct wire *w, const char *command, char letter, size_t len)
{
    char *bytes = malloc(len);
    const char *args[] = {command, "k", bytes};
    size_t lens[] = {strlen(command), 1, len};

    memset(bytes, letter, len);
    wire_send_args(w, 3, args, lens);
    free(bytes);
    return wire_read(w);
}

static bool is_large(struct wire *w, const char *line, char letter, size_t len)
{
    char *bulk = wire_bulk(w, line);
    bool right = strlen(bulk) == len;

    for (size_t i = 0; i < len && right; i++)
        right = bulk[i] == letter;
    free(bulk);
    return right;
}

/* Of sizes around the limits of one-byte lengths, nodes, and arguments read apart. */
static void large_elements(struct session *t)
{
    static const size_t lens[] = {126, 127, 128, 8000, 8192, 40000, 70000, 1000000};
    struct wire *w = session_wire(t, 0);

    for (size_t i = 0; i < sizeof(lens) / sizeof(lens[0]); i++) {
        is_str(wire_call(w, "RPUSH k a b c"), ":3", "elements of %zu bytes", lens[i]);
        is_str(push_large(w, "LPUSH", 'l', lens[i]), ":4", "at the head");
        is_str(push_large(w, "RPUSH", 'r', lens[i]), ":5", "at the tail");
        ok(is_large(w, "LINDEX k 0", 'l', lens[i]), "the first");
        ok(is_large(w, "LINDEX k -1", 'r', lens[i]), "the last");
        check(w, "LRANGE k 1 3", "['a' 'b' 'c']");
        check(w, "LSET k 2 small", "+OK");
        ok(is_large(w, "LMOVE k k RIGHT LEFT", 'r', lens[i]), "moved");
        ok(is_large(w, "LPOP k", 'r', lens[i]), "popped");
        ok(is_large(w, "LPOP k", 'l', lens[i]), "and the other");
        check(w, "LPOP k 9", "['a' 'small' 'c']");
    }
}

/* ---- statistics ----------------------------------------------------------------------------- */

static long long changes(struct wire *w)
{
    static const char field[] = "rdb_changes_since_last_save:";
    char *info = wire_bulk(w, "INFO persistence");
    const char *at = strstr(info, field);
    long long n = at ? atoll(at + sizeof(field) - 1) : -1;

    free(info);
    return n;
}

/* Each element that comes or goes is a change. */
static void counted_changes(struct session *t)
{
    static const struct {
        const char *line;
        int changes;
    } rows[] = {
        {"RPUSH k a b c d e f g", 7},
        {"LPUSHX k x", 1},
        {"LPOP k", 1},
        {"LMOVE k k LEFT RIGHT", 1},
        {"RPOPLPUSH k other", 1},
        {"RPOPLPUSH other k", 1},
        {"LSET k 0 b", 1},
        {"LINSERT k AFTER b x", 1},
        {"LREM k 0 x", 1},
        {"LREM k 0 nothing", 0},
        {"LTRIM k 1 -2", 2},
        {"LTRIM k 0 -1", 0},
        {"LMPOP 1 k LEFT COUNT 2", 2},
        {"LTRIM k 5 9", 3},
        {"RPUSH k a b", 2},
        {"RPOP k 5", 2},
        {"RPUSH k a a", 2},
        {"LREM k 0 a", 2},
    };
    struct wire *w = session_wire(t, 0);

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        long long before = changes(w);

        wire_call(w, rows[i].line);
        ok(changes(w) - before == rows[i].changes, "%s: %d changes", rows[i].line, rows[i].changes);
    }
}

static const struct group groups[] = {
    TEST(long_lists),
    TEST(large_elements),
    TEST(counted_changes),
    {NULL},
};

int main(void)
{
    static const int threads[] = {1, 4, 0};

    return session_main("long lists", "", threads, groups);
}
