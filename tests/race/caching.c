/*
 * See roles.h. Each key has one writer, whose values only grow. A client that caches what it reads
 * finds out, from the writer or from the server, what was written at least; asks the server
 * anything; and works off what it is told until the answer. What it has cached by then is not
 * older.
 *
 * In any order of events a reply shows what is written by then, notices of later changes come
 * behind it, and those of earlier ones before the reply to whatever is sent later. So this holds
 * for all modes of tracking; with REDIRECT when the connection that is told is asked.
 */
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/lib/raw.h"
#include "tests/lib/wire.h"
#include "tests/race/roles.h"

enum {
    WRITERS = 4,
    KEYS_EACH = 5,
    WRITTEN = WRITERS * KEYS_EACH,
    KEYS = WRITTEN + 1, /* the last is the own of a client that caches without being told of it */
    READS_MAX = 6,
};

/* What is acknowledged. */
static _Atomic long long written[KEYS];

/* ---- writing -------------------------------------------------------------------------------- */

static int append(struct client *c, int key, int other, int n)
{
    static const char *const lines[] = {
        "SET cached:%d %d",      "SET cached:%d %d",        "GETSET cached:%d %d",
        "SET cached:%d %d PX 3", "SET cached:%d %d EX 100", "DEL cached:%d",
    };

    switch (pick(6)) {
    case 0:
        redisAppendCommand(c->link, "MSET cached:%d %d cached:%d %d", key, n, other, n);
        return 1;
    case 1:
        redisAppendCommand(c->link, "MULTI");
        redisAppendCommand(c->link, "SET cached:%d %d", other, n);
        redisAppendCommand(c->link, "SET cached:%d %d", key, n);
        redisAppendCommand(c->link, "EXEC");
        return 4;
    default:
        redisAppendCommand(c->link, lines[pick(6)], key, n);
        return 1;
    }
}

/* The keys in turn; the writer's clock says how far it has come. */
static int key_of_step(int writer, long long n)
{
    return writer * KEYS_EACH + (int)(n % KEYS_EACH);
}

void write_cached(struct client *c)
{
    for (int n = 1; n <= c->rounds; n++) {
        int key = key_of_step(c->number, n), other = key_of_step(c->number, n + 1);
        int replies = append(c, key, other, n);

        redisAppendCommand(c->link, "SET clock:%d %d", c->number, n);
        for (; replies >= 0; replies--) {
            void *r = NULL;

            if (redisGetReply(c->link, &r) != REDIS_OK) {
                complain(c, "no reply: %s", c->link->errstr);
                return;
            }
            freeReplyObject(r);
        }
        atomic_store(&written[key], n);
    }
}

/* ---- caching -------------------------------------------------------------------------------- */

struct mode {
    const char *line;
    int protocol;
    bool asks;    /* for every key to be remembered */
    bool delayed; /* told of changes only before the replies of a pipeline are sent */
};

static const struct mode modes[] = {
    {"CLIENT TRACKING ON NOLOOP", 3, false, false},
    {"CLIENT TRACKING ON", 3, false, false},
    {"CLIENT TRACKING ON OPTIN", 3, true, false},
    {"CLIENT TRACKING ON BCAST PREFIX cached:", 3, false, true},
    {"CLIENT TRACKING ON REDIRECT %lld", 2, false, true},
};

struct cacher {
    struct client *client;
    const struct mode *mode;
    struct wire *data, *told; /* one or two connections */
    long long values[KEYS];   /* -1: not cached */
    bool writes;              /* the last key */
    long hits, notices;
};

static void forget(struct cacher *k, const struct answer *keys)
{
    k->notices++;
    for (int i = 0; keys->count < 0 && i < KEYS; i++)
        k->values[i] = -1;
    for (long i = 0; i < keys->count; i++) {
        int key;

        if (sscanf(keys->items[i]->text, "cached:%d", &key) == 1)
            k->values[key] = -1;
    }
}

static bool is_notice(const struct answer *a)
{
    return a->items != NULL && a->count >= 2 && a->items[0]->text != NULL &&
           (strcmp(a->items[0]->text, "invalidate") == 0 ||
            strcmp(a->items[0]->text, "message") == 0);
}

/* The next reply; what is told before it is taken to heart. */
static struct answer *reply_of(struct cacher *k, struct wire *w)
{
    struct answer *a = wire_next(w, RAW_TIMEOUT_MS);

    while (a != NULL && is_notice(a)) {
        forget(k, a->items[a->count - 1]);
        answer_free(a);
        a = wire_next(w, RAW_TIMEOUT_MS);
    }
    if (a == NULL)
        complain(k->client, "no reply");
    return a;
}

static bool ignore_reply(struct cacher *k, struct wire *w)
{
    struct answer *a = reply_of(k, w);

    answer_free(a);
    return a != NULL;
}

static void remember(struct cacher *k, int key, const struct answer *a)
{
    k->values[key] = a->type == '$' && a->text != NULL ? atoll(a->text) : -1;
}

static bool read_pipelined(struct cacher *k, const int *keys, int n)
{
    char text[READS_MAX * 64];
    size_t len = 0;

    for (int i = 0; i < n; i++)
        len += (size_t)snprintf(text + len, sizeof(text) - len, "%sGET cached:%d\r\n",
                                k->mode->asks ? "CLIENT CACHING YES\r\n" : "", keys[i]);
    raw_send_str(k->data->fd, text);
    for (int i = 0; i < n; i++) {
        struct answer *a;

        if (k->mode->asks && !ignore_reply(k, k->data))
            return false;
        a = reply_of(k, k->data);
        if (a == NULL)
            return false;
        remember(k, keys[i], a);
        answer_free(a);
    }
    return true;
}

/* MGET, or a transaction. */
static bool read_at_once(struct cacher *k, const int *keys, int n)
{
    bool multi = pick(2);
    char text[READS_MAX * 64] = "CLIENT CACHING YES\r\n";
    size_t len = k->mode->asks ? strlen(text) : 0;
    int before = multi + (multi ? n : 0) + k->mode->asks;
    struct answer *a;

    len += (size_t)snprintf(text + len, sizeof(text) - len, multi ? "MULTI\r\n" : "MGET");
    for (int i = 0; i < n; i++)
        len += (size_t)snprintf(text + len, sizeof(text) - len,
                                multi ? "GET cached:%d\r\n" : " cached:%d", keys[i]);
    snprintf(text + len, sizeof(text) - len, multi ? "EXEC\r\n" : "\r\n");
    raw_send_str(k->data->fd, text);
    while (before-- > 0) {
        if (!ignore_reply(k, k->data))
            return false;
    }
    a = reply_of(k, k->data);
    for (int i = 0; a != NULL && i < n && i < a->count; i++)
        remember(k, keys[i], a->items[i]);
    answer_free(a);
    return a != NULL;
}

/* What it writes itself it is not told of, and nothing is remembered of it any more. */
static bool write_own(struct cacher *k)
{
    long long n = atomic_load(&written[WRITTEN]) + 1;
    char text[64];

    snprintf(text, sizeof(text), "SET cached:%d %lld", WRITTEN, n);
    wire_send(k->data, text);
    if (!ignore_reply(k, k->data))
        return false;
    k->values[WRITTEN] = -1;
    atomic_store(&written[WRITTEN], n);
    return true;
}

static void check_value(struct cacher *k, int key, long long least)
{
    if (k->values[key] >= 0 && k->values[key] < least)
        complain(k->client, "%s: cached:%d is %lld, but %lld was written before", k->mode->line,
                 key, k->values[key], least);
    k->hits += k->values[key] >= 0;
}

/* Against what the writer knows. */
static bool check_written(struct cacher *k)
{
    int key = pick(KEYS);
    long long least = atomic_load(&written[key]);

    if (k->values[key] < 0)
        return true;
    wire_send(k->told, "PING");
    if (!ignore_reply(k, k->told))
        return false;
    check_value(k, key, least);
    return true;
}

/* Against what the reply itself implies. */
static bool check_clock(struct cacher *k)
{
    int writer = pick(WRITERS);
    long long now;
    struct answer *a;
    char text[64];

    snprintf(text, sizeof(text), "GET clock:%d", writer);
    wire_send(k->data, text);
    a = reply_of(k, k->data);
    if (a == NULL)
        return false;
    now = a->text != NULL ? atoll(a->text) : 0;
    for (long long n = now; n > 0 && n > now - KEYS_EACH; n--)
        check_value(k, key_of_step(writer, n), n);
    answer_free(a);
    return true;
}

static bool step(struct cacher *k)
{
    int keys[READS_MAX], n = 1 + pick(READS_MAX);

    for (int i = 0; i < n; i++)
        keys[i] = pick(KEYS);
    switch (pick(4)) {
    case 0:
        return k->writes && pick(3) == 0 ? write_own(k) : read_pipelined(k, keys, n);
    case 1:
        return read_at_once(k, keys, n);
    case 2:
        return check_written(k);
    default:
        return k->mode->delayed ? check_written(k) : check_clock(k);
    }
}

static struct wire *connect_to(const struct client *c, int protocol)
{
    struct wire *w = wire_attach(raw_connect_tcp("127.0.0.1", c->link->tcp.port), protocol);

    if (protocol == 3)
        wire_call(w, "HELLO 3");
    return w;
}

static void begin(struct cacher *k)
{
    const char *ok;

    for (int i = 0; i < KEYS; i++)
        k->values[i] = -1;
    k->data = k->told = connect_to(k->client, k->mode->protocol);
    if (k->mode->protocol == 3) {
        ok = wire_call(k->data, k->mode->line);
    } else {
        long long id;

        k->told = connect_to(k->client, 2);
        id = wire_int(k->told, "CLIENT ID");
        wire_call(k->told, "SUBSCRIBE __redis__:invalidate");
        ok = wire_callf(k->data, "CLIENT TRACKING ON REDIRECT %lld", id);
    }
    if (strcmp(ok, "+OK") != 0)
        complain(k->client, "%s: %s", k->mode->line, ok);
}

void cache(struct client *c)
{
    size_t mode = (size_t)c->number % (sizeof(modes) / sizeof(modes[0]));
    struct cacher k = {.client = c, .mode = &modes[mode], .writes = c->number == 0};

    begin(&k);
    while (crowd_busy(c) && step(&k))
        ;
    if (k.hits == 0 || k.notices == 0)
        complain(c, "%s: %ld notices, %ld values kept", k.mode->line, k.notices, k.hits);
    if (k.told != k.data)
        wire_close(k.told);
    wire_close(k.data);
}

/* ---- beside it ------------------------------------------------------------------------------ */

/* Few keys are remembered now and then. */
void limit_tracking(struct client *c)
{
    while (crowd_busy(c)) {
        tell(c, "CONFIG SET tracking-table-max-keys %d", 1 + pick(KEYS));
        usleep(2000);
        tell(c, "CONFIG SET tracking-table-max-keys 1000000");
        usleep(10000);
    }
}

/* Rounds take long, so that much happens while a request waits for its turn. */
void keep_busy(struct client *c)
{
    enum { BYTES = 200000, BATCH = 10 };

    tell(c, "SETRANGE busy:%d %d x", c->number, BYTES);
    while (crowd_busy(c)) {
        for (int i = 0; i < BATCH; i++)
            redisAppendCommand(c->link, "BITCOUNT busy:%d", c->number);
        for (int i = 0; i < BATCH; i++) {
            void *r = NULL;

            if (redisGetReply(c->link, &r) != REDIS_OK) {
                complain(c, "no reply: %s", c->link->errstr);
                return;
            }
            freeReplyObject(r);
        }
        usleep(500);
    }
}

/* Clients that begin to cache and close, or are told for others and close. */
void cache_briefly(struct client *c)
{
    static const char *const lines[] = {
        "CLIENT TRACKING ON",
        "CLIENT TRACKING ON BCAST PREFIX c",
        "CLIENT TRACKING OFF",
        "CLIENT TRACKING ON BCAST NOLOOP",
        "RESET",
        "MGET cached:1 cached:2 cached:3",
        "CLIENT TRACKINGINFO",
        "SUBSCRIBE x",
        "CLIENT TRACKING ON OPTIN",
        "CLIENT CACHING YES",
    };

    while (crowd_busy(c)) {
        struct wire *w = connect_to(c, 2 + pick(2)), *other = connect_to(c, 2 + pick(2));
        long long id = wire_int(other, "CLIENT ID");

        for (int i = pick(10); i > 0; i--) {
            if (pick(4) == 0)
                wire_callf(w, "CLIENT TRACKING ON REDIRECT %lld", id);
            else
                wire_call(w, lines[pick(10)]);
            if (pick(4) == 0)
                wire_call(other, lines[pick(10)]);
        }
        if (pick(2)) {
            wire_close(other);
            tell(c, "SET cached:x 1");
            other = NULL;
        }
        wire_close(w);
        tell(c, "SET cached:x 1");
        wire_close(other);
    }
}
