/*
 * See roles.h. Guarded keys hold even numbers, but for moments at which who guards them is between
 * two steps. What others add is even, and is counted, so that at the end nothing is missing and
 * nothing was done twice.
 */
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/lib/client.h"
#include "tests/lib/tap.h"
#include "tests/race/roles.h"

enum { DB = 12, GUARDED_KEYS = 3, TOUCHERS_KNOWN = 16 };

static atomic_llong added;
static atomic_llong toucher_ids[TOUCHERS_KNOWN];

/* ---- who guards ------------------------------------------------------------------------------ */

static void step(struct client *c, int key, long long *value)
{
    long long now = ask_int(c, "INCR guarded:%d", key);

    atomic_fetch_add(&added, 1);
    if (*value >= 0 && now != *value + 1)
        complain(c, "guarded:%d is %lld behind %lld", key, now, *value);
    *value = now;
}

/* Nobody else comes between these steps. */
static void be_alone(struct client *c, int key)
{
    long long value = -1;
    redisReply *r;

    for (int i = 2 * (1 + pick(2)); i > 0; i--)
        step(c, key, &value);
    r = ask(c, "GET guarded:%d", key);
    if (r != NULL && (r->type != REDIS_REPLY_STRING || atoll(r->str) != value))
        complain(c, "guarded:%d was changed by another", key);
    freeReplyObject(r);
}

static long long token_of(const redisReply *r, size_t i)
{
    return r->type == REDIS_REPLY_ARRAY ? r->element[i]->integer : r->integer;
}

static void let_go(struct client *c, int key, long long token)
{
    if (pick(8) == 0)
        client_connect(c), tell(c, "SELECT %d", DB);
    else if (ask_int(c, "LOCK.RELEASE guarded:%d %lld", key, token) != 1)
        complain(c, "guarded:%d is not given back", key);
}

void guard_one(struct client *c)
{
    tell(c, "SELECT %d", DB);
    for (int i = 0; i < c->rounds; i++) {
        int key = pick(GUARDED_KEYS);
        redisReply *r = ask(c, "LOCK.ACQUIRE guarded:%d GUARD WAIT -1", key);

        if (r == NULL)
            continue;
        be_alone(c, key);
        let_go(c, key, token_of(r, 0));
        freeReplyObject(r);
    }
}

void guard_two(struct client *c)
{
    tell(c, "SELECT %d", DB);
    for (int i = 0; i < c->rounds; i++) {
        int a = pick(GUARDED_KEYS), b = (a + 1) % GUARDED_KEYS;
        redisReply *r = ask(c, "LOCK.ACQUIRE guarded:%d guarded:%d GUARD WAIT -1", a, b);

        if (r == NULL)
            continue;
        be_alone(c, a);
        be_alone(c, b);
        if (ask_int(c, "LOCK.RELEASE guarded:%d %lld", b, token_of(r, 1)) != 1)
            complain(c, "guarded:%d is not given back", b);
        let_go(c, a, token_of(r, 0));
        freeReplyObject(r);
    }
}

/* ---- who touches ----------------------------------------------------------------------------- */

static void expect_even(struct client *c, const redisReply *r)
{
    if (r == NULL || r->type == REDIS_REPLY_NIL)
        return;
    if (r->type == REDIS_REPLY_ARRAY) {
        for (size_t i = 0; i < r->elements; i++)
            expect_even(c, r->element[i]);
    } else if ((r->type == REDIS_REPLY_INTEGER ? r->integer : atoll(r->str)) % 2 != 0) {
        complain(c, "between two steps of who guards");
    }
}

/* Refused or unblocked: then nothing was done, and true is returned. */
static bool was_refused(struct client *c, const redisReply *r)
{
    if (r == NULL || r->type != REDIS_REPLY_ERROR)
        return r == NULL;
    if (strncmp(r->str, "LOCKED ", 7) != 0 && strncmp(r->str, "UNBLOCKED ", 10) != 0)
        complain(c, "an error: %s", r->str);
    return true;
}

static void in_transaction(struct client *c)
{
    redisReply *r;

    tell(c, "MULTI");
    for (int k = 0; k < GUARDED_KEYS; k++)
        tell(c, "INCRBY guarded:%d 2", k);
    r = ask_tolerant(c, "EXEC");
    if (!was_refused(c, r)) {
        expect_even(c, r);
        atomic_fetch_add(&added, 2 * GUARDED_KEYS);
    }
    freeReplyObject(r);
}

static void by_itself(struct client *c)
{
    static const struct {
        const char *command;
        int adds;
    } ways[] = {
        {"GET guarded:%d", 0},      {"MGET guarded:0 guarded:1 guarded:2", 0},
        {"INCRBY guarded:%d 2", 2}, {"WHEN EXISTS guarded:0 DO INCRBY guarded:0 2", 2},
        {"INCRBY guarded:%d 4", 4}, {"GETEX guarded:%d PERSIST", 0},
    };
    int way = pick(sizeof(ways) / sizeof(ways[0]));
    redisReply *r = ask_tolerant(c, ways[way].command, pick(GUARDED_KEYS));

    if (!was_refused(c, r)) {
        expect_even(c, r);
        atomic_fetch_add(&added, ways[way].adds);
    }
    freeReplyObject(r);
}

void touch_guarded(struct client *c)
{
    tell(c, "SELECT %d", DB);
    atomic_store(&toucher_ids[c->number % TOUCHERS_KNOWN], ask_int(c, "CLIENT ID"));
    for (int i = 0; i < c->rounds * 4; i++) {
        if (pick(10) == 0)
            tell(c, "CLIENT LOCK-TIMEOUT %d", pick(3) ? pick(3) : -1);
        if (pick(5) == 0)
            in_transaction(c);
        else
            by_itself(c);
    }
}

/* Comes, has itself wait or be about to be let pass, and is gone. */
void leave_guarded(struct client *c)
{
    while (crowd_busy(c)) {
        tell(c, "SELECT %d", DB);
        for (int i = pick(3); i >= 0; i--)
            redisAppendCommand(c->link, "GET guarded:%d", pick(GUARDED_KEYS));
        if (pick(2) == 0)
            redisAppendCommand(c->link, "LOCK.ACQUIRE guarded:%d GUARD WAIT %d", pick(GUARDED_KEYS),
                               pick(3));
        for (int done = 0; !done;) {
            if (redisBufferWrite(c->link, &done) != REDIS_OK)
                break;
        }
        if (!client_connect(c))
            return;
    }
}

void disturb_guarded(struct client *c)
{
    while (crowd_busy(c)) {
        long long id = atomic_load(&toucher_ids[pick(TOUCHERS_KNOWN)]);

        if (id != 0)
            tell(c, pick(2) ? "CLIENT UNBLOCK %lld" : "CLIENT UNBLOCK %lld ERROR", id);
        tell(c, pick(2) ? "CLIENT LIST" : "LOCK.LIST");
    }
}

void guards_begin(struct server *s)
{
    redisContext *link = client_open(s);

    freeReplyObject(redisCommand(link, "SELECT %d", DB));
    freeReplyObject(redisCommand(link, "MSET guarded:0 0 guarded:1 0 guarded:2 0"));
    redisFree(link);
}

void guards_end(struct server *s)
{
    redisContext *link = client_open(s);
    long long sum = 0;
    redisReply *r;

    freeReplyObject(redisCommand(link, "SELECT %d", DB));
    r = redisCommand(link, "MGET guarded:0 guarded:1 guarded:2");
    for (size_t i = 0; r != NULL && i < r->elements; i++)
        sum += r->element[i]->type == REDIS_REPLY_STRING ? atoll(r->element[i]->str) : 0;
    is_int(sum, atomic_load(&added), "what was done to guarded keys adds up");
    freeReplyObject(r);
    redisFree(link);
}
