/*
 * GUARD: while such a lock is held, commands of other sessions wait that touch the key of its name
 * in the database in which it was acquired.
 *
 * Who is about to run a command looks at `guards` of the shards of its keys, which are locked; only
 * if that is not 0 it asks for each key. A command that must wait stands in the queues of the
 * guarded names like everybody, in its turn, with terms that are `passing`: it is given the names
 * when nobody guards them, holds them while it runs, so that nobody comes between, and gives them
 * back with lock_pass_over().
 */
#ifndef LK_SERVER_LOCKS_LOCK_GUARD_H
#define LK_SERVER_LOCKS_LOCK_GUARD_H

#include "server/locks/lock_request.h"

/* Whether the connection has to wait before it touches the key. Locked: the shard. */
bool lock_guards(struct worker *w, const struct conn *c, int db, struct slice key, uint64_t hash);

/* Whether any session guards it. Locked: the shard. */
bool lock_guarded(const struct shard *shard, int db, struct slice key, uint64_t hash);

/*
 * A request for arguments 1 to n of the call, all of which are guarded, for a command that `reads`
 * and does no more. It begins with lock_request_begin(); the wait's `ended` is the caller's, which
 * asks lock_request_got() whether the command may run now.
 */
struct lock_request *lock_pass_new(struct call *c, int n, bool reads);
/* The command that was granted has run. Serves; no shard is locked. Frees the request. */
void lock_pass_over(struct worker *w, struct lock_request *r);
/* The same with its shards locked, by who serves before he unlocks them. */
void lock_pass_over_locked(struct worker *w, struct lock_request *r);

#endif
