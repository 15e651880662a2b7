/* Random numbers, see rng.h. */
#include "base/rng.h"

#include "base/compiler.h"

#include <stdbool.h>
#include <sys/random.h>

static _Thread_local uint64_t state[4];
static _Thread_local bool seeded;

uint64_t rng_entropy(void)
{
    uint64_t v;

    INVARIANT(getrandom(&v, sizeof(v), 0) == (ssize_t)sizeof(v));
    return v;
}

/* splitmix64, the seeding that the generator's authors advise. */
void rng_seed(uint64_t seed)
{
    for (int i = 0; i < 4; i++) {
        uint64_t z = (seed += 0x9e3779b97f4a7c15);

        z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
        z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
        state[i] = z ^ (z >> 31);
    }
    seeded = true;
}

static inline uint64_t rotl(uint64_t x, int k)
{
    return (x << k) | (x >> (64 - k));
}

uint64_t rng_next(void)
{
    uint64_t result, t;

    if (UNLIKELY(!seeded))
        rng_seed(rng_entropy());
    result = rotl(state[1] * 5, 7) * 9;
    t = state[1] << 17;
    state[2] ^= state[0];
    state[3] ^= state[1];
    state[1] ^= state[2];
    state[0] ^= state[3];
    state[2] ^= t;
    state[3] = rotl(state[3], 45);
    return result;
}

void rng_hex_id(char *out, int len)
{
    uint64_t bits = 0;

    for (int i = 0; i < len; i++) {
        if (i % 16 == 0)
            bits = rng_entropy();
        out[i] = "0123456789abcdef"[bits & 15];
        bits >>= 4;
    }
    out[len] = '\0';
}
