/*
 * Digests of keys and values: equal where the content is, in every process and whatever the order
 * of keys or the encoding. They tell whether two keyspaces differ, and are no defence against
 * somebody who wants them equal.
 */
#ifndef LK_STORAGE_DIGEST_H
#define LK_STORAGE_DIGEST_H

#include "storage/entry.h"

enum { DIGEST_HEX = 40 };

/* All zero: of nothing. The last word's upper half is not shown. */
struct digest {
    uint64_t word[3];
};

/* Of bytes, another for each `salt`. */
struct digest digest_bytes(struct slice s, uint64_t salt);
/* Of things that have no order among them. */
void digest_sum(struct digest *d, struct digest more);

/* What an entry holds: type, value, and whether it has a time to live. */
struct digest digest_value(const struct entry *e);
/* Adds a key of a database to the digest of a keyspace, in any order. */
void digest_key(struct digest *d, int db, const struct entry *e);
/* DIGEST_HEX digits and a NUL. */
void digest_hex(const struct digest *d, char *out);

#endif
