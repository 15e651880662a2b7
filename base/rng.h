/*
 * Random numbers, one generator a thread: xoshiro256** (Blackman and Vigna), seeded by the kernel.
 */
#ifndef LK_BASE_RNG_H
#define LK_BASE_RNG_H

#include <stdint.h>

uint64_t rng_next(void);

/* Even over [0, bound), bound > 0 (Lemire's multiplication; its bias is below 2^-32 here). */
static inline uint64_t rng_below(uint64_t bound)
{
    return (uint64_t)(((__uint128_t)rng_next() * bound) >> 64);
}

/* Makes this thread's sequence repeatable. */
void rng_seed(uint64_t seed);
/* `len` lower-case hexadecimal digits from the kernel, and a NUL. */
void rng_hex_id(char *out, int len);
/* Eight bytes from the kernel. */
uint64_t rng_entropy(void);

#endif
