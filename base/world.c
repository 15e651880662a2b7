/* The world lock and deferred freeing, see world.h. */
#include "base/world.h"

#include "base/lock.h"
#include "base/mem.h"

#include <sched.h>
#include <stdlib.h>

enum { SPINS_BEFORE_YIELD = 100 };

struct retired {
    void *ptr;
    uint64_t epoch;
};

struct limbo {
    struct retired *items;
    size_t len, cap;
};

static struct world_slot slots[WORLD_THREADS_MAX];
static _Atomic int slots_used;
static struct lock stop_lock; /* who may stop the world */

_Thread_local struct world_slot *world_self;
_Atomic uint64_t world_epoch = 1;
_Atomic uint32_t world_stopped;
static _Thread_local struct limbo limbo;

void world_init(void)
{
    lock_init(&stop_lock, RANK_WORLD, 0);
}

static int free_slot(void)
{
    int i = 0;

    while (i < WORLD_THREADS_MAX && atomic_exchange(&slots[i].taken, true))
        i++;
    INVARIANT(i < WORLD_THREADS_MAX);
    return i;
}

void world_join(void)
{
    int i = free_slot(), used = atomic_load(&slots_used);

    while (used < i + 1 && !atomic_compare_exchange_weak(&slots_used, &used, i + 1))
        ;
    world_self = &slots[i];
}

void world_quit(void)
{
    struct world_slot *self = world_self;

    atomic_store(&self->epoch, 0);
    for (world_reclaim(); limbo.len; world_reclaim())
        sched_yield();
    mem_free(limbo.items);
    limbo = (struct limbo){0};
    world_self = NULL;
    atomic_store(&self->taken, false);
    mem_flush();
}

/* The stopper holds stop_lock, so waiting for that lock is waiting for the world to go on. */
void world_enter_slow(struct world_slot *slot)
{
    do {
        atomic_store(&slot->epoch, 0);
        lock_take(&stop_lock);
        lock_release(&stop_lock);
        atomic_store(&slot->epoch, atomic_load(&world_epoch));
    } while (atomic_load(&world_stopped));
}

static void wait_until_empty(const struct world_slot *slot)
{
    for (int spins = 0; atomic_load(&slot->epoch) != 0; spins++) {
        if (spins >= SPINS_BEFORE_YIELD)
            sched_yield();
    }
}

void world_stop(void)
{
    struct world_slot *self = world_self;
    int n;

    INVARIANT(!self->stopping);
    atomic_store(&self->epoch, 0);
    lock_take(&stop_lock);
    atomic_store(&world_stopped, 1);
    n = atomic_load(&slots_used);
    for (int i = 0; i < n; i++) {
        if (&slots[i] != self)
            wait_until_empty(&slots[i]);
    }
    atomic_store(&self->epoch, atomic_load(&world_epoch));
    self->stopping = true;
}

void world_resume(void)
{
    INVARIANT(world_self->stopping);
    world_self->stopping = false;
    atomic_store(&world_stopped, 0);
    lock_release(&stop_lock);
}

void world_retire(void *ptr)
{
    if (!ptr)
        return;
    if (!world_self || world_self->stopping) {
        mem_free(ptr);
        return;
    }
    if (limbo.len == limbo.cap) {
        limbo.cap = limbo.cap ? limbo.cap * 2 : 16;
        limbo.items = mem_realloc(limbo.items, limbo.cap * sizeof(*limbo.items));
    }
    limbo.items[limbo.len++] = (struct retired){ptr, atomic_fetch_add(&world_epoch, 1)};
    if (limbo.len % 64 == 0)
        world_reclaim();
}

/* The oldest epoch in which somebody is still inside. */
static uint64_t oldest_inside(void)
{
    uint64_t oldest = UINT64_MAX;
    int n = atomic_load(&slots_used);

    for (int i = 0; i < n; i++) {
        uint64_t epoch = &slots[i] == world_self ? 0 : atomic_load(&slots[i].epoch);

        if (epoch && epoch < oldest)
            oldest = epoch;
    }
    return oldest;
}

void world_reclaim(void)
{
    uint64_t oldest;
    size_t n = 0;

    if (limbo.len == 0)
        return;
    oldest = oldest_inside();
    while (n < limbo.len && limbo.items[n].epoch < oldest)
        mem_free(limbo.items[n++].ptr);
    limbo.len -= n;
    for (size_t i = 0; n && i < limbo.len; i++)
        limbo.items[i] = limbo.items[i + n];
}
