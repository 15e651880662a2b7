/* See roles.h. Database 7, and for what expires database 8. */
#include <inttypes.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include "tests/lib/client.h"
#include "tests/lib/raw.h"
#include "tests/lib/tap.h"
#include "tests/race/roles.h"

enum { PIPELINE = 20, EXPIRED_MS = 30000, SLACK_MS = 5000 };

static redisReply *next_reply(struct client *c)
{
    void *r = NULL;

    if (redisGetReply(c->link, &r) != REDIS_OK || r == NULL) {
        complain(c, "no reply in a pipeline: %s", c->link->errstr);
        return NULL;
    }
    return r;
}

/* An integer greater than the last one, by one if the key is the client's own. */
static void expect_next(struct client *c, long long *last, bool own)
{
    redisReply *r = next_reply(c);

    if (r == NULL)
        return;
    if (r->type != REDIS_REPLY_INTEGER || r->integer <= *last || (own && r->integer != *last + 1))
        complain(c, "%s counter: %lld after %lld", own ? "own" : "shared", r->integer, *last);
    *last = r->integer;
    freeReplyObject(r);
}

/* Counters of its own and of all, a text that grows, bits of its own in a string of all. */
void count_up(struct client *c)
{
    long long own = 0, shared = 0, length = 0;

    tell(c, "SELECT 7");
    for (int i = 0; i < c->rounds; i += PIPELINE) {
        for (int j = 0; j < PIPELINE; j++) {
            redisAppendCommand(c->link, "INCR own:%d", c->number);
            redisAppendCommand(c->link, "INCRBY shared 3");
            redisAppendCommand(c->link, "APPEND text x");
            redisAppendCommand(c->link, "SETBIT bits %d 1", (i + j) * client_peers(c) + c->number);
        }
        for (int j = 0; j < PIPELINE; j++) {
            redisReply *bit;

            expect_next(c, &own, true);
            expect_next(c, &shared, false);
            expect_next(c, &length, false);
            bit = next_reply(c);
            if (bit == NULL)
                return;
            if (bit->integer != 0)
                complain(c, "a bit was set before");
            freeReplyObject(bit);
        }
    }
}

/* Every value that was set is handed to exactly one other client: the sums are equal in the end. */
static atomic_llong handed_in, handed_out;

void hand_over(struct client *c)
{
    tell(c, "SELECT 7");
    for (int i = 0; i < c->rounds; i++) {
        long long id = (long long)c->number * 10000000 + i + 1;
        redisReply *r;

        atomic_fetch_add(&handed_in, id);
        r = ask(c, pick(2) == 0 ? "GETSET handed %lld" : "SET handed %lld GET", id);
        if (r == NULL)
            continue;
        if (r->type == REDIS_REPLY_STRING)
            atomic_fetch_add(&handed_out, atoll(r->str));
        freeReplyObject(r);
    }
}

/* A lock made of SETNX: who has it is alone. */
void exclude(struct client *c)
{
    tell(c, "SELECT 7");
    for (int i = 0; i < c->rounds; i++) {
        if (ask_int(c, "SETNX lock %d", c->number) != 1)
            continue;
        if (ask_int(c, "INCR inside") != 1)
            complain(c, "not alone behind the lock");
        if (ask_int(c, "DECR inside") != 0)
            complain(c, "somebody came in");
        if (ask_int(c, "DEL lock") != 1)
            complain(c, "the lock was gone");
    }
}

/* WATCH: an increment happens when nobody else's has come between, and only then. */
static atomic_llong compared_and_set;

void compare_and_set(struct client *c)
{
    tell(c, "SELECT 7");
    for (int i = 0; i < c->rounds / 2; i++) {
        redisReply *r;
        long long seen;

        tell(c, "WATCH watched");
        r = ask(c, "GET watched");
        seen = r != NULL && r->type == REDIS_REPLY_STRING ? atoll(r->str) : 0;
        if (r != NULL)
            freeReplyObject(r);
        tell(c, "MULTI");
        tell(c, "SET watched %lld", seen + 1);
        r = ask(c, "EXEC");
        if (r != NULL && r->type == REDIS_REPLY_ARRAY)
            atomic_fetch_add(&compared_and_set, 1);
        if (r != NULL)
            freeReplyObject(r);
    }
}

/* Every key gets a short time to live in one of the ways there are. */
void expire_soon(struct client *c)
{
    tell(c, "SELECT 8");
    for (int i = 0; i < c->rounds; i++) {
        int key = pick(100), ms = 1 + pick(20);
        long long left;

        if (pick(3) == 0)
            tell(c, "PSETEX e:%d %d value", key, ms);
        else
            tell(c, "SET e:%d value PX %d", key, ms);
        if (pick(4) == 0)
            tell(c, "PEXPIRE e:%d %d", pick(100), 1 + pick(20));
        if (pick(4) == 0)
            tell(c, "GETEX e:%d PX %d", pick(100), 1 + pick(20));
        if (pick(8) == 0)
            ask_int(c, "COPY e:%d e:%d REPLACE", key, (key + 1) % 100);
        left = ask_int(c, "PTTL e:%d", key);
        /* Another worker may have seen a later clock: that is no matter of exact bounds. */
        if (left > 20 + SLACK_MS || left == -1)
            complain(c, "a key that lives 20 ms at most has %lld ms", left);
    }
}

static void end_expired(redisContext *link)
{
    long long end = raw_now_ms() + EXPIRED_MS, left;

    freeReplyObject(redisCommand(link, "SELECT 8"));
    do {
        redisReply *r = redisCommand(link, "DBSIZE");

        left = r->integer;
        freeReplyObject(r);
        raw_sleep_ms(10);
    } while (left > 0 && raw_now_ms() < end);
    is_int(left, 0, "all that expires is gone, unasked");
}

static long long final_number(redisContext *link, const char *command)
{
    redisReply *r = redisCommand(link, command);
    long long n = r->type == REDIS_REPLY_STRING ? atoll(r->str) : r->integer;

    freeReplyObject(r);
    return n;
}

void one_key_end(struct server *s, int clients, int rounds)
{
    redisContext *link = client_open(s);
    long long all = (long long)clients * ((rounds + PIPELINE - 1) / PIPELINE) * PIPELINE;

    freeReplyObject(redisCommand(link, "SELECT 7"));
    is_int(final_number(link, "GET shared"), all * 3, "no increment is lost");
    is_int(final_number(link, "STRLEN text"), all, "no byte that was appended is lost");
    is_int(final_number(link, "BITCOUNT bits"), all, "no bit is lost");
    is_int(atomic_load(&handed_out) + final_number(link, "GET handed"), atomic_load(&handed_in),
           "every value was handed over once");
    is_int(final_number(link, "GET watched"), atomic_load(&compared_and_set),
           "increments behind WATCH are as many as EXEC says");
    end_expired(link);
    redisFree(link);
}
