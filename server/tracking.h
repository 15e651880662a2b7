/*
 * CLIENT TRACKING: the server remembers what a connection reads and tells it when that changes, so
 * that its client may cache it.
 *
 *     tracking.c       this interface: what a connection asks for, reads and is told
 *     tracker.h        a connection that caches
 *     tracked_keys.h   which keys were read by whom
 *     broadcast.h      prefixes of which all changes are told
 *     outlet.h         the way of notices to connections on whatever worker
 *
 * A connection that has to do with it has CONN_GATE_TRACKING; for all others nothing here is run,
 * but for one look at the shard, and at whether there are prefixes, by whoever changes a key.
 */
#ifndef LK_SERVER_TRACKING_H
#define LK_SERVER_TRACKING_H

#include "server/broadcast.h"
#include "server/call.h"

struct tracking {
    _Atomic uint64_t clients; /* connections that track */
    _Atomic uint64_t gone;    /* trackers that are closed but still stand somewhere */
    CACHE_ALIGNED _Atomic int64_t keys, items; /* tracked keys, and who has read them in sum */
    struct prefixes prefixes;
    struct outlet_desk desks[]; /* by worker */
};

struct tracking *tracking_new(int workers);
/* All workers have ended. */
void tracking_free(struct tracking *t, struct keyspace *ks);

/* ---- the connection ------------------------------------------------------------------------- */

/* Turns it on with these flags, or changes it; `to`, if any, is told instead. World stopped. */
void tracking_on(struct conn *c, uint32_t flags, struct conn *to);
/* Also told of changes to keys with this prefix; TRACKER_BROADCAST is on. World stopped. */
void tracking_add_prefix(struct conn *c, struct slice prefix);
/* CLIENT CACHING: whatever the mode makes of it, for the next command. It is on. */
void tracking_caching(struct conn *c);
/* Turns it off. */
void tracking_off(struct conn *c);
/* The connection is being closed. */
void tracking_drop(struct conn *c);
/* It will be: nobody's notices go there any more. World stopped. */
void tracking_killed(struct conn *c);

/* enum tracker_flags; 0 while it is off. */
uint32_t tracking_flags(const struct conn *c);
/* The connection that is told instead: 0 for none, -1 while it is off. */
int64_t tracking_redirect(const struct conn *c);
size_t tracking_memory(const struct conn *c);

/* ---- for the dispatcher; the connection has CONN_GATE_TRACKING ------------------------------ */

/* Writes what the connection is to be told before the reply of this call. */
void tracking_catch_up(struct call *c);
/* Remembers what the call has read. Its keys are locked. */
void tracking_remember(struct call *c);
/* Whether the call, which begins to wait, will show its client what that may cache. */
bool tracking_reads(const struct call *c);
/*
 * The connection waited in this way, and its reply, which shows this version of the key, is
 * written: remembers that; if the key has changed since, and that may have been told before the
 * reply, tells it again. Nothing is locked.
 */
void tracking_remember_waited(struct conn *c, int db, struct slice key, uint64_t hash,
                              uint64_t version);
/* The command has ended, or was refused. Nothing is locked. */
void tracking_after(struct call *c);

/* ---- for effects.c and the worker ----------------------------------------------------------- */

/*
 * The key has changed; by a command of the connection in hand, if there is one, or of a client that
 * waited and is served by it, or `unasked`, by its time or for memory. Locked: its shard.
 */
void tracking_changed(struct worker *w, struct shard *shard, struct slice key, bool unasked);
static inline bool tracking_cares(const struct server *s, const struct shard *shard)
{
    return (shard->tracked != NULL) | atomic_load_explicit(&s->broadcasts, memory_order_relaxed);
}
/* Databases were emptied: tells all but this connection, or NULL. World stopped. */
void tracking_flushed(struct worker *w, const struct conn *but);
/* Tells this one, by its own worker. */
void tracking_tell_flushed(struct conn *c);
/* Before replies are sent: what was changed is told. */
static inline void tracking_before_replies(struct worker *w, const struct conn *c)
{
    if (UNLIKELY(w->changed_len))
        broadcast_send(w, c ? c->id : 0);
}
/* The same for the connection itself: what it is to be told goes before a reply that waited. */
static inline void tracking_before_reply(struct conn *c)
{
    if (UNLIKELY(c->gates & CONN_GATE_TRACKING))
        outlet_deliver(c);
}
/* Now and then. */
void tracking_tick(struct worker *w);

#endif
