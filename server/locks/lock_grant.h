/*
 * Giving locks to those who ask and to those who wait, and taking them back.
 *
 * Whoever frees a latch, or leaves its queue, notes it: lock_note(). When the command is over, and
 * while its shards are still locked, lock_serve() gives each of the latches to the first who waits,
 * as far as it goes; so nobody who comes later can be sooner. Only who is first in the queues of
 * all latches that he wants is served: else he keeps his place in all of them, and those behind him
 * theirs.
 *
 * Who is served may want latches in shards that are not locked. They are locked by
 * key_locks_extend(), which may have to let all go; then everything is looked at anew. A latch that
 * is noted is pinned meanwhile.
 */
#ifndef LK_SERVER_LOCKS_LOCK_GRANT_H
#define LK_SERVER_LOCKS_LOCK_GRANT_H

#include "server/key_locks.h"
#include "server/locks/latch.h"
#include "server/locks/lock_session.h"

/* Who gets locks, on which terms. */
struct lock_taker {
    struct lock_terms terms;
    struct lock_session *session; /* whose they will be, unless the terms say detached */
    uint64_t client;
    struct slice owner, data;
};

/*
 * A holder of the latch, which admits it, with a token of its own; told to subscribers. Linked into
 * `fresh` unless detached, for lock_session_give(). Locked: the shard; LOCK_WAITS if contended.
 */
struct holder *lock_give(struct worker *w, struct latch *l, const struct lock_taker *taker,
                         struct list *fresh);
/* The holder of this taker, who asks again; NULL if there is none. */
struct holder *lock_find_own(const struct latch *l, const struct lock_taker *taker);

/* It has it once more, for this long (0: for as long as before). Locked: the shard. */
void lock_take_again(struct worker *w, struct holder *h, int64_t lease_us);

/* Why a lock is free again, and what else is told of it. */
enum lock_event {
    LOCK_ACQUIRED,
    LOCK_RELEASED,
    LOCK_EXPIRED,
    LOCK_BROKEN,
    LOCK_LOST, /* the connection or session has ended */
    LOCK_EXPIRING,
};

/* The holder has it no longer, and is freed. Locked: the shard. The latch may be freed, too. */
void lock_take_back(struct worker *w, struct holder *h, enum lock_event why);
/* The same from outside, if it is still held; and the next are served. No shard is locked. */
void lock_give_back(struct worker *w, uint64_t hash, uint64_t token, enum lock_event why);
/* Once less: true if that was the last time, and it is taken back. Locked: the shard. */
bool lock_give_up(struct worker *w, struct holder *h, enum lock_event why);

/* Whether somebody has the lock with this token. Locked: the shard. */
bool lock_is_held(struct worker *w, struct slice name, uint64_t hash, uint64_t token);

/* Whoever waits for it may have his turn. Locked: the shard. */
void lock_note(struct worker *w, struct latch *l);
/* As serving_run(), of which it is a part. */
void lock_serve(struct worker *w, struct key_locks *held);

/* Locks these shards, unless the world is stopped, in which case the result is NULL. */
struct key_locks *lock_shards(struct worker *w, struct key_locks *locks);
/* Serves, and lets go. */
void unlock_shards(struct worker *w, struct key_locks *locks);

#endif
