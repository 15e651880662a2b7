/*
 * See roles.h. Database 13: two weights, in strings and in hashes, that are always the opposite of
 * each other, since they are set at once; and a list that is sorted by them, whose elements do not
 * tell on which shards the weights are.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/lib/client.h"
#include "tests/race/roles.h"

enum { DB = 13, MOST = 1000000 };

void weigh(struct client *c)
{
    tell(c, "SELECT %d", DB);
    for (int i = 0; i < c->rounds; i++) {
        int v = pick(MOST);

        if (pick(3) != 0) {
            tell(c, "MSET w:a %d w:b %d", v, -v);
            continue;
        }
        tell(c, "MULTI");
        tell(c, "HSET o:a weight %d", v);
        tell(c, "HSET o:b weight %d", -v);
        tell(c, "EXEC");
    }
}

void prepare_weights(struct client *c)
{
    tell(c, "SELECT %d", DB);
    tell(c, "MULTI");
    tell(c, "DEL l");
    tell(c, "RPUSH l a b");
    tell(c, "MSET w:a 0 w:b 0");
    tell(c, "HSET o:a weight 0");
    tell(c, "HSET o:b weight 0");
    tell(c, "EXEC");
}

static long long weight(const redisReply *r)
{
    return r->type == REDIS_REPLY_STRING ? strtoll(r->str, NULL, 10) : MOST;
}

/* Two weights in ascending order. */
static void expect_opposite(struct client *c, redisReply *r)
{
    if (r == NULL)
        return;
    if (r->type != REDIS_REPLY_ARRAY || r->elements != 2)
        complain(c, "no two weights");
    else if (weight(r->element[0]) != -weight(r->element[1]) || weight(r->element[0]) > 0)
        complain(c, "sorted by weights of %s and %s", r->element[0]->str, r->element[1]->str);
}

static void sort_within_transaction(struct client *c)
{
    redisReply *r;

    tell(c, "MULTI");
    tell(c, "SORT l BY w:* GET w:* STORE sorted:%d", c->number);
    tell(c, "LRANGE sorted:%d 0 -1", c->number);
    r = ask(c, "EXEC");
    if (r == NULL)
        return;
    if (r->elements == 2)
        expect_opposite(c, r->element[1]);
    else
        complain(c, "EXEC ran %zu of two commands", r->elements);
    freeReplyObject(r);
}

void sort_by_weights(struct client *c)
{
    tell(c, "SELECT %d", DB);
    for (int i = 0; i < c->rounds; i++) {
        redisReply *r = NULL;

        switch (pick(4)) {
        case 0:
            sort_within_transaction(c);
            continue;
        case 1:
            r = ask(c, "SORT_RO l BY o:*->weight GET o:*->weight");
            break;
        case 2:
            tell(c, "SORT l ALPHA STORE sorted:%d", c->number);
            continue;
        default:
            r = ask(c, "SORT l BY w:* GET w:*");
            break;
        }
        expect_opposite(c, r);
        if (r != NULL)
            freeReplyObject(r);
    }
}
