/* DEBUG LOCKS: whether the locks of clients fit together, and how many there are. */
#include "server/commands/debug.h"
#include "server/locks/lock_check.h"
#include "server/locks/lock_describe.h"
#include "server/reply.h"

/* DEBUG LOCKS */
void debug_locks(struct call *c)
{
    struct lock_sums sums = locks_sum(c->server);

    locks_check(c->server);
    reply_map(c, 3);
    reply_cstr(c, "locks");
    reply_int(c, (int64_t)sums.latches);
    reply_cstr(c, "holders");
    reply_int(c, (int64_t)sums.holders);
    reply_cstr(c, "waiters");
    reply_int(c, (int64_t)sums.waiters);
}
