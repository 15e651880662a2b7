/* SHA-256, see sha256.h. */
#include "base/sha256.h"

#include <stdio.h>

enum { BLOCK = 64, LENGTH_AT = 56, WORDS = 8, STEPS = 64 };

/* The fractional parts of the cube roots of the first 64 primes. */
static const uint32_t constants[STEPS] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
};

static uint32_t rotated(uint32_t w, int by)
{
    return w >> by | w << (32 - by);
}

static uint32_t big_endian(const uint8_t *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

/* The message schedule of a block. */
static void expand(const uint8_t *block, uint32_t w[STEPS])
{
    for (int i = 0; i < 16; i++)
        w[i] = big_endian(block + (size_t)i * 4);
    for (int i = 16; i < STEPS; i++) {
        uint32_t a = w[i - 15], b = w[i - 2];

        w[i] = w[i - 16] + (rotated(a, 7) ^ rotated(a, 18) ^ a >> 3) + w[i - 7] +
               (rotated(b, 17) ^ rotated(b, 19) ^ b >> 10);
    }
}

static void digest_block(uint32_t h[WORDS], const uint8_t *block)
{
    uint32_t w[STEPS], v[WORDS];

    expand(block, w);
    memcpy(v, h, sizeof(v));
    for (int i = 0; i < STEPS; i++) {
        uint32_t a = v[0], e = v[4];
        uint32_t x = v[7] + (rotated(e, 6) ^ rotated(e, 11) ^ rotated(e, 25)) +
                     ((e & v[5]) ^ (~e & v[6])) + constants[i] + w[i];
        uint32_t y = (rotated(a, 2) ^ rotated(a, 13) ^ rotated(a, 22)) +
                     ((a & v[1]) ^ (a & v[2]) ^ (v[1] & v[2]));

        memmove(v + 1, v, sizeof(v) - sizeof(v[0]));
        v[4] += x;
        v[0] = x + y;
    }
    for (int i = 0; i < WORDS; i++)
        h[i] += v[i];
}

/* What is left behind whole blocks, one bit, zeros, and the length in bits: one block or two. */
static void digest_end(uint32_t h[WORDS], const uint8_t *rest, size_t len, uint64_t bits)
{
    uint8_t last[2 * BLOCK] = {0};
    size_t size = len < LENGTH_AT ? BLOCK : 2 * BLOCK;

    if (len)
        memcpy(last, rest, len);
    last[len] = 0x80;
    for (size_t i = 1; i <= sizeof(bits); i++, bits >>= 8)
        last[size - i] = (uint8_t)bits;
    for (size_t at = 0; at < size; at += BLOCK)
        digest_block(h, last + at);
}

void sha256_hex(struct slice s, char *out)
{
    uint32_t h[WORDS] = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                         0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
    const uint8_t *bytes = (const uint8_t *)s.ptr;
    size_t at = 0;

    for (; s.len - at >= BLOCK; at += BLOCK)
        digest_block(h, bytes + at);
    digest_end(h, bytes + at, s.len - at, (uint64_t)s.len * 8);
    for (int i = 0; i < WORDS; i++)
        snprintf(out + (size_t)i * 8, 9, "%08x", h[i]);
}
