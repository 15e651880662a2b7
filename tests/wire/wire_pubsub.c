/*
 * Publish and subscribe: channels, patterns and shard channels; order, slow subscribers,
 * introspection.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/lib/raw.h"
#include "tests/lib/tap.h"
#include "tests/lib/wire.h"

static const struct wire_case subscribe_and_publish[] = {
    {"@1 SUBSCRIBE a", ">['subscribe' 'a' :1]"},
    {"PUBLISH a hello", ":1"},
    {"@1", ">['message' 'a' 'hello']"},
    {"PUBLISH b hello", ":0"},
    {"PUBLISH A hello", ":0"},
    {"@1 SUBSCRIBE b c", ">['subscribe' 'b' :2]"},
    {"@1", ">['subscribe' 'c' :3]"},
    {"@1 SUBSCRIBE a", ">['subscribe' 'a' :3]"},
    {"PUBLISH b \"\\x00\\r\\n\\xff\"", ":1"},
    {"@1", ">['message' 'b' '\\x00\\r\\n\\xff']"},
    {"PUBLISH a \"\"", ":1"},
    {"@1", ">['message' 'a' '']"},
    {"@1 UNSUBSCRIBE b", ">['unsubscribe' 'b' :2]"},
    {"PUBLISH b x", ":0"},
    {"@1 UNSUBSCRIBE nochannel", ">['unsubscribe' 'nochannel' :2]"},
    {"@1 UNSUBSCRIBE a c", ">['unsubscribe' 'a' :1]"},
    {"@1", ">['unsubscribe' 'c' :0]"},
    {"@1 UNSUBSCRIBE", ">['unsubscribe' nil :0]"},
    {"@1 PING", "+PONG"},
    {"PUBLISH", "-ERR wrong number of arguments for 'publish' command"},
    {"PUBLISH a", "-ERR wrong number of arguments for 'publish' command"},
    {"PUBLISH a b c", "-ERR wrong number of arguments for 'publish' command"},
    {"SUBSCRIBE", "-ERR wrong number of arguments for 'subscribe' command"},
    {"PSUBSCRIBE", "-ERR wrong number of arguments for 'psubscribe' command"},
    {"SSUBSCRIBE", "-ERR wrong number of arguments for 'ssubscribe' command"},
    {"SPUBLISH a", "-ERR wrong number of arguments for 'spublish' command"},
};

static const struct wire_case unsubscribe_from_all[] = {
    {"@1 SUBSCRIBE only", ">['subscribe' 'only' :1]"},
    {"@1 UNSUBSCRIBE", ">['unsubscribe' 'only' :0]"},
    {"@1 PSUBSCRIBE only*", ">['psubscribe' 'only*' :1]"},
    {"@1 PUNSUBSCRIBE", ">['punsubscribe' 'only*' :0]"},
    {"@1 PUNSUBSCRIBE", ">['punsubscribe' nil :0]"},
    {"@1 SSUBSCRIBE only", ">['ssubscribe' 'only' :1]"},
    {"@1 SUNSUBSCRIBE", ">['sunsubscribe' 'only' :0]"},
    {"@1 SUNSUBSCRIBE", ">['sunsubscribe' nil :0]"},
    {"@1 UNSUBSCRIBE a b", ">['unsubscribe' 'a' :0]"},
    {"@1", ">['unsubscribe' 'b' :0]"},
    {"@1 GET k", "nil"},
};

static const struct wire_case patterns[] = {
    {"@1 PSUBSCRIBE news.* n?ws", ">['psubscribe' 'news.*' :1]"},
    {"@1", ">['psubscribe' 'n?ws' :2]"},
    {"@1 SUBSCRIBE news.art", ">['subscribe' 'news.art' :3]"},
    {"@2 PSUBSCRIBE news.*", ">['psubscribe' 'news.*' :1]"},
    {"PUBLISH news.art x", ":3"},
    {"@1", ">['message' 'news.art' 'x']"},
    {"@1", ">['pmessage' 'news.*' 'news.art' 'x']"},
    {"@2", ">['pmessage' 'news.*' 'news.art' 'x']"},
    {"PUBLISH news y", ":1"},
    {"@1", ">['pmessage' 'n?ws' 'news' 'y']"},
    {"PUBLISH nothing z", ":0"},
    {"@1 PSUBSCRIBE news.*", ">['psubscribe' 'news.*' :3]"},
    {"@1 PUNSUBSCRIBE news.*", ">['punsubscribe' 'news.*' :2]"},
    {"PUBLISH news.art q", ":2"},
    {"@1", ">['message' 'news.art' 'q']"},
    {"@2", ">['pmessage' 'news.*' 'news.art' 'q']"},
    {"@1 PUNSUBSCRIBE nopattern", ">['punsubscribe' 'nopattern' :2]"},
    {"@1 PUNSUBSCRIBE", ">['punsubscribe' 'n?ws' :1]"},
    {"@1 UNSUBSCRIBE", ">['unsubscribe' 'news.art' :0]"},
    {"@1 PSUBSCRIBE h[ae]llo \"a\\\\*b\"", ">['psubscribe' 'h[ae]llo' :1]"},
    {"@1", ">['psubscribe' 'a\\\\*b' :2]"},
    {"PUBLISH hallo 1", ":1"},
    {"@1", ">['pmessage' 'h[ae]llo' 'hallo' '1']"},
    {"PUBLISH \"a*b\" 2", ":1"},
    {"@1", ">['pmessage' 'a\\\\*b' 'a*b' '2']"},
    {"PUBLISH axb 3", ":0"},
};

static const struct wire_case shards[] = {
    {"@1 SSUBSCRIBE a b", ">['ssubscribe' 'a' :1]"},
    {"@1", ">['ssubscribe' 'b' :2]"},
    {"SPUBLISH a x", ":1"},
    {"@1", ">['smessage' 'a' 'x']"},
    {"PUBLISH a x", ":0"},
    {"@1 SUBSCRIBE a", ">['subscribe' 'a' :1]"},
    {"PUBLISH a y", ":1"},
    {"@1", ">['message' 'a' 'y']"},
    {"SPUBLISH b z", ":1"},
    {"@1", ">['smessage' 'b' 'z']"},
    {"@1 SUNSUBSCRIBE a", ">['sunsubscribe' 'a' :1]"},
    {"SPUBLISH a x", ":0"},
    {"@1 SUNSUBSCRIBE", ">['sunsubscribe' 'b' :0]"},
    {"@1 UNSUBSCRIBE", ">['unsubscribe' 'a' :0]"},
    {"@1 SPUBLISH a q", ":0"},
};

static const struct wire_case introspection[] = {
    {"PUBSUB CHANNELS", "[]"},
    {"PUBSUB NUMSUB", "[]"},
    {"PUBSUB NUMPAT", ":0"},
    {"PUBSUB SHARDCHANNELS", "[]"},
    {"PUBSUB SHARDNUMSUB", "[]"},
    {"@1 SUBSCRIBE foo bar", ">['subscribe' 'foo' :1]"},
    {"@1", ">['subscribe' 'bar' :2]"},
    {"@2 SUBSCRIBE foo", ">['subscribe' 'foo' :1]"},
    {"@2 PSUBSCRIBE p* q*", ">['psubscribe' 'p*' :2]"},
    {"@2", ">['psubscribe' 'q*' :3]"},
    {"@1 PSUBSCRIBE p*", ">['psubscribe' 'p*' :3]"},
    {"@1 SSUBSCRIBE s1 s2", ">['ssubscribe' 's1' :1]"},
    {"@1", ">['ssubscribe' 's2' :2]"},
    {"@2 SSUBSCRIBE s1", ">['ssubscribe' 's1' :1]"},
    {"PUBSUB CHANNELS", "%['bar' 'foo']"},
    {"PUBSUB CHANNELS f*", "['foo']"},
    {"PUBSUB CHANNELS x*", "[]"},
    {"PUBSUB NUMSUB foo bar nochannel foo", "['foo' :2 'bar' :1 'nochannel' :0 'foo' :2]"},
    {"PUBSUB NUMPAT", ":2"},
    {"PUBSUB SHARDCHANNELS", "%['s1' 's2']"},
    {"PUBSUB SHARDCHANNELS s2", "['s2']"},
    {"PUBSUB SHARDNUMSUB s1 s2 foo", "['s1' :2 's2' :1 'foo' :0]"},
    {"PUBSUB", "-ERR wrong number of arguments for 'pubsub' command"},
    {"PUBSUB BOGUS", "-ERR unknown subcommand 'BOGUS'. Try PUBSUB HELP."},
    {"PUBSUB CHANNELS a b",
     "-ERR unknown subcommand or wrong number of arguments for 'CHANNELS'. Try PUBSUB HELP."},
    {"PUBSUB NUMPAT x", "-ERR wrong number of arguments for 'pubsub|numpat' command"},
    {"PUBSUB HELP", "/^\\[\\+PUBSUB <subcommand>"},
    {"CLIENT LIST ID 999999", "=txt:''"},
    {"@2 RESET", "+RESET"},
    {"PUBSUB NUMSUB foo", "['foo' :1]"},
    {"PUBSUB NUMPAT", ":1"},
    {"PUBSUB SHARDNUMSUB s1", "['s1' :1]"},
};

static const struct wire_case own_messages[] = {
    {"SUBSCRIBE own", ">['subscribe' 'own' :1]"},
    {"@1 PUBLISH own a", ":1"},
    {"@0", ">['message' 'own' 'a']"},
    {"PSUBSCRIBE own*", ">['psubscribe' 'own*' :2]"},
    {"@1 PUBLISH own b", ":2"},
    {"@0", ">['message' 'own' 'b']"},
    {"@0", ">['pmessage' 'own*' 'own' 'b']"},
    {"SUBSCRIBE last", ">['subscribe' 'last' :3]"},
    {"UNSUBSCRIBE own", ">['unsubscribe' 'own' :2]"},
    {"PUNSUBSCRIBE own*", ">['punsubscribe' 'own*' :1]"},
    {"UNSUBSCRIBE last", ">['unsubscribe' 'last' :0]"},
    {"GET k", "nil"},
};

static const struct wire_case subscriber_mode[] = {
    {"@1 SUBSCRIBE x", ">['subscribe' 'x' :1]"},
    {"@1 PING", "+PONG", "['pong' '']"},
    {"@1 PING hello", "'hello'", "['pong' 'hello']"},
    {"@1 PING a b", "-ERR wrong number of arguments for 'ping' command"},
    {"@1 GET k", "nil",
     "-ERR Can't execute 'get': only (P|S)SUBSCRIBE / (P|S)UNSUBSCRIBE / PING / QUIT / RESET "
     "are allowed in this context"},
    {"@1 SET k v", "+OK",
     "-ERR Can't execute 'set': only (P|S)SUBSCRIBE / (P|S)UNSUBSCRIBE / PING / QUIT / RESET "
     "are allowed in this context"},
    {"@1 NOCOMMAND", "-ERR unknown command 'NOCOMMAND', with args beginning with: "},
    {"@1 SUBSCRIBE", "-ERR wrong number of arguments for 'subscribe' command"},
    {"@1 PSUBSCRIBE p*", ">['psubscribe' 'p*' :2]"},
    {"@1 UNSUBSCRIBE x", ">['unsubscribe' 'x' :1]"},
    {"@1 GET k", "'v'",
     "-ERR Can't execute 'get': only (P|S)SUBSCRIBE / (P|S)UNSUBSCRIBE / PING / QUIT / RESET "
     "are allowed in this context"},
    {"@1 PUNSUBSCRIBE p*", ">['punsubscribe' 'p*' :0]"},
    {"@1 PING", "+PONG"},
    {"@1 GET k", "'v'", "nil"},
    {"@2 SSUBSCRIBE s", ">['ssubscribe' 's' :1]"},
    {"@2 GET k", "'v'",
     "-ERR Can't execute 'get': only (P|S)SUBSCRIBE / (P|S)UNSUBSCRIBE / PING / QUIT / RESET "
     "are allowed in this context"},
    {"@2 SUNSUBSCRIBE s", ">['sunsubscribe' 's' :0]"},
    {"@2 GET k", "'v'", "nil"},
    {"@3 SUBSCRIBE x", ">['subscribe' 'x' :1]"},
    {"@3 RESET", "+RESET"},
    {"@4 SUBSCRIBE x", ">['subscribe' 'x' :1]"},
    {"@4 QUIT", "+OK"},
    {"@4", "(closed)"},
};

enum { SUBSCRIBERS = 100, PUBLISHERS = 4, MESSAGES = 300 };

/* The payload of the next message; NULL when there is none. Caller frees. */
static char *next_payload(struct wire *w)
{
    struct answer *a = wire_next(w, RAW_TIMEOUT_MS);
    char *text = NULL;

    if (a != NULL && a->count >= 3 && a->items[a->count - 1]->text != NULL)
        text = strdup(a->items[a->count - 1]->text);
    answer_free(a);
    return text;
}

/*
 * Publisher p sends "p:0", "p:1" …; what a subscriber has seen last of each tells order and loss.
 */
static bool in_order(struct wire *w, int messages)
{
    int next[PUBLISHERS] = {0};

    for (int i = 0; i < messages; i++) {
        char *text = next_payload(w);
        int p = -1, n = -1;
        bool good = text != NULL && sscanf(text, "%d:%d", &p, &n) == 2 && p >= 0 &&
                    p < PUBLISHERS && next[p] == n;

        free(text);
        if (!good) {
            diag("message %d is %d:%d", i, p, n);
            return false;
        }
        next[p]++;
    }
    return true;
}

/* All publishers write in turn without waiting for their replies. */
static void publish_all(struct wire **publishers, const char *command)
{
    char line[64];

    for (int n = 0; n < MESSAGES; n++) {
        for (int p = 0; p < PUBLISHERS; p++) {
            snprintf(line, sizeof(line), "%s ch%d %d:%d", command, n % 2, p, n);
            wire_send(publishers[p], line);
        }
    }
}

static int wrong_counts(struct wire **publishers, const char *want)
{
    int wrong = 0;

    for (int n = 0; n < MESSAGES; n++) {
        for (int p = 0; p < PUBLISHERS; p++)
            wrong += strcmp(wire_read(publishers[p]), want) != 0;
    }
    return wrong;
}

static void order_helper(struct session *t, const char *subscribe, const char *publish)
{
    struct wire *subscribers[SUBSCRIBERS], *publishers[PUBLISHERS];
    int disordered = 0;

    for (int i = 0; i < SUBSCRIBERS; i++) {
        subscribers[i] = wire_open(t->server, t->protocol);
        wire_call(subscribers[i], subscribe);
        wire_read(subscribers[i]);
    }
    for (int p = 0; p < PUBLISHERS; p++)
        publishers[p] = wire_open(t->server, t->protocol);
    publish_all(publishers, publish);
    is_int(wrong_counts(publishers, ":100"), 0, "pubsub RESP%d: %s reaches every subscriber",
           t->protocol, publish);
    for (int i = 0; i < SUBSCRIBERS; i++) {
        disordered += !in_order(subscribers[i], PUBLISHERS * MESSAGES);
        wire_close(subscribers[i]);
    }
    is_int(disordered, 0, "pubsub RESP%d: after %s in the order of each publisher", t->protocol,
           subscribe);
    for (int p = 0; p < PUBLISHERS; p++)
        wire_close(publishers[p]);
}

static void order_per_publisher(struct session *t)
{
    order_helper(t, "SUBSCRIBE ch0 ch1", "PUBLISH");
    order_helper(t, "PSUBSCRIBE ch? nothing*", "PUBLISH");
    order_helper(t, "SSUBSCRIBE ch0 ch1", "SPUBLISH");
}

/*
 * A message that is published before a reply to the publisher is read, is there when the reply is.
 */
static void publish_after_subscribe(struct session *t)
{
    struct wire *publisher = session_wire(t, 0);
    int lost = 0;

    for (int i = 0; i < 100; i++) {
        struct wire *w = wire_open(t->server, t->protocol);
        char *text;

        wire_callf(w, "SUBSCRIBE fresh%d", i);
        lost += strcmp(wire_callf(publisher, "PUBLISH fresh%d m%d", i, i), ":1") != 0;
        text = next_payload(w);
        lost += text == NULL || atoi(text + 1) != i;
        free(text);
        wire_callf(w, "UNSUBSCRIBE fresh%d", i);
        lost += strcmp(wire_callf(publisher, "PUBLISH fresh%d m%d", i, i), ":0") != 0;
        wire_close(w);
    }
    is_int(lost, 0, "pubsub RESP%d: a subscription counts from its reply on", t->protocol);
}

static bool soon(struct wire *w, const char *line, const char *want)
{
    for (int i = 0; i < 2000; i++) {
        if (strcmp(wire_call(w, line), want) == 0)
            return true;
        raw_sleep_ms(1);
    }
    diag("%s stays %s", line, w->last);
    return false;
}

static void closed_subscribers(struct session *t)
{
    struct wire *w = session_wire(t, 0), *gone = wire_open(t->server, t->protocol);

    wire_call(gone, "SUBSCRIBE a b");
    wire_call(gone, "PSUBSCRIBE p*");
    wire_call(gone, "SSUBSCRIBE s");
    wire_close(gone);
    ok(soon(w, "PUBSUB NUMSUB a b", "['a' :0 'b' :0]"), "pubsub RESP%d: a closed connection leaves",
       t->protocol);
    ok(soon(w, "PUBSUB NUMPAT", ":0"), "pubsub RESP%d: with its patterns", t->protocol);
    ok(soon(w, "PUBSUB SHARDCHANNELS", "[]"), "pubsub RESP%d: and shard channels", t->protocol);
}

/* Reads to the end of the connection; the bytes that came. */
static size_t drain(struct wire *w)
{
    static char bytes[1 << 16];
    size_t total = 0;
    long n;

    while ((n = raw_read_some(w->fd, bytes, sizeof(bytes), RAW_TIMEOUT_MS)) > 0)
        total += (size_t)n;
    return n == 0 ? total : SIZE_MAX;
}

/* One subscriber reads, the other does not: it is cut, the first misses nothing. */
static void slow_helper(struct session *t, const char *limit, int messages, int pause_ms)
{
    enum { SIZE = 50000 };
    struct wire *control = session_wire(t, 0), *fast = session_wire(t, 1),
                *slow = session_wire(t, 2);
    char *payload = malloc(SIZE + 1), *line = malloc(SIZE + 100);
    int good = 0;
    size_t got;

    is_str(wire_callf(control, "CONFIG SET client-output-buffer-limit \"pubsub %s\"", limit), "+OK",
           "pubsub RESP%d: output limit %s", t->protocol, limit);
    wire_call(fast, "SUBSCRIBE big");
    wire_call(slow, "SUBSCRIBE big");
    memset(payload, 'p', SIZE);
    payload[SIZE] = '\0';
    snprintf(line, SIZE + 100, "PUBLISH big %s", payload);
    for (int i = 0; i < messages; i++) {
        char *text = (wire_call(control, line), next_payload(fast));

        good += text != NULL && strcmp(text, payload) == 0;
        free(text);
        raw_sleep_ms(pause_ms);
    }
    is_int(good, messages, "pubsub RESP%d: the fast subscriber gets all", t->protocol);
    got = drain(slow);
    ok(got < (size_t)messages * SIZE, "pubsub RESP%d: the slow one is cut", t->protocol);
    ok(soon(control, "PUBSUB NUMSUB big", "['big' :1]"), "pubsub RESP%d: and gone", t->protocol);
    free(payload);
    free(line);
    wire_call(control, "CONFIG SET client-output-buffer-limit \"pubsub 32mb 8mb 60\"");
}

static void slow_subscriber(struct session *t)
{
    slow_helper(t, "1mb 0 0", 200, 0);
}

/* Over the soft limit for longer than its seconds. */
static void slow_subscriber_soft_limit(struct session *t)
{
    if (t->protocol == 3)
        slow_helper(t, "0 100kb 1", 50, 50);
}

/* A subscriber that does not read holds up neither commands nor its own worker's connections. */
static void slow_subscriber_harms_nobody(struct session *t)
{
    struct wire *slow = session_wire(t, 1), *others[8];
    int good = 0;

    wire_call(slow, "SUBSCRIBE flood");
    for (int i = 0; i < 8; i++)
        others[i] = wire_open(t->server, t->protocol);
    for (int i = 0; i < 4000; i++) {
        good += strcmp(wire_callf(others[i % 8], "PUBLISH flood %01000d", i), ":1") == 0;
        good += strcmp(wire_callf(others[(i + 3) % 8], "SET k %d", i), "+OK") == 0;
    }
    is_int(good, 8000, "pubsub RESP%d: commands go on while a subscriber sleeps", t->protocol);
    for (int i = 0; i < 4000; i++) {
        char *text = next_payload(slow);

        good -= text != NULL && atoi(text) == i;
        free(text);
    }
    is_int(good, 4000, "pubsub RESP%d: and it finds all when it wakes up", t->protocol);
    for (int i = 0; i < 8; i++)
        wire_close(others[i]);
}

/*
 * Two publishers send far more at once than a server wants to have on its way between its threads:
 * they are slowed down, and nothing is lost.
 */
static void flood_of_large_messages(struct session *t)
{
    enum { SIZE = 100000, EACH = 150 };
    struct wire *control = session_wire(t, 0), *reader = session_wire(t, 1);
    char *line = malloc(SIZE + 100), *payload = malloc(SIZE + 1);
    int good = 0, next[2] = {0};

    wire_call(control, "CONFIG SET client-output-buffer-limit \"pubsub 0 0 0\"");
    wire_call(reader, "SUBSCRIBE flood");
    memset(payload, 'p', SIZE);
    payload[SIZE] = '\0';
    for (int i = 0; i < 2 * EACH; i++) {
        snprintf(line, SIZE + 100, "PUBLISH flood %d:%d:%s", i % 2, i / 2, payload);
        wire_send(session_wire(t, 2 + i % 2), line);
    }
    for (int i = 0; i < 2 * EACH; i++) {
        char *text = next_payload(reader);
        int from, n;

        good += text != NULL && sscanf(text, "%d:%d:p", &from, &n) == 2 && from / 2 == 0 &&
                next[from]++ == n && strlen(text) > SIZE;
        free(text);
    }
    is_int(good, 2 * EACH, "pubsub RESP%d: a flood of large messages arrives in order",
           t->protocol);
    for (int i = 0; i < 2 * EACH; i++)
        good -= strcmp(wire_read(session_wire(t, 2 + i % 2)), ":1") == 0;
    is_int(good, 0, "pubsub RESP%d: and each is answered", t->protocol);
    free(payload);
    free(line);
    wire_call(control, "CONFIG SET client-output-buffer-limit \"pubsub 32mb 8mb 60\"");
}

static const struct group groups[] = {
    TABLE(subscribe_and_publish),
    TABLE(unsubscribe_from_all),
    TABLE(patterns),
    TABLE(shards),
    TABLE(introspection),
    TABLE(own_messages),
    TABLE(subscriber_mode),
    TEST(order_per_publisher),
    TEST(publish_after_subscribe),
    TEST(closed_subscribers),
    TEST(slow_subscriber),
    TEST(slow_subscriber_soft_limit),
    TEST(slow_subscriber_harms_nobody),
    TEST(flood_of_large_messages),
    {NULL},
};

int main(void)
{
    static const int threads[] = {1, 4, 0};

    return session_main("pubsub", "", threads, groups);
}
