/* Digests, see digest.h. */
#include "storage/digest.h"

#include "storage/hash.h"
#include "storage/value_types.h"

#include <inttypes.h>
#include <stdio.h>

struct digest digest_bytes(struct slice s, uint64_t salt)
{
    XXH128_hash_t wide = XXH3_128bits_withSeed(s.ptr, s.len, salt);

    return (struct digest){{wide.low64, wide.high64, XXH64(s.ptr, s.len, salt)}};
}

/* Added, not exclusive-ored: two alike must not cancel each other out. */
void digest_sum(struct digest *d, struct digest more)
{
    for (size_t i = 0; i < COUNT_OF(d->word); i++)
        d->word[i] += more.word[i];
}

struct digest digest_value(const struct entry *e)
{
    struct {
        struct digest value;
        uint64_t type, has_expiry;
    } parts = {value_digest(e), e->type, e->has_expiry};

    return digest_bytes(slice_make((const char *)&parts, sizeof(parts)), 0);
}

void digest_key(struct digest *d, int db, const struct entry *e)
{
    struct {
        struct digest key, value;
        uint64_t db;
    } parts = {digest_bytes(entry_key(e), 0), digest_value(e), (uint64_t)db};

    digest_sum(d, digest_bytes(slice_make((const char *)&parts, sizeof(parts)), 0));
}

void digest_hex(const struct digest *d, char *out)
{
    snprintf(out, DIGEST_HEX + 1, "%016" PRIx64 "%016" PRIx64 "%08" PRIx32, d->word[0], d->word[1],
             (uint32_t)d->word[2]);
}
