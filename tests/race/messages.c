/* See roles.h. A message is "publisher number"; the last of each publisher has the number -1. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/race/roles.h"

enum { PUBLISHERS = 4, BATCH = 10 };

void subscribe_all(struct client *c)
{
    if (c->number % 2 == 0) {
        tell(c, "PSUBSCRIBE numbers:*");
        return;
    }
    for (int i = 0; i < PUBLISHERS; i++)
        tell(c, "SUBSCRIBE numbers:%d", i);
}

/* The next number of its publisher; false after the publisher's last. */
static bool check_number(struct client *c, const char *text, int *last)
{
    int publisher = 0, number = 0;

    if (sscanf(text, "%d %d", &publisher, &number) != 2 || publisher < 0 ||
        publisher >= PUBLISHERS) {
        complain(c, "a message that nobody sent: %s", text);
        return true;
    }
    if (number < 0)
        return false;
    if (number != last[publisher] + 1)
        complain(c, "number %d of publisher %d follows %d", number, publisher, last[publisher]);
    last[publisher] = number;
    return true;
}

void read_messages(struct client *c)
{
    int last[PUBLISHERS] = {0}, running = PUBLISHERS;

    while (running > 0) {
        void *got = NULL;
        redisReply *r;

        if (redisGetReply(c->link, &got) != REDIS_OK || got == NULL) {
            complain(c, "messages end early: %s", c->link->errstr);
            break;
        }
        r = got;
        if (r->elements >= 3 && !check_number(c, r->element[r->elements - 1]->str, last))
            running--;
        freeReplyObject(r);
    }
    for (int i = 0; i < PUBLISHERS; i++) {
        if (last[i] != c->rounds)
            complain(c, "%d messages of publisher %d, not %d", last[i], i, c->rounds);
    }
}

void publish_numbers(struct client *c)
{
    int pending = 0;
    char text[32];

    for (int i = 1; i <= c->rounds; i++) {
        snprintf(text, sizeof(text), "%d %d", c->number, i);
        redisAppendCommand(c->link, "PUBLISH numbers:%d %s", c->number, text);
        redisAppendCommand(c->link, "SET published:%d %d", c->number, i);
        for (pending += 2; pending >= BATCH || (i == c->rounds && pending > 0); pending--) {
            void *r = NULL;

            if (redisGetReply(c->link, &r) != REDIS_OK) {
                complain(c, "no reply to PUBLISH: %s", c->link->errstr);
                return;
            }
            freeReplyObject(r);
        }
    }
    ask_int(c, "PUBLISH numbers:%d %s", c->number, "0 -1");
}

void change_subscriptions(struct client *c)
{
    static const char *const commands[] = {"SUBSCRIBE numbers:%d",   "PSUBSCRIBE *%d",
                                           "SSUBSCRIBE s%d",         "PUNSUBSCRIBE *%d",
                                           "UNSUBSCRIBE numbers:%d", "SUNSUBSCRIBE s%d"};

    while (crowd_busy(c)) {
        /* Replies and messages come in any mixture: only the end of it is waited for. */
        for (int i = 0; i < 10; i++)
            redisAppendCommand(c->link, commands[pick(6)], pick(PUBLISHERS));
        redisAppendCommand(c->link, "QUIT");
        for (void *r = NULL; redisGetReply(c->link, &r) == REDIS_OK; r = NULL)
            freeReplyObject(r);
        if (!client_connect(c))
            return;
    }
}
