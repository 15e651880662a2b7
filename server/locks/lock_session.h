/*
 * Sessions: who holds locks. Each connection that acquires one has a session of its own, which ends
 * with it; or has attached itself to a named one, which outlives it for a time of grace.
 *
 * A session holds its locks for whichever thread gives them to it: what it holds is locked by the
 * session's own lock, below those of shards. A session that has closed is given nothing more.
 * Sessions are retired (base/world.h), so whoever got hold of one in a round may look at it until
 * the round ends.
 */
#ifndef LK_SERVER_LOCKS_LOCK_SESSION_H
#define LK_SERVER_LOCKS_LOCK_SESSION_H

#include "server/locks/latch.h"
#include "server/server.h"

struct conn;
struct outlet;
struct worker;

struct lock_session {
    _Atomic uint32_t refs; /* itself until it is closed, connections, timers */
    struct lock lock;
    /* Its lock: */
    bool closed;
    _Atomic uint64_t
        client;            /* the connection that it has; 0: it is in its grace. Any thread reads */
    struct worker *worker; /* of that connection */
    struct outlet *outlet; /* by which that is told; NULL if it speaks RESP2 */
    struct list holders;   /* of struct holder */
    _Atomic uint64_t held; /* how many; any thread reads */
    char *address;         /* of the connection */
    /* LOCK_WAITS: */
    struct list requests; /* that wait, of struct lock_request */
    /* SESSIONS, of a named one: */
    _Atomic int64_t grace_ms; /* read by any thread */
    uint64_t attached;        /* how often a connection came or went */
    uint64_t hash;
    struct server *server;
    uint32_t name_len; /* 0: of one connection */
    char name[];
};

static inline struct slice lock_session_name(const struct lock_session *s)
{
    return slice_make(s->name, s->name_len);
}

/* The connection's session, NULL if it has none; its own worker calls, as for all that follow. */
struct lock_session *lock_session_find(const struct conn *c);
/* The same, but makes one of its own. */
struct lock_session *lock_session_of(struct conn *c);

/*
 * Gives it holders that are linked by `in_session`, unless it is closed or no longer that of the
 * client (0: whichever). Locks of shards may be held.
 */
bool lock_session_give(struct lock_session *s, uint64_t client, struct list *fresh);
/* The holder is no longer the session's; harmless if it was not given to it. */
void lock_session_drop(struct holder *h);

/*
 * LOCK.SESSION: the connection leaves the session that it has, and takes over that of this name,
 * made if there is none. False if it holds or waits for locks without a name. `logged`: the number
 * of the group that tells of it, 0 for none.
 */
bool lock_session_attach(struct conn *c, struct slice name, int64_t grace_ms, uint64_t *logged);
/* The connection is closed or reset. */
void lock_session_leave(struct conn *c);

/* What it holds, as pairs of hash and token; the caller frees the array. */
struct lock_ref {
    uint64_t hash, token;
};
struct lock_ref *lock_session_refs(struct lock_session *s, size_t *n);

/*
 * The session of this name, which has no connection, and is made if there is none and it is given a
 * holder (NULL: none). While the server starts.
 */
void lock_session_restore(struct server *server, struct slice name, int64_t grace_ms,
                          struct holder *h);
/* The grace of those that were restored, and are this worker's, begins. In its thread, a round. */
void lock_sessions_restored(struct worker *w);

/* The worker has ended. */
void lock_sessions_forget(struct worker *w);

/* How many named ones there are. */
uint64_t lock_sessions_named(struct server *s);

#endif
