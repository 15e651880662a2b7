/*
 * What of locks outlives the server: those that are bound to no connection, which is what DETACHED
 * and named sessions are for. It stands in the log of changes, in lines that are no requests
 * (storage/log/records.h), and in snapshots, which are lines, too:
 *
 *     lock NAME TOKEN COUNT UNTIL LEASE WORDS PERMITS OF DB SINCE SESSION GRACE OWNER DATA
 *                            somebody has it; instead of what he had with this token before
 *     lease NAME TOKEN UNTIL LEASE
 *     count NAME TOKEN COUNT
 *     free NAME TOKEN
 *     shut NAME UNTIL        nobody gets it before; 0: it is open
 *     grace SESSION MS
 *     upto N                 no token above has been given
 *
 * Times are milliseconds, UNTIL by the calendar and -1 for never; LEASE is how long it was when it
 * began, so that a clock that was set back does not make more of it. WORDS: `s`hared, `g`uard, `-`.
 *
 * What is told where a command is recorded belongs to that, so that LOCK.RELEASE … SET is there as
 * a whole or not at all. All functions but for the last do nothing unless changes are logged.
 * Locked: the shard.
 */
#ifndef LK_SERVER_LOCKS_LOCK_LOG_H
#define LK_SERVER_LOCKS_LOCK_LOG_H

#include "server/locks/latch.h"
#include "storage/log/records.h"

struct lock_session;
struct server;
struct worker;

/* Whether it outlives its connection. */
bool lock_is_lasting(const struct holder *h);

void lock_log_holder(struct worker *w, const struct holder *h);
void lock_log_lease(struct worker *w, const struct holder *h);
void lock_log_count(struct worker *w, const struct holder *h);
void lock_log_free(struct worker *w, const struct holder *h);
/* For so long from now on. */
void lock_log_shut(struct worker *w, const struct latch *l, int64_t us);
/* The number of the group, 0 for none. With no shard locked. */
uint64_t lock_log_grace(struct worker *w, const struct lock_session *s);

/* All that there is, as lines. The world is stopped. */
void lock_log_all(struct server *s, struct records *out);

#endif
