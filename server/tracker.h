/*
 * A tracker: a connection whose client caches what it reads, and is to be told of changes. It
 * stands in the shards' tables of keys that were read (tracked_keys.h) or in the lists of prefixes
 * (broadcast.h); each such place refers to it, so that it outlives its connection until all of
 * them are cleared.
 *
 * A connection has at most one, from its first CLIENT TRACKING until it is closed: what is
 * remembered for it stays when tracking is turned off and on again.
 */
#ifndef LK_SERVER_TRACKER_H
#define LK_SERVER_TRACKER_H

#include "server/outlet.h"

struct prefix;
struct tracking;

enum tracker_flags {
    TRACKER_ON = 1 << 0,
    TRACKER_BROADCAST = 1 << 1, /* told of all changes to keys with certain prefixes */
    TRACKER_OPTIN = 1 << 2,     /* keys are remembered only behind CLIENT CACHING YES … */
    TRACKER_OPTOUT = 1 << 3,    /* … or unless behind CLIENT CACHING NO */
    TRACKER_CACHING = 1 << 4,   /* that was the command before */
    TRACKER_NOLOOP = 1 << 5,    /* not told of what its own connection changes */
    TRACKER_BROKEN = 1 << 6,    /* the connection that is told instead is gone */
    TRACKER_GONE = 1 << 7,      /* the connection is closed */
};

struct tracker {
    _Atomic uint32_t refs;  /* the connection, and all places where it stands */
    _Atomic uint32_t flags; /* of enum tracker_flags; any worker reads them */
    uint64_t id;            /* of the connection */
    struct tracking *home;
    struct outlet *own; /* of the connection */
    struct outlet *to;  /* who is told instead, or NULL; changed with the world stopped */
    uint64_t to_id;
    struct prefix **prefixes; /* by name; the connection's worker's own */
    size_t prefixes_len;
};

/* The connection's tracker, NULL if it has none; made if it has none. */
struct tracker *tracker_find(const struct conn *c);
struct tracker *tracker_of(struct conn *c);
void tracker_hold(struct tracker *t);
void tracker_drop(struct tracker *t);

/* Any worker. */
static inline uint32_t tracker_flags(const struct tracker *t)
{
    return atomic_load_explicit(&t->flags, memory_order_relaxed);
}

/* Any worker, which passes itself; locks of shards may be held. */
void tracker_tell(struct tracker *t, struct worker *by, enum notice_kind kind, struct slice body);

/* ---- sets of trackers ------------------------------------------------------------------------ */

/* Each member is referred to. All zero is the empty set; one member needs no further memory. */
struct tracker_set {
    uint32_t len, cap; /* cap 0: `one`, if any, else `many`, by address */
    union {
        struct tracker *one;
        struct tracker **many;
    };
};

/* True if it was not in it. */
bool tracker_set_add(struct tracker_set *set, struct tracker *t);
/* True if it was in it. */
bool tracker_set_remove(struct tracker_set *set, struct tracker *t);
void tracker_set_release(struct tracker_set *set);
static inline struct tracker *const *tracker_set_all(const struct tracker_set *set)
{
    return set->cap ? set->many : &set->one;
}

#endif
