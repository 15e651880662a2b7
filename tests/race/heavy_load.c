/*
 * See roles.h. What takes memory and time: long values, connections by the hundred, a limit of
 * memory that is reached. Databases 11 and 12.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/race/roles.h"

enum { LONG_KEYS = 4, LONG_MAX = 400000, FILLER = 8000, HALF_REQUESTS = 4 };

/* All bytes of a value are the same, so a mixture of two values shows. */
static bool uniform(const redisReply *r)
{
    for (size_t i = 1; i < r->len; i++) {
        if (r->str[i] != r->str[0])
            return false;
    }
    return true;
}

static void read_long(struct client *c)
{
    redisReply *r = ask(c, pick(2) == 0 ? "GET long:%d" : "GETRANGE long:%d 0 -1", pick(LONG_KEYS));

    if (r != NULL && r->type == REDIS_REPLY_STRING && !uniform(r))
        complain(c, "a long value is a mixture");
    if (r != NULL)
        freeReplyObject(r);
}

void long_values(struct client *c)
{
    char *bytes = malloc(LONG_MAX);

    if (bytes == NULL)
        abort();
    tell(c, "SELECT 11");
    for (int i = 0; i < c->rounds / 16; i++) {
        size_t len = (size_t)pick(LONG_MAX) + 1;
        int key = pick(LONG_KEYS);

        memset(bytes, 'a' + pick(26), len);
        switch (pick(4)) {
        case 0:
            tell(c, "SET long:%d %b", key, bytes, len);
            break;
        case 1:
            tell(c, "GETSET long:%d %b", key, bytes, len);
            break;
        case 2:
            ask_int(c, "COPY long:%d long:%d REPLACE", key, (key + 1) % LONG_KEYS);
            break;
        default:
            read_long(c);
            break;
        }
    }
    free(bytes);
}

/* Connections that say little or half of something, and go without a word. */
void visit(struct client *c)
{
    static const char *const halves[HALF_REQUESTS] = {"*2\r\n$3\r\nGET\r\n", "*1\r\n$5", "SET half",
                                                      "*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$90000\r\nx"};

    for (int i = 0; i < c->rounds / 4; i++) {
        if (pick(2) == 0) {
            tell(c, "PING");
        } else {
            const char *half = halves[pick(HALF_REQUESTS)];
            size_t len = strlen(half);

            redisAppendFormattedCommand(c->link, half, len);
            redisBufferWrite(c->link, NULL);
        }
        if (!client_connect(c))
            return;
    }
}

/* Values that are written until there is no room; that there is none is no complaint. */
void fill_memory(struct client *c)
{
    char bytes[FILLER];

    memset(bytes, 'f', sizeof(bytes));
    freeReplyObject(ask_tolerant(c, "SELECT 12"));
    for (int i = 0; i < c->rounds; i++) {
        const char *command = pick(2) == 0 ? "SET fill:%d %b" : "SET fill:%d %b EX 1000";
        redisReply *r = ask_tolerant(c, command, pick(2000), bytes, (size_t)pick(FILLER) + 1);

        if (r == NULL || (r->type == REDIS_REPLY_ERROR && strncmp(r->str, "OOM", 3) != 0))
            complain(c, "SET: %s", r != NULL ? r->str : c->link->errstr);
        if (r != NULL)
            freeReplyObject(r);
        else if (!client_connect(c))
            return;
        freeReplyObject(ask_tolerant(c, "GET fill:%d", pick(2000)));
    }
}

void limit_memory(struct client *c)
{
    static const char *const policies[] = {"noeviction",      "allkeys-lru",  "allkeys-lfu",
                                           "allkeys-random",  "volatile-lru", "volatile-lfu",
                                           "volatile-random", "volatile-ttl"};

    while (crowd_busy(c)) {
        redisReply *r = ask(c, "INFO memory");
        const char *used = r != NULL ? strstr(r->str, "used_memory:") : NULL;
        long long limit = used != NULL ? atoll(used + strlen("used_memory:")) : 0;

        tell(c, "CONFIG SET maxmemory-policy %s maxmemory %lld", policies[pick(8)],
             pick(3) == 0 ? 0 : limit - limit / (4 + pick(100)));
        if (r != NULL)
            freeReplyObject(r);
        for (int i = 0; i < 50; i++)
            freeReplyObject(ask_tolerant(c, "GET fill:%d", i));
    }
    tell(c, "CONFIG SET maxmemory 0");
}
