/*
 * What a snapshot that is being made takes from everybody else: memory until it is written, and the
 * time for which it keeps a shard to itself. The longest of each is told in INFO, so that a promise
 * can be held against it which no other load on the machine disturbs: they are processor time, and
 * bytes.
 */
#ifndef LK_STORAGE_TOLL_H
#define LK_STORAGE_TOLL_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <time.h>

struct toll {
    /* Bytes that are kept for the snapshot by who has changed something, and not written yet. */
    _Atomic uint64_t unwritten, unwritten_most;
    _Atomic uint64_t limit;     /* of those: above, writers pause between their rounds */
    _Atomic uint64_t moment_ns; /* for which the world was stopped, to begin it */
    /* Of its thread, while it had a shard's lock. */
    _Atomic uint64_t hold_ns, hold_bytes;
    /* Of who was about to change something and saved it first. */
    _Atomic uint64_t first_ns, first_bytes;
    _Atomic bool clocked; /* they look at the clock, which costs as much as what they do */
};

static inline uint64_t toll_clock_ns(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts);
    return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

static inline void toll_most(_Atomic uint64_t *most, uint64_t n)
{
    uint64_t is = atomic_load_explicit(most, memory_order_relaxed);

    while (n > is && !atomic_compare_exchange_weak(most, &is, n))
        ;
}

static inline void toll_keep(struct toll *t, uint64_t bytes)
{
    toll_most(&t->unwritten_most,
              atomic_fetch_add_explicit(&t->unwritten, bytes, memory_order_relaxed) + bytes);
}

static inline void toll_drop(struct toll *t, uint64_t bytes)
{
    atomic_fetch_sub_explicit(&t->unwritten, bytes, memory_order_relaxed);
}

/* For who saves something first: the time at the beginning, 0 if nobody wants to know. */
static inline uint64_t toll_begin(const struct toll *t)
{
    return atomic_load_explicit(&t->clocked, memory_order_relaxed) ? toll_clock_ns() : 0;
}

static inline void toll_end(struct toll *t, uint64_t began_ns, uint64_t bytes)
{
    if (began_ns)
        toll_most(&t->first_ns, toll_clock_ns() - began_ns);
    toll_most(&t->first_bytes, bytes);
}

/* A new snapshot begins, which may keep about so many bytes. */
static inline void toll_reset(struct toll *t, uint64_t limit)
{
    atomic_store(&t->limit, limit);
    atomic_store(&t->unwritten_most, 0);
    atomic_store(&t->moment_ns, 0);
    atomic_store(&t->hold_ns, 0);
    atomic_store(&t->hold_bytes, 0);
    atomic_store(&t->first_ns, 0);
    atomic_store(&t->first_bytes, 0);
}

#endif
