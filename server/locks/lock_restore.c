/* Locks that come back, see lock_restore.h. */
#include "server/locks/lock_restore.h"

#include "base/clock.h"
#include "base/mem.h"
#include "server/locks/lock_desk.h"
#include "server/locks/lock_leases.h"
#include "server/locks/lock_session.h"

struct line {
    struct server *server;
    const struct slice *argv;
    int argc;
};

/* The name of a lock: argument 1 of most lines. */
static struct shard *shard_at(const struct line *l, uint64_t *hash)
{
    *hash = hash_bytes(l->argv[1]);
    return &l->server->keyspace.shards[shard_of(*hash)];
}

static bool number(const struct line *l, int i, int64_t min, int64_t max, int64_t *out)
{
    return num_parse_int(l->argv[i], out) && *out >= min && *out <= max;
}

static bool has(struct slice words, char word)
{
    return words.len && memchr(words.ptr, word, words.len);
}

/* ---- holders --------------------------------------------------------------------------------- */

/* Nobody waits for it. */
static void drop(struct shard *shard, struct holder *h)
{
    struct latch *l = h->latch;

    holder_leave(shard->locks, h);
    shard->guards -= h->guard;
    deadlines_remove(&shard->locks->deadlines, &h->lease);
    lock_session_drop(h);
    mem_free(h);
    latch_drop_unused(shard, l);
}

static struct holder *find(const struct line *l, int64_t token)
{
    uint64_t hash;
    const struct shard *shard = shard_at(l, &hash);

    return latch_holder(latch_find(shard->locks, l->argv[1], hash), (uint64_t)token);
}

/* What is left of it by the calendar, but no more than it was. */
static void set_lease(struct server *s, struct holder *h, int64_t until_ms, int64_t lease_ms)
{
    struct shard *shard = &s->keyspace.shards[shard_of(h->latch->hash)];
    int64_t left = until_ms - clock_wall_ms();

    if (until_ms < 0)
        return;
    left = left < 0 ? 0 : left < lease_ms ? left : lease_ms;
    h->lease_us = lease_ms * 1000;
    h->until_us = clock_mono_us() + left * 1000;
    deadlines_set(&shard->locks->deadlines, &h->lease, h->until_us);
}

enum lock_line {
    TOKEN = 2,
    COUNT,
    UNTIL,
    LEASE,
    WORDS,
    PERMITS,
    OF,
    DB,
    SINCE,
    SESSION,
    GRACE,
    OWNER,
    DATA,
    LOCK_ARGS,
};

#define LEASE_MAX_MS ((int64_t)1 << 50)

static bool read_terms(const struct line *l, struct lock_terms *terms)
{
    int64_t permits, of, db;

    if (!number(l, PERMITS, 0, INT32_MAX, &permits) || !number(l, OF, permits, INT32_MAX, &of) ||
        !number(l, DB, 0, UINT16_MAX, &db) || (of && !permits))
        return false;
    *terms = (struct lock_terms){
        .permits = (uint32_t)permits,
        .of = (uint32_t)of,
        .shared = has(l->argv[WORDS], 's'),
        .guard = has(l->argv[WORDS], 'g'),
        .guard_db = (uint16_t)db,
        .detached = !l->argv[SESSION].len,
    };
    return true;
}

static bool restore_lock(const struct line *l)
{
    int64_t token, count, until, lease, since, grace;
    struct lock_terms terms;
    struct shard *shard;
    struct holder *h;
    uint64_t hash;

    if (!number(l, TOKEN, 1, (int64_t)VERSION_MAX, &token) ||
        !number(l, COUNT, 1, UINT32_MAX, &count) || !number(l, UNTIL, -1, INT64_MAX, &until) ||
        !number(l, LEASE, 0, LEASE_MAX_MS, &lease) || !number(l, SINCE, 0, INT64_MAX, &since) ||
        !number(l, GRACE, 0, INT32_MAX, &grace) || !read_terms(l, &terms))
        return false;
    shard = shard_at(l, &hash);
    h = find(l, token);
    if (h)
        drop(shard, h);
    h = holder_new(latch_make(shard, l->argv[1], hash), &terms, l->argv[OWNER], l->argv[DATA]);
    h->token = versions_loaded(&l->server->keyspace, (uint64_t)token);
    h->count = (uint32_t)count;
    h->since_ms = since;
    holder_join(shard->locks, h);
    shard->guards += h->guard;
    set_lease(l->server, h, until, lease);
    if (l->argv[SESSION].len)
        lock_session_restore(l->server, l->argv[SESSION], grace, h);
    return true;
}

static bool restore_lease(const struct line *l)
{
    int64_t token, until, lease;
    struct holder *h;

    if (!number(l, TOKEN, 1, (int64_t)VERSION_MAX, &token) ||
        !number(l, 3, -1, INT64_MAX, &until) || !number(l, 4, 0, LEASE_MAX_MS, &lease))
        return false;
    h = find(l, token);
    if (h)
        set_lease(l->server, h, until, lease);
    return true;
}

static bool restore_count(const struct line *l)
{
    int64_t token, count;
    struct holder *h;

    if (!number(l, TOKEN, 1, (int64_t)VERSION_MAX, &token) || !number(l, 3, 1, UINT32_MAX, &count))
        return false;
    h = find(l, token);
    if (h)
        h->count = (uint32_t)count;
    return true;
}

static bool restore_free(const struct line *l)
{
    int64_t token;
    struct holder *h;
    uint64_t hash;

    if (!number(l, TOKEN, 1, (int64_t)VERSION_MAX, &token))
        return false;
    h = find(l, token);
    if (h)
        drop(shard_at(l, &hash), h);
    return true;
}

/* ---- what else there is ---------------------------------------------------------------------- */

/* A clock that was set back keeps it shut for longer, but not for ever. */
static bool restore_shut(const struct line *l)
{
    int64_t until, left;
    struct shard *shard;
    struct latch *latch;
    uint64_t hash;

    if (!number(l, 2, 0, INT64_MAX, &until))
        return false;
    shard = shard_at(l, &hash);
    latch = latch_make(shard, l->argv[1], hash);
    left = until ? until - clock_wall_ms() : 0;
    left = left > INT32_MAX ? INT32_MAX : left;
    if (left > 0)
        deadlines_set(&shard->locks->deadlines, &latch->reopens, clock_mono_us() + left * 1000);
    else
        deadlines_remove(&shard->locks->deadlines, &latch->reopens);
    latch_drop_unused(shard, latch);
    return true;
}

static bool restore_grace(const struct line *l)
{
    int64_t ms;

    if (!number(l, 2, 0, INT32_MAX, &ms))
        return false;
    lock_session_restore(l->server, l->argv[1], ms, NULL);
    return true;
}

static bool restore_upto(const struct line *l)
{
    int64_t token;

    if (!number(l, 1, 1, (int64_t)VERSION_MAX, &token))
        return false;
    versions_loaded(&l->server->keyspace, (uint64_t)token);
    return true;
}

static const struct {
    const char *word;
    int argc;
    bool (*apply)(const struct line *l);
} words[] = {
    {"lock", LOCK_ARGS, restore_lock}, {"lease", 5, restore_lease}, {"count", 4, restore_count},
    {"free", 3, restore_free},         {"shut", 3, restore_shut},   {"grace", 3, restore_grace},
    {"upto", 2, restore_upto},
};

bool lock_restore(struct server *s, const struct slice *argv, int argc)
{
    struct line l = {s, argv, argc};

    for (size_t i = 0; i < COUNT_OF(words); i++) {
        if (slice_is(argv[0], words[i].word))
            return argc == words[i].argc && words[i].apply(&l);
    }
    return false;
}

bool lock_restores(struct slice word)
{
    for (size_t i = 0; i < COUNT_OF(words); i++) {
        if (slice_is(word, words[i].word))
            return true;
    }
    return false;
}

/* ---- the end --------------------------------------------------------------------------------- */

/* The worker looks after its shards, and its sessions, from now on. */
static void look_after(struct worker *w, void *arg)
{
    (void)arg;
    lock_sessions_restored(w);
    lock_leases_look(w);
}

void lock_restored(struct server *s)
{
    for (unsigned i = 0; i < SHARDS; i++) {
        const struct latches *t = s->keyspace.shards[i].locks;

        if (t)
            atomic_store(&s->locks->due[i], deadlines_next(&t->deadlines));
    }
    for (int i = 0; i < s->workers_len; i++)
        worker_call(&s->workers[i], look_after, NULL);
}
