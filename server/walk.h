/*
 * Walking over all keys of a database, one shard's lock at a time, for commands that concern no key
 * in particular. Keys of which nothing is left by now are dropped on the way and not shown. The
 * visitor is called with the shard locked and must not change it.
 */
#ifndef LK_SERVER_WALK_H
#define LK_SERVER_WALK_H

#include "server/call.h"

typedef void walk_fn(struct call *c, const struct entry *e, void *opaque);

/* Each key that is there from beginning to end, once. */
void walk_all(struct call *c, walk_fn *visit, void *opaque);

/*
 * Goes on from a cursor, 0 at first, until `count` keys were visited or so, and returns the cursor
 * to go on from, 0 at the end. A key that is there from the first call to the last is visited at
 * least once, whatever else happens meanwhile. A cursor is a place in a shard's table, as
 * table_scan() means it, and in the low bits the shard.
 */
uint64_t walk_some(struct call *c, uint64_t cursor, uint64_t count, walk_fn *visit, void *opaque);

/* Calls `visit` with a key drawn at random; false if there is none. */
bool walk_random(struct call *c, walk_fn *visit, void *opaque);

#endif
