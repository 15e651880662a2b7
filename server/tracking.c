/* What connections ask for, read and are told; see tracking.h. */
#include "server/tracking.h"

#include "base/mem.h"
#include "server/key_locks.h"
#include "server/tracked_keys.h"

struct tracking *tracking_new(int workers)
{
    struct tracking *t =
        mem_zalloc_lines(sizeof(*t) + (size_t)workers * sizeof(struct outlet_desk));

    prefixes_init(&t->prefixes);
    for (int i = 0; i < workers; i++)
        outlet_desk_init(&t->desks[i]);
    return t;
}

void tracking_free(struct tracking *t, struct keyspace *ks)
{
    if (!t)
        return;
    tracked_keys_release(ks);
    prefixes_release(&t->prefixes);
    mem_free(t);
}

/* ---- the connection ------------------------------------------------------------------------- */

uint32_t tracking_flags(const struct conn *c)
{
    const struct tracker *t = tracker_find(c);
    uint32_t flags = t ? tracker_flags(t) : 0;

    return flags & TRACKER_ON ? flags : 0;
}

int64_t tracking_redirect(const struct conn *c)
{
    if (!tracking_flags(c))
        return -1;
    return tracker_find(c)->to ? (int64_t)tracker_find(c)->to_id : 0;
}

size_t tracking_memory(const struct conn *c)
{
    const struct tracker *t = tracker_find(c);

    return outlet_memory(c) + (t ? mem_size_of(t) + mem_size_of(t->prefixes) : 0);
}

static void redirect(struct tracker *t, struct conn *to)
{
    if (t->to)
        outlet_drop(t->to);
    t->to = to ? outlet_of(to) : NULL;
    t->to_id = to ? to->id : 0;
    if (!to)
        return;
    outlet_hold(t->to);
    to->gates |= CONN_GATE_TRACKING;
}

void tracking_on(struct conn *c, uint32_t flags, struct conn *to)
{
    struct tracker *t = tracker_of(c);
    uint32_t caching = tracker_flags(t) & TRACKER_CACHING;

    if (!(tracker_flags(t) & TRACKER_ON))
        atomic_fetch_add_explicit(&t->home->clients, 1, memory_order_relaxed);
    atomic_store_explicit(&t->flags, TRACKER_ON | flags | caching, memory_order_relaxed);
    redirect(t, to);
}

void tracking_add_prefix(struct conn *c, struct slice prefix)
{
    broadcast_join(c->worker->server, tracker_of(c), prefix);
}

void tracking_caching(struct conn *c)
{
    atomic_fetch_or_explicit(&tracker_find(c)->flags, TRACKER_CACHING, memory_order_relaxed);
}

void tracking_off(struct conn *c)
{
    struct tracker *t = tracker_find(c);

    if (!t || !(tracker_flags(t) & TRACKER_ON))
        return;
    broadcast_leave(c->worker->server, t);
    atomic_fetch_sub_explicit(&t->home->clients, 1, memory_order_relaxed);
    atomic_store_explicit(&t->flags, 0, memory_order_relaxed);
}

void tracking_drop(struct conn *c)
{
    struct tracker *t = tracker_find(c);

    tracking_off(c);
    outlet_close(c);
    if (t) {
        atomic_fetch_or_explicit(&t->flags, TRACKER_GONE, memory_order_relaxed);
        atomic_fetch_add_explicit(&t->home->gone, 1, memory_order_relaxed);
        tracker_drop(t);
        c->extra->tracker = NULL;
    }
    if (c->extra && c->extra->outlet) {
        outlet_drop(c->extra->outlet);
        c->extra->outlet = NULL;
    }
}

void tracking_killed(struct conn *c)
{
    outlet_close(c);
}

/* ---- commands of such a connection ---------------------------------------------------------- */

void tracking_catch_up(struct call *c)
{
    outlet_catch_up(c->conn);
    c->reply_start = c->out.buf->len;
}

/* Whether what this connection reads is to be remembered. */
static bool remembers(const struct conn *c)
{
    uint32_t flags = tracking_flags(c);

    if (!flags || flags & TRACKER_BROADCAST)
        return false;
    if (flags & TRACKER_CACHING)
        return !(flags & TRACKER_OPTOUT);
    return !(flags & TRACKER_OPTIN);
}

static bool is_read(const struct command *cmd)
{
    return cmd->flags & CMD_READONLY && !(cmd->flags & CMD_PUBSUB);
}

static void remember_key(struct call *c, int i)
{
    tracked_keys_add(&c->server->keyspace, call_arg(c, i), call_hash(c, i), tracker_find(c->conn));
}

static void remember_keys(struct call *c)
{
    struct key_position quick[KEY_POSITIONS_QUICK], *keys;
    int n = key_positions(c, quick, &keys);

    for (int i = 0; i < n; i++)
        remember_key(c, keys[i].index);
    if (keys != quick)
        mem_free(keys);
}

void tracking_remember(struct call *c)
{
    if (!is_read(c->cmd) || !remembers(c->conn))
        return;
    if (LIKELY(c->cmd->one_key))
        remember_key(c, c->cmd->first_key);
    else
        remember_keys(c);
}

bool tracking_reads(const struct call *c)
{
    return is_read(c->cmd) && (remembers(c->conn) || tracking_flags(c->conn) & TRACKER_BROADCAST);
}

static void tell_changed(struct conn *c, struct slice key)
{
    struct buf *notice = &c->worker->notice;
    struct writer writer = {.buf = notice};

    notice->len = 0;
    write_array(&writer, 1);
    write_bulk(&writer, key);
    tracker_tell(tracker_find(c), c->worker, NOTICE_KEYS, buf_slice(notice));
}

void tracking_remember_waited(struct conn *c, int db, struct slice key, uint64_t hash,
                              uint64_t version)
{
    struct keyspace *ks = &c->worker->server->keyspace;
    struct shard *shard = &ks->shards[shard_of(hash)];
    const struct space *space = keyspace_space(ks, db, shard_of(hash));

    lock_take(&shard->lock);
    if (space_version(space, space_find(space, hash, key).entry) != version)
        tell_changed(c, key);
    else if (!(tracking_flags(c) & TRACKER_BROADCAST))
        tracked_keys_add(ks, key, hash, tracker_find(c));
    lock_release(&shard->lock);
}

/* CLIENT CACHING holds for the next command, or transaction, that is no CLIENT itself. */
static void end_caching(const struct call *c)
{
    struct tracker *t = tracker_find(c->conn);
    bool is_client = c->cmd && c->cmd->parent && strcmp(c->cmd->parent, "client") == 0;

    if (LIKELY(!t || !(tracker_flags(t) & TRACKER_CACHING)) || c->conn->flags & CONN_MULTI ||
        is_client)
        return;
    atomic_fetch_and_explicit(&t->flags, ~(uint32_t)TRACKER_CACHING, memory_order_relaxed);
}

void tracking_after(struct call *c)
{
    end_caching(c);
    tracked_keys_limit(c->worker);
}

/* ---- changes -------------------------------------------------------------------------------- */

void tracking_changed(struct worker *w, struct shard *shard, struct slice key, bool unasked)
{
    bool own = w->current && !unasked && !w->serving;

    if (shard->tracked)
        tracked_keys_changed(w, shard, key, own ? w->current->id : w->serving);
    if (atomic_load_explicit(&w->server->broadcasts, memory_order_relaxed))
        broadcast_note(w, key, own);
}

static void tell_flushed(struct worker *by, const struct conn *c)
{
    if (tracking_flags(c))
        tracker_tell(tracker_find(c), by, NOTICE_ALL, SLICE(""));
}

void tracking_tell_flushed(struct conn *c)
{
    tell_flushed(c->worker, c);
}

void tracking_flushed(struct worker *w, const struct conn *but)
{
    struct server *s = w->server;
    bool any = atomic_load_explicit(&s->tracking->clients, memory_order_relaxed);

    for (int i = 0; any && i < s->workers_len; i++) {
        LIST_EACH (c, &s->workers[i].conns, struct conn, link) {
            if (c != but)
                tell_flushed(w, c);
        }
    }
    tracked_keys_forget(s);
}

void tracking_tick(struct worker *w)
{
    tracked_keys_limit(w);
    tracked_keys_sweep(w);
}
