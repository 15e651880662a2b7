/* Sessions, see lock_session.h. */
#include "server/locks/lock_session.h"

#include "base/mem.h"
#include "base/world.h"
#include "server/conn.h"
#include "server/locks/lock_desk.h"
#include "server/locks/lock_log.h"
#include "server/locks/lock_request.h"
#include "server/outlet.h"
#include "server/socket.h"

static struct lock_session *session_new(struct server *server, struct slice name)
{
    struct lock_session *s = mem_zalloc(sizeof(*s) + name.len);

    lock_init(&s->lock, RANK_SESSION, 0);
    list_init(&s->holders);
    list_init(&s->requests);
    s->refs = 1;
    s->server = server;
    s->name_len = (uint32_t)name.len;
    s->hash = hash_bytes(name);
    bytes_copy(s->name, name.ptr, name.len);
    return s;
}

static void session_hold(struct lock_session *s)
{
    atomic_fetch_add_explicit(&s->refs, 1, memory_order_relaxed);
}

static void session_drop(struct lock_session *s)
{
    if (atomic_fetch_sub_explicit(&s->refs, 1, memory_order_acq_rel) == 1)
        world_retire(s);
}

/* ---- the connection's side ------------------------------------------------------------------- */

struct lock_session *lock_session_find(const struct conn *c)
{
    struct lock_session *s = c->extra ? c->extra->lock_session : NULL;

    if (!s || atomic_load_explicit(&s->client, memory_order_relaxed) != c->id)
        return NULL;
    return s;
}

/* Its connection from now on; whoever it had is told nothing more. */
static void connect_locked(struct lock_session *s, struct conn *c)
{
    char address[SOCKET_NAME_MAX];

    conn_peer_name(c, address);
    mem_free(s->address);
    s->address = mem_strdup(address);
    s->worker = c->worker;
    atomic_store_explicit(&s->client, c->id, memory_order_relaxed);
    if (s->outlet)
        outlet_drop(s->outlet);
    s->outlet = outlet_of(c);
    outlet_hold(s->outlet);
}

static void disconnect_locked(struct lock_session *s)
{
    mem_free(s->address);
    s->address = NULL;
    outlet_drop(s->outlet);
    s->outlet = NULL;
    s->worker = NULL;
    atomic_store_explicit(&s->client, 0, memory_order_relaxed);
}

/* The connection points at the session from now on. */
static void point_at(struct conn *c, struct lock_session *s)
{
    struct lock_session *old = conn_extra(c)->lock_session;

    session_hold(s);
    c->extra->lock_session = s;
    if (old)
        session_drop(old);
}

struct lock_session *lock_session_of(struct conn *c)
{
    struct lock_session *s = lock_session_find(c);

    if (LIKELY(s))
        return s;
    s = session_new(c->worker->server, SLICE(""));
    lock_take(&s->lock);
    connect_locked(s, c);
    lock_release(&s->lock);
    point_at(c, s);
    return s;
}

/* ---- what it holds --------------------------------------------------------------------------- */

bool lock_session_give(struct lock_session *s, uint64_t client, struct list *fresh)
{
    uint64_t now;
    bool given;

    lock_take(&s->lock);
    now = atomic_load_explicit(&s->client, memory_order_relaxed);
    given = !s->closed && (!client || client == now);
    while (given && !list_empty(fresh)) {
        struct list *link = fresh->next;

        list_remove(link);
        list_push(&s->holders, link);
        atomic_fetch_add_explicit(&s->held, 1, memory_order_relaxed);
    }
    lock_release(&s->lock);
    return given;
}

void lock_session_drop(struct holder *h)
{
    struct lock_session *s = h->session;

    if (!s)
        return;
    lock_take(&s->lock);
    if (!list_empty(&h->in_session))
        atomic_fetch_sub_explicit(&s->held, 1, memory_order_relaxed);
    list_remove(&h->in_session);
    lock_release(&s->lock);
}

struct lock_ref *lock_session_refs(struct lock_session *s, size_t *n)
{
    struct lock_ref *refs;

    *n = 0;
    lock_take(&s->lock);
    refs = mem_alloc((atomic_load(&s->held) + 1) * sizeof(*refs));
    LIST_EACH (h, &s->holders, struct holder, in_session)
        refs[(*n)++] = (struct lock_ref){h->latch->hash, h->token};
    lock_release(&s->lock);
    return refs;
}

/* ---- the end --------------------------------------------------------------------------------- */

/* A session that is closed, and the locks that are still to be taken back from it. */
struct ending {
    struct list link; /* among those of its worker */
    struct lock_session *session;
    struct lock_ref *refs;
    size_t n;
    struct inbox_message message; /* the next turn */
};

static void free_ending(struct ending *e)
{
    list_remove(&e->link);
    session_drop(e->session);
    mem_free(e->refs);
    mem_free(e);
}

/* The worker serves others between two turns. */
static void take_some_back(struct inbox_message *m, void *owner)
{
    enum { LOCKS_A_TURN = 2000 };
    struct ending *e = CONTAINER_OF(m, struct ending, message);
    struct worker *w = owner;

    for (int i = 0; e->n && (i < LOCKS_A_TURN || w->server->locks->ending); i++) {
        e->n--;
        lock_give_back(w, e->refs[e->n].hash, e->refs[e->n].token, LOCK_LOST);
    }
    if (e->n)
        inbox_post(&w->inbox, &e->message);
    else
        free_ending(e);
}

/* It is given nothing more, and what it has goes to others. Nobody can attach to it any more. */
static void end(struct lock_session *s, struct worker *w)
{
    struct ending *e = mem_zalloc(sizeof(*e));

    lock_take(&s->lock);
    s->closed = true;
    lock_release(&s->lock);
    lock_requests_abandon(w, s, 0);
    e->session = s;
    e->message.run = take_some_back;
    e->refs = lock_session_refs(s, &e->n);
    list_push(&lock_desk(w)->endings, &e->link);
    take_some_back(&e->message, w);
}

/* ---- named sessions -------------------------------------------------------------------------- */

static uint64_t hash_of(const void *item)
{
    return ((const struct lock_session *)item)->hash;
}

static bool is_named(const void *item, struct slice name)
{
    return slice_eq(lock_session_name(item), name);
}

static struct lock_session *find_locked(const struct locks *locks, struct slice name,
                                        struct table_place *place)
{
    return table_find(&locks->sessions, hash_bytes(name), name, is_named, place);
}

/* Ends it unless a connection has come since. */
static void end_named(struct lock_session *s, struct worker *w, uint64_t attached)
{
    struct locks *locks = w->server->locks;
    struct table_place place;
    bool mine;

    lock_take(&locks->sessions_lock);
    mine = s->attached == attached && !s->closed;
    if (mine) {
        find_locked(locks, lock_session_name(s), &place);
        table_remove(&locks->sessions, place, s->hash, hash_of);
        lock_take(&s->lock);
        s->closed = true;
        lock_release(&s->lock);
    }
    lock_release(&locks->sessions_lock);
    if (mine)
        end(s, w);
}

struct grace {
    struct event timer;
    struct list link; /* among those of its worker */
    struct worker *worker;
    struct lock_session *session;
    uint64_t attached;
};

static void free_grace(struct grace *g)
{
    event_del(&g->timer);
    list_remove(&g->link);
    session_drop(g->session);
    mem_free(g);
}

static void on_grace(evutil_socket_t fd, short what, void *arg)
{
    struct grace *g = arg;
    struct worker *w = g->worker;

    (void)fd;
    (void)what;
    worker_round_begin(w);
    end_named(g->session, w, g->attached);
    free_grace(g);
    worker_round_end(w);
}

static void begin_grace(struct lock_session *s, struct worker *w, int64_t ms, uint64_t attached)
{
    struct grace *g = mem_zalloc(sizeof(*g));
    struct timeval tv = {.tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000};

    *g = (struct grace){.worker = w, .session = s, .attached = attached};
    session_hold(s);
    list_push(&lock_desk(w)->graces, &g->link);
    event_assign(&g->timer, w->base, -1, 0, on_grace, g);
    event_add(&g->timer, &tv);
}

/* ---- those that come back ------------------------------------------------------------------- */

void lock_session_restore(struct server *server, struct slice name, int64_t grace_ms,
                          struct holder *h)
{
    struct locks *locks = server->locks;
    struct table_place place;
    struct lock_session *s;

    lock_take(&locks->sessions_lock);
    s = find_locked(locks, name, &place);
    if (!s && h) {
        s = session_new(server, name);
        table_insert(&locks->sessions, s->hash, s, hash_of);
    }
    if (s)
        s->grace_ms = grace_ms;
    lock_release(&locks->sessions_lock);
    if (!h)
        return;
    lock_take(&s->lock);
    h->session = s;
    list_push(&s->holders, &h->in_session);
    atomic_fetch_add_explicit(&s->held, 1, memory_order_relaxed);
    lock_release(&s->lock);
}

/* None has had a connection yet; nobody can know of one that has nothing. */
static void begin_restored(void *item, void *opaque)
{
    struct lock_session *s = item;
    struct worker *w = opaque;
    int64_t ms = atomic_load(&s->held) ? s->grace_ms : 0;

    if (!s->attached && s->hash % (unsigned)w->server->workers_len == (unsigned)w->index)
        begin_grace(s, w, ms, 0);
}

void lock_sessions_restored(struct worker *w)
{
    struct locks *locks = w->server->locks;

    lock_take(&locks->sessions_lock);
    table_each(&locks->sessions, begin_restored, w);
    lock_release(&locks->sessions_lock);
}

void lock_sessions_forget(struct worker *w)
{
    struct list *graces = &lock_desk(w)->graces, *endings = &lock_desk(w)->endings;

    while (!list_empty(graces))
        free_grace(CONTAINER_OF(graces->next, struct grace, link));
    while (!list_empty(endings))
        free_ending(CONTAINER_OF(endings->next, struct ending, link));
}

/* Its connection has left it. */
static void leave_named(struct lock_session *s, struct worker *w, uint64_t client)
{
    struct locks *locks = w->server->locks;
    uint64_t attached;
    int64_t ms;
    bool mine;

    lock_take(&locks->sessions_lock);
    mine = atomic_load_explicit(&s->client, memory_order_relaxed) == client;
    if (mine) {
        lock_take(&s->lock);
        disconnect_locked(s);
        lock_release(&s->lock);
        s->attached++;
    }
    attached = s->attached;
    ms = s->grace_ms;
    lock_release(&locks->sessions_lock);
    if (!mine)
        return;
    lock_requests_abandon(w, s, client);
    if (atomic_load(&s->held) && ms && !locks->ending)
        begin_grace(s, w, ms, attached);
    else
        end_named(s, w, attached);
}

static void leave(struct lock_session *s, struct worker *w, uint64_t client)
{
    if (s->name_len) {
        leave_named(s, w, client);
        return;
    }
    lock_take(&s->lock);
    disconnect_locked(s);
    lock_release(&s->lock);
    end(s, w);
}

void lock_session_leave(struct conn *c)
{
    struct lock_session *s = c->extra ? c->extra->lock_session : NULL;

    if (!s)
        return;
    leave(s, c->worker, c->id);
    c->extra->lock_session = NULL;
    session_drop(s);
}

/*
 * Returns the connection that it had, 0 for none; and whether the locks that it has are in the log
 * with another grace.
 */
static uint64_t take_over(struct conn *c, struct slice name, int64_t grace_ms, bool *regraced)
{
    struct locks *locks = c->worker->server->locks;
    struct table_place place;
    struct lock_session *s;
    uint64_t before;

    lock_take(&locks->sessions_lock);
    s = find_locked(locks, name, &place);
    if (!s) {
        s = session_new(c->worker->server, name);
        table_insert(&locks->sessions, s->hash, s, hash_of);
    }
    *regraced = s->grace_ms != grace_ms && atomic_load(&s->held);
    s->grace_ms = grace_ms;
    s->attached++;
    lock_take(&s->lock);
    before = atomic_load_explicit(&s->client, memory_order_relaxed);
    connect_locked(s, c);
    lock_release(&s->lock);
    point_at(c, s);
    lock_release(&locks->sessions_lock);
    return before;
}

bool lock_session_attach(struct conn *c, struct slice name, int64_t grace_ms, uint64_t *logged)
{
    struct lock_session *s = lock_session_find(c);
    uint64_t before;
    bool regraced;

    *logged = 0;

    if (s && !s->name_len && (atomic_load(&s->held) || lock_requests_any(c->worker, s)))
        return false;
    if (!s || !slice_eq(lock_session_name(s), name))
        lock_session_leave(c);
    before = take_over(c, name, grace_ms, &regraced);
    if (regraced)
        *logged = lock_log_grace(c->worker, lock_session_find(c));
    if (before && before != c->id)
        lock_requests_abandon(c->worker, lock_session_find(c), before);
    return true;
}

uint64_t lock_sessions_named(struct server *s)
{
    uint64_t n;

    lock_take(&s->locks->sessions_lock);
    n = s->locks->sessions.count;
    lock_release(&s->locks->sessions_lock);
    return n;
}
