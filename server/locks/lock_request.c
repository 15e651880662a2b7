/* Requests that wait, see lock_request.h. */
#include "server/locks/lock_request.h"

#include "base/mem.h"
#include "server/locks/deadlock.h"
#include "server/locks/lock_desk.h"
#include "server/locks/lock_leases.h"
#include "server/locks/lock_notice.h"
#include "server/waiter.h"

static struct shard *shard_at(const struct worker *w, uint64_t hash)
{
    return &w->server->keyspace.shards[shard_of(hash)];
}

static struct lock_taker taker_of(const struct lock_request *r)
{
    return (struct lock_taker){
        .terms = r->terms,
        .session = r->session,
        .client = r->client,
        .owner = lock_request_owner(r),
        .data = lock_request_data(r),
    };
}

/* ---- beginning ------------------------------------------------------------------------------- */

static void name_place(struct lock_request *r, int i, struct latch *l)
{
    r->places[i] = (struct lock_place){.request = r, .latch = l, .hash = l->hash};
    list_init(&r->places[i].link);
}

struct lock_request *lock_request_new(struct call *c, const struct lock_taker *taker,
                                      const int *args, int n)
{
    size_t head = sizeof(struct lock_request) + (size_t)n * sizeof(struct lock_place);
    struct lock_request *r = mem_alloc(head + taker->owner.len + taker->data.len);

    *r = (struct lock_request){
        .terms = taker->terms,
        .client = taker->client,
        .since_ms = c->now_ms,
        .session = taker->session,
        .owner_len = (uint32_t)taker->owner.len,
        .data_len = (uint32_t)taker->data.len,
        .text = (char *)r + head,
        .places_len = n,
    };
    bytes_copy(r->text, taker->owner.ptr, taker->owner.len);
    bytes_copy(r->text + taker->owner.len, taker->data.ptr, taker->data.len);
    list_init(&r->in_session);
    for (int i = 0; i < n; i++) {
        int arg = args ? args[i] : i + 1;
        struct shard *shard = shard_at(c->worker, call_hash(c, arg));
        struct latch *l = latch_make(shard, call_arg(c, arg), call_hash(c, arg));

        name_place(r, i, l);
        r->places[i].own = taker->terms.reentrant && lock_find_own(l, taker);
    }
    return r;
}

/*
 * Before which link it stands: mostly the queue's head, which is behind all. Requests stand in the
 * same order in all queues, so that no two wait for each other.
 */
static struct list *before(struct latch *l, uint64_t number)
{
    struct list *link = &l->queue;

    while (link->prev != &l->queue &&
           CONTAINER_OF(link->prev, struct lock_place, link)->request->number > number)
        link = link->prev;
    return link;
}

static void hang_locked(struct worker *w, struct lock_place *p)
{
    struct latch *l = p->latch;

    if (!latch_in_use(l) && !p->request->terms.passing)
        l->permits = p->request->terms.of;
    list_push(before(l, p->request->number), &p->link);
    shard_at(w, p->hash)->locks->waiters++;
}

static void unhang_locked(struct worker *w, struct lock_place *p)
{
    if (list_empty(&p->link))
        return;
    list_remove(&p->link);
    shard_at(w, p->hash)->locks->waiters--;
}

static void unhang_all_locked(struct worker *w, struct lock_request *r)
{
    for (int i = 0; i < r->places_len; i++)
        unhang_locked(w, &r->places[i]);
    list_remove(&r->in_session);
    r->hangs = false;
}

/* Latches that it alone had to do with go, others may have become somebody's turn. */
static void left(struct worker *w, const struct lock_request *r)
{
    for (int i = 0; i < r->places_len; i++) {
        struct latch *l = r->places[i].latch;

        l->pins--;
        if (latch_contended(l))
            lock_note(w, l);
        else
            latch_drop_unused(shard_at(w, l->hash), l);
    }
}

bool lock_request_begin(struct call *c, struct lock_request *r, const struct wait *wait)
{
    struct worker *w = c->worker;
    struct locks *locks = w->server->locks;
    bool cycle;

    lock_take(&locks->waits);
    r->number = ++locks->begun;
    for (int i = 0; i < r->places_len; i++) {
        r->places[i].latch->pins++;
        if (!r->places[i].own)
            hang_locked(w, &r->places[i]);
    }
    list_push(&r->session->requests, &r->in_session);
    r->hangs = true;
    /* Nobody waits for one who holds nothing and has just come. */
    cycle =
        atomic_load_explicit(&r->session->held, memory_order_relaxed) && deadlock_closes(locks, r);
    if (cycle) {
        unhang_all_locked(w, r);
    } else if (!r->ticket) {
        wait_begin(c, wait);
        r->waiter = c->conn->waiter;
    }
    lock_release(&locks->waits);
    if (!cycle)
        return true;
    w->stats.lock_deadlocks++;
    left(w, r);
    mem_free(r);
    return false;
}

/* ---- its turn -------------------------------------------------------------------------------- */

bool lock_request_over(const struct lock_request *r)
{
    return r->waiter && (waiter_is_claimed(r->waiter) || waiter_peer_is_gone(r->waiter));
}

/* What it had when it began it may have given back since: then it takes its place there too. */
static bool has_own(struct worker *w, struct lock_place *p)
{
    struct lock_taker taker = taker_of(p->request);
    struct locks *locks = w->server->locks;

    if (lock_find_own(p->latch, &taker))
        return true;
    p->own = false;
    lock_take(&locks->waits);
    hang_locked(w, p);
    lock_release(&locks->waits);
    return false;
}

bool lock_request_ready(struct worker *w, struct lock_request *r)
{
    bool ready = true;

    for (int i = 0; i < r->places_len; i++) {
        struct lock_place *p = &r->places[i];

        if (p->own && has_own(w, p))
            continue;
        if (lock_queue_first(p->latch) != r || !latch_admits(p->latch, &r->terms))
            ready = false;
    }
    return ready;
}

static void give_place(struct worker *w, struct lock_place *p, const struct lock_taker *taker,
                       struct list *fresh)
{
    struct holder *own = p->own ? lock_find_own(p->latch, taker) : NULL;

    if (own) {
        lock_take_again(w, own, taker->terms.lease_us);
    } else {
        own = lock_give(w, p->latch, taker, fresh);
    }
    p->token = own->token;
}

/* The session has closed, or has another connection: what was given is taken back. */
static void undo(struct worker *w, struct list *fresh)
{
    while (!list_empty(fresh)) {
        struct holder *h = CONTAINER_OF(fresh->next, struct holder, in_session);

        list_remove(&h->in_session);
        lock_take_back(w, h, LOCK_LOST);
    }
}

void lock_write_tokens(struct writer *out, const struct lock_request *r)
{
    if (r->places_len > 1)
        write_array(out, r->places_len);
    for (int i = 0; i < r->places_len; i++)
        write_int(out, (int64_t)r->places[i].token);
}

static const char session_lost[] = "LOCKLOST the session has ended or has another connection";
static const char circle_closed[] =
    "DEADLOCK whoever holds a lock that is asked for waits for this session";

/* What the log has to have before the tokens are told; of locks that outlive the connection. */
static uint64_t logged_of(struct worker *w, const struct lock_request *r)
{
    uint64_t seq = 0;

    if (r->terms.passing || !server_gate(w->server, GATE_LOGGED) ||
        !(r->terms.detached || (r->session && r->session->name_len)))
        return 0;
    for (int i = 0; i < r->places_len; i++) {
        uint64_t logged = shard_at(w, r->places[i].hash)->logged;

        seq = logged > seq ? logged : seq;
    }
    return seq;
}

/*
 * A command that waits, and of which the caller has made sure that it is his to answer: with its
 * tokens, or this error.
 */
static void answer(struct worker *w, struct lock_request *r, const char *error)
{
    struct waiter *waiter = r->waiter;
    struct writer out = {.buf = &waiter->reply, .resp3 = waiter->resp3};

    if (error)
        write_error(&out, "%s", error);
    else if (!r->terms.passing)
        lock_write_tokens(&out, r);
    waiter->answered = error || !r->terms.passing; /* else it is run yet */
    waiter->seq = error ? 0 : logged_of(w, r);
    waiter_hand_over(waiter, w);
}

/*
 * A ticket is served while a command of its session waits: those who wait for what it gets now wait
 * for that command.
 */
static void refuse_circles_locked(struct worker *w, struct lock_session *s)
{
    LIST_EACH_SAFE (r, &s->requests, struct lock_request, in_session) {
        if (!r->waiter || !deadlock_closes(w->server->locks, r))
            continue;
        list_remove(&r->in_session);
        r->session = NULL;
        w->stats.lock_deadlocks++;
        if (waiter_claim(r->waiter))
            answer(w, r, circle_closed);
    }
}

/* True if it has them. */
static bool give(struct worker *w, struct lock_request *r)
{
    struct locks *locks = w->server->locks;
    struct lock_taker taker;
    struct list fresh;
    bool given;

    list_init(&fresh);
    lock_take(&locks->waits);
    taker = taker_of(r);
    given = taker.session != NULL;
    unhang_all_locked(w, r);
    for (int i = 0; given && i < r->places_len; i++)
        give_place(w, &r->places[i], &taker, &fresh);
    if (given && !taker.terms.detached && !r->waiter)
        refuse_circles_locked(w, taker.session);
    lock_release(&locks->waits);
    if (given && !lock_session_give(taker.session, r->client, &fresh)) {
        undo(w, &fresh);
        given = false;
    }
    r->granted = given;
    return given;
}

void lock_request_grant(struct worker *w, struct lock_request *r)
{
    bool given;

    if (r->waiter && !waiter_claim(r->waiter)) {
        lock_request_unhang(w, r);
        return;
    }
    given = give(w, r);
    left(w, r);
    if (r->waiter) {
        answer(w, r, given ? NULL : session_lost);
        return;
    }
    if (given)
        lock_tell_granted(w, r);
    /* Else whoever has taken it out of its session frees it. */
    if (r->session)
        mem_free(r);
}

void lock_request_unhang(struct worker *w, struct lock_request *r)
{
    struct locks *locks = w->server->locks;

    if (!r->hangs)
        return;
    lock_take(&locks->waits);
    unhang_all_locked(w, r);
    lock_release(&locks->waits);
    left(w, r);
}

/* ---- ending ---------------------------------------------------------------------------------- */

/* Whether the reply cannot reach the client any more. */
static bool is_lost(const struct waiter *waiter)
{
    return !waiter->conn || waiter->conn->flags & CONN_DOOMED || waiter->conn->killed;
}

/* What it got goes back. The shards are locked. */
static void give_back(struct worker *w, const struct lock_request *r)
{
    for (int i = 0; i < r->places_len; i++) {
        const struct lock_place *p = &r->places[i];
        struct holder *h = latches_holder(shard_at(w, p->hash)->locks, p->hash, p->token);

        if (h && p->own)
            lock_give_up(w, h, LOCK_LOST);
        else if (h)
            lock_take_back(w, h, LOCK_LOST);
    }
}

bool lock_request_got(const struct lock_request *r, const struct waiter *waiter)
{
    return r->granted && !is_lost(waiter);
}

void lock_wait_ended(struct waiter *waiter)
{
    struct lock_request *r = waiter->wait.subject;
    struct worker *w = waiter->worker;
    struct key_locks locks = {0}, *held;

    if (!lock_request_got(r, waiter)) {
        for (int i = 0; i < r->places_len; i++)
            key_locks_add(&locks, r->places[i].hash);
        held = lock_shards(w, &locks);
        lock_request_unhang(w, r);
        if (r->granted)
            give_back(w, r);
        unlock_shards(w, held);
    }
    mem_free(r);
}

static void push_over(struct lock_desk *desk, struct lock_request *r)
{
    if (desk->over_len == desk->over_cap) {
        desk->over_cap = desk->over_cap ? desk->over_cap * 2 : 8;
        desk->over = mem_realloc(desk->over, desk->over_cap * sizeof(struct lock_request *));
    }
    desk->over[desk->over_len++] = r;
}

bool lock_request_cancel(struct worker *w, struct latch *l, const struct lock_session *s,
                         uint64_t ticket)
{
    struct locks *locks = w->server->locks;
    bool mine = false;

    LIST_EACH (p, &l->queue, struct lock_place, link) {
        struct lock_request *r = p->request;

        if (r->waiter || r->ticket != ticket)
            continue;
        lock_take(&locks->waits);
        mine = s && r->session == s;
        if (mine) {
            list_remove(&r->in_session);
            r->session = NULL;
        }
        lock_release(&locks->waits);
        if (mine)
            push_over(lock_desk(w), r);
        break;
    }
    w->locks_due |= mine;
    return mine;
}

static void give_up_waiter(struct worker *w, struct lock_request *r)
{
    if (waiter_claim(r->waiter))
        answer(w, r, session_lost);
}

/* Tickets are left to the caller, in his desk. */
static void abandon_locked(struct worker *w, struct lock_session *s, uint64_t client)
{
    LIST_EACH_SAFE (r, &s->requests, struct lock_request, in_session) {
        if (client && r->client != client)
            continue;
        list_remove(&r->in_session);
        r->session = NULL;
        if (r->waiter)
            give_up_waiter(w, r);
        else
            push_over(lock_desk(w), r);
    }
}

void lock_requests_abandon(struct worker *w, struct lock_session *s, uint64_t client)
{
    struct lock_desk *desk = lock_desk(w);
    struct locks *locks = w->server->locks;

    lock_take(&locks->waits);
    abandon_locked(w, s, client);
    lock_release(&locks->waits);
    while (desk->over_len) {
        struct lock_request *r = desk->over[--desk->over_len];
        struct key_locks shards = {0}, *held;

        for (int i = 0; i < r->places_len; i++)
            key_locks_add(&shards, r->places[i].hash);
        held = lock_shards(w, &shards);
        lock_request_unhang(w, r);
        unlock_shards(w, held);
        mem_free(r);
    }
}

bool lock_requests_any(struct worker *w, struct lock_session *s)
{
    struct locks *locks = w->server->locks;
    bool any;

    lock_take(&locks->waits);
    any = !list_empty(&s->requests);
    lock_release(&locks->waits);
    return any;
}
