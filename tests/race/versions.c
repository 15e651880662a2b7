/*
 * See roles.h. Databases 18 to 20: what is written on conditions adds up, versions only grow, who
 * waits for a change is told of it, and nothing is written with a token that is none any more.
 */
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "tests/lib/client.h"
#include "tests/lib/raw.h"
#include "tests/lib/tap.h"
#include "tests/race/roles.h"

enum { DB = 18, LEFT = 19, RIGHT = 20, TOLD_MS = 30000 };

static atomic_llong increments, steps, fenced;

static bool is_array(const redisReply *r)
{
    return r != NULL && r->type == REDIS_REPLY_ARRAY;
}

/* An error that begins like this is what is expected at times; others are complaints. */
static bool is_refusal(struct client *c, const redisReply *r, const char *code)
{
    if (r == NULL || r->type != REDIS_REPLY_ERROR)
        return false;
    if (strncmp(r->str, code, strlen(code)) != 0)
        complain(c, "%s", r->str);
    return true;
}

/* The version and the number that a key holds, 0 for none. */
static void get_with_version(struct client *c, const char *command, long long *version,
                             long long *value)
{
    redisReply *r = ask(c, command);

    if (is_array(r) && r->elements == 2) {
        *version = r->element[0]->integer;
        *value = r->element[1]->type == REDIS_REPLY_STRING ? atoll(r->element[1]->str) : 0;
    }
    if (r != NULL)
        freeReplyObject(r);
}

/* ---- one number ------------------------------------------------------------------------------ */

static bool set_watched(struct client *c, long long version, long long value)
{
    redisReply *r;
    bool done;

    tell(c, "WATCH number VERSION %lld", version);
    tell(c, "MULTI");
    tell(c, "SET number %lld", value);
    r = ask(c, "EXEC");
    done = is_array(r);
    if (r != NULL)
        freeReplyObject(r);
    return done;
}

static bool set_if_version(struct client *c, long long version, long long value)
{
    redisReply *r = ask_tolerant(c, "WHEN VERSION number %lld DO SET number %lld", version, value);
    bool done = r != NULL && !is_refusal(c, r, "VERSION ");

    if (r != NULL)
        freeReplyObject(r);
    return done;
}

void add_by_version(struct client *c)
{
    tell(c, "SELECT %d", DB);
    for (int i = 0; i < c->rounds; i++) {
        long long version = 0, value = 0;

        get_with_version(c, "VGET number", &version, &value);
        if (pick(3) == 0 ? set_watched(c, version, value + 1)
                         : set_if_version(c, version, value + 1))
            atomic_fetch_add(&increments, 1);
    }
}

/* Every change of it is an increment, so with each version that is seen comes a greater number. */
void follow_number(struct client *c)
{
    long long version = 0, value = -1;

    tell(c, "SELECT %d", DB);
    while (crowd_busy(c)) {
        redisReply *r = ask(c, "VGET number SINCE %lld WAIT 50", version);

        if (is_array(r) && r->elements == 2 && r->element[1]->type == REDIS_REPLY_STRING) {
            long long now = r->element[0]->integer, number = atoll(r->element[1]->str);

            if (now <= version || number <= value)
                complain(c, "%lld of version %lld came behind %lld of %lld", number, now, value,
                         version);
            version = now;
            value = number;
        } else if (is_array(r)) {
            complain(c, "the number is gone");
        }
        if (r != NULL)
            freeReplyObject(r);
    }
}

/* ---- two numbers on whatever shards ---------------------------------------------------------- */

void step_both(struct client *c)
{
    long long value = 0;

    tell(c, "SELECT %d", DB);
    for (int i = 0; i < c->rounds; i++) {
        redisReply *r =
            ask_tolerant(c, "WHEN EQ left %lld EQ right %lld DO MSET left %lld right %lld", value,
                         value, value + 1, value + 1);

        if (r != NULL && !is_refusal(c, r, "NOTEQUAL "))
            atomic_fetch_add(&steps, 1);
        if (r != NULL)
            freeReplyObject(r);
        r = ask(c, "MGET left right");
        if (is_array(r) && r->element[0]->type == REDIS_REPLY_STRING) {
            value = atoll(r->element[0]->str);
            if (strcmp(r->element[0]->str, r->element[1]->str) != 0)
                complain(c, "%s beside %s", r->element[0]->str, r->element[1]->str);
        }
        if (r != NULL)
            freeReplyObject(r);
    }
}

/* ---- a key that never lives long ------------------------------------------------------------- */

void make_brief(struct client *c)
{
    tell(c, "SELECT %d", DB);
    for (int i = 0; i < c->rounds; i++) {
        if (pick(4) == 0)
            ask_int(c, "DEL brief");
        else
            tell(c, "SET brief x PX %d", 1 + pick(5));
        if (pick(8) == 0)
            raw_sleep_ms(pick(8));
    }
}

/* Whoever has seen it is told of its end, however it comes. */
void follow_brief(struct client *c)
{
    long long version = 0;

    tell(c, "SELECT %d", DB);
    while (crowd_busy(c)) {
        redisReply *r = ask(c, "VERSION brief SINCE %lld WAIT %d", version, version ? TOLD_MS : 20);

        if (r != NULL && r->type == REDIS_REPLY_INTEGER) {
            if (r->integer == version)
                complain(c, "version %lld is no other", version);
            version = r->integer;
        } else if (version != 0) {
            complain(c, "not told that version %lld is gone", version);
        }
        if (r != NULL)
            freeReplyObject(r);
    }
}

/* ---- databases that change places ------------------------------------------------------------ */

void write_swapped(struct client *c)
{
    for (int i = 0; i < c->rounds; i++) {
        tell(c, "SELECT %d", pick(2) ? LEFT : RIGHT);
        tell(c, pick(20) ? "SET swapped x" : "UNLINK swapped");
        if (c->number == 0)
            tell(c, pick(50) ? "SWAPDB 19 20" : "FLUSHDB");
    }
}

/* Whatever database comes to stand there, the key of that name gets no version that it had. */
void follow_swapped(struct client *c)
{
    long long last = 0, high = 0;

    tell(c, "SELECT %d", c->number % 2 ? LEFT : RIGHT);
    while (crowd_busy(c)) {
        redisReply *r = ask(c, "VERSION swapped SINCE %lld WAIT 20", last);

        if (r != NULL && r->type == REDIS_REPLY_INTEGER) {
            if (r->integer == last || (r->integer != 0 && r->integer <= high))
                complain(c, "version %lld came behind %lld", r->integer, high);
            last = r->integer;
            high = last > high ? last : high;
        }
        if (r != NULL)
            freeReplyObject(r);
    }
}

/* ---- fencing --------------------------------------------------------------------------------- */

static bool push_fenced(struct client *c, long long token)
{
    redisReply *r;
    bool done;

    if (pick(2)) {
        r = ask_tolerant(c, "WHEN HELD fence %lld DO RPUSH fenced %lld", token, token);
        done = r != NULL && !is_refusal(c, r, "FENCED ");
    } else {
        tell(c, "WATCH LOCK fence %lld", token);
        tell(c, "MULTI");
        tell(c, "RPUSH fenced %lld", token);
        r = ask(c, "EXEC");
        done = is_array(r);
    }
    if (r != NULL)
        freeReplyObject(r);
    return done;
}

/* Some sleep longer than their lease, and write all the same. */
void write_with_token(struct client *c)
{
    tell(c, "SELECT %d", DB);
    for (int i = 0; i < c->rounds / 10; i++) {
        long long token = ask_int(c, "LOCK.ACQUIRE fence LEASE %d WAIT 20000", 1 + pick(3));

        if (pick(2))
            raw_sleep_ms(pick(5));
        for (int times = pick(3); times >= 0; times--)
            atomic_fetch_add(&fenced, push_fenced(c, token));
        freeReplyObject(ask_tolerant(c, "LOCK.RELEASE fence %lld", token));
        if (push_fenced(c, token))
            complain(c, "written with token %lld behind its end", token);
    }
}

/* ---- the end --------------------------------------------------------------------------------- */

static long long number_of(redisContext *link, const char *command)
{
    redisReply *r = redisCommand(link, command);
    long long n = r->type == REDIS_REPLY_STRING ? atoll(r->str) : r->integer;

    freeReplyObject(r);
    return n;
}

static bool tokens_grow(redisContext *link)
{
    redisReply *r = redisCommand(link, "LRANGE fenced 0 -1");
    long long last = 0;
    bool grow = true;

    for (size_t i = 0; i < r->elements; i++) {
        long long token = atoll(r->element[i]->str);

        grow = grow && token >= last;
        last = token;
    }
    freeReplyObject(r);
    return grow;
}

void versions_begin(struct server *s)
{
    redisContext *link = client_open(s);

    freeReplyObject(redisCommand(link, "SELECT %d", DB));
    freeReplyObject(redisCommand(link, "MSET left 0 right 0 number 0"));
    redisFree(link);
}

void versions_end(struct server *s)
{
    redisContext *link = client_open(s);

    freeReplyObject(redisCommand(link, "SELECT %d", DB));
    is_int(number_of(link, "GET number"), atomic_load(&increments),
           "increments on a version are as many as were told");
    is_int(number_of(link, "GET left"), atomic_load(&steps), "steps of two keys, too");
    is_int(number_of(link, "GET right"), atomic_load(&steps), "of both");
    is_int(number_of(link, "LLEN fenced"), atomic_load(&fenced), "writes with a token, too");
    ok(tokens_grow(link), "no write came behind one with a later token");
    redisFree(link);
}
