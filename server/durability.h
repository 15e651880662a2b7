/*
 * Durability: which replies wait until the log of changes is on the disk. No worker waits for it,
 * and no connection whose replies show nothing that could still be lost.
 *
 * Each shard knows the number of the last group of the log that concerns it. A command that is to
 * be durable depends on the largest of those of the shards that it has locked, whether it changed
 * something or only looked. While many write, there is a group that is not on the disk yet in most
 * shards, so commands of one key go by less where most wait: the keys of a shard are told apart by
 * a part of their hash. What its connection is answered from then on is held until the log's
 * thread says that so much is on the disk; requests that come meanwhile wait.
 *
 * Whose commands are to be durable: with `appendfsync always` those of all connections, unless one
 * asks for less (CLIENT DURABILITY) or does so for one command (DURABLE); and otherwise of those
 * that ask for more.
 */
#ifndef LK_SERVER_DURABILITY_H
#define LK_SERVER_DURABILITY_H

#include "server/call.h"
#include "server/key_locks.h"

enum durability { DURABILITY_OF_SERVER, DURABILITY_NO, DURABILITY_EVERYSEC, DURABILITY_ALWAYS };

/* "always", "everysec", "no", and "default" if `any`. False, and answered, for another word. */
bool durability_read(struct call *c, int i, bool any, enum durability *out);
/* Where the command that DURABLE carries is. */
int durable_inner(const struct slice *argv, int argc);
const char *durability_name(enum durability d);
/* False, and answered, if there is no log that could be on the disk. */
bool durability_possible(struct call *c, enum durability d);
void durability_set(struct conn *c, enum durability d);

/* A group was logged: it concerns the shards in `held`, all of them if that is NULL. Locked. */
void durability_logged(struct server *s, const struct key_locks *held, uint64_t seq);
void durability_logged_in(struct server *s, unsigned shard, uint64_t seq);
/* Nothing in it concerns any other key than that of this hash. */
void durability_logged_key(struct server *s, uint64_t hash, uint64_t seq);
/* There is a log from now on. The world is stopped, or not there yet. */
void durability_begin(struct server *s);

/* The number that what is seen in these shards depends on. Locked. */
uint64_t durability_of(const struct server *s, const struct key_locks *held);

/*
 * The call has run, and what it is answered is held if it must be. Locked: `held`; NULL for all, or
 * for a command that looks at keys without holding them.
 */
void durability_note(struct call *c, const struct key_locks *held);
/* The same for a command of one key. */
void durability_note_one(struct call *c);
/* The reply shows what this group of the log tells, 0 for none, besides what it has locked. */
void durability_depend(struct call *c, uint64_t seq);
/* The same for EXEC, of whatever commands. */
void durability_note_exec(struct call *c, const struct key_locks *held);

/* Whether what the connection is answered from now on is to be held. */
static inline bool durability_waits(const struct conn *c)
{
    return UNLIKELY((c->await_seq | c->await_epoch) != 0);
}
/* Holds what is appended to its output from now on, unless it is on the disk by now. */
void durability_hold(struct conn *c);
/* A waiter of this worker is asked again when so much is on the disk (struct wait's `ready`). */
void durability_await(struct worker *w, uint64_t seq);
/* A client that waited has been served: its answer depends on these. Before it is appended. */
void durability_hold_served(struct conn *c, uint64_t seq, uint64_t epoch);

/* So much is on the disk: whoever waits for it goes on. Any thread. */
void durability_reached(struct server *s);

#endif
