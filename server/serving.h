/*
 * Serving those who wait, by whoever changes a key. A change notes the key if somebody waits for
 * what it has become, or for any change; when the command (or the whole transaction) is over, and
 * while its shards are still locked, each of these keys serves its waiters in their order of
 * arrival, as far as it goes. What that changes may serve others in turn: keys are gone through in
 * the order of their changes.
 */
#ifndef LK_SERVER_SERVING_H
#define LK_SERVER_SERVING_H

#include "server/key_locks.h"

/*
 * The key of this shard, in which somebody waits for something, was made or changed, or is gone (e
 * is NULL). Locked.
 */
void serving_note(struct worker *w, int db, struct shard *shard, const struct entry *e,
                  struct slice key);
/* Two databases have changed places, or one will be emptied; the world is stopped. */
void serving_note_swap(struct worker *w, int a, int b);
void serving_note_emptied(struct worker *w, int db);

/* Whether a change since the last time calls for it. */
static inline bool serving_due(const struct worker *w)
{
    return (w->ready_len != 0) | w->locks_due;
}
/*
 * Serves. What is `held` may grow, and may be let go and taken again: the command must be done with
 * its keys. NULL when the world is stopped.
 */
void serving_run(struct worker *w, struct key_locks *held);
/* Serves, if that is called for, and unlocks the one shard that is locked. */
void serving_unlock(struct worker *w, unsigned shard);

#endif
