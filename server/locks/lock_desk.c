/* What the server has of locks, see lock_desk.h. */
#include "server/locks/lock_desk.h"

#include "base/mem.h"
#include "server/locks/latch.h"
#include "server/locks/lock_leases.h"
#include "server/locks/lock_session.h"

struct locks *locks_new(int workers)
{
    struct locks *locks =
        mem_zalloc_lines(sizeof(*locks) + (size_t)workers * sizeof(locks->desks[0]));

    lock_init(&locks->waits, RANK_LOCK_WAITS, 0);
    lock_init(&locks->sessions_lock, RANK_SESSIONS, 0);
    for (int i = 0; i < SHARDS; i++)
        atomic_init(&locks->due[i], DEADLINE_NEVER);
    for (int i = 0; i < workers; i++) {
        list_init(&locks->desks[i].graces);
        list_init(&locks->desks[i].endings);
    }
    return locks;
}

static void free_session(void *item, void *opaque)
{
    (void)opaque;
    mem_free(item);
}

void locks_free(struct server *s)
{
    for (int i = 0; i < SHARDS; i++)
        latches_free(&s->keyspace.shards[i]);
    table_each(&s->locks->sessions, free_session, NULL);
    table_release(&s->locks->sessions);
    mem_free(s->locks);
}

void locks_begin(struct worker *w)
{
    lock_leases_begin(w);
}

void locks_end(struct worker *w)
{
    struct lock_desk *desk = lock_desk(w);

    lock_sessions_forget(w);
    event_del(&desk->timer);
    mem_free(desk->ready);
    mem_free(desk->over);
}
