/*
 * A mutex of one word that costs two atomic operations when nobody else wants it, and sleeps in the
 * kernel when somebody does (Drepper, "Futexes Are Tricky", mutex 2). Every lock has a rank from
 * lock_ranks.def, and an order among its like; debug builds assert that both only grow. Only who
 * does not wait for it may try to take one out of order.
 */
#ifndef LK_BASE_LOCK_H
#define LK_BASE_LOCK_H

#include "base/compiler.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

enum lock_rank {
#define LOCK_RANK(name, what) RANK_##name,
#include "base/lock_ranks.def"
#undef LOCK_RANK
};

struct lock {
    _Atomic uint32_t word; /* 0 free, 1 held, 2 held and somebody may sleep */
    uint16_t rank, order;
};

void lock_sleep(struct lock *l);
bool lock_spin(struct lock *l);
void lock_wake(struct lock *l);
#ifdef LK_DEBUG
void lock_note_taken(struct lock *l);
void lock_note_tried(struct lock *l);
void lock_note_released(struct lock *l);
#else
static inline void lock_note_taken(struct lock *l)
{
    (void)l;
}
static inline void lock_note_tried(struct lock *l)
{
    (void)l;
}
static inline void lock_note_released(struct lock *l)
{
    (void)l;
}
#endif

/* `order` ranks locks of the same rank among themselves. */
static inline void lock_init(struct lock *l, enum lock_rank rank, uint16_t order)
{
    atomic_init(&l->word, 0);
    l->rank = (uint16_t)rank;
    l->order = order;
}

static inline void lock_take(struct lock *l)
{
    uint32_t free_word = 0;

    lock_note_taken(l);
    if (UNLIKELY(!atomic_compare_exchange_strong_explicit(
            &l->word, &free_word, 1, memory_order_acquire, memory_order_relaxed)))
        lock_sleep(l);
}

/* The same if it is free, or becomes so within a moment; the rank does not matter. */
static inline bool lock_try(struct lock *l)
{
    bool taken = lock_spin(l);

    if (taken)
        lock_note_tried(l);
    return taken;
}

static inline void lock_release(struct lock *l)
{
    lock_note_released(l);
    if (UNLIKELY(atomic_exchange_explicit(&l->word, 0, memory_order_release) == 2))
        lock_wake(l);
}

#endif
