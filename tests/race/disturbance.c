/* See roles.h. What goes on beside the checks; the replies matter only in that there are any. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/race/roles.h"

enum { KEYS = 100 };

/* @a and @b are numbers of keys, @n is another number. */
static const char *const commands[] = {
    "GET k:@a",
    "SET k:@a @n",
    "SET k:@a @n NX PX 5",
    "SET k:@a a-value-that-does-not-fit-into-the-entry-of-the-key-@n-and-is-kept-elsewhere",
    "GETSET k:@a x",
    "GETDEL k:@a",
    "GETEX k:@a PX @n",
    "APPEND k:@a @n",
    "STRLEN k:@a",
    "SETRANGE k:@a @n x",
    "GETRANGE k:@a 0 -1",
    "INCR k:@a",
    "INCRBYFLOAT k:@a 1.5",
    "MGET k:@a k:@b k:@n",
    "MSET k:@a a k:@b b",
    "MSETNX k:@a a k:@b b",
    "LCS k:@a k:@b LEN",
    "SETBIT k:@a @n 1",
    "BITCOUNT k:@a",
    "BITOP XOR k:@a k:@b k:@n",
    "BITFIELD k:@a INCRBY u8 @n 1",
    "DEL k:@a k:@b",
    "UNLINK k:@a",
    "EXISTS k:@a k:@b",
    "TYPE k:@a",
    "TOUCH k:@a",
    "RENAME k:@a k:@b",
    "RENAMENX k:@a k:@b",
    "COPY k:@a k:@b REPLACE",
    "COPY k:@a k:@b DB 10 REPLACE",
    "MOVE k:@a 10",
    "PEXPIRE k:@a @n",
    "EXPIRE k:@a 100",
    "PERSIST k:@a",
    "TTL k:@a",
    "OBJECT ENCODING k:@a",
    "OBJECT IDLETIME k:@a",
    "MEMORY USAGE k:@a",
    "HSET h:@a f:@n @n g:@b 1",
    "HSETEX h:@a PX @n FIELDS 2 f:@b 1 g:@a 2",
    "HGETALL h:@a",
    "HDEL h:@a f:@b f:@n",
    "COPY h:@a h:@b REPLACE",
    "RANDOMKEY",
    "DBSIZE",
    "KEYS k:1*",
    "SCAN @n",
    "PUBLISH other:@a hello",
    "PING",
    "ECHO hello",
};

static void expand(char *out, size_t size, const char *command)
{
    size_t len = 0;

    for (; *command != '\0' && len < size; command++) {
        if (*command != '@') {
            out[len++] = *command;
            continue;
        }
        command++;
        len += (size_t)snprintf(out + len, size - len, "%d", (*command == 'n') + pick(KEYS));
    }
    out[len < size ? len : size - 1] = '\0';
}

void mixed_commands(struct client *c)
{
    tell(c, "SELECT %d", c->number % 3 == 0 ? 10 : 0);
    for (int i = 0; i < c->rounds; i++) {
        const char *command = commands[pick((int)(sizeof(commands) / sizeof(commands[0])))];
        char text[200];
        redisReply *r;

        expand(text, sizeof(text), command);
        r = ask_tolerant(c, text);
        if (r == NULL || (r->type == REDIS_REPLY_ERROR && strstr(r->str, "unknown") != NULL))
            complain(c, "%s: %s", text, r != NULL ? r->str : c->link->errstr);
        if (r != NULL)
            freeReplyObject(r);
        else if (!client_connect(c))
            return;
    }
}

static void kill_one(struct client *c)
{
    redisReply *r = ask(c, "CLIENT LIST");
    char *line = r != NULL ? strstr(r->str, "name=victim") : NULL, *id = line;

    while (id != NULL && id > r->str && id[-1] != '\n')
        id--;
    if (id != NULL)
        ask_int(c, "CLIENT KILL ID %lld", atoll(id + strlen("id=")));
    if (r != NULL)
        freeReplyObject(r);
}

void administer(struct client *c)
{
    static const char *const sentences[] = {
        "INFO",
        "INFO everything",
        "INFO keyspace",
        "CLIENT INFO",
        "CLIENT LIST",
        "CLIENT LIST TYPE pubsub",
        "CONFIG GET *",
        "CONFIG SET notify-keyspace-events KEA",
        "CONFIG SET notify-keyspace-events Ex",
        "CONFIG SET maxmemory-samples 7",
        "CONFIG SET maxmemory-policy allkeys-lru maxmemory 10gb",
        "CONFIG SET maxmemory-policy noeviction maxmemory 0",
        "CONFIG SET slowlog-log-slower-than 0 slowlog-max-len 16",
        "CONFIG SET slowlog-log-slower-than 10000",
        "CONFIG SET latency-monitor-threshold 1",
        "CONFIG RESETSTAT",
        "SLOWLOG GET",
        "SLOWLOG RESET",
        "LATENCY LATEST",
        "MEMORY STATS",
        "COMMAND COUNT",
        "PUBSUB CHANNELS",
        "PUBSUB NUMPAT",
        "CLIENT PAUSE 2 WRITE",
        "CLIENT UNPAUSE",
        "CLIENT NO-EVICT on",
        "RESET",
        "TIME",
    };

    while (crowd_busy(c)) {
        if (pick(4) == 0)
            kill_one(c);
        else
            tell(c, sentences[pick((int)(sizeof(sentences) / sizeof(sentences[0])))]);
    }
}

/* Works on until it is killed, and comes back. */
void be_killed(struct client *c)
{
    while (crowd_busy(c)) {
        redisReply *r = ask_tolerant(c, "CLIENT SETNAME victim");

        while (r != NULL && crowd_busy(c)) {
            freeReplyObject(r);
            r = ask_tolerant(c, pick(2) == 0 ? "INCR victim" : "MGET victim k:1 k:2");
        }
        if (r != NULL)
            freeReplyObject(r);
        else if (!client_connect(c))
            return;
    }
}

/* MONITOR, read for a while and left in the middle. */
void watch_commands(struct client *c)
{
    while (crowd_busy(c)) {
        void *r = ask_tolerant(c, "MONITOR");

        for (int lines = 0; r != NULL && lines < 2000 && crowd_busy(c); lines++) {
            freeReplyObject(r);
            r = NULL;
            redisGetReply(c->link, &r);
        }
        if (r != NULL)
            freeReplyObject(r);
        if (!client_connect(c))
            return;
    }
}

void wipe(struct client *c)
{
    static const char *const sentences[] = {"FLUSHALL",   "FLUSHALL ASYNC", "FLUSHDB",
                                            "SWAPDB 0 1", "SWAPDB 1 10",    "SWAPDB 8 1"};

    for (int i = 0; i < c->rounds / 4; i++) {
        if (pick(4) == 0)
            tell(c, "SELECT %d", pick(3));
        tell(c, sentences[pick(6)]);
    }
}
