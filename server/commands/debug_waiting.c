/* DEBUG WAITING: the queues of clients that wait for keys. */
#include "server/commands/debug.h"
#include "server/reply.h"
#include "server/waited.h"

static int64_t count_waiters(const struct server *s)
{
    int64_t n = 0;

    for (int i = 0; i < s->workers_len; i++) {
        LIST_EACH (waiter, &s->workers[i].waiters, struct waiter, link)
            n++;
    }
    return n;
}

/* DEBUG WAITING */
void debug_waiting(struct call *c)
{
    struct waited_sums sums = {0};
    struct stats stats;

    waited_check(&c->server->keyspace, &sums);
    server_sum_stats(c->server, &stats);
    reply_map(c, 4);
    reply_cstr(c, "waiters");
    reply_int(c, count_waiters(c->server));
    reply_cstr(c, "keys");
    reply_int(c, (int64_t)sums.keys);
    reply_cstr(c, "places");
    reply_int(c, (int64_t)sums.hooks);
    reply_cstr(c, "tried");
    reply_int(c, (int64_t)stats.waiters_tried);
}
