/*
 * CLIENT TRACKING BCAST: clients that are told of every change to a key with a certain prefix,
 * whether they have read it or not.
 *
 * A worker notes the keys that it changes, and tells of them before the next replies are sent:
 * once each, those of a prefix together, in the order of their names.
 */
#ifndef LK_SERVER_BROADCAST_H
#define LK_SERVER_BROADCAST_H

#include "server/tracker.h"
#include "storage/table.h"

struct server;

struct prefix_length {
    size_t len;
    uint32_t prefixes; /* how many are this long */
};

/* All prefixes that anybody asked for. */
struct prefixes {
    CACHE_ALIGNED struct lock lock; /* all of it, and who stands in each of them */
    struct table table;
    struct prefix_length *lengths; /* ascending */
    size_t lengths_len;
};

void prefixes_init(struct prefixes *p);
void prefixes_release(struct prefixes *p);
uint64_t prefixes_count(struct prefixes *p);
struct slice prefix_name(const struct prefix *p);

/*
 * The tracker stands in this prefix too from now on, or in none. By its own connection's worker;
 * with the world stopped if the server has no prefixes yet.
 */
void broadcast_join(struct server *s, struct tracker *t, struct slice prefix);
void broadcast_leave(struct server *s, struct tracker *t);

/*
 * The key has changed, by a command of the connection in hand if it is its `own` change. Locked:
 * its shard.
 */
void broadcast_note(struct worker *w, struct slice key, bool own);
/*
 * Tells of all that was noted. `by` is the id of the connection in hand, 0 if there is none. No
 * shard is locked.
 */
void broadcast_send(struct worker *w, uint64_t by);

#endif
