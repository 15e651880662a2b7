/*
 * See roles.h. Locks: who has one in hand marks that in the memory of the test, in which nobody
 * else may have marked it so that both could not be. Tokens of a lock only grow. Who is killed, or
 * waits too long, harms nobody.
 */
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/lib/client.h"
#include "tests/lib/tap.h"
#include "tests/race/roles.h"

enum { NAMES = 5, SEATS = 3, HOLDERS_KNOWN = 16, SETTLE_MS = 10000 };

/* Of each lock: how many readers have it in hand, or -1 for a writer; a writer's last token. */
static atomic_int in_hand[NAMES];
static atomic_llong last_token[NAMES];
static atomic_int seats_taken;
static atomic_llong holder_ids[HOLDERS_KNOWN];

/* ---- in hand --------------------------------------------------------------------------------- */

static void take_in_hand(struct client *c, int lock, bool shared, long long token)
{
    int others = shared ? atomic_fetch_add(&in_hand[lock], 1) : atomic_exchange(&in_hand[lock], -1);

    if (shared ? others < 0 : others != 0)
        complain(c, "lock %d %s while %d have it", lock, shared ? "read" : "written", others);
    if (shared)
        return;
    if (token <= atomic_load(&last_token[lock]))
        complain(c, "token %lld of lock %d came behind %lld", token, lock,
                 (long long)atomic_load(&last_token[lock]));
    atomic_store(&last_token[lock], token);
}

static void put_out_of_hand(int lock, bool shared)
{
    if (shared)
        atomic_fetch_sub(&in_hand[lock], 1);
    else
        atomic_store(&in_hand[lock], 0);
}

static void give_back(struct client *c, int lock, bool shared, long long token)
{
    put_out_of_hand(lock, shared);
    if (ask_int(c, pick(2) ? "LOCK.RELEASE latch:%d %lld" : "LOCK.RELEASE latch:%d %lld SET x",
                lock, token) != 1)
        complain(c, "lock %d is not given back", lock);
}

/* An error is one that the circumstances allow. */
static void expect_reason(struct client *c, const redisReply *r)
{
    static const char *const allowed[] = {"DEADLOCK ", "UNBLOCKED ", "LOCKLOST ", "LOCKED "};

    for (size_t i = 0; i < sizeof(allowed) / sizeof(allowed[0]); i++) {
        if (strncmp(r->str, allowed[i], strlen(allowed[i])) == 0)
            return;
    }
    complain(c, "%s", r->str);
}

static redisReply *acquire(struct client *c, const char *command)
{
    redisReply *r = ask_tolerant(c, command);

    if (r == NULL)
        client_connect(c);
    else if (r->type == REDIS_REPLY_ERROR)
        expect_reason(c, r);
    return r;
}

/* ---- one lock, and a second while it is held ------------------------------------------------- */

static void hold_one(struct client *c, int lock, bool shared, bool more)
{
    static const char *const waits[] = {"", "WAIT 0", "WAIT 2", "WAIT 50", "WAIT -1"};
    char command[128];
    redisReply *r;

    snprintf(command, sizeof(command), "LOCK.ACQUIRE latch:%d %s %s", lock, waits[pick(5)],
             shared ? "SHARED" : "");
    r = acquire(c, command);
    if (r != NULL && r->type == REDIS_REPLY_INTEGER) {
        take_in_hand(c, lock, shared, r->integer);
        if (more)
            hold_one(c, pick(NAMES), pick(3) == 0, false);
        give_back(c, lock, shared, r->integer);
    }
    if (r != NULL)
        freeReplyObject(r);
}

void hold_latch(struct client *c)
{
    for (int i = 0; i < c->rounds; i++)
        hold_one(c, pick(NAMES), pick(3) == 0, pick(4) == 0);
}

/* ---- several at once ------------------------------------------------------------------------- */

static void take_all(struct client *c, const redisReply *r, const int *locks, bool shared)
{
    for (int i = 0; i < 3; i++)
        take_in_hand(c, locks[i], shared, r->element[i]->integer);
    for (int i = 0; i < 3; i++)
        give_back(c, locks[i], shared, r->element[i]->integer);
}

void hold_latches(struct client *c)
{
    for (int i = 0; i < c->rounds; i++) {
        int first = pick(NAMES), step = 1 + pick(NAMES - 1);
        int locks[3] = {first, (first + step) % NAMES, (first + 2 * step) % NAMES};
        bool shared = pick(3) == 0;
        char command[128];
        redisReply *r;

        snprintf(command, sizeof(command), "LOCK.ACQUIRE latch:%d latch:%d latch:%d %s WAIT %d",
                 locks[0], locks[1], locks[2], shared ? "SHARED" : "", pick(3) ? -1 : pick(5));
        r = acquire(c, command);
        if (r != NULL && r->type == REDIS_REPLY_ARRAY)
            take_all(c, r, locks, shared);
        if (r != NULL)
            freeReplyObject(r);
    }
}

/* ---- a semaphore ----------------------------------------------------------------------------- */

void sit_down(struct client *c)
{
    for (int i = 0; i < c->rounds; i++) {
        int n = 1 + pick(2);
        char command[128];
        redisReply *r;

        snprintf(command, sizeof(command), "LOCK.ACQUIRE seats PERMITS %d OF %d WAIT %d", n, SEATS,
                 pick(4) ? -1 : pick(3));
        r = acquire(c, command);
        if (r != NULL && r->type == REDIS_REPLY_INTEGER) {
            if (atomic_fetch_add(&seats_taken, n) + n > SEATS)
                complain(c, "more than %d seats are taken", SEATS);
            atomic_fetch_sub(&seats_taken, n);
            if (ask_int(c, "LOCK.RELEASE seats %lld", r->integer) != 1)
                complain(c, "a seat is not given back");
        }
        if (r != NULL)
            freeReplyObject(r);
    }
}

/* ---- leases that end, with the writer none the wiser ----------------------------------------- */

/* What is written with a token is behind what was written with all earlier ones. */
static void write_fenced(struct client *c, long long token)
{
    redisReply *r = ask_tolerant(c, "LOCK.RELEASE leased %lld SET %lld", token, token);

    if (r == NULL || (r->type == REDIS_REPLY_ERROR && strncmp(r->str, "FENCED ", 7) != 0 &&
                      strncmp(r->str, "NOTHELD ", 8) != 0))
        complain(c, "%s", r ? r->str : "no reply");
    if (r != NULL)
        freeReplyObject(r);
}

void outlive_lease(struct client *c)
{
    long long seen = 0;

    for (int i = 0; i < c->rounds / 4; i++) {
        redisReply *r = ask(c,
                            pick(4) ? "LOCK.ACQUIRE leased LEASE %d WAIT -1 OWNER x"
                                    : "LOCK.ACQUIRE leased LEASE %d WAIT -1 DETACHED",
                            1 + pick(4));
        long long now;

        if (r == NULL)
            continue;
        usleep((useconds_t)pick(4000));
        if (pick(3) == 0)
            freeReplyObject(ask_tolerant(c, "LOCK.RENEW leased %lld LEASE 2", r->integer));
        write_fenced(c, r->integer);
        freeReplyObject(r);
        r = ask(c, "GET leased");
        now = r && r->str ? atoll(r->str) : 0;
        if (now != 0 && now < seen)
            complain(c, "%lld was written behind %lld", now, seen);
        seen = now != 0 ? now : seen;
        if (r != NULL)
            freeReplyObject(r);
    }
}

/* ---- connections that end -------------------------------------------------------------------- */

static void know(struct client *c)
{
    atomic_store(&holder_ids[c->role->run == leave_latches ? c->number : 8 + c->number],
                 ask_int(c, "CLIENT ID"));
}

/* Never has anything in hand: whatever it gets, it is gone before it knows. */
void leave_latches(struct client *c)
{
    know(c);
    while (crowd_busy(c)) {
        bool named = pick(3) == 0;

        if (named)
            freeReplyObject(ask_tolerant(c, "LOCK.SESSION s%d GRACE %d", c->number, pick(5)));
        redisAppendCommand(c->link, "LOCK.ACQUIRE latch:%d", pick(NAMES));
        redisAppendCommand(c->link, "LOCK.ACQUIRE latch:%d latch:%d QUEUE", pick(2), 2 + pick(2));
        redisAppendCommand(c->link, "LOCK.ACQUIRE latch:4 QUEUE OWNER me SHARED");
        redisAppendCommand(c->link, "LOCK.CANCEL latch:4 %d", pick(1000));
        if (pick(2))
            redisAppendCommand(c->link, "LOCK.ACQUIRE latch:%d latch:%d WAIT -1", pick(3),
                               3 + pick(2));
        for (int done = 0; !done;) {
            if (redisBufferWrite(c->link, &done) != REDIS_OK)
                break;
        }
        usleep((useconds_t)pick(2000));
        client_connect(c);
        know(c);
    }
}

/* Waits, and is unblocked or killed. */
void wait_in_vain(struct client *c)
{
    know(c);
    while (crowd_busy(c)) {
        redisReply *r = ask_tolerant(c, "LOCK.ACQUIRE latch:%d WAIT 5 SHARED", pick(NAMES));

        if (r == NULL) {
            client_connect(c);
            know(c);
            continue;
        }
        freeReplyObject(r);
        freeReplyObject(ask_tolerant(c, "RESET"));
    }
}

void disturb_latches(struct client *c)
{
    while (crowd_busy(c)) {
        long long id = atomic_load(&holder_ids[pick(HOLDERS_KNOWN)]);

        if (id != 0)
            tell(c, pick(3) ? "CLIENT UNBLOCK %lld" : "CLIENT KILL ID %lld", id);
        switch (pick(7)) {
        case 0:
            tell(c, "LOCK.LIST MATCH latch:*");
            break;
        case 1:
            tell(c, "LOCK.INFO latch:%d", pick(NAMES));
            break;
        case 2:
            tell(c, "LOCK.BREAK leased DELAY %d", pick(3));
            break;
        case 3:
            tell(c, "INFO locks");
            break;
        case 5:
            tell(c, "DEBUG LOCKS");
            break;
        case 4:
            tell(c, "LOCK.RENEW * LEASE 100");
            break;
        default:
            tell(c, "FLUSHDB");
        }
    }
}

/* ---- in the end ------------------------------------------------------------------------------ */

static bool all_free(redisContext *link)
{
    redisReply *r = redisCommand(link, "INFO locks");
    bool none = r != NULL && strstr(r->str, "lock_holders:0\r\nlock_waiters:0\r\n") != NULL;

    freeReplyObject(r);
    return none;
}

void latches_end(struct server *s)
{
    redisContext *link = client_open(s);

    for (int ms = 0; ms < SETTLE_MS && !all_free(link); ms += 10)
        usleep(10000);
    ok(all_free(link), "nobody holds a lock or waits for one any more");
    redisFree(link);
}
