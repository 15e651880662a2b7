/*
 * Locks as they come back from the log or a snapshot (lock_log.h), before anybody is served. Nobody
 * is told, and nothing ends meanwhile; what is over by then ends when the workers run.
 *
 * A session that comes back has no connection: its grace begins anew. Who acquired a lock is not
 * known any more: the numbers of clients begin anew, too.
 */
#ifndef LK_SERVER_LOCKS_LOCK_RESTORE_H
#define LK_SERVER_LOCKS_LOCK_RESTORE_H

#include "server/server.h"

/* A line, `argv[0]` of which is its word. False if it is none of locks, or makes no sense. */
bool lock_restore(struct server *s, const struct slice *argv, int argc);
bool lock_restores(struct slice word);

/*
 * All of it is there: sessions without a grace end, and with it what they have. The workers that
 * run, or will, see to the rest. The world is stopped, or nothing runs yet.
 */
void lock_restored(struct server *s);

#endif
