/*
 * Leaving: a key that stands in the table as it is in memory needs no memory. It goes without a
 * word: nothing has happened to it, and when somebody asks for it, it comes back.
 */
#ifndef LK_SERVER_BACKEND_LEAVING_H
#define LK_SERVER_BACKEND_LEAVING_H

#include "server/backend/home.h"
#include "server/worker.h"

/* Whether keys of that database leave instead of being evicted. */
static inline bool leaving_applies(const struct server *s, int db)
{
    return s->home && db == 0;
}
/* Not while it is not written yet, and not if somebody relies on knowing it. Locked: its shard. */
bool leaving_may(const struct server *s, const struct entry *e, uint64_t hash);
/* It goes. Locked: its shard. */
void leaving_drop(struct worker *w, uint64_t hash, struct found f);
/*
 * So much is on its way into the table that memory has no room for more of it: what is dirty cannot
 * leave, and takes as much again while it is written.
 */
bool leaving_is_behind(const struct server *s);
/*
 * Memory is above its limit, and nothing can leave it: whether that will be different in a moment,
 * since what is dirty is being written.
 */
bool leaving_will_go_on(const struct server *s);

#endif
