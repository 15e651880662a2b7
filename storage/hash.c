/* The seed of the hash, see hash.h. */
#include "storage/hash.h"

uint64_t hash_seed;

void hash_init(uint64_t seed)
{
    hash_seed = seed;
}
