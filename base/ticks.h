/*
 * The processor's own counter, for measuring spans of well under a microsecond: reading it costs a
 * third of a clock. The counter runs at a constant rate on every processor that Linux takes its
 * clock from.
 */
#ifndef LK_BASE_TICKS_H
#define LK_BASE_TICKS_H

#include "base/clock.h"

#if defined(__x86_64__)
static inline uint64_t ticks_now(void)
{
    return __builtin_ia32_rdtsc();
}
#elif defined(__aarch64__)
static inline uint64_t ticks_now(void)
{
    uint64_t v;

    __asm__ volatile("mrs %0, cntvct_el0" : "=r"(v));
    return v;
}
#else
static inline uint64_t ticks_now(void)
{
    return (uint64_t)clock_mono_ns();
}
#endif

/* Measures the counter's rate against the clock, over a few milliseconds; once, at the start. */
void ticks_init(void);

extern double ticks_ns_each;

static inline uint64_t ticks_to_ns(uint64_t ticks)
{
    return (uint64_t)((double)ticks * ticks_ns_each);
}

#endif
