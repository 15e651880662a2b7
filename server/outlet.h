/*
 * Outlets: how a connection is told that keys which its client caches have changed.
 *
 * Whoever changes a key puts a notice into the outlet, under the lock of the key's shard; the
 * connection's worker takes it out and writes it between two replies. It does so at the end of each
 * round, and before each command of the connection itself, when the shards of that command's keys
 * are locked. So a reply never shows, or implies, a change whose notice is still to come; and the
 * notice of a change comes behind every reply that shows what was before.
 *
 * An outlet outlives its connection as long as somebody refers to it.
 */
#ifndef LK_SERVER_OUTLET_H
#define LK_SERVER_OUTLET_H

#include "base/buf.h"
#include "base/inbox.h"
#include "base/list.h"

struct conn;
struct worker;
struct outlet;

/* The outlets of one worker's connections that have notices. Any worker puts something in. */
struct outlet_desk {
    CACHE_ALIGNED struct lock lock; /* full, waking; and what each of the outlets holds */
    struct list full;
    bool waking;               /* `wake` is in the inbox */
    struct inbox_message wake; /* has the worker begin a round, at whose end it delivers */
    _Atomic size_t cost;       /* bytes in the outlets */
};

enum notice_kind {
    NOTICE_KEYS,   /* these keys, an array in RESP, have changed */
    NOTICE_ALL,    /* all keys have */
    NOTICE_LOCK,   /* a push in RESP3, of a lock of the client's; nothing in RESP2 */
    NOTICE_BROKEN, /* another connection, whose id this is in RESP, cannot be told any more */
};

struct notice {
    enum notice_kind kind;
    bool redirected; /* from another connection, on whose behalf it is */
    struct slice body;
};

void outlet_desk_init(struct outlet_desk *desk);

/*
 * The connection's outlet, made if it has none. Its own worker, or the world is stopped. Who wants
 * what comes to be written before the connection's next reply gives it CONN_GATE_TRACKING; else
 * that is done when the round ends.
 */
struct outlet *outlet_of(struct conn *c);
void outlet_hold(struct outlet *o);
void outlet_drop(struct outlet *o);
/* The connection gets no more notices. Its own worker, or the world is stopped. */
void outlet_close(struct conn *c);
size_t outlet_memory(const struct conn *c);

/* From the calling worker; false if the connection is gone. Locks of shards may be held. */
bool outlet_put(struct outlet *o, struct worker *by, const struct notice *n);

/* Writes what has come for the connection in hand; only appends to the worker's replies. */
void outlet_catch_up(struct conn *c);
/* The same for one that is not in hand. */
void outlet_deliver(struct conn *c);
/*
 * Gives the calling worker's connections what has come for them; every round ends with it. No locks
 * are held.
 */
void outlets_deliver(struct worker *w);
/* As pubsub_congested(). */
bool outlets_congested(struct worker *w);

#endif
