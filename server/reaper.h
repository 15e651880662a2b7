/*
 * The reaper: a thread that frees emptied databases and large collections, so that no worker stops
 * for it. It is started by the first of them, and touches nothing but what it was given.
 */
#ifndef LK_SERVER_REAPER_H
#define LK_SERVER_REAPER_H

#include "storage/keyspace.h"

struct reaper;

struct reaper *reaper_new(void);
/* Frees what was given first. */
void reaper_free(struct reaper *r);

/*
 * Takes ownership of what keyspace_detach() returned, which held this many keys. When it is freed
 * `done(arg)` runs on the reaper's thread; NULL for nothing. Any thread.
 */
void reaper_give(struct reaper *r, struct space *spaces, uint64_t keys, void (*done)(void *arg),
                 void *arg);

/* Takes ownership of an entry that is out of its table. Any thread. */
void reaper_give_entry(struct reaper *r, struct entry *e);

/* Runs fn(arg) on the reaper's thread; it frees what takes long. Any thread. */
void reaper_run(struct reaper *r, void (*fn)(void *arg), void *arg);

/* Keys that still are to be freed, and that were. Any thread. */
uint64_t reaper_pending(const struct reaper *r);
uint64_t reaper_freed(const struct reaper *r);
void reaper_reset_freed(struct reaper *r);

#endif
