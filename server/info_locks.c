/* INFO locks, see info.h. */
#include "server/info.h"
#include "server/locks/lock_describe.h"
#include "server/locks/lock_session.h"

void info_locks(struct info *i)
{
    struct lock_sums sums = locks_sum(i->server);
    const struct stats *st = &i->stats;

    info_int(i, "locks", (int64_t)sums.latches);
    info_int(i, "lock_holders", (int64_t)sums.holders);
    info_int(i, "lock_waiters", (int64_t)sums.waiters);
    info_int(i, "lock_sessions", (int64_t)lock_sessions_named(i->server));
    info_int(i, "total_locks_acquired", (int64_t)st->locks_acquired);
    info_int(i, "total_locks_released", (int64_t)st->locks_released);
    info_int(i, "total_locks_expired", (int64_t)st->locks_expired);
    info_int(i, "total_locks_broken", (int64_t)st->locks_broken);
    info_int(i, "total_locks_lost", (int64_t)st->locks_lost);
    info_int(i, "total_lock_deadlocks", (int64_t)st->lock_deadlocks);
}
