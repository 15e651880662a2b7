/*
 * Keys that are not in memory (lazy.h). Who is about to run a command, with its shards locked, asks
 * here whether all of its keys are known. If not, the request has done nothing yet: it stays with
 * the connection as it was parsed, waits, and is run anew from the beginning when their rows have
 * come. However many wait for a key, its row is asked for once.
 *
 * Rows come from the reader (reader.h) to a worker, which puts them in: no event, no record of the
 * log, no other version than the table has. What was changed here meanwhile counts, and the row
 * does not; what may be older than a change is asked for anew.
 */
#ifndef LK_SERVER_BACKEND_FETCHING_H
#define LK_SERVER_BACKEND_FETCHING_H

#include "server/backend/lazy.h"
#include "server/call.h"

struct fetch;
struct transaction;

/*
 * True if the call must not run: it waits (c->stopped), or is answered with an error. Locked: the
 * shards of its keys.
 */
bool fetching_stops(struct call *c);
/* The same for EXEC, by all keys of its queue. */
bool fetching_stops_exec(struct call *c, const struct transaction *t);

/*
 * Keys that SORT's patterns name are not in memory, since a command before it in the transaction
 * has changed what they are: true, and answered with an error.
 */
bool fetching_lacks_named(struct call *c);

/* The request for whose keys the connection waited has been run, or waits for something else. */
void fetching_over(struct conn *c);

/* Whether memory can tell of the key. Locked: its shard. */
bool fetching_knows(const struct server *s, const struct shard *shard, struct slice key,
                    uint64_t hash);
/*
 * Asks for the row of a key, in memory or not, which others may have changed; what is different
 * then is a change, of which everybody is told (changed_there.h). Locked: its shard.
 */
void fetching_ask_again(struct server *s, struct shard *shard, struct slice key, uint64_t hash);
/* The same for a call, which is answered when that is done: BACKEND REFRESH key. */
void fetching_refresh(struct call *c, int i);

/* Puts in what came, with the version that it has, or a new one. The shard is locked. */
void fetching_put(struct worker *w, struct shard *shard, struct entry *e, uint64_t hash);

/* What the reader has found. Takes it over. */
void fetching_deliver(struct worker *w, struct fetch *found);

#endif
