/*
 * See roles.h. Databases 13 and 14, where every field of every hash is about to go, whatever
 * becomes of the hash; and 15, where some come and go beside others that stay.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/lib/client.h"
#include "tests/lib/raw.h"
#include "tests/lib/tap.h"
#include "tests/race/roles.h"

enum {
    HASHES = 12,
    LARGE = 3, /* the first ones have many fields */
    LIFE_MS = 25,
    GONE_MS = 30000,
    SLACK_MS = 5000,
    OWN_HASHES = 4,
};

static int pick_field(int hash)
{
    return pick(hash < LARGE ? 2000 : 30);
}

/* Fields that are set without a time get one at once. */
static void set_and_expire(struct client *c, const char *command, int hash)
{
    int field = pick_field(hash);

    tell(c, "MULTI");
    tell(c, command, hash, field);
    tell(c, "HPEXPIRE h:%d %d FIELDS 1 %d", hash, 1 + pick(LIFE_MS), field);
    tell(c, "EXEC");
}

static void set_fields(struct client *c, int hash)
{
    switch (pick(5)) {
    case 0:
        set_and_expire(c, "HSET h:%d %d value", hash);
        break;
    case 1:
        set_and_expire(c, "HINCRBYFLOAT h:%d %d 1", hash);
        break;
    case 2:
        tell(c, "HSETEX h:%d FNX PX %d FIELDS 1 %d a-longer-value-than-it-was-before", hash,
             1 + pick(LIFE_MS), pick_field(hash));
        break;
    default:
        tell(c, "HSETEX h:%d PX %d FIELDS 4 %d 1 %d 2 %d 3 %d 4", hash, 1 + pick(LIFE_MS),
             pick_field(hash), pick_field(hash), pick_field(hash), pick_field(hash));
    }
}

static void change_hash(struct client *c, int hash)
{
    int other = pick(HASHES);

    switch (pick(8)) {
    case 0:
        tell(c, "HDEL h:%d %d %d", hash, pick_field(hash), pick_field(hash));
        break;
    case 1:
        tell(c, "HGETEX h:%d PX %d FIELDS 2 %d %d", hash, 1 + pick(LIFE_MS), pick_field(hash),
             pick_field(hash));
        break;
    case 2:
        tell(c, "HPEXPIRE h:%d %d GT FIELDS 2 %d %d", hash, 1 + pick(LIFE_MS), pick_field(hash),
             pick_field(hash));
        break;
    case 3:
        tell(c, "HGETDEL h:%d FIELDS 1 %d", hash, pick_field(hash));
        break;
    case 4:
        freeReplyObject(ask_tolerant(c, "COPY h:%d h:%d REPLACE", hash, other));
        break;
    case 5:
        freeReplyObject(ask_tolerant(c, "COPY h:%d h:%d DB %d REPLACE", hash, other, 13 + pick(2)));
        break;
    case 6:
        freeReplyObject(ask_tolerant(c, "RENAME h:%d h:%d", hash, other));
        break;
    default:
        freeReplyObject(ask_tolerant(c, "MOVE h:%d %d", hash, 13 + pick(2)));
    }
}

/* What one moment shows is one state. */
static void look(struct client *c, int hash)
{
    int field = pick_field(hash);
    redisReply *r;

    tell(c, "MULTI");
    tell(c, "HLEN h:%d", hash);
    tell(c, "HKEYS h:%d", hash);
    tell(c, "HEXISTS h:%d %d", hash, field);
    tell(c, "HPTTL h:%d FIELDS 1 %d", hash, field);
    r = ask(c, "EXEC");
    if (r == NULL)
        return;
    if (r->elements != 4 || r->element[0]->integer != (long long)r->element[1]->elements) {
        complain(c, "the number of fields is not that of the fields");
    } else {
        long long left = r->element[3]->element[0]->integer;

        if (left == -1 || left > LIFE_MS + SLACK_MS || (left == -2) == r->element[2]->integer)
            complain(c, "a field that lives %d ms at most has %lld ms", LIFE_MS, left);
    }
    freeReplyObject(r);
}

void expire_fields(struct client *c)
{
    for (int i = 0; i < c->rounds; i++) {
        if (i % 50 == 0)
            tell(c, "SELECT %d", 13 + pick(2));
        set_fields(c, pick(HASHES));
        change_hash(c, pick(HASHES));
        if (pick(3) == 0)
            look(c, pick(HASHES));
    }
}

void swap_fields(struct client *c)
{
    while (crowd_busy(c)) {
        tell(c, pick(20) == 0 ? "FLUSHDB ASYNC" : "SWAPDB 13 14");
        raw_sleep_ms(5);
        tell(c, "SELECT %d", 13 + pick(2));
    }
}

/*
 * A field of its own in a hash of all stays and counts; one with a time is gone when that has
 * come.
 */
void keep_field(struct client *c)
{
    long long counts[OWN_HASHES] = {0};

    tell(c, "SELECT 15");
    for (int i = 0; i < c->rounds; i++) {
        int hash = pick(OWN_HASHES), ms = 1 + pick(10);
        long long due;
        redisReply *r;

        if (ask_int(c, "HINCRBY own:%d stays:%d 1", hash, c->number) != ++counts[hash])
            complain(c, "a field that stays was lost");
        tell(c, "HSETEX own:%d PX %d FIELDS 2 goes:%d x other:%d y", hash, ms, c->number,
             pick(900));
        if (i % 10 != 0)
            continue;
        due = raw_now_ms() + ms + 1;
        while (raw_now_ms() <= due)
            raw_sleep_ms(1);
        r = ask(c, "HGET own:%d goes:%d", hash, c->number);
        if (r != NULL && r->type != REDIS_REPLY_NIL)
            complain(c, "a field is there behind its time");
        if (r != NULL)
            freeReplyObject(r);
    }
}

static long long keys_in(redisContext *link, int db)
{
    redisReply *r;
    long long n;

    freeReplyObject(redisCommand(link, "SELECT %d", db));
    r = redisCommand(link, "DBSIZE");
    n = r->integer;
    freeReplyObject(r);
    return n;
}

static long long other_fields(redisContext *link, int clients)
{
    long long n = 0;

    freeReplyObject(redisCommand(link, "SELECT 15"));
    for (int i = 0; i < OWN_HASHES; i++) {
        redisReply *r = redisCommand(link, "HLEN own:%d", i);

        n += r->integer - clients;
        freeReplyObject(r);
    }
    return n;
}

/* The counts of the index have followed all that became of such hashes. */
static void expect_none_counted(redisContext *link)
{
    redisReply *r = redisCommand(link, "INFO keyspace");
    const char *line = strstr(r->str, "db15:");

    ok(line != NULL && strstr(r->str, "db13:") == NULL && strstr(r->str, "db14:") == NULL,
       "only hashes that stay are left");
    is_like(line != NULL ? line : "", "^[^\r]*subexpiry=0", "and nothing is counted as expiring");
    freeReplyObject(r);
}

void short_fields_end(struct server *s, int clients)
{
    redisContext *link = client_open(s);
    long long end = raw_now_ms() + GONE_MS, left;

    do {
        raw_sleep_ms(10);
        left = keys_in(link, 13) + keys_in(link, 14) + other_fields(link, clients);
    } while (left > 0 && raw_now_ms() < end);
    is_int(left, 0, "all fields that expire are gone, unasked");
    expect_none_counted(link);
    redisFree(link);
}
