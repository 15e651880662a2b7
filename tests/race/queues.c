/*
 * See roles.h. Database 17: elements are queued, moved from queue to queue and taken by clients
 * that wait for them, while others let waiting end too soon. Each element is taken once or is in a
 * list in the end, and those of one producer come in its order. Another key is waited for in turn.
 */
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/lib/client.h"
#include "tests/lib/tap.h"
#include "tests/race/roles.h"

enum {
    DATABASE = 17,
    PRODUCERS = 8,
    QUEUES = 4, /* where elements are put, q:0 and so on, and as many, r:0 and so on, behind them */
    LISTS = 2 * QUEUES,
    CLIENTS_KNOWN = 32,
    KEEPERS = 8,
    IN_TURN = 16,
};

/* How often each element has been taken, by producer and number. */
static atomic_uchar *taken;
static int elements; /* of each producer */

/* Clients that may be unblocked, and those that may also be killed; 0: none. */
static _Atomic long long waiting_ids[CLIENTS_KNOWN], keeping_ids[CLIENTS_KNOWN];

void queues_begin(int rounds)
{
    elements = rounds * 2;
    taken = calloc((size_t)PRODUCERS * (size_t)elements, sizeof(*taken));
}

/* ---- producers: elements are producer:queue:number ---- */

void produce(struct client *c)
{
    tell(c, "SELECT %d", DATABASE);
    for (int i = 0; i < c->rounds; i++) {
        int q = pick(QUEUES);

        if (pick(50) == 0)
            tell(c, "RPUSH q:%d %d:%d:%d %d:%d:%d", q, c->number, q, i, c->number, q,
                 c->rounds + i);
        else
            tell(c, "RPUSH q:%d %d:%d:%d", q, c->number, q, i);
    }
}

/* Two queues at once; or a list of another name that becomes a queue if there is none. */
void produce_at_once(struct client *c)
{
    int me = PRODUCERS / 2 + c->number;

    tell(c, "SELECT %d", DATABASE);
    for (int i = 0; i < c->rounds; i++) {
        int q = pick(QUEUES), other = (q + 1) % QUEUES;

        if (pick(4) == 0) {
            tell(c, "RPUSH new:%d %d:%d:%d", me, me, q, i);
            while (ask_int(c, "RENAMENX new:%d q:%d", me, q) == 0)
                ;
            continue;
        }
        tell(c, "MULTI");
        tell(c, "RPUSH q:%d %d:%d:%d", q, me, q, i);
        tell(c, "RPUSH q:%d %d:%d:%d", other, me, other, c->rounds + i);
        tell(c, "EXEC");
    }
}

/* ---- consumers ---- */

/* The last number of each producer and first queue, by the list from which it was taken. */
struct order {
    int last[LISTS][PRODUCERS][QUEUES];
};

static void take(struct client *c, struct order *o, const char *list, const char *element)
{
    int p, q, n, at = list[2] - '0' + (list[0] == 'r' ? QUEUES : 0);

    if (sscanf(element, "%d:%d:%d", &p, &q, &n) != 3 || p >= PRODUCERS || n >= elements) {
        complain(c, "an element that nobody made: %s", element);
        return;
    }
    if (atomic_fetch_add(&taken[p * elements + n], 1) != 0)
        complain(c, "%s was taken before", element);
    /* The second half of the numbers comes among the first. */
    if (n >= elements / 2)
        return;
    if (n <= o->last[at][p][q])
        complain(c, "%s came behind number %d from %s", element, o->last[at][p][q], list);
    o->last[at][p][q] = n;
}

static void know(struct client *c, _Atomic long long *ids)
{
    tell(c, "SELECT %d", DATABASE);
    atomic_store(&ids[c->number], ask_int(c, "CLIENT ID"));
}

static void take_reply(struct client *c, struct order *o, const redisReply *r)
{
    const redisReply *what = r->elements == 2 ? r->element[1] : NULL;

    if (r->type == REDIS_REPLY_ERROR && strncmp(r->str, "UNBLOCKED ", 10) == 0)
        return;
    if (r->type == REDIS_REPLY_ERROR)
        complain(c, "%s", r->str);
    if (what != NULL && what->type == REDIS_REPLY_STRING)
        take(c, o, r->element[0]->str, what->str);
    for (size_t i = 0; what != NULL && i < what->elements; i++)
        take(c, o, r->element[0]->str, what->element[i]->str);
}

/* From any of some lists; with a short time, or none, which others end. */
void take_elements(struct client *c)
{
    struct order o;

    memset(&o, 0xff, sizeof(o));
    know(c, waiting_ids);
    while (crowd_busy(c)) {
        const char *timeout = pick(4) == 0 ? "0.001" : "0.05";
        int a = pick(QUEUES), b = pick(QUEUES);
        redisReply *r = NULL;

        switch (pick(4)) {
        case 0:
            r = ask_tolerant(c, "BLPOP q:%d q:%d r:%d q:%d %s", a, b, a, a, timeout);
            break;
        case 1:
            r = ask_tolerant(c, "BLMPOP %s 3 r:%d r:%d q:%d LEFT COUNT 3", timeout, a, b, b);
            break;
        case 2:
            r = ask_tolerant(c, "BLPOP r:%d %s", a, timeout);
            break;
        default:
            r = ask_tolerant(c, "BLPOP q:0 q:1 q:2 q:3 r:0 r:1 r:2 r:3 %s", timeout);
        }
        if (r == NULL) {
            complain(c, "the connection has ended: %s", c->link->errstr);
            return;
        }
        take_reply(c, &o, r);
        freeReplyObject(r);
    }
}

void move_elements(struct client *c)
{
    tell(c, "SELECT %d", DATABASE);
    while (crowd_busy(c))
        tell(c, "BLMOVE q:%d r:%d LEFT RIGHT 0.02", pick(QUEUES), pick(QUEUES));
}

/* What it gets is in a list of its own, whether it lives to see it or not. */
void keep_elements(struct client *c)
{
    know(c, keeping_ids);
    while (crowd_busy(c)) {
        redisReply *r = ask_tolerant(c, "BLMOVE %c:%d kept:%d LEFT RIGHT 0.05", "qr"[pick(2)],
                                     pick(QUEUES), c -> number);

        if (r != NULL)
            freeReplyObject(r);
        else if (client_connect(c))
            know(c, keeping_ids);
    }
}

void disturb_waiters(struct client *c)
{
    while (crowd_busy(c)) {
        int i = pick(CLIENTS_KNOWN);
        long long waits = atomic_load(&waiting_ids[i]), keeps = atomic_load(&keeping_ids[i]);

        if (waits != 0)
            tell(c, "CLIENT UNBLOCK %lld %s", waits, pick(2) ? "ERROR" : "TIMEOUT");
        if (keeps != 0)
            tell(c, pick(3) ? "CLIENT UNBLOCK %lld" : "CLIENT KILL ID %lld", keeps);
        if (pick(20) == 0)
            tell(c, "DEBUG WAITING");
    }
}

/* ---- in turn ---- */

static bool waits(struct client *c, long long id)
{
    redisReply *r = ask(c, "CLIENT LIST ID %lld", id);
    bool is = r != NULL && strstr(r->str, " flags=b") != NULL;

    if (r != NULL)
        freeReplyObject(r);
    return is;
}

static void expect_turn(struct client *c, redisContext *link, int i)
{
    void *reply = NULL;
    redisReply *r;

    if (redisGetReply(link, &reply) != REDIS_OK) {
        complain(c, "no reply for number %d: %s", i, link->errstr);
        return;
    }
    r = reply;
    if (r->elements != 2 || atoi(r->element[1]->str) != i)
        complain(c, "number %d got %s", i, r->elements == 2 ? r->element[1]->str : "nothing");
    freeReplyObject(r);
}

/* Some begin to wait, one after the other; as many elements come, each in a push of its own. */
static void one_turn(struct client *c, redisContext **links, const long long *ids)
{
    for (int i = 0; i < IN_TURN; i++) {
        int done = 0;

        redisAppendCommand(links[i], "BLPOP turn 0");
        while (!done)
            redisBufferWrite(links[i], &done);
        while (!waits(c, ids[i]))
            ;
    }
    for (int i = 0; i < IN_TURN; i++)
        redisAppendCommand(c->link, "RPUSH turn %d", i);
    for (int i = 0; i < IN_TURN; i++) {
        void *r = NULL;

        if (redisGetReply(c->link, &r) == REDIS_OK)
            freeReplyObject(r);
        expect_turn(c, links[i], i);
    }
}

void wait_in_turn(struct client *c)
{
    redisContext *links[IN_TURN], *own = c->link;
    long long ids[IN_TURN];

    tell(c, "SELECT %d", DATABASE);
    for (int i = 0; i < IN_TURN; i++) {
        c->link = NULL;
        client_connect(c);
        tell(c, "SELECT %d", DATABASE);
        ids[i] = ask_int(c, "CLIENT ID");
        links[i] = c->link;
    }
    c->link = own;
    for (int i = 0; i < c->rounds / 50; i++)
        one_turn(c, links, ids);
    for (int i = 0; i < IN_TURN; i++)
        redisFree(links[i]);
}

/* There is always somebody who waits longer than these. */
void jump_the_queue(struct client *c)
{
    tell(c, "SELECT %d", DATABASE);
    while (crowd_busy(c)) {
        redisReply *r = ask(c, pick(2) ? "LPOP turn" : "RPOPLPUSH turn stolen");

        if (r != NULL && r->type != REDIS_REPLY_NIL)
            complain(c, "%s was somebody else's", r->str);
        if (r != NULL)
            freeReplyObject(r);
    }
}

/* ---- in the end ---- */

static void count_left(redisContext *link, const char *list, int i)
{
    redisReply *r = redisCommand(link, "LRANGE %s:%d 0 -1", list, i);
    int p, q, n;

    for (size_t j = 0; j < r->elements; j++) {
        if (sscanf(r->element[j]->str, "%d:%d:%d", &p, &q, &n) == 3)
            taken[p * elements + n]++;
    }
    freeReplyObject(r);
}

/* A producer made numbers in the first half, and some of the second. */
static void count_elements(int producers, int rounds)
{
    int lost = 0, twice = 0;

    for (int p = 0; p < PRODUCERS; p++) {
        bool works = p % (PRODUCERS / 2) < producers;

        for (int n = 0; n < elements; n++) {
            lost += works && n < rounds && taken[p * elements + n] == 0;
            twice += taken[p * elements + n] > 1;
        }
    }
    is_int(lost, 0, "no element is lost");
    is_int(twice, 0, "no element is there twice");
}

void queues_end(struct server *s, int producers, int rounds)
{
    redisContext *link = client_open(s);
    redisReply *r;

    freeReplyObject(redisCommand(link, "SELECT %d", DATABASE));
    for (int i = 0; i < QUEUES; i++) {
        count_left(link, "q", i);
        count_left(link, "r", i);
    }
    for (int i = 0; i < KEEPERS; i++)
        count_left(link, "kept", i);
    count_elements(producers, rounds);
    r = redisCommand(link, "DEBUG WAITING");
    ok(r->elements == 8 && r->element[1]->integer == 0 && r->element[3]->integer == 0,
       "nobody waits any more");
    freeReplyObject(r);
    free(taken);
    redisFree(link);
}
