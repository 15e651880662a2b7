/* Where locks are, and are not: told of by LOCK.INFO and LOCK.LIST, no keys, never evicted. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/lib/raw.h"
#include "tests/lib/tap.h"
#include "tests/lib/wire.h"

static const struct wire_case no_keys[] = {
    {"LOCK.ACQUIRE a", ":$+a"},
    {"LOCK.ACQUIRE b c LEASE 60000", "[:$+b :$+c]"},
    {"DBSIZE", ":0"},
    {"KEYS *", "[]"},
    {"SCAN 0", "['0' []]"},
    {"EXISTS a b", ":0"},
    {"TYPE a", "+none"},
    {"RANDOMKEY", "nil"},
    {"DEL a", ":0"},
    {"LOCK.CHECK a $a", ":1"},
    {"SET a string", "+OK"},
    {"EXPIRE a 100", ":1"},
    {"DEL a", ":1"},
    {"SELECT 1", "+OK"},
    {"LOCK.CHECK a $a", ":1"},
    {"@1 SELECT 2", "+OK"},
    {"@1 LOCK.ACQUIRE a", "nil"},
    {"FLUSHALL", "+OK"},
    {"FLUSHDB", "+OK"},
    {"SWAPDB 0 1", "+OK"},
    {"LOCK.CHECK a $a", ":1"},
    {"LOCK.CHECK b $b", ":1"},
    {"LOCK.RELEASE a $a", ":1"},
};

/* ---- what is told of them ---- */

static const struct answer *field(const struct answer *map, const char *name)
{
    for (long i = 0; map != NULL && map->items != NULL && i + 1 < map->count; i += 2) {
        if (map->items[i]->text != NULL && strcmp(map->items[i]->text, name) == 0)
            return map->items[i + 1];
    }
    return NULL;
}

static const struct answer *item(const struct answer *list, long i)
{
    return list != NULL && i < list->count ? list->items[i] : NULL;
}

static void has_text(const struct answer *map, const char *name, const char *wanted)
{
    const struct answer *a = field(map, name);

    is_str(a != NULL ? a->text : NULL, wanted, "%s is told", name);
}

static void has_number(const struct answer *map, const char *name, long long least, long long most)
{
    const struct answer *a = field(map, name);
    long long n = a != NULL && a->text != NULL ? strtoll(a->text, NULL, 10) : -1000;

    ok(n >= least && n <= most, "%s is told: %lld, between %lld and %lld", name, n, least, most);
}

static void all_that_is_told(struct session *t)
{
    struct wire *w = session_wire(t, 0), *other = session_wire(t, 1);
    long long id = wire_int(w, "CLIENT ID");
    long long token = wire_int(w, "LOCK.ACQUIRE told LEASE 60000 OWNER me DATA 'some text'");
    const struct answer *holder;
    struct answer *a;

    session_block(t, 1, "LOCK.ACQUIRE told WAIT -1 OWNER second");
    session_block(t, 2, "LOCK.ACQUIRE told SHARED WAIT -1 OWNER third");
    wire_send(w, "LOCK.INFO told");
    a = wire_next(w, RAW_TIMEOUT_MS);
    ok(a != NULL && a->type == (t->protocol == 3 ? '%' : '*'), "LOCK.INFO is a map");
    is_int(field(a, "holders") != NULL ? field(a, "holders")->count : -1, 1, "one holder");
    holder = item(field(a, "holders"), 0);
    has_number(holder, "token", token, token);
    has_number(holder, "client", id, id);
    has_text(holder, "owner", "me");
    has_text(holder, "data", "some text");
    has_number(holder, "lease-left-ms", 1, 60000);
    has_number(holder, "since-ms", 1700000000000, 1LL << 53);
    is_int(field(a, "waiters") != NULL ? field(a, "waiters")->count : -1, 2, "two waiters");
    has_text(item(field(a, "waiters"), 0), "owner", "second");
    has_text(item(field(a, "waiters"), 1), "owner", "third");
    answer_free(a);
    wire_callf(w, "LOCK.RELEASE told %lld", token);
    is_like(wire_read(other), "^:", "the second");
}

static void listed(struct session *t)
{
    struct wire *w = session_wire(t, 0);
    struct answer *a;

    is_str(wire_call(w, "LOCK.LIST"), "[]", "no locks");
    wire_call(w, "LOCK.ACQUIRE list:1 OWNER x");
    wire_call(w, "LOCK.ACQUIRE list:2 SHARED");
    wire_call(w, "LOCK.ACQUIRE other");
    wire_send(w, "LOCK.LIST");
    a = wire_next(w, RAW_TIMEOUT_MS);
    is_int(a != NULL ? a->count : -1, 3, "three locks");
    answer_free(a);
    wire_send(w, "LOCK.LIST MATCH list:*");
    a = wire_next(w, RAW_TIMEOUT_MS);
    is_int(a != NULL ? a->count : -1, 2, "two of that pattern");
    answer_free(a);
    is_str(wire_call(w, "LOCK.LIST MATCH none*"), "[]", "none of another");
}

/* ---- memory ---- */

/* However little memory there is, locks are neither evicted nor refused to be released. */
static void not_evicted(struct session *t)
{
    enum { LOCKS = 100, KEYS = 3000 };
    struct wire *w = session_wire(t, 0);
    long long tokens[LOCKS];
    char value[1001];
    int held = 0;

    memset(value, 'v', sizeof(value) - 1);
    value[sizeof(value) - 1] = '\0';
    for (int i = 0; i < LOCKS; i++) {
        wire_callf(w, "LOCK.ACQUIRE evict:%d", i);
        tokens[i] = strtoll(w->last + 1, NULL, 10);
    }
    wire_call(w, "CONFIG SET maxmemory-policy allkeys-random");
    wire_call(w, "CONFIG SET maxmemory 3mb");
    for (int i = 0; i < KEYS; i++)
        wire_callf(w, "SET key:%d %s", i, value);
    for (int i = 0; i < LOCKS; i++)
        held += strcmp(wire_callf(w, "LOCK.CHECK evict:%d %lld", i, tokens[i]), ":1") == 0;
    is_int(held, LOCKS, "no lock was evicted");
    wire_call(w, "CONFIG SET maxmemory 1");
    held = 0;
    for (int i = 0; i < LOCKS; i++)
        held += strcmp(wire_callf(w, "LOCK.RELEASE evict:%d %lld", i, tokens[i]), ":1") == 0;
    is_int(held, LOCKS, "and all are released without memory");
    wire_call(w, "CONFIG SET maxmemory 0");
    wire_call(w, "CONFIG SET maxmemory-policy noeviction");
}

/* ---- many ---- */

static void many(struct session *t)
{
    enum { LOCKS = 20000 };
    struct wire *w = wire_open(t->server, t->protocol), *other = session_wire(t, 1);
    long long last = 0;
    bool all = true;

    for (int i = 0; i < LOCKS; i++) {
        char line[60];

        snprintf(line, sizeof(line), "LOCK.ACQUIRE many:%d", i);
        wire_send(w, line);
        if (i % 100 == 99) {
            for (int j = 0; j < 100; j++)
                all = *wire_read(w) == ':' && all;
        }
    }
    ok(all, "%d locks of one connection", LOCKS);
    is_str(wire_call(other, "LOCK.ACQUIRE many:12345"), "nil", "held");
    wire_close(w);
    for (int i = 0; i < LOCKS; i += 1000) {
        wire_callf(other, "LOCK.ACQUIRE many:%d WAIT -1", i);
        all = *other->last == ':' && all;
        last = strtoll(other->last + 1, NULL, 10);
    }
    ok(all && last > 0, "all are free when it has ended");
}

static const struct group groups[] = {
    NEW_TABLE(no_keys), NEW_TEST(all_that_is_told),   NEW_TEST(listed), NEW_TEST(not_evicted),
    NEW_TEST(many),     {NULL, NULL, 0, NULL, false},
};

int main(void)
{
    static const int threads[] = {1, 4, 0};

    return session_main("lock places", "", threads, groups);
}
