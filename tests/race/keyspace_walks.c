/*
 * See roles.h. Database 9: a hundred keys stay, a thousand others come and go, so that the table
 * grows and shrinks under those that walk it.
 */
#include <stdlib.h>
#include <string.h>

#include "tests/lib/client.h"
#include "tests/race/roles.h"

enum { STAYING = 100, PASSING = 1000 };

void come_and_go(struct client *c)
{
    bool filling = c->number % 2 == 0;

    tell(c, "SELECT 9");
    for (int i = 0; i < c->rounds; i++) {
        if (i % 500 == 499)
            filling = !filling;
        if (pick(4) == 0 ? !filling : filling)
            tell(c, "SET pass:%d x", pick(PASSING));
        else
            ask_int(c, "DEL pass:%d", pick(PASSING));
    }
}

static void note(bool *seen, const redisReply *key)
{
    int n = strncmp(key->str, "stay:", 5) == 0 ? atoi(key->str + 5) : -1;

    if (n >= 0 && n < STAYING)
        seen[n] = true;
}

static void scan_all(struct client *c)
{
    bool seen[STAYING] = {false};
    char cursor[32] = "0";
    int missing = 0;

    do {
        redisReply *r = ask(c, "SCAN %s COUNT %d", cursor, 1 + pick(200));

        if (r == NULL || r->elements != 2) {
            if (r != NULL)
                freeReplyObject(r);
            return;
        }
        for (size_t i = 0; i < r->element[1]->elements; i++)
            note(seen, r->element[1]->element[i]);
        memcpy(cursor, r->element[0]->str,
               r->element[0]->len < 31 ? r->element[0]->len + 1 : sizeof(cursor));
        freeReplyObject(r);
    } while (strcmp(cursor, "0") != 0);
    for (int i = 0; i < STAYING; i++)
        missing += !seen[i];
    if (missing > 0)
        complain(c, "SCAN misses %d of %d keys that stay", missing, STAYING);
}

static void list_all(struct client *c)
{
    redisReply *r = ask(c, "KEYS stay:*");

    if (r != NULL && r->elements != STAYING)
        complain(c, "KEYS finds %zu of %d keys", r->elements, STAYING);
    if (r != NULL)
        freeReplyObject(r);
}

void walk_keys(struct client *c)
{
    tell(c, "SELECT 9");
    while (crowd_busy(c)) {
        redisReply *r;

        scan_all(c);
        list_all(c);
        if (ask_int(c, "DBSIZE") < STAYING)
            complain(c, "DBSIZE counts less than what stays");
        r = ask(c, "RANDOMKEY");
        if (r != NULL && r->type != REDIS_REPLY_STRING)
            complain(c, "RANDOMKEY finds nothing");
        if (r != NULL)
            freeReplyObject(r);
    }
}

void keyspace_walks_begin(struct server *s)
{
    redisContext *link = client_open(s);

    freeReplyObject(redisCommand(link, "SELECT 9"));
    for (int i = 0; i < STAYING; i++)
        freeReplyObject(redisCommand(link, "SET stay:%d here", i));
    redisFree(link);
}
