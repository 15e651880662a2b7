/*
 * See roles.h. Database 9: accounts whose sum never changes, since all that is moved between them
 * is moved in transactions; some of it by carriers, who wait for orders and have them in a bag
 * until they have paid. And a purse that changes its name.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/lib/client.h"
#include "tests/lib/tap.h"
#include "tests/race/roles.h"

enum {
    ACCOUNTS = 1000,
    EACH = 100,
    HOT = 20,
    DB = 9,
    ATTEMPTS = 10,
    ORDERS = 3, /* lists of them, and as many bags at most */
};

/* Half of what is moved is moved between few. */
static int pick_account(void)
{
    return pick(pick(2) == 0 ? HOT : ACCOUNTS);
}

/* The reply to the last of so many commands that were appended; NULL is complained of. */
static redisReply *last_of(struct client *c, int commands)
{
    void *r = NULL;

    for (int i = 0; i < commands; i++) {
        if (r != NULL)
            freeReplyObject(r);
        r = NULL;
        if (redisGetReply(c->link, &r) != REDIS_OK) {
            complain(c, "no reply: %s", c->link->errstr);
            return NULL;
        }
    }
    return r;
}

/* Two in one request and alone in theirs. */
static redisReply *transfer(struct client *c, int from, int to, int amount)
{
    if (pick(2) == 0) {
        tell(c, "MULTI");
        tell(c, "DECRBY m:%d %d", from, amount);
        tell(c, "INCRBY m:%d %d", to, amount);
        return ask(c, "EXEC");
    }
    redisAppendCommand(c->link, "MULTI");
    redisAppendCommand(c->link, "DECRBY m:%d %d", from, amount);
    redisAppendCommand(c->link, "INCRBY m:%d %d", to, amount);
    redisAppendCommand(c->link, "EXEC");
    return last_of(c, 4);
}

void move_money(struct client *c)
{
    tell(c, "SELECT %d", DB);
    for (int i = 0; i < c->rounds; i++) {
        redisReply *r = transfer(c, pick_account(), pick_account(), 1 + pick(9));

        if (r == NULL || r->type != REDIS_REPLY_ARRAY || r->elements != 2)
            complain(c, "a transaction did not run");
        if (r != NULL)
            freeReplyObject(r);
    }
}

static int balance(struct client *c, int account)
{
    redisReply *r = ask(c, "GET m:%d", account);
    int is = r != NULL && r->type == REDIS_REPLY_STRING ? atoi(r->str) : 0;

    if (r != NULL)
        freeReplyObject(r);
    return is;
}

/* By values that were read before: right only if nobody has changed them since. */
static bool transfer_watched(struct client *c, int from, int to, int amount)
{
    redisReply *r;
    int had, has;
    bool done;

    tell(c, "WATCH m:%d m:%d", from, to);
    had = balance(c, from);
    has = balance(c, to);
    redisAppendCommand(c->link, "MULTI");
    redisAppendCommand(c->link, "SET m:%d %d", from, had - amount);
    redisAppendCommand(c->link, "SET m:%d %d", to, has + amount);
    redisAppendCommand(c->link, "EXEC");
    r = last_of(c, 4);
    done = r != NULL && r->type == REDIS_REPLY_ARRAY && r->elements == 2;
    if (r == NULL || (!done && r->type != REDIS_REPLY_NIL))
        complain(c, "EXEC is answered otherwise");
    if (r != NULL)
        freeReplyObject(r);
    return done;
}

void move_watched_money(struct client *c)
{
    tell(c, "SELECT %d", DB);
    for (int i = 0; i < c->rounds; i++) {
        int from = pick_account(), to = pick_account(), attempts = 0;

        if (from == to)
            continue;
        while (attempts < ATTEMPTS && !transfer_watched(c, from, to, 1 + pick(9)))
            attempts++;
    }
}

/* Whoever is to have it gets it from a carrier. */
void send_money(struct client *c)
{
    tell(c, "SELECT %d", DB);
    for (int i = 0; i < c->rounds; i++) {
        int amount = 1 + pick(9);

        tell(c, "MULTI");
        tell(c, "DECRBY m:%d %d", pick_account(), amount);
        tell(c, "RPUSH orders:%d %d:%d", pick(ORDERS), pick_account(), amount);
        tell(c, "EXEC");
    }
}

static void deliver(struct client *c, const char *order)
{
    int to, amount;

    if (sscanf(order, "%d:%d", &to, &amount) != 2)
        complain(c, "no order: %s", order);
    tell(c, "MULTI");
    tell(c, "INCRBY m:%d %d", to, amount);
    tell(c, "DEL bag:%d", c->number);
    tell(c, "EXEC");
}

void carry_money(struct client *c)
{
    tell(c, "SELECT %d", DB);
    while (crowd_busy(c)) {
        redisReply *r = ask(c, "BLMOVE orders:%d bag:%d LEFT RIGHT 0.05", pick(ORDERS), c->number);

        if (r != NULL && r->type == REDIS_REPLY_STRING)
            deliver(c, r->str);
        if (r != NULL)
            freeReplyObject(r);
    }
}

/* One purse is always there, under one of two names, but for the moment within a transaction. */
void rename_money(struct client *c)
{
    tell(c, "SELECT %d", DB);
    for (int i = 0; i < c->rounds; i++) {
        redisReply *r;

        tell(c, "MULTI");
        tell(c, "RENAME purse:%d purse", i % 2);
        tell(c, i % 8 == 0 ? "DBSIZE" : "EXISTS purse");
        tell(c, "RENAME purse purse:%d", 1 - i % 2);
        r = ask(c, "EXEC");
        if (r == NULL || r->type != REDIS_REPLY_ARRAY || r->elements != 3 ||
            r->element[0]->type == REDIS_REPLY_ERROR || r->element[2]->type == REDIS_REPLY_ERROR)
            complain(c, "a purse was not renamed");
        if (r != NULL)
            freeReplyObject(r);
    }
}

static void append_accounts(redisContext *link)
{
    static __thread char names[ACCOUNTS][16];
    const char *words[ACCOUNTS + 1] = {"MGET"};

    for (int i = 0; i < ACCOUNTS; i++) {
        snprintf(names[i], sizeof(names[i]), "m:%d", i);
        words[i + 1] = names[i];
    }
    redisAppendCommandArgv(link, ACCOUNTS + 1, words, NULL);
}

static long long sum_of(const redisReply *values)
{
    long long sum = 0;

    for (size_t i = 0; i < values->elements; i++)
        sum += values->element[i]->type == REDIS_REPLY_STRING ? atoll(values->element[i]->str) : 0;
    return sum;
}

/* All that is there and on its way, in a transaction of 4 + 2 * ORDERS commands behind MULTI. */
static void append_sums(redisContext *link)
{
    redisAppendCommand(link, "MULTI");
    append_accounts(link);
    redisAppendCommand(link, "EXISTS purse:0 purse:1");
    redisAppendCommand(link, "EXISTS purse");
    for (int i = 0; i < ORDERS; i++) {
        redisAppendCommand(link, "LRANGE orders:%d 0 -1", i);
        redisAppendCommand(link, "LRANGE bag:%d 0 -1", i);
    }
    redisAppendCommand(link, "EXEC");
}

static long long sum_of_all(const redisReply *r)
{
    long long sum = sum_of(r->element[0]);

    for (size_t i = 3; i < r->elements; i++) {
        for (size_t j = 0; j < r->element[i]->elements; j++)
            sum += atoi(strchr(r->element[i]->element[j]->str, ':') + 1);
    }
    return sum;
}

static void add_up_once(struct client *c)
{
    redisReply *r;

    append_sums(c->link);
    r = last_of(c, 5 + 2 * ORDERS);
    if (r == NULL || r->type != REDIS_REPLY_ARRAY || r->elements != 3 + 2 * ORDERS) {
        complain(c, "no sums");
    } else {
        if (sum_of_all(r) != ACCOUNTS * EACH)
            complain(c, "the sum is %lld", sum_of_all(r));
        if (r->element[1]->integer != 1 || r->element[2]->integer != 0)
            complain(c, "the purse is seen while it is renamed");
    }
    if (r != NULL)
        freeReplyObject(r);
}

void add_money_up(struct client *c)
{
    tell(c, "SELECT %d", DB);
    while (crowd_busy(c))
        add_up_once(c);
}

void money_begin(struct server *s)
{
    redisContext *link = client_open(s);

    freeReplyObject(redisCommand(link, "SELECT %d", DB));
    for (int i = 0; i < ACCOUNTS; i++)
        freeReplyObject(redisCommand(link, "SET m:%d %d", i, EACH));
    freeReplyObject(redisCommand(link, "SET purse:0 full"));
    redisFree(link);
}

void money_end(struct server *s)
{
    redisContext *link = client_open(s);
    void *r = NULL;

    freeReplyObject(redisCommand(link, "SELECT %d", DB));
    append_sums(link);
    for (int i = 0; i < 5 + 2 * ORDERS; i++) {
        freeReplyObject(r);
        redisGetReply(link, &r);
    }
    is_int(r != NULL ? sum_of_all(r) : -1, ACCOUNTS * EACH, "no money was lost or made");
    freeReplyObject(r);
    redisFree(link);
}
