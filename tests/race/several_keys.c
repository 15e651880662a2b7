/*
 * See roles.h. Database 1: five keys that always have the same value, or are all missing.
 * Database 2: one token under one of five names. Databases 3 and 4: a key that is in one of them.
 * Databases 5 and 6: five keys each, the same within each, and the databases change places.
 */
#include <stdio.h>
#include <string.h>

#include "tests/lib/client.h"
#include "tests/lib/tap.h"
#include "tests/race/roles.h"

enum { FIVE = 5 };

static void select_db(struct client *c, int db)
{
    tell(c, "SELECT %d", db);
}

/* Five names in random order, so that locks taken in the order of the words would deadlock. */
static void shuffle(int *order)
{
    for (int i = 0; i < FIVE; i++)
        order[i] = i;
    for (int i = FIVE - 1; i > 0; i--) {
        int j = pick(i + 1), kept = order[i];

        order[i] = order[j];
        order[j] = kept;
    }
}

/* One by one, and yet at once. */
static void set_in_transaction(struct client *c, const int *order, int value)
{
    redisReply *r;

    tell(c, "MULTI");
    for (int i = 0; i < FIVE; i++)
        tell(c, "SET a:%d %d", order[i], value);
    r = ask(c, "EXEC");
    if (r != NULL && r->elements != FIVE)
        complain(c, "EXEC ran %zu of five commands", r->elements);
    if (r != NULL)
        freeReplyObject(r);
}

void set_five(struct client *c)
{
    int o[FIVE];

    select_db(c, 1);
    for (int i = 0; i < c->rounds; i++) {
        int v = pick(1000000);

        shuffle(o);
        switch (pick(8)) {
        case 0:
            tell(c, "DEL a:%d a:%d a:%d a:%d a:%d", o[0], o[1], o[2], o[3], o[4]);
            break;
        case 1:
            tell(c, "MSETNX a:%d %d a:%d %d a:%d %d a:%d %d a:%d %d", o[0], v, o[1], v, o[2], v,
                 o[3], v, o[4], v);
            break;
        case 2:
            tell(c, "UNLINK a:%d a:%d a:%d a:%d a:%d", o[0], o[1], o[2], o[3], o[4]);
            break;
        case 3:
            set_in_transaction(c, o, v);
            break;
        default:
            tell(c, "MSET a:%d %d a:%d %d a:%d %d a:%d %d a:%d %d", o[0], v, o[1], v, o[2], v, o[3],
                 v, o[4], v);
            break;
        }
    }
}

static bool same_item(const redisReply *a, const redisReply *b)
{
    if (a->type != b->type || a->type != REDIS_REPLY_STRING)
        return a->type == b->type;
    return a->len == b->len && memcmp(a->str, b->str, a->len) == 0;
}

static void expect_all_same(struct client *c, const redisReply *r)
{
    for (size_t i = 1; i < r->elements; i++) {
        const redisReply *a = r->element[0], *b = r->element[i];

        if (!same_item(a, b)) {
            complain(c, "a mixture: %s and %s", a->str != NULL ? a->str : "(nil)",
                     b->str != NULL ? b->str : "(nil)");
            return;
        }
    }
}

void get_five(struct client *c)
{
    int o[FIVE];

    select_db(c, 1);
    for (int i = 0; i < c->rounds; i++) {
        long long n;
        redisReply *r;

        shuffle(o);
        r = ask(c, "MGET a:%d a:%d a:%d a:%d a:%d", o[0], o[1], o[2], o[3], o[4]);
        if (r != NULL) {
            expect_all_same(c, r);
            freeReplyObject(r);
        }
        n = ask_int(c, "EXISTS a:%d a:%d a:%d a:%d a:%d", o[0], o[1], o[2], o[3], o[4]);
        if (n != 0 && n != FIVE)
            complain(c, "%lld of five keys exist", n);
    }
}

void rename_token(struct client *c)
{
    select_db(c, 2);
    for (int i = 0; i < c->rounds; i++) {
        const char *command = pick(2) == 0 ? "RENAME t:%d t:%d" : "RENAMENX t:%d t:%d";
        redisReply *r = ask_tolerant(c, command, pick(FIVE), pick(FIVE));

        if (r == NULL || (r->type == REDIS_REPLY_ERROR && strstr(r->str, "no such key") == NULL))
            complain(c, "%s: %s", command, r != NULL ? r->str : "no reply");
        if (r != NULL)
            freeReplyObject(r);
    }
}

void watch_token(struct client *c)
{
    select_db(c, 2);
    for (int i = 0; i < c->rounds; i++) {
        long long n = ask_int(c, "EXISTS t:0 t:1 t:2 t:3 t:4");
        redisReply *r = ask(c, "MGET t:4 t:3 t:2 t:1 t:0");
        int found = 0;

        for (size_t j = 0; r != NULL && j < r->elements; j++)
            found += r->element[j]->type == REDIS_REPLY_STRING;
        if (n != 1 || found != 1)
            complain(c, "the token has %lld names, %d values", n, found);
        if (r != NULL)
            freeReplyObject(r);
    }
}

void move_token(struct client *c)
{
    for (int i = 0; i < c->rounds; i++) {
        int from = 3 + pick(2);

        select_db(c, from);
        ask_int(c, "MOVE moved %d", 7 - from);
        if (pick(2) == 0)
            ask_int(c, "COPY moved copied DB %d REPLACE", 7 - from);
    }
}

void swap_databases(struct client *c)
{
    for (int i = 0; i < c->rounds; i++)
        tell(c, pick(2) == 0 ? "SWAPDB 5 6" : "SWAPDB 6 5");
}

void watch_swapped(struct client *c)
{
    for (int i = 0; i < c->rounds; i++) {
        redisReply *r;

        if (i % 16 == 0)
            select_db(c, 5 + pick(2));
        r = ask(c, "MGET s:0 s:1 s:2 s:3 s:4");
        if (r == NULL)
            continue;
        expect_all_same(c, r);
        if (r->elements != FIVE || r->element[0]->type != REDIS_REPLY_STRING)
            complain(c, "a swapped database lacks its keys");
        freeReplyObject(r);
    }
}

void several_keys_begin(struct server *s)
{
    redisContext *link = client_open(s);

    freeReplyObject(redisCommand(link, "SELECT 2"));
    freeReplyObject(redisCommand(link, "SET t:0 token"));
    freeReplyObject(redisCommand(link, "SELECT 3"));
    freeReplyObject(redisCommand(link, "SET moved here"));
    for (int db = 5; db <= 6; db++) {
        freeReplyObject(redisCommand(link, "SELECT %d", db));
        freeReplyObject(
            redisCommand(link, "MSET s:0 %d s:1 %d s:2 %d s:3 %d s:4 %d", db, db, db, db, db));
    }
    redisFree(link);
}

void several_keys_end(struct server *s)
{
    redisContext *link = client_open(s);
    long long places = 0;

    for (int db = 3; db <= 4; db++) {
        redisReply *r;

        freeReplyObject(redisCommand(link, "SELECT %d", db));
        r = redisCommand(link, "EXISTS moved");
        places += r->integer;
        freeReplyObject(r);
    }
    is_int(places, 1, "a key that was moved about is in one database");
    redisFree(link);
}
