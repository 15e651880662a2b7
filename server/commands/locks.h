/* What the commands of locks share. */
#ifndef LK_SERVER_COMMANDS_LOCKS_H
#define LK_SERVER_COMMANDS_LOCKS_H

#include "server/locks/lock_session.h"
#include "server/reply.h"

/* The shard of argument i, in which what has reached its time has ended. */
struct shard *lock_shard(struct call *c, int i);
/* The latch that argument i names, NULL if there is none. */
struct latch *lock_latch(struct call *c, int i);
/* The holder with the token that argument 2 is; false if that is none, which is answered. */
bool lock_token_arg(struct call *c, uint64_t *token);
/* A span of at least a millisecond. */
bool lock_lease_arg(struct call *c, int i, int64_t *us);

#endif
