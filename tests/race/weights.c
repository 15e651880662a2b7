/*
 * See roles.h. Database 16: weights, in strings and in hashes, that are always all the same, since
 * they are set at once; and lists that are sorted by them, whose elements do not tell on which
 * shards the weights are.
 */
#include <stdio.h>
#include <string.h>

#include "tests/lib/client.h"
#include "tests/race/roles.h"

enum { DB = 16, STRINGS = 64, HASHES = 8, MOST = 1000000, LINE = 2048 };

/* One command, whose words are those of its format. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
#pragma GCC diagnostic ignored "-Wformat-security"
static void set_strings(struct client *c, int v)
{
    char line[LINE] = "MSET";
    size_t used = strlen(line);

    for (int i = 0; i < STRINGS; i++)
        used += (size_t)snprintf(line + used, LINE - used, " w:%d %d", i, v);
    tell(c, line);
}
#pragma GCC diagnostic pop

static void set_hashes(struct client *c, int v)
{
    tell(c, "MULTI");
    for (int i = 0; i < HASHES; i++)
        tell(c, "HSET o:%d weight %d", i, v);
    tell(c, "EXEC");
}

void weigh(struct client *c)
{
    tell(c, "SELECT %d", DB);
    for (int i = 0; i < c->rounds; i++) {
        if (pick(4) != 0)
            set_strings(c, pick(MOST));
        else
            set_hashes(c, pick(MOST));
    }
}

/* Each client sorts lists of its own. */
void prepare_weights(struct client *c)
{
    tell(c, "SELECT %d", DB);
    tell(c, "DEL long:%d short:%d", c->number, c->number);
    for (int i = 0; i < STRINGS; i++)
        tell(c, "RPUSH long:%d %d", c->number, i);
    for (int i = 0; i < HASHES; i++)
        tell(c, "RPUSH short:%d %d", c->number, i);
    set_strings(c, 0);
    set_hashes(c, 0);
}

static void expect_same(struct client *c, const redisReply *r, size_t count)
{
    if (r->type != REDIS_REPLY_ARRAY || r->elements != count) {
        complain(c, "not %zu weights", count);
        return;
    }
    for (size_t i = 1; i < count; i++) {
        const redisReply *a = r->element[0], *b = r->element[i];

        if (a->type != REDIS_REPLY_STRING || b->type != a->type || strcmp(a->str, b->str) != 0) {
            complain(c, "sorted by weights that never were there at once");
            return;
        }
    }
}

static void sort_within_transaction(struct client *c)
{
    redisReply *r;

    tell(c, "MULTI");
    tell(c, "SORT long:%d BY w:* GET w:* STORE sorted:%d", c->number, c->number);
    tell(c, "LRANGE sorted:%d 0 -1", c->number);
    r = ask(c, "EXEC");
    if (r == NULL)
        return;
    if (r->elements == 2)
        expect_same(c, r->element[1], STRINGS);
    else
        complain(c, "EXEC ran %zu of two commands", r->elements);
    freeReplyObject(r);
}

void sort_by_weights(struct client *c)
{
    tell(c, "SELECT %d", DB);
    for (int i = 0; i < c->rounds; i++) {
        int kind = pick(4);
        redisReply *r;

        if (kind == 0) {
            sort_within_transaction(c);
            continue;
        }
        r = kind == 1 ? ask(c, "SORT_RO short:%d BY o:*->weight GET o:*->weight", c->number)
                      : ask(c, "SORT long:%d BY w:* GET w:*", c->number);
        if (r != NULL) {
            expect_same(c, r, kind == 1 ? HASHES : STRINGS);
            freeReplyObject(r);
        }
    }
}
