/* LOCK.ACQUIRE, RELEASE, CHECK and RENEW. What concerns all locks is in lock_admin.c. */
#include "server/commands/locks.h"

#include "base/mem.h"
#include "server/commands/string_set.h"
#include "server/durability.h"
#include "server/locks/lock_desk.h"
#include "server/locks/lock_grant.h"
#include "server/locks/lock_leases.h"
#include "server/locks/lock_notice.h"
#include "server/locks/lock_request.h"
#include "server/request_keys.h"
#include "storage/log/journal.h"

#define LEASE_MAX_MS ((int64_t)1 << 50)

struct shard *lock_shard(struct call *c, int i)
{
    unsigned shard = shard_of(call_hash(c, i));

    lock_leases_settle(c->worker, shard);
    return &c->server->keyspace.shards[shard];
}

struct latch *lock_latch(struct call *c, int i)
{
    return latch_find(lock_shard(c, i)->locks, call_arg(c, i), call_hash(c, i));
}

bool lock_token_arg(struct call *c, uint64_t *token)
{
    int64_t v;

    if (!call_int_between(c, 2, 0, INT64_MAX, &v, "ERR token is not an integer or out of range"))
        return false;
    *token = (uint64_t)v;
    return true;
}

bool lock_lease_arg(struct call *c, int i, int64_t *us)
{
    int64_t ms;

    if (!call_int_between(c, i, 1, LEASE_MAX_MS, &ms,
                          "ERR lease is not an integer or out of range"))
        return false;
    *us = ms * 1000;
    return true;
}

/* ---- LOCK.ACQUIRE: its arguments ------------------------------------------------------------- */

struct acquire {
    struct lock_taker taker;
    int names; /* arguments 1 to this one */
    bool waits, queues;
    int64_t wait_ms; /* -1: for ever */
};

static bool read_permits(struct call *c, int i, struct lock_terms *terms)
{
    static const char error[] = "ERR permits are integers, at least 1 of at most 2147483647";
    int64_t n, of;

    if (i + 3 >= c->argc || !call_arg_is(c, i + 2, "OF"))
        return call_syntax_error(c);
    if (!call_int_between(c, i + 1, 1, INT32_MAX, &n, error) ||
        !call_int_between(c, i + 3, n, INT32_MAX, &of, error))
        return false;
    terms->permits = (uint32_t)n;
    terms->of = (uint32_t)of;
    return true;
}

static bool read_wait(struct call *c, int i, struct acquire *a)
{
    if (!call_int_between(c, i, -1, LEASE_MAX_MS, &a->wait_ms,
                          "ERR timeout is not an integer or out of range"))
        return false;
    a->waits = a->wait_ms != 0;
    return true;
}

/* Options without an argument. */
static bool read_word(struct call *c, int i, struct acquire *a)
{
    struct lock_terms *terms = &a->taker.terms;

    if (call_arg_is(c, i, "SHARED"))
        terms->shared = true;
    else if (call_arg_is(c, i, "DETACHED"))
        terms->detached = true;
    else if (call_arg_is(c, i, "REENTRANT"))
        terms->reentrant = true;
    else if (call_arg_is(c, i, "GUARD"))
        terms->guard = true;
    else if (call_arg_is(c, i, "QUEUE"))
        a->queues = true;
    else
        return false;
    return true;
}

/* Those with one or more; *i becomes the last of them. False, and answered, if it is wrong. */
static bool read_valued(struct call *c, int *i, struct acquire *a)
{
    int at = *i;

    if (call_arg_is(c, at, "PERMITS")) {
        *i += 3;
        return read_permits(c, at, &a->taker.terms);
    }
    *i += 1;
    if (*i >= c->argc)
        return call_syntax_error(c);
    if (call_arg_is(c, at, "LEASE"))
        return lock_lease_arg(c, *i, &a->taker.terms.lease_us);
    if (call_arg_is(c, at, "WAIT"))
        return read_wait(c, *i, a);
    if (call_arg_is(c, at, "OWNER"))
        a->taker.owner = call_arg(c, *i);
    else if (call_arg_is(c, at, "DATA"))
        a->taker.data = call_arg(c, *i);
    else
        return call_syntax_error(c);
    return true;
}

static bool said(const struct call *c, int from, const char *word)
{
    for (int i = from; i < c->argc; i++) {
        if (call_arg_is(c, i, word))
            return true;
    }
    return false;
}

static bool is_sensible(struct call *c, const struct acquire *a)
{
    const struct lock_terms *terms = &a->taker.terms;

    if ((terms->shared && terms->of) || (a->queues && said(c, a->names + 1, "WAIT")))
        return call_syntax_error(c);
    if (!terms->detached || terms->lease_us)
        return true;
    reply_error(c, "ERR DETACHED needs a LEASE");
    return false;
}

/* Two of them would wait for each other. */
static bool names_differ(struct call *c, int n)
{
    for (int i = 2; i <= n; i++) {
        for (int j = 1; j < i; j++) {
            if (call_hash(c, i) != call_hash(c, j) || !slice_eq(call_arg(c, i), call_arg(c, j)))
                continue;
            reply_error(c, "ERR a lock is named twice");
            return false;
        }
    }
    return true;
}

static bool read_acquire(struct call *c, struct acquire *a)
{
    enum { NAMES_MAX = 1000 };

    a->names = 1 + lock_find_names(c->argv, c->argc, NULL, 0);
    a->taker.terms.guard_db = (uint16_t)c->db;
    for (int i = a->names + 1; i < c->argc; i++) {
        if (!read_word(c, i, a) && !read_valued(c, &i, a))
            return false;
    }
    if (a->names > NAMES_MAX) {
        reply_error(c, "ERR too many names of locks");
        return false;
    }
    return is_sensible(c, a) && names_differ(c, a->names);
}

/* ---- LOCK.ACQUIRE ---------------------------------------------------------------------------- */

enum { NAMES_QUICK = 16 };

/* A lock as it was found. */
struct spot {
    struct latch *latch; /* NULL: nobody has to do with it */
    struct holder *own;  /* it is acquired again */
};

/*
 * Looks at all of them: the first that is not free is argument *busy, 0 if all are. False, and
 * answered, if one cannot be had in this way at all.
 */
static bool look(struct call *c, const struct acquire *a, struct spot *spots, int *busy)
{
    *busy = 0;
    for (int i = 2; i <= a->names; i++)
        lock_shard(c, i);
    for (int i = 1; i <= a->names; i++) {
        struct latch *l = lock_latch(c, i);

        spots[i - 1] = (struct spot){.latch = l};
        if (!l)
            continue;
        if (!latch_fits(l, &a->taker.terms)) {
            reply_error(c, "ERR a lock of that name is in use with other PERMITS");
            return false;
        }
        if (a->taker.terms.reentrant)
            spots[i - 1].own = lock_find_own(l, &a->taker);
        if (!spots[i - 1].own && !*busy &&
            (latch_contended(l) || !latch_admits(l, &a->taker.terms)))
            *busy = i;
    }
    return true;
}

/* All are free: takes them. */
static void take(struct call *c, const struct acquire *a, const struct spot *spots)
{
    struct worker *w = c->worker;
    struct list fresh;

    list_init(&fresh);
    if (a->names > 1)
        reply_array(c, a->names);
    for (int i = 1; i <= a->names; i++) {
        struct holder *h = spots[i - 1].own;
        struct latch *l = spots[i - 1].latch;

        if (h) {
            lock_take_again(w, h, a->taker.terms.lease_us);
        } else {
            if (!l)
                l = latch_make(lock_shard(c, i), call_arg(c, i), call_hash(c, i));
            h = lock_give(w, l, &a->taker, &fresh);
        }
        reply_int(c, (int64_t)h->token);
    }
    lock_session_give(a->taker.session, 0, &fresh);
}

/* A single writer is told who it is; others have their answer in that they get nothing. */
static void refuse(struct call *c, const struct acquire *a, const struct latch *l, int busy)
{
    struct buf who = {0};

    if (a->taker.terms.of != 1 || list_empty(&l->holders)) {
        reply_null(c);
        return;
    }
    lock_append_holder(&who, CONTAINER_OF(l->holders.next, struct holder, in_latch));
    reply_error(c, "LOCKED %.*s is held by %.*s", (int)call_arg(c, busy).len, call_arg(c, busy).ptr,
                (int)who.len, who.ptr);
    buf_release(&who);
}

static void answer_in_vain(struct call *c)
{
    reply_null(c);
}

static void wait_for_locks(struct call *c, const struct acquire *a)
{
    struct lock_request *r = lock_request_new(c, &a->taker, NULL, a->names);
    struct wait wait = {
        .in_vain = answer_in_vain,
        .ended = lock_wait_ended,
        .subject = r,
        .until_us = a->wait_ms > 0 ? wait_until_us(a->wait_ms) : 0,
    };
    uint64_t ticket = 0;

    if (a->queues)
        ticket = r->ticket = atomic_fetch_add(&c->server->locks->next_ticket, 1) + 1;
    if (!lock_request_begin(c, r, &wait)) {
        reply_error(c, "DEADLOCK whoever holds a lock that is asked for waits for this session");
    } else if (ticket) {
        reply_array(c, 2);
        reply_cstr(c, "QUEUED");
        reply_int(c, (int64_t)ticket);
    }
}

/*
 * LOCK.ACQUIRE name [name ...] [SHARED] [PERMITS n OF max] [LEASE ms] [WAIT ms | QUEUE] [OWNER id]
 * [DETACHED] [REENTRANT] [GUARD] [DATA text]
 */
void cmd_lock_acquire(struct call *c)
{
    struct acquire a = {.taker = {.client = c->conn->id}};
    struct spot quick[NAMES_QUICK], *spots = quick;
    int busy;

    if (!read_acquire(c, &a))
        return;
    a.taker.session = lock_session_of(c->conn);
    if (a.names > NAMES_QUICK)
        spots = mem_alloc((size_t)a.names * sizeof(*spots));
    if (look(c, &a, spots, &busy)) {
        if (!busy)
            take(c, &a, spots);
        else if (a.queues || (a.waits && !(c->conn->flags & CONN_MULTI)))
            wait_for_locks(c, &a);
        else
            refuse(c, &a, spots[busy - 1].latch, busy);
    }
    if (spots != quick)
        mem_free(spots);
}

/* ---- LOCK.RELEASE ---------------------------------------------------------------------------- */

enum commit { COMMIT_NOTHING, COMMIT_SET, COMMIT_DEL };

struct release {
    uint64_t token;
    enum commit commit;
    struct expiry_args expiry;
};

static bool read_release(struct call *c, struct release *r)
{
    if (!lock_token_arg(c, &r->token))
        return false;
    if (c->argc == 3)
        return true;
    if (call_arg_is(c, 3, "DEL") && c->argc == 4) {
        r->commit = COMMIT_DEL;
        return true;
    }
    if (!call_arg_is(c, 3, "SET") || c->argc < 5)
        return call_syntax_error(c);
    r->commit = COMMIT_SET;
    for (int i = 5; i < c->argc; i++) {
        if (!expiry_args_read(c, &i, EXPIRY_WORD_KEEPTTL, &r->expiry))
            return call_syntax_error(c);
    }
    return true;
}

/* What is done with the key of the lock's name, in the step in which the lock is given back. */
static void commit(struct call *c, const struct release *r, int64_t expiry)
{
    if (r->commit == COMMIT_SET) {
        string_set_for_a_time(c, 1, 4, &r->expiry, expiry, call_peek(c, 1));
    } else if (r->commit == COMMIT_DEL && call_delete(c, 1)) {
        call_removed(c, 1, EVENT_DEL);
        CALL_LOG(c, SLICE("DEL"), call_arg(c, 1));
    }
}

/* Nobody holds it with this token. */
static void refuse_token(struct call *c, const struct latch *l, uint64_t token)
{
    if (l) {
        LIST_EACH (h, &l->holders, struct holder, in_latch) {
            if (h->token > token) {
                reply_error(c, "FENCED the lock has been given to another since, with token %llu",
                            (unsigned long long)h->token);
                return;
            }
        }
    }
    reply_error(c, "NOTHELD the lock is not held with that token");
}

/* LOCK.RELEASE name token [SET value [EX s | PX ms | EXAT s | PXAT ms | KEEPTTL] | DEL] */
void cmd_lock_release(struct call *c)
{
    struct release r = {0};
    struct holder *h;
    struct latch *l;
    int64_t expiry;

    if (!read_release(c, &r) || !expiry_args_time(c, &r.expiry, &expiry))
        return;
    l = lock_latch(c, 1);
    h = latch_holder(l, r.token);
    if (!h) {
        refuse_token(c, l, r.token);
        return;
    }
    commit(c, &r, expiry);
    reply_int(c, lock_give_up(c->worker, h, LOCK_RELEASED));
}

/* ---- LOCK.CHECK, LOCK.RENEW ------------------------------------------------------------------ */

/* LOCK.CHECK name token */
void cmd_lock_check(struct call *c)
{
    uint64_t token;

    if (lock_token_arg(c, &token))
        reply_int(c, lock_is_held(c->worker, call_arg(c, 1), call_hash(c, 1), token));
}

/* LOCK.RENEW name token LEASE ms */
static void renew_one(struct call *c)
{
    struct shard *shard = lock_shard(c, 1);
    struct holder *h;
    uint64_t token;
    int64_t us;

    if (!call_arg_is(c, 3, "LEASE")) {
        call_syntax_error(c);
        return;
    }
    if (!lock_token_arg(c, &token) || !lock_lease_arg(c, 4, &us))
        return;
    h = latch_holder(lock_latch(c, 1), token);
    if (h) {
        lock_lease_renew(c->worker, h, us);
        reply_int(c, 1);
    } else if (token <= shard->seq) {
        reply_error(c, "LOCKLOST the lock is no longer held with that token");
    } else {
        reply_error(c, "NOTHELD the lock was never held with that token");
    }
}

/* LOCK.RENEW * LEASE ms */
static void renew_all(struct call *c)
{
    struct lock_session *s = lock_session_find(c->conn);
    int64_t us;

    if (!call_arg_is(c, 1, "*") || !call_arg_is(c, 2, "LEASE"))
        call_syntax_error(c);
    else if (lock_lease_arg(c, 3, &us))
        reply_int(c, s ? (int64_t)lock_leases_renew(c->worker, s, us) : 0);
    if (server_gate(c->server, GATE_LOGGED))
        durability_depend(c, journal_seq(c->server->journal));
}

/* LOCK.RENEW name token LEASE ms | LOCK.RENEW * LEASE ms */
void cmd_lock_renew(struct call *c)
{
    if (c->argc == 5)
        renew_one(c);
    else if (c->argc == 4)
        renew_all(c);
    else
        call_syntax_error(c);
}
