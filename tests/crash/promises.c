/*
 * What clients were promised before the server was killed holds when it runs again: the version of
 * a key that nobody has changed, locks that outlive connections with their tokens, owners and
 * data, and that no number is given twice.
 *
 * Each player has keys and locks of its own, and knows of each what was acknowledged, and what it
 * has asked for and not been told the end of: one or the other must be found. A write that comes
 * with the release of a lock is there if the lock is free, and only then. New bases of the log, of
 * both kinds, and snapshots are written meanwhile.
 *
 * With `everysec` what was acknowledged may be lost. Then a key must have a version that it had
 * with this very value, and what is given from then on is above all that was given before.
 *
 * CRASH_KILLS says how many times, 16 without it; TEST_SEED repeats the moments, more or less.
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

enum { PLAYERS = 6, LOCKS = 3, LIFE_MIN_MS = 60, LIFE_MAX_MS = 350, PAIRS = 1 << 16 };

/* A lock as far as it is known; with token 0 nobody has it. */
struct lock_model {
    long long token;        /* that was acknowledged */
    bool may_have, may_end; /* that was asked for, and is not acknowledged */
    bool commits;           /* its end comes with the write of `next` */
};

struct player {
    int index, port;
    unsigned long long random;
    struct lock_model locks[LOCKS]; /* detached; of the session; of the connection */
    redisContext *plain;            /* the connection of that one */
    long long count;                /* values that it has used for its key */
    long long value, version;       /* of the key, as acknowledged; 0: it is not there */
    long long next;                 /* the value that was asked for, 0 that it goes */
    bool asked;                     /* for that */
    long long versions[PAIRS];      /* by value, as far as they were told */
    long long highest;              /* number that it was given */
    pthread_t thread;
};

static const char *const kinds[LOCKS] = {"detached", "session", "connection"};

static _Atomic bool stopping;
static struct player players[PLAYERS];
static int wrong;

static void complain(const struct player *p, const char *what, long long is, long long other)
{
    diag("player %d: %s: %lld, %lld", p->index, what, is, other);
    wrong++;
}

static unsigned draw(struct player *p, unsigned below)
{
    p->random = p->random * 6364136223846793005ULL + 1442695040888963407ULL;
    return (unsigned)(p->random >> 33) % below;
}

/* ---- what a player does --------------------------------------------------------------------- */

/* The integer of a reply, -1 for none; frees it. False at the end of the connection. */
static bool number(redisReply *r, long long *out)
{
    if (r == NULL)
        return false;
    *out = r->type == REDIS_REPLY_INTEGER ? r->integer : -1;
    freeReplyObject(r);
    return true;
}

static void seen(struct player *p, long long n)
{
    if (n > p->highest)
        p->highest = n;
}

static void ask_for(struct player *p, long long value)
{
    p->next = value;
    p->asked = true;
}

/* Done, by which the key has this version. */
static void wrote(struct player *p, long long version)
{
    seen(p, version);
    p->value = p->next;
    p->version = version;
    if (p->value < PAIRS)
        p->versions[p->value] = version;
    p->asked = false;
}

static bool write_key(struct player *p, redisContext *c)
{
    long long version;

    ask_for(p, ++p->count);
    if (!number(redisCommand(c, "SET key:%d %lld GETVERSION", p->index, p->next), &version))
        return false;
    wrote(p, version);
    return true;
}

static bool delete_key(struct player *p, redisContext *c)
{
    long long n;

    ask_for(p, 0);
    if (!number(redisCommand(c, "DEL key:%d", p->index), &n))
        return false;
    if (n != (p->value > 0))
        complain(p, "a key that it had is not deleted", n, p->value);
    p->value = p->version = 0;
    p->asked = false;
    return true;
}

static bool acquire(struct player *p, redisContext *c, int kind)
{
    struct lock_model *l = &p->locks[kind];
    const char *terms = kind == 0 ? "DETACHED" : "REENTRANT";
    long long token;

    l->may_have = true;
    if (!number(redisCommand(c,
                             "LOCK.ACQUIRE %s:%d LEASE 600000 OWNER owner-%d DATA %%20data-%d %s",
                             kinds[kind], p->index, p->index, p->index, terms),
                &token))
        return false;
    l->may_have = false;
    l->token = token;
    seen(p, token);
    return true;
}

/* With a write of the key or without, or by force. */
static bool release(struct player *p, redisContext *c, int kind)
{
    struct lock_model *l = &p->locks[kind];
    bool breaks = draw(p, 8) == 0;
    long long n;

    l->may_end = true;
    if (!number(breaks
                    ? redisCommand(c, "LOCK.BREAK %s:%d", kinds[kind], p->index)
                    : redisCommand(c, "LOCK.RELEASE %s:%d %lld", kinds[kind], p->index, l->token),
                &n))
        return false;
    l->may_end = false;
    if (n != 1)
        complain(p, "a lock that it had is not released", n, l->token);
    l->token = 0;
    return true;
}

/* The release and the write in a transaction; the version is looked at then. */
static bool release_and_write(struct player *p, redisContext *c, int kind)
{
    struct lock_model *l = &p->locks[kind];
    redisReply *r;
    long long version;

    ask_for(p, ++p->count);
    l->may_end = l->commits = true;
    redisAppendCommand(c, "MULTI");
    redisAppendCommand(c, "LOCK.RELEASE %s:%d %lld", kinds[kind], p->index, l->token);
    redisAppendCommand(c, "SET key:%d %lld GETVERSION", p->index, p->next);
    redisAppendCommand(c, "EXEC");
    for (int i = 0; i < 3; i++) {
        if (redisGetReply(c, (void **)&r) != REDIS_OK)
            return false;
        freeReplyObject(r);
    }
    if (redisGetReply(c, (void **)&r) != REDIS_OK)
        return false;
    version = r->type == REDIS_REPLY_ARRAY && r->elements == 2 ? r->element[1]->integer : -1;
    freeReplyObject(r);
    if (version < 0)
        complain(p, "a transaction did not run", version, 0);
    l->may_end = l->commits = false;
    l->token = 0;
    wrote(p, version);
    return true;
}

static bool renew(struct player *p, redisContext *c, int kind)
{
    long long n;

    if (!number(redisCommand(c, "LOCK.RENEW %s:%d %lld LEASE 600000", kinds[kind], p->index,
                             p->locks[kind].token),
                &n))
        return false;
    if (n != 1)
        complain(p, "a lock that it had is not renewed", n, p->locks[kind].token);
    return true;
}

static bool act_on_lock(struct player *p, redisContext *own)
{
    int kind = (int)draw(p, LOCKS);
    redisContext *c = kind == 2 ? p->plain : own;

    if (!p->locks[kind].token)
        return acquire(p, c, kind);
    switch (draw(p, 4)) {
    case 0:
        return release(p, c, kind);
    case 1:
        return release_and_write(p, c, kind);
    default:
        return renew(p, c, kind);
    }
}

static bool disturb(struct player *p, redisContext *c)
{
    static const char *const ways[] = {"BGREWRITEAOF", "BGSAVE",
                                       "CONFIG SET aof-use-rdb-preamble no",
                                       "CONFIG SET aof-use-rdb-preamble yes"};

    freeReplyObject(redisCommand(c, ways[draw(p, 4)]));
    return !c->err;
}

static redisContext *join_session(const struct player *p)
{
    redisContext *c = redisConnect("127.0.0.1", p->port);

    freeReplyObject(redisCommand(c, "LOCK.SESSION session:%d GRACE 600000", p->index));
    return c;
}

static void *play(void *arg)
{
    struct player *p = arg;
    redisContext *c = join_session(p);
    bool open;

    p->plain = redisConnect("127.0.0.1", p->port);
    open = !c->err && !p->plain->err;
    while (open && !atomic_load(&stopping)) {
        unsigned what = draw(p, 40);

        if (what == 0)
            open = disturb(p, c);
        else if (what < 16)
            open = write_key(p, c);
        else if (what < 19)
            open = delete_key(p, c);
        else
            open = act_on_lock(p, c);
        open = open && !c->err && !p->plain->err;
    }
    redisFree(c);
    redisFree(p->plain);
    return NULL;
}

/* ---- what is there -------------------------------------------------------------------------- */

static long long ask(redisContext *c, const char *format, int index, long long n)
{
    redisReply *r = redisCommand(c, format, index, n);
    long long is = -1;

    if (r && r->type == REDIS_REPLY_INTEGER)
        is = r->integer;
    else if (r && r->type == REDIS_REPLY_STRING)
        is = strtoll(r->str, NULL, 10);
    else if (r && r->type == REDIS_REPLY_NIL)
        is = 0;
    freeReplyObject(r);
    return is;
}

/* The value of a field of the only holder; NULL if there is none. */
static const redisReply *holder_field(const redisReply *info, const char *name)
{
    const redisReply *holders = info && info->elements > 13 ? info->element[13] : NULL;
    const redisReply *h = holders && holders->elements == 1 ? holders->element[0] : NULL;

    for (size_t i = 0; h && i + 1 < h->elements; i += 2) {
        if (strcmp(h->element[i]->str, name) == 0)
            return h->element[i + 1];
    }
    return NULL;
}

static bool says(const redisReply *r, const char *prefix, int index)
{
    char text[64];

    snprintf(text, sizeof(text), "%s%d", prefix, index);
    return r != NULL && strcmp(r->str, text) == 0;
}

/* The token by which it is held, 0 for free. Whatever else was told of it must be right, too. */
static long long held_with(const struct player *p, redisContext *c, int kind)
{
    redisReply *info = redisCommand(c, "LOCK.INFO %s:%d", kinds[kind], p->index);
    const redisReply *token = holder_field(info, "token");
    long long is = token ? token->integer : 0;

    if (is && !(says(holder_field(info, "owner"), "owner-", p->index) &&
                says(holder_field(info, "data"), "%20data-", p->index)))
        complain(p, "a lock has another owner, or other data", kind, is);
    if (is && kind == 1 && !says(holder_field(info, "session"), "session:", p->index))
        complain(p, "a lock is not its session's", kind, is);
    if (is && holder_field(info, "lease-left-ms")->integer > 600000)
        complain(p, "a lease has become longer", kind, is);
    freeReplyObject(info);
    return is;
}

static void check_lock(struct player *p, redisContext *c, int kind, bool always)
{
    struct lock_model *l = &p->locks[kind];
    long long is = held_with(p, c, kind);
    bool kept = is == l->token, fresh = is > l->token && l->may_have;

    if (kind == 2 && is)
        complain(p, "a lock of a connection has outlived it", is, l->token);
    if (always && kind < 2 && !kept && !fresh && !(is == 0 && l->may_end))
        complain(p, "a lock is not as it was acknowledged", is, l->token);
    if (is > p->highest && !l->may_have)
        complain(p, "a token that nobody has given", is, p->highest);
    seen(p, is);
    l->may_have = l->may_end = false;
    l->token = is;
}

/* The write and the end of the lock, of which it is a part. */
static void check_commits(struct player *p, long long value)
{
    for (int kind = 0; kind < 2; kind++) {
        struct lock_model *l = &p->locks[kind];

        if (l->commits && (value == p->next) != (l->token == 0))
            complain(p, "of a transaction there is a part", value, l->token);
    }
    for (int kind = 0; kind < LOCKS; kind++)
        p->locks[kind].commits = false;
}

static void check_key(struct player *p, redisContext *c, bool always)
{
    long long value = ask(c, "GET key:%d", p->index, 0);
    long long version = ask(c, "VERSION key:%d", p->index, 0);
    bool kept = value == p->value, fresh = p->asked && value == p->next;

    if (always && !kept && !fresh)
        complain(p, "a key is not as it was acknowledged", value, p->value);
    if (always && kept && version != p->version)
        complain(p, "a key has another version", version, p->version);
    if (value > 0 && value < PAIRS && p->versions[value] && version != p->versions[value])
        complain(p, "a key has another version than it had with this value", version,
                 p->versions[value]);
    if (always)
        check_commits(p, value);
    p->value = value;
    p->version = version;
    p->asked = false;
    seen(p, version);
}

/* What is given from now on is above all that was ever given. */
static void check_growth(redisContext *c)
{
    long long highest = 0, fresh = ask(c, "SET probe:%d %lld GETVERSION", 0, 1);
    long long token = ask(c, "LOCK.ACQUIRE probe:%d LEASE 1 DETACHED", (int)rng_below(1 << 30), 0);

    for (int i = 0; i < PLAYERS; i++)
        highest = players[i].highest > highest ? players[i].highest : highest;
    if (fresh <= highest)
        complain(&players[0], "a version has come back", fresh, highest);
    if (token <= highest)
        complain(&players[0], "a token has come back", token, highest);
    seen(&players[0], fresh > token ? fresh : token);
}

static bool holds(const struct server *s, bool always)
{
    redisContext *c = redisConnect("127.0.0.1", s->port);

    wrong = 0;
    for (int i = 0; i < PLAYERS; i++) {
        players[i].port = s->port;
        for (int kind = 0; kind < LOCKS; kind++)
            check_lock(&players[i], c, kind, always);
        check_key(&players[i], c, always);
    }
    check_growth(c);
    freeReplyObject(redisCommand(c, "DEBUG LOCKS")); /* ends the server if they do not fit */
    if (c->err)
        complain(&players[0], "the server has ended", 0, 0);
    redisFree(c);
    return wrong == 0;
}

/* ---- lives ---------------------------------------------------------------------------------- */

static bool live_and_die(struct server *s, bool always)
{
    atomic_store(&stopping, false);
    for (int i = 0; i < PLAYERS; i++) {
        players[i].index = i;
        players[i].port = s->port;
        players[i].random = rng_next();
        pthread_create(&players[i].thread, NULL, play, &players[i]);
    }
    raw_sleep_ms(LIFE_MIN_MS + (int)rng_below(LIFE_MAX_MS - LIFE_MIN_MS));
    kill(s->pid, SIGKILL);
    atomic_store(&stopping, true);
    for (int i = 0; i < PLAYERS; i++)
        pthread_join(players[i].thread, NULL);
    return server_restart(s, SIGKILL) && holds(s, always);
}

static void run(int kills, bool always, unsigned long long seed)
{
    const char *mode = always ? "always" : "everysec";
    char args[200];
    struct server *s;
    int survived = 0;

    snprintf(args, sizeof(args),
             "--appendonly yes --appendfsync %s --auto-aof-rewrite-percentage 0 "
             "--enable-debug-command yes",
             mode);
    memset(players, 0, sizeof(players));
    s = server_run_threads(4, args);
    while (survived < kills && live_and_die(s, always))
        survived++;
    is_int(survived, kills, "killed %d times, and what was promised holds, %s, seed %llu", kills,
           mode, seed);
    if (survived < kills) {
        char *log = server_log(s);

        diag("%s", log);
        free(log);
    }
    server_stop(s);
}

int main(void)
{
    const char *kills = getenv("CRASH_KILLS"), *text = getenv("TEST_SEED");
    unsigned long long seed = text ? strtoull(text, NULL, 10) : (unsigned long long)time(NULL);
    int n = kills ? atoi(kills) : 16;

    rng_seed(seed);
    signal(SIGPIPE, SIG_IGN);
    run((n + 1) / 2, true, seed);
    run(n / 2, false, seed);
    return tap_done();
}
