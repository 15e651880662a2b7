/*
 * maxmemory and its policies: what is refused, which keys go, what is told of it.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/lib/raw.h"
#include "tests/lib/tap.h"
#include "tests/lib/wire.h"

/*
 * Values are 4,000 bytes, so that the room below the limit takes about 1,500 of them whatever a
 * server adds to each.
 */
enum { ROOM = 8 << 20, VALUE = 4000 };

static const char oom[] = "-OOM command not allowed when used memory > 'maxmemory'.";

#define OK(cond, name) ok(cond, "memory RESP%d: %s", t->protocol, name)
#define IS(got, want, name) is_str(got, want, "memory RESP%d: %s", t->protocol, name)

static long long info_number(struct wire *w, const char *section, const char *field)
{
    char line[100], *info, *at;
    long long n;

    snprintf(line, sizeof(line), "INFO %s", section);
    info = wire_bulk(w, line);
    snprintf(line, sizeof(line), "\n%s:", field);
    at = strstr(info, line);
    if (at == NULL)
        bail("INFO %s has no %s", section, field);
    n = strtoll(at + strlen(line), NULL, 10);
    free(info);
    return n;
}

/* What the limit is about: not the replies that wait to be sent. */
static long long counted(struct wire *w)
{
    return info_number(w, "memory", "used_memory") -
           info_number(w, "memory", "mem_not_counted_for_evict");
}

/* SET prefix:from … prefix:to-1 with the options behind; how many were carried out. */
static int fill(struct wire *w, const char *prefix, int from, int to, const char *options)
{
    enum { AT_ONCE = 50 };
    int done = 0;

    for (int i = from; i < to; i += AT_ONCE) {
        int n = to - i < AT_ONCE ? to - i : AT_ONCE;

        for (int j = i; j < i + n; j++) {
            char line[VALUE + 200];

            snprintf(line, sizeof(line), "SET %s:%d %0*d %s", prefix, j, VALUE, j, options);
            wire_send(w, line);
        }
        for (int j = 0; j < n; j++)
            done += strcmp(wire_read(w), "+OK") == 0;
    }
    return done;
}

/* Small values until they too are refused: requests in flight take memory, and give it back. */
static void until_full(struct wire *w)
{
    for (int i = 0, refused = 0; i < 5000 && refused < 3; i++)
        refused = strcmp(wire_callf(w, "SET full:%d %d", i, i), oom) == 0 ? refused + 1 : 0;
}

/*
 * A buffer that shrinks meanwhile may let one through; then it is full again and the next is not.
 */
static void refused(struct session *t, struct wire *w, const char *line)
{
    const char *reply = "";

    for (int tries = 0; tries < 10 && strcmp(reply, oom) != 0; tries++) {
        until_full(w);
        reply = wire_call(w, line);
    }
    is_str(reply, oom, "memory RESP%d: %s is refused", t->protocol, line);
}

static int count(struct wire *w, const char *prefix, int from, int to)
{
    int found = 0;

    for (int i = from; i < to; i++) {
        char line[100];

        snprintf(line, sizeof(line), "EXISTS %s:%d", prefix, i);
        wire_send(w, line);
    }
    for (int i = from; i < to; i++)
        found += strcmp(wire_read(w), ":1") == 0;
    return found;
}

/* What was flushed may be freed by a thread that takes its time. */
static void wait_freed(struct wire *w)
{
    for (int i = 0; i < 5000 && info_number(w, "memory", "lazyfree_pending_objects") > 0; i++)
        raw_sleep_ms(1);
}

/* As much room as the tests want, under this policy; statistics from zero. */
static void limit(struct wire *w, const char *policy, long long room)
{
    wait_freed(w);
    wire_callf(w, "CONFIG SET maxmemory-policy %s", policy);
    wire_callf(w, "CONFIG SET maxmemory %lld", info_number(w, "memory", "used_memory") + room);
    wire_call(w, "CONFIG RESETSTAT");
}

static void no_limit(struct wire *w)
{
    wire_call(w, "CONFIG SET maxmemory 0");
    wire_call(w, "CONFIG SET maxmemory-policy noeviction");
}

static void noeviction(struct session *t)
{
    struct wire *w = session_wire(t, 0);
    int done;

    limit(w, "noeviction", ROOM);
    done = fill(w, "k", 0, 4000, "");
    OK(done > 500 && done < 3000, "noeviction takes what fits");
    refused(t, w, "SET x y");
    refused(t, w, "APPEND k:0 y");
    refused(t, w, "INCR n");
    refused(t, w, "MSET a 1 b 2");
    refused(t, w, "SETBIT k:0 0 1");
    IS(wire_call(w, "GETRANGE k:0 3999 3999"), "'0'", "reads go on");
    IS(wire_call(w, "EXPIRE k:1 1000"), ":1", "so do times to live");
    IS(wire_call(w, "PING"), "+PONG", "and the rest");
    is_int(info_number(w, "stats", "evicted_keys"), 0, "memory RESP%d: nothing is evicted",
           t->protocol);
    for (int i = 0; i < 500; i++)
        wire_callf(w, "DEL k:%d", i);
    IS(wire_call(w, "SET x y"), "+OK", "removing keys makes room");
    no_limit(w);
    IS(wire_call(w, "SET x z"), "+OK", "so does a higher limit");
}

/* All keys may go: every write is carried out, memory stays below the limit. */
static void allkeys(struct session *t)
{
    static const char *const policies[] = {"allkeys-lru", "allkeys-lfu", "allkeys-random"};
    struct wire *w = session_wire(t, 0);

    for (size_t i = 0; i < sizeof(policies) / sizeof(policies[0]); i++) {
        long long used, max, evicted, left;

        wire_call(w, "FLUSHALL");
        limit(w, policies[i], ROOM);
        is_int(fill(w, "k", 0, 4000, ""), 4000, "memory RESP%d: %s takes all", t->protocol,
               policies[i]);
        used = counted(w);
        max = info_number(w, "memory", "maxmemory");
        ok(used <= max + max / 10, "memory RESP%d: %s stays below the limit", t->protocol,
           policies[i]);
        do { /* what looks may have to make room itself */
            evicted = info_number(w, "stats", "evicted_keys");
            left = wire_int(w, "DBSIZE");
        } while (evicted != info_number(w, "stats", "evicted_keys"));
        is_int(evicted, 4000 - left, "memory RESP%d: %s counts what it evicts", t->protocol,
               policies[i]);
        OK(evicted > 1000, "and that is what was too much");
        no_limit(w);
    }
}

/* Only keys with a time to live may go; when none is left, writes are refused. */
static void volatile_keys(struct session *t)
{
    static const char *const policies[] = {"volatile-lru", "volatile-lfu", "volatile-random",
                                           "volatile-ttl"};
    struct wire *w = session_wire(t, 0);

    for (size_t i = 0; i < sizeof(policies) / sizeof(policies[0]); i++) {
        int done;

        wire_call(w, "FLUSHALL");
        limit(w, policies[i], ROOM);
        fill(w, "stay", 0, 500, "");
        is_int(fill(w, "go", 0, 3000, "EX 1000"), 3000, "memory RESP%d: %s takes volatile keys",
               t->protocol, policies[i]);
        is_int(count(w, "stay", 0, 500), 500, "memory RESP%d: %s spares the others", t->protocol,
               policies[i]);
        done = fill(w, "more", 0, 3000, "");
        diag("%d more", done);
        OK(done > 250 && done < 2500, "until none is left");
        refused(t, w, "SET x y");
        is_int(count(w, "go", 0, 3000), 0, "memory RESP%d: %s evicted all it could", t->protocol,
               policies[i]);
        is_int(count(w, "stay", 0, 500), 500, "memory RESP%d: %s and no other", t->protocol,
               policies[i]);
        no_limit(w);
    }
}

/* volatile-ttl: those that end soon go first, by and large. */
static void nearest_ttl_first(struct session *t)
{
    struct wire *w = session_wire(t, 0);
    int soon, late;

    limit(w, "volatile-ttl", ROOM);
    fill(w, "late", 0, 500, "EX 100000");
    fill(w, "soon", 0, 500, "EX 1000");
    fill(w, "more", 0, 1600, "");
    soon = count(w, "soon", 0, 500);
    late = count(w, "late", 0, 500);
    diag("left: %d of those that end soon, %d of the others", soon, late);
    OK(soon + late < 950, "volatile-ttl evicts");
    OK(late > 2 * soon, "those first that end soon");
    no_limit(w);
}

static void touch(struct wire *w, const char *prefix, int n, int times)
{
    for (int i = 0; i < n * times; i++) {
        char line[100];

        snprintf(line, sizeof(line), "STRLEN %s:%d", prefix, i % n);
        wire_send(w, line);
    }
    for (int i = 0; i < n * times; i++)
        answer_free(wire_next(w, RAW_TIMEOUT_MS));
}

/* Half of the keys are used, the other half is not; then something has to go. */
static void used_keys_helper(struct session *t, const char *policy, int times, int pause_ms)
{
    struct wire *w = session_wire(t, 0);
    int used, idle;

    wire_call(w, "FLUSHALL");
    wire_callf(w, "CONFIG SET maxmemory-policy %s", policy);
    fill(w, "idle", 0, 1000, "");
    fill(w, "used", 0, 1000, "");
    raw_sleep_ms(pause_ms);
    touch(w, "used", 1000, times);
    limit(w, policy, ROOM / 2);
    fill(w, "more", 0, 1300, "");
    used = count(w, "used", 0, 1000);
    idle = count(w, "idle", 0, 1000);
    diag("%s left: %d of the used keys, %d of the idle ones", policy, used, idle);
    ok(used + idle < 2000 && used > idle, "memory RESP%d: %s evicts idle keys first", t->protocol,
       policy);
    no_limit(w);
}

/* The clock of LRU counts seconds in Redis: once is enough. */
static void used_keys_stay(struct session *t)
{
    if (t->protocol == 2)
        used_keys_helper(t, "allkeys-lru", 1, 2100);
    used_keys_helper(t, "allkeys-lfu", 20, 0);
}

static void evicted_events(struct session *t)
{
    struct wire *w = session_wire(t, 0), *events = session_wire(t, 1);
    int n = 0, wrong = 0;
    long long evicted;

    limit(w, "volatile-random", ROOM);
    wire_call(w, "CONFIG SET notify-keyspace-events Ee");
    wire_call(events, "SUBSCRIBE __keyevent@0__:evicted");
    fill(w, "stay", 0, 250, "");
    fill(w, "go", 0, 2500, "EX 1000");
    evicted = info_number(w, "stats", "evicted_keys");
    for (; n < evicted; n++) {
        struct answer *a = wire_next(events, 5000);

        if (a == NULL)
            break;
        wrong += a->count != 3 || strncmp(a->items[2]->text, "go:", 3) != 0;
        answer_free(a);
    }
    is_int(n, evicted, "memory RESP%d: an event for each evicted key", t->protocol);
    is_int(wrong, 0, "memory RESP%d: with its name", t->protocol);
    OK(evicted > 250, "which are some");
    wire_call(w, "CONFIG SET notify-keyspace-events \"\"");
    no_limit(w);
}

/* A lower limit takes effect at once, and over all databases. */
static void lower_limit(struct session *t)
{
    struct wire *w = session_wire(t, 0);
    long long before, used = 0;

    wait_freed(w);
    before = info_number(w, "memory", "used_memory");
    fill(w, "k", 0, 2000, "");
    wire_call(w, "SELECT 3");
    fill(w, "k", 0, 2000, "");
    wire_call(w, "CONFIG SET maxmemory-policy allkeys-random");
    wire_callf(w, "CONFIG SET maxmemory %lld", before + ROOM / 2);
    for (int i = 0; i < 1000; i++) {
        wire_call(w, "SET x y");
        used = counted(w);
        if (used <= before + ROOM / 2 + 400000)
            break;
        raw_sleep_ms(1);
    }
    diag("used %lld, limit %lld", used, before + ROOM / 2);
    OK(used <= before + ROOM / 2 + 400000, "a lower limit takes effect");
    OK(wire_int(w, "DBSIZE") < 1900, "in this database");
    wire_call(w, "SELECT 0");
    OK(wire_int(w, "DBSIZE") < 1900, "and in others");
    no_limit(w);
}

/* Pages that are free go back to the system although nobody asks for anything. */
static long long used_with(const char *args)
{
    struct server *s = server_run(args);
    struct wire *w = wire_open(s, 2);
    long long used = info_number(w, "memory", "used_memory");

    wire_close(w);
    server_stop(s);
    return used;
}

/* Databases that nobody uses are no reason to evict anything. */
static void many_databases(struct session *t)
{
    long long few = used_with("--databases 2"), many = used_with("--databases 1000");

    diag("a thousand databases take %lld bytes", many - few);
    OK(many - few < 1 << 20, "databases take little before they are used");
}

static void idle_gives_back(struct session *t)
{
    struct wire *w = session_wire(t, 0);
    char *allocator = wire_bulk(w, "INFO memory");
    bool returns = strstr(allocator, "mem_allocator:jemalloc") != NULL;
    long long before, filled, rss;

    free(allocator);
    if (!returns || t->protocol != 2)
        return;
    wait_freed(w);
    before = info_number(w, "memory", "used_memory_rss");
    fill(w, "k", 0, 20000, "");
    filled = rss = info_number(w, "memory", "used_memory_rss");
    wire_call(w, "FLUSHALL");
    for (int i = 0; i < 120 && rss > before + (filled - before) / 2; i++) {
        raw_sleep_ms(500);
        rss = info_number(w, "memory", "used_memory_rss");
    }
    diag("resident: %lld, filled %lld, in the end %lld", before, filled, rss);
    OK(filled > before + (40 << 20), "keys take memory");
    OK(rss <= before + (filled - before) / 2, "who is idle gives it back");
}

/* A long string that one command makes has no room to grow, as if SET had made it. */
static void made_at_once(struct session *t)
{
    static const char *const lines[] = {
        "SETRANGE long 99999 x",
        "SETBIT long 799999 1",
        "BITFIELD long SET u8 799992 7",
    };
    struct wire *w = session_wire(t, 0);

    for (size_t i = 0; i < sizeof(lines) / sizeof(*lines); i++) {
        wire_call(w, "FLUSHALL");
        wire_call(w, lines[i]);
        OK(wire_int(w, "STRLEN long") == 100000 && wire_int(w, "MEMORY USAGE long") < 120000,
           lines[i]);
    }
}

static const struct group groups[] = {
    TEST(made_at_once),
    TEST(noeviction),
    TEST(allkeys),
    TEST(volatile_keys),
    TEST(nearest_ttl_first),
    TEST(used_keys_stay),
    TEST(evicted_events),
    TEST(lower_limit),
    TEST(idle_gives_back),
    TEST(many_databases),
    {NULL},
};

int main(void)
{
    static const int threads[] = {1, 4, 0};

    return session_main("memory", "", threads, groups);
}
