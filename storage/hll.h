/*
 * HyperLogLog: about how many different elements there were (the standard error is 0.81 %), in at
 * most 12 KB. The value is a string, byte for byte as in Redis 7.0:
 *
 *     0      4          5        8             16
 *     +------+----------+--------+-------------+--------------
 *     | HYLL | encoding | unused | cardinality | registers …
 *     +------+----------+--------+-------------+--------------
 *
 * The cardinality is what the registers were last counted to be, its highest bit set when they have
 * changed since. An element's hash says which of 16384 registers it belongs to, and the value that
 * this one has at least: how many zero bits in a row the rest of the hash has, and one.
 *
 * Encoding 0, dense: six bits for each register, beginning at the lowest bit of the first byte.
 * Encoding 1, sparse: runs of registers with the same value:
 *
 *     00nnnnnn             n + 1 registers of 0, up to 64
 *     01nnnnnn nnnnnnnn    n + 1 registers of 0, up to 16384, the higher bits first
 *     1vvvvvnn             n + 1 registers of v + 1, up to 4 of 32
 *
 * Clients can set a string to any bytes. So these functions rely on nothing but hll_is_valid(),
 * and call corrupt what does not say 16384 registers when they get to see that.
 */
#ifndef LK_STORAGE_HLL_H
#define LK_STORAGE_HLL_H

#include "base/buf.h"

enum {
    HLL_REGISTERS = 1 << 14,
    HLL_REGISTER_BITS = 6,
    HLL_HEADER = 16,
    HLL_DENSE_LEN = HLL_HEADER + HLL_REGISTERS * HLL_REGISTER_BITS / 8,
};

/* All registers, apart from a value; what is sizeable is not given by value. */
struct hll_registers {
    uint8_t value[HLL_REGISTERS];
};

enum hll_result { HLL_CORRUPT = -1, HLL_SAME, HLL_CHANGED };

/* It has a header, and the length that this announces. */
bool hll_is_valid(struct slice v);
bool hll_is_dense(struct slice v);

/* ---- changing; `v` is a valid value, unless it is said otherwise ----------------------------- */

/* `v` is empty, and becomes a value without elements. */
void hll_init(struct buf *v);
/* One that would be longer than `sparse_max` bytes as sparse becomes dense. */
enum hll_result hll_add(struct buf *v, struct slice element, size_t sparse_max);
/* The same for a dense value in its place; true if it changed. */
bool hll_add_dense(char *v, struct slice element);
/* False if it is corrupt. */
bool hll_to_dense(struct buf *v);
/*
 * Each register becomes what it is in `r`, which has been raised to those of `v` before. As
 * hll_add() does it, a sparse value may become dense.
 */
void hll_set(struct buf *v, const struct hll_registers *r, size_t sparse_max);

/* ---- registers ------------------------------------------------------------------------------ */

/* No register of `r` remains less than that of `v`; false if `v` is corrupt, and `r` undefined. */
bool hll_raise(struct hll_registers *r, struct slice v);
/* A sparse value's runs as text: "Z:16127 v:1,1 z:5"; false if it is corrupt. */
bool hll_describe(struct slice v, struct buf *out);

/* ---- cardinality ---------------------------------------------------------------------------- */

/* 2^63 stands for everything that is more. */
uint64_t hll_cardinality(const struct hll_registers *r);
/* False if the value is corrupt. */
bool hll_count(struct slice v, uint64_t *out);
/* What the value remembers; false if it has changed since. */
bool hll_remembered(struct slice v, uint64_t *out);
void hll_remember(char *v, uint64_t cardinality);
void hll_forget(char *v);

/* Compares encodings and counts with what they must be; what is wrong, or NULL. */
const char *hll_self_test(void);

#endif
