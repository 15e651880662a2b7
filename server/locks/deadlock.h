/*
 * Who waits for whom. A request waits for those who hold a latch that does not admit it, and for
 * the request before it in each queue. A holder is kept from giving back what he holds by what his
 * session waits for: a command that waits stops its connection, whatever owners it speaks for; a
 * ticket stops the owner that it names, and nobody if it names none.
 *
 * A cycle is found when it closes, by the wait that closes it; and since that is the one that has
 * begun last, it is the one that is refused.
 */
#ifndef LK_SERVER_LOCKS_DEADLOCK_H
#define LK_SERVER_LOCKS_DEADLOCK_H

#include "server/locks/lock_request.h"

struct locks;

/* Whether the request, which hangs in its queues, waits for itself. Locked: LOCK_WAITS. */
bool deadlock_closes(struct locks *locks, struct lock_request *r);

#endif
