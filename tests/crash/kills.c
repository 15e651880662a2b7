/*
 * A server that is killed at random moments while many clients write to it, and started again: what
 * it acknowledged is there, and no transaction is there in part.
 *
 * Each client writes a number that grows to two keys of its own, in a transaction; the number last
 * acknowledged, and the one last sent, are what the keys may lie between. With `everysec` only what
 * was on the disk by a WAITAOF has to be there. Bases of the log are rewritten meanwhile.
 *
 * CRASH_KILLS says how many times, 20 without it; TEST_SEED repeats the moments, more or less.
 */
#include <hiredis/hiredis.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/rng.h"
#include "tests/lib/raw.h"
#include "tests/lib/server.h"
#include "tests/lib/tap.h"

enum { CLIENTS = 12, LIFE_MIN_MS = 40, LIFE_MAX_MS = 260 };

struct writer {
    int index, port;
    _Atomic long sent, acknowledged, synced;
    pthread_t thread;
};

static _Atomic bool stopping;
static struct writer writers[CLIENTS];

/* ---- clients -------------------------------------------------------------------------------- */

/* False when the connection is at its end. */
static bool next_reply(redisContext *c, bool *good)
{
    redisReply *reply = NULL;

    if (redisGetReply(c, (void **)&reply) != REDIS_OK)
        return false;
    *good = reply->type != REDIS_REPLY_ERROR;
    freeReplyObject(reply);
    return true;
}

static bool write_once(struct writer *w, redisContext *c)
{
    long n = atomic_fetch_add(&w->sent, 1) + 1;
    bool good = false;

    redisAppendCommand(c, "MULTI");
    redisAppendCommand(c, "SET crash:a:%d %ld", w->index, n);
    redisAppendCommand(c, "SET crash:b:%d %ld", w->index, n);
    redisAppendCommand(c, "EXEC");
    for (int i = 0; i < 4; i++) {
        if (!next_reply(c, &good))
            return false;
    }
    if (good)
        atomic_store(&w->acknowledged, n);
    return true;
}

static bool sync_once(struct writer *w, redisContext *c)
{
    long n = atomic_load(&w->acknowledged);
    redisReply *reply = redisCommand(c, "WAITAOF 1 0 0");

    if (!reply)
        return false;
    if (reply->type == REDIS_REPLY_ARRAY && reply->elements == 2 && reply->element[0]->integer)
        atomic_store(&w->synced, n);
    freeReplyObject(reply);
    return true;
}

static void *write_on(void *arg)
{
    struct writer *w = arg;
    redisContext *c = redisConnect("127.0.0.1", w->port);
    bool open = c && !c->err;

    for (long i = 1; open && !atomic_load(&stopping); i++) {
        open = write_once(w, c);
        if (open && i % 64 == 0)
            open = sync_once(w, c);
        if (open && w->index == 0 && i % 50 == 0)
            freeReplyObject(redisCommand(c, "BGREWRITEAOF"));
        open = open && !c->err;
    }
    if (c)
        redisFree(c);
    return NULL;
}

/* ---- what is there -------------------------------------------------------------------------- */

static long number_of(redisContext *c, const char *which, int index)
{
    redisReply *reply = redisCommand(c, "GET crash:%s:%d", which, index);
    long n = reply && reply->type == REDIS_REPLY_STRING ? strtol(reply->str, NULL, 10) : 0;

    freeReplyObject(reply);
    return n;
}

/* The number of clients of whose data something is wrong. */
static int count_wrong(const struct server *s, bool always)
{
    redisContext *c = redisConnect("127.0.0.1", s->port);
    int wrong = 0;

    for (int i = 0; i < CLIENTS; i++) {
        struct writer *w = &writers[i];
        long a = number_of(c, "a", i), b = number_of(c, "b", i);
        long least = atomic_load(always ? &w->acknowledged : &w->synced);

        if (a != b || a < least || a > atomic_load(&w->sent)) {
            diag("client %d: %ld and %ld, at least %ld acknowledged, %ld sent", i, a, b, least,
                 atomic_load(&w->sent));
            wrong++;
        }
        /* What was never acknowledged may be there; from here on it is what counts. */
        atomic_store(&w->sent, a > atomic_load(&w->sent) ? a : atomic_load(&w->sent));
        atomic_store(&w->acknowledged, a);
        atomic_store(&w->synced, a);
    }
    redisFree(c);
    return wrong;
}

static bool live_and_die(struct server *s, bool always)
{
    atomic_store(&stopping, false);
    for (int i = 0; i < CLIENTS; i++) {
        writers[i].index = i;
        writers[i].port = s->port;
        pthread_create(&writers[i].thread, NULL, write_on, &writers[i]);
    }
    raw_sleep_ms(LIFE_MIN_MS + (int)rng_below(LIFE_MAX_MS - LIFE_MIN_MS));
    kill(s->pid, SIGKILL);
    atomic_store(&stopping, true);
    for (int i = 0; i < CLIENTS; i++)
        pthread_join(writers[i].thread, NULL);
    return server_restart(s, SIGKILL) && count_wrong(s, always) == 0;
}

static void run(int kills, bool always)
{
    const char *mode = always ? "always" : "everysec";
    char args[160];
    struct server *s;
    int survived = 0;

    snprintf(args, sizeof(args),
             "--appendonly yes --appendfsync %s --auto-aof-rewrite-percentage 0", mode);
    memset(writers, 0, sizeof(writers));
    s = server_run_threads(4, args);
    while (survived < kills && live_and_die(s, always))
        survived++;
    is_int(survived, kills, "killed %d times, and nothing is lost or there in part, %s", kills,
           mode);
    if (survived < kills) {
        char *log = server_log(s);

        diag("%s", log);
        free(log);
    }
    server_stop(s);
}

int main(void)
{
    const char *kills = getenv("CRASH_KILLS"), *seed = getenv("TEST_SEED");
    int n = kills ? atoi(kills) : 20;

    rng_seed(seed ? strtoull(seed, NULL, 10) : (uint64_t)time(NULL));
    signal(SIGPIPE, SIG_IGN);
    run((n + 1) / 2, true);
    run(n / 2, false);
    return tap_done();
}
