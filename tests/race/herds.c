/*
 * See roles.h. Databases 21 and 22, which change places and are emptied, and 23: keys under
 * policies that others change meanwhile. In the end what POLICY STATS says is what is there.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/lib/client.h"
#include "tests/lib/raw.h"
#include "tests/lib/tap.h"
#include "tests/race/roles.h"

enum {
    FIRST = 21,
    SECOND = 22,
    SESSIONS = 23,
    BOUND = 50,
    KEYS = 300,
    IDLE_MS = 150,
    MEMORY_UNIT = 16,
};

void herds_begin(struct server *s)
{
    redisContext *link = client_open(s);

    freeReplyObject(redisCommand(link, "POLICY SET herd:b: MAXKEYS %d", BOUND));
    freeReplyObject(redisCommand(link, "POLICY SET herd:s: IDLE %d", IDLE_MS));
    freeReplyObject(redisCommand(link, "POLICY SET herd:c: MAXKEYS 100"));
    redisFree(link);
}

/* ---- keys of all kinds ---- */

static void grow(struct client *c, const char *herd, int key)
{
    switch (pick(5)) {
    case 0:
        tell(c, "RPUSH herd:%s:l%d %d %d", herd, key, pick(1000), pick(1000));
        break;
    case 1:
        tell(c, "HSET herd:%s:h%d f%d %d f%d %d", herd, key, pick(200), key, pick(200), key);
        break;
    case 2:
        tell(c, "SADD herd:%s:s%d %d m%d", herd, key, pick(500), pick(500));
        break;
    case 3:
        tell(c, "APPEND herd:%s:a%d a-text-of-some-length", herd, key);
        break;
    default:
        tell(c, "SET herd:%s:%d value PX %d", herd, key, 1 + pick(50));
    }
}

static void change(struct client *c, const char *herd, int key)
{
    switch (pick(9)) {
    case 0:
        tell(c, "DEL herd:%s:%d herd:%s:l%d", herd, key, herd, key);
        break;
    case 1:
        freeReplyObject(
            ask_tolerant(c, "RENAME herd:%s:%d herd:%s:x%d", herd, key, pick(2) ? "b" : "c", key));
        break;
    case 2:
        tell(c, "COPY herd:%s:h%d herd:c:copy%d DB %d REPLACE", herd, key, key, FIRST + pick(2));
        break;
    case 3:
        tell(c, "EXPIRE herd:%s:%d 1000", herd, key);
        break;
    case 4:
        tell(c, "PERSIST herd:%s:%d", herd, key);
        break;
    case 5:
        tell(c, "MSET herd:b:%d 1 herd:c:%d 2 herd:c:1%d 3", key, key, key);
        break;
    case 6:
        tell(c, "MULTI");
        tell(c, "SET herd:%s:%d in-a-transaction", herd, key);
        tell(c, "GET herd:%s:%d", herd, pick(KEYS));
        tell(c, "EXEC");
        break;
    case 7:
        grow(c, herd, key);
        break;
    default:
        tell(c, "SET herd:%s:%d value", herd, key);
    }
}

static long long stat(struct client *c, const char *prefix, int field)
{
    redisReply *r = ask(c, "POLICY STATS %s", prefix);
    long long n = r && r->elements > (size_t)field ? r->element[field]->integer : -1;

    if (r)
        freeReplyObject(r);
    return n;
}

void fill_herds(struct client *c)
{
    tell(c, "SELECT %d", FIRST + pick(2));
    for (int i = 0; i < c->rounds; i++) {
        const char *herd = pick(2) ? "b" : "c";
        int key = pick(KEYS);
        long long keys;

        if (pick(2))
            change(c, herd, key);
        else
            tell(c, "TOUCH herd:%s:%d herd:%s:h%d", herd, key, herd, key);
        if (pick(20))
            continue;
        keys = stat(c, "herd:b:", 3);
        if (keys < 0 || keys > 2 * BOUND + 4 * client_peers(c))
            complain(c, "%lld keys under a policy that allows %d", keys, BOUND);
    }
}

/* ---- what goes on beside ---- */

void change_policies(struct client *c)
{
    static const char *const rules[] = {"MAXKEYS 100",          "MAXKEYS 5 IDLE 100",
                                        "MAXMEMORY 5000",       "MAXAGE 30 IDLE 20",
                                        "IDLE 1 MAXKEYS 10000", "MAXKEYS 1000 MAXMEMORY 1mb"};
    static const char *const prefixes[] = {"herd:c:", "herd:c:h", "herd:c:1", "herd:", "herd:c:co"};

    while (crowd_busy(c)) {
        const char *prefix = prefixes[pick(5)];
        char line[128];

        snprintf(line, sizeof(line), "POLICY SET %s %s", prefix, rules[pick(6)]);
        if (pick(3))
            tell(c, line);
        else
            tell(c, "POLICY DEL %s", prefix);
        if (pick(4) == 0)
            tell(c, "POLICY LIST");
    }
}

void shuffle_herds(struct client *c)
{
    while (crowd_busy(c)) {
        tell(c, "SWAPDB %d %d", FIRST, SECOND);
        raw_sleep_ms(1 + pick(5));
        if (pick(10))
            continue;
        tell(c, "SELECT %d", FIRST);
        tell(c, "FLUSHDB");
    }
}

/* What is read in time stays. */
void keep_session(struct client *c)
{
    long long used;

    tell(c, "SELECT %d", SESSIONS);
    used = raw_now_ms();
    tell(c, "SET herd:s:%d value", c->number);
    for (int i = 0; i < c->rounds / 10; i++) {
        long long before = used;
        redisReply *r;

        raw_sleep_ms(pick(IDLE_MS / 10));
        used = raw_now_ms();
        r = ask(c, "GET herd:s:%d", c->number);
        if (r && r->type == REDIS_REPLY_NIL) {
            if (raw_now_ms() - before < IDLE_MS)
                complain(c, "ended after %lld ms at most", raw_now_ms() - before);
            tell(c, "SET herd:s:%d value", c->number);
        }
        if (r)
            freeReplyObject(r);
    }
}

/* ---- in the end ---- */

enum { PREFIXES_MAX = 10 };

struct sums {
    char prefix[32];
    long long keys, memory;
};

static struct sums *sums_of(struct sums *all, int *n, const char *prefix)
{
    for (int i = 0; i < *n; i++) {
        if (strcmp(all[i].prefix, prefix) == 0)
            return &all[i];
    }
    if (*n == PREFIXES_MAX)
        bail("more policies than there can be");
    snprintf(all[*n].prefix, sizeof(all[*n].prefix), "%s", prefix);
    return &all[(*n)++];
}

static void add_key(redisContext *link, const char *key, struct sums *all, int *n)
{
    redisReply *of = redisCommand(link, "POLICY OF %s", key);
    redisReply *usage = redisCommand(link, "MEMORY USAGE %s", key);

    if (of->type == REDIS_REPLY_STRING && usage->type == REDIS_REPLY_INTEGER) {
        struct sums *s = sums_of(all, n, of->str);

        s->keys++;
        s->memory += (usage->integer + MEMORY_UNIT - 1) / MEMORY_UNIT * MEMORY_UNIT;
    }
    freeReplyObject(of);
    freeReplyObject(usage);
}

static void add_database(redisContext *link, int db, struct sums *all, int *n)
{
    redisReply *keys;

    freeReplyObject(redisCommand(link, "SELECT %d", db));
    keys = redisCommand(link, "KEYS herd:*");
    for (size_t i = 0; i < keys->elements; i++)
        add_key(link, keys->element[i]->str, all, n);
    freeReplyObject(keys);
}

/* The policies become these, and no key is on its way. */
static void let_settle(redisContext *link)
{
    bool surveying = true;

    freeReplyObject(redisCommand(link, "CONFIG SET key-policy %s",
                                 "herd:b: maxkeys 50 herd:c: maxkeys 100000 herd:c:1 maxkeys 7"));
    while (surveying) {
        redisReply *r = redisCommand(link, "POLICY STATS herd:c:1");

        surveying = r->elements < 12 || r->element[11]->integer;
        freeReplyObject(r);
        raw_sleep_ms(20);
    }
}

static bool agree(const redisReply *stats, struct sums *all, int *n)
{
    bool same = true;

    for (size_t i = 0; i < stats->elements; i++) {
        redisReply **f = stats->element[i]->element;
        const struct sums *sums = sums_of(all, n, f[1]->str);

        same &= f[3]->integer == sums->keys && f[5]->integer == sums->memory;
    }
    return same;
}

static void tell_difference(const redisReply *stats, struct sums *all, int *n)
{
    for (size_t i = 0; i < stats->elements; i++) {
        redisReply **f = stats->element[i]->element;
        const struct sums *sums = sums_of(all, n, f[1]->str);

        is_int(f[3]->integer, sums->keys, "herds: keys of %s", sums->prefix);
        is_int(f[5]->integer, sums->memory, "herds: memory of %s", sums->prefix);
    }
    is_int(*n, (long long)stats->elements, "herds: no key is under another policy");
}

/* Several times, since keys that have a time are still going. */
void herds_end(struct server *s)
{
    enum { ATTEMPTS = 50 };
    redisContext *link = client_open(s);
    bool same = false;

    let_settle(link);
    for (int i = 0; i < ATTEMPTS && !same; i++) {
        struct sums all[PREFIXES_MAX] = {{{0}, 0, 0}};
        redisReply *stats;
        int n = 0;

        for (int db = FIRST; db <= SESSIONS; db++)
            add_database(link, db, all, &n);
        stats = redisCommand(link, "POLICY STATS");
        same = agree(stats, all, &n) && n == 3;
        if (same || i == ATTEMPTS - 1)
            tell_difference(stats, all, &n);
        else
            raw_sleep_ms(50);
        freeReplyObject(stats);
    }
    freeReplyObject(redisCommand(link, "CONFIG SET key-policy %s", ""));
    redisFree(link);
}
