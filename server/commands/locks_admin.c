/* LOCK.INFO, LOCK.LIST and LOCK.BREAK: what can be seen of locks, and done about them. */
#include "server/commands/locks.h"
#include "server/locks/lock_describe.h"
#include "server/locks/lock_grant.h"
#include "server/locks/lock_leases.h"

/* LOCK.INFO name */
void cmd_lock_info(struct call *c)
{
    lock_describe(c, call_arg(c, 1), lock_latch(c, 1));
}

/* LOCK.LIST [MATCH pattern] */
void cmd_lock_list(struct call *c)
{
    if (c->argc == 1)
        locks_describe(c, SLICE("*"));
    else if (c->argc == 3 && call_arg_is(c, 1, "MATCH"))
        locks_describe(c, call_arg(c, 2));
    else
        call_syntax_error(c);
}

/* The latch is pinned, so that it stays. */
static int64_t break_all(struct call *c, struct latch *l)
{
    int64_t n = 0;

    while (!list_empty(&l->holders)) {
        lock_take_back(c->worker, CONTAINER_OF(l->holders.next, struct holder, in_latch),
                       LOCK_BROKEN);
        n++;
    }
    return n;
}

/* LOCK.BREAK name [DELAY ms] */
void cmd_lock_break(struct call *c)
{
    struct shard *shard = lock_shard(c, 1);
    int64_t ms = 0;
    struct latch *l;

    if (c->argc != 2 && (c->argc != 4 || !call_arg_is(c, 2, "DELAY"))) {
        call_syntax_error(c);
        return;
    }
    if (c->argc == 4 &&
        !call_int_between(c, 3, 0, INT32_MAX, &ms, "ERR delay is not an integer or out of range"))
        return;
    l = latch_make(shard, call_arg(c, 1), call_hash(c, 1));
    l->pins++;
    latch_close_for(c->worker, l, ms * 1000);
    reply_int(c, break_all(c, l));
    l->pins--;
    latch_drop_unused(shard, l);
}
