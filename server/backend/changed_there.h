/*
 * Rows that other programs change. The database's order decides: what was changed here and is not
 * written yet comes later than what they did, so that nothing has to be done; a row of which memory
 * has a copy is fetched anew, and if it differs the key has changed: it gets a new version, and all
 * are told who would be if a client had done it.
 */
#ifndef LK_SERVER_BACKEND_CHANGED_THERE_H
#define LK_SERVER_BACKEND_CHANGED_THERE_H

#include "server/backend/lazy.h"
#include "server/call.h"

/* The row of this key was changed or deleted there. Locks. */
void changed_there(struct worker *w, struct slice key);
/* Any row may have been. */
void changed_there_anything(struct worker *w);

/*
 * The row that was fetched for it: `there` is what memory has, `e` what the table has, which is
 * taken over; NULL for none. Locked.
 */
void changed_there_settle(struct worker *w, struct shard *shard, struct sought *s,
                          struct found there, struct entry *e);

#endif
