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

/*
 * A request for these arguments of the call, all of which are guarded. It begins with
 * lock_request_begin(); the wait's `ended` is the caller's, which finds in r->granted whether the
 * command may run now.
 */
struct lock_request *lock_pass_new(struct call *c, const int *args, int n);
/* The command that was granted has run. Serves; no shard is locked. Frees the request. */
void lock_pass_over(struct worker *w, struct lock_request *r);

#endif
