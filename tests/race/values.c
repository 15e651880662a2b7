/*
 * See roles.h. Writers number what they write to a few keys; the value is "writer number", and the
 * last of each writer has the number -1.
 */
#include <hiredis/hiredis.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/race/roles.h"

enum { WRITERS = 3, VALUED_KEYS = 4, BATCH = 10 };

void listen_to_values(struct client *c)
{
    if (c->number % 2 == 0) {
        tell(c, "PSUBSCRIBE __keyvalue@0__:valued:*");
        return;
    }
    for (int i = 0; i < VALUED_KEYS; i++)
        tell(c, "SUBSCRIBE __keyvalue@0__:valued:%d", i);
}

struct heard {
    unsigned long long versions[VALUED_KEYS];
    int last[WRITERS], running;
};

static void check_value(struct client *c, struct heard *h, const char *value)
{
    int writer = 0, number = 0;

    if (sscanf(value, "%d %d", &writer, &number) != 2 || writer < 0 || writer >= WRITERS) {
        complain(c, "a value that nobody wrote: %s", value);
        return;
    }
    h->running -= number < 0;
    if (number >= 0 && number != h->last[writer] + 1)
        complain(c, "number %d of writer %d follows %d", number, writer, h->last[writer]);
    h->last[writer] = number >= 0 ? number : h->last[writer];
}

/* The versions of a key only grow; an "expire" that follows from a SET has that one's. */
static void check_change(struct client *c, struct heard *h, const char *channel,
                         const char *message)
{
    const char *key = strrchr(channel, ':'), *value = strchr(message, '\n');
    int k = key != NULL ? atoi(key + 1) : -1;
    unsigned long long version;
    char event[32];

    if (sscanf(message, "%31s %llu", event, &version) != 2 || !value || k < 0 || k >= VALUED_KEYS) {
        complain(c, "not understood: %s %s", channel, message);
        return;
    }
    if (version < h->versions[k] + (strcmp(event, "expire") != 0))
        complain(c, "%s %s: version %llu follows %llu", channel, event, version, h->versions[k]);
    h->versions[k] = version;
    if (strcmp(event, "set") == 0)
        check_value(c, h, value + 1);
}

void hear_values(struct client *c)
{
    struct heard h = {.running = WRITERS};

    while (h.running > 0) {
        void *got = NULL;
        redisReply *r;

        if (redisGetReply(c->link, &got) != REDIS_OK || got == NULL) {
            complain(c, "events end early: %s", c->link->errstr);
            return;
        }
        r = got;
        if (r->elements >= 3)
            check_change(c, &h, r->element[r->elements - 2]->str, r->element[r->elements - 1]->str);
        freeReplyObject(r);
    }
    for (int i = 0; i < WRITERS; i++) {
        if (h.last[i] != c->rounds)
            complain(c, "%d values of writer %d, not %d", h.last[i], i, c->rounds);
    }
}

static void read_replies(struct client *c, int n)
{
    while (n-- > 0) {
        void *r = NULL;

        if (redisGetReply(c->link, &r) != REDIS_OK) {
            complain(c, "no reply to a write: %s", c->link->errstr);
            return;
        }
        freeReplyObject(r);
    }
}

static void append_value(struct client *c, int key, int number)
{
    char value[32];

    snprintf(value, sizeof(value), "%d %d", c->number, number);
    redisAppendCommand(c->link, pick(4) == 0 ? "SET valued:%d %s PX 2" : "SET valued:%d %s", key,
                       value);
}

void write_values(struct client *c)
{
    static const char *const others[] = {"DEL valued:%d",       "APPEND valued:%d x",
                                         "PEXPIRE valued:%d 1", "SETRANGE valued:%d 40 y",
                                         "GETDEL valued:%d",    "GET valued:%d"};
    int pending = 0;

    for (int i = 1; i <= c->rounds; i++) {
        append_value(c, pick(VALUED_KEYS), i);
        redisAppendCommand(c->link, others[pick(6)], pick(VALUED_KEYS));
        pending += 2;
        if (pending >= BATCH || i == c->rounds) {
            read_replies(c, pending);
            pending = 0;
        }
    }
    append_value(c, 0, -1);
    read_replies(c, 1);
}

void change_listening(struct client *c)
{
    static const char *const commands[] = {
        "SUBSCRIBE __keyvalue@0__:valued:%d",   "PSUBSCRIBE __keyvalue@*__:valued:%d",
        "UNSUBSCRIBE __keyvalue@0__:valued:%d", "PUNSUBSCRIBE __keyvalue@*__:valued:%d",
        "SUBSCRIBE __keyvalue@1__:valued:%d",   "UNSUBSCRIBE __keyvalue@1__:valued:%d"};

    while (crowd_busy(c)) {
        for (int i = 0; i < 10; i++)
            redisAppendCommand(c->link, commands[pick(6)], pick(VALUED_KEYS));
        redisAppendCommand(c->link, "QUIT");
        for (void *r = NULL; redisGetReply(c->link, &r) == REDIS_OK; r = NULL)
            freeReplyObject(r);
        if (!client_connect(c))
            return;
    }
}
