/*
 * The world lock: a reader lock spread over the threads that serve, and the moment when memory that
 * was read without a lock may be freed. There is one world a process, as there is one heap.
 *
 * A thread that serves enters before it touches connections or the keyspace and leaves before it
 * sleeps; entering writes only a line of the thread's own. Who needs everybody out stops the world:
 * raises the flag, waits until every slot is empty, and works alone until it resumes.
 *
 * Retired memory: a pointer that was taken out of a structure which others may be reading without a
 * lock (only to prefetch what it leads to) is freed when every thread that was inside then has
 * left.
 */
#ifndef LK_BASE_WORLD_H
#define LK_BASE_WORLD_H

#include "base/compiler.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { WORLD_THREADS_MAX = 64 };

struct world_slot {
    CACHE_ALIGNED _Atomic uint64_t epoch; /* 0: outside; else the epoch in which it entered */
    bool stopping;                        /* this thread has stopped the world */
    _Atomic bool taken;                   /* it is some thread's */
};

/* Before any thread enters. */
void world_init(void);
/*
 * Gives the calling thread a slot, until it quits; it is outside then, and waits until nobody reads
 * what it has retired.
 */
void world_join(void);
void world_quit(void);

void world_enter_slow(struct world_slot *slot);

extern _Thread_local struct world_slot *world_self;
extern _Atomic uint64_t world_epoch;
extern _Atomic uint32_t world_stopped;

static inline void world_enter(void)
{
    struct world_slot *slot = world_self;

    atomic_store(&slot->epoch, atomic_load_explicit(&world_epoch, memory_order_relaxed));
    if (UNLIKELY(atomic_load(&world_stopped)))
        world_enter_slow(slot);
}

static inline void world_leave(void)
{
    atomic_store_explicit(&world_self->epoch, 0, memory_order_release);
}

/*
 * The caller is inside and holds no lock. It steps outside while it waits, so another stop may
 * happen before its own: what it knew of shared state is to be looked up anew.
 */
void world_stop(void);
/* The caller is inside again, alone until the others have noticed. */
void world_resume(void);
/* Whether the calling thread has stopped the world. */
static inline bool world_is_mine(void)
{
    return world_self && world_self->stopping;
}

/* Frees `ptr` (of mem_alloc and kin) once nobody can be reading it. The caller is inside. */
void world_retire(void *ptr);
/* Frees what can be by now; called now and then by each thread. */
void world_reclaim(void);

#endif
