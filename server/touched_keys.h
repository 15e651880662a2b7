/*
 * All keys that a request touches, in whatever database, for who must know before it runs: that a
 * lock guards one (guarding.h), or that one is not in memory (backend/fetching.h). The shards of
 * its keys are locked, or the world is stopped.
 */
#ifndef LK_SERVER_TOUCHED_KEYS_H
#define LK_SERVER_TOUCHED_KEYS_H

#include "server/call.h"

struct transaction;

/*
 * Key i of the call in a database; a key that is brought from one to another comes twice. `flags`
 * are those of its position (enum key_flags).
 */
typedef void touched_fn(struct call *c, int i, int db, int flags, void *opaque);

void touched_keys(struct call *c, touched_fn *visit, void *opaque);
/* Those of the queue that EXEC is about to run; c is the call of each of its commands in turn. */
void touched_keys_exec(const struct call *c, const struct transaction *t, touched_fn *visit,
                       void *opaque);

#endif
