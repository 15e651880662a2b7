/*
 * A snapshot: all keys as they were at one moment, written while others change them. No copy of the
 * memory is made, and nobody waits for more than a few keys.
 *
 * The moment is when snapshot_begin() runs, with the world stopped. From then on each space (the
 * keys of a shard in a database) has a bit for each interval of its hashes, some keys each, that
 * says whether they are saved. The snapshot's thread walks over all intervals. Whoever is about to
 * change a key, and finds the bit of its interval unset, saves the keys of that interval first, as
 * they still are. What such a writer saves goes to one of a few shared slots, and from there into
 * the snapshot's queue, which the thread writes out before it goes on walking.
 *
 * Intervals are told by the low bits of the hash, so that they stay what they are however the table
 * grows or shrinks, and new keys that fall into one that is saved are none of the snapshot's
 * business. A space keeps what it is when databases are exchanged; one that is emptied as a whole
 * is not freed before it was walked over (keyspace_free_spaces() waits).
 *
 * Values that are too long to be saved at once: long_save.h.
 */
#ifndef LK_STORAGE_SNAPSHOT_H
#define LK_STORAGE_SNAPSHOT_H

#include "storage/keyspace.h"
#include "storage/rdb/rdb_writer.h"

struct snapshot;

struct snapshot_options {
    bool compress;
    int64_t delay_us; /* for tests: so long for each key, or part of a long one */
    struct rdb_age (*age)(void *arg, uint32_t access); /* NULL: ages are not told */
    void *age_arg;
};

/* Of all databases. The world is stopped; there is one at a time. */
struct snapshot *snapshot_begin(struct keyspace *ks, const struct snapshot_options *options);
/* No version of a key is above. */
uint64_t snapshot_seq(const struct snapshot *s);
/*
 * Writes all keys. 0, -ECANCELED or what the writer met. Any one thread that has joined the world
 * and is outside; or who has stopped it.
 */
int snapshot_write(struct snapshot *s, struct rdb_writer *w);
/* Frees it; written or not. In the same thread. */
void snapshot_end(struct snapshot *s);

/* Makes snapshot_write() come back soon. Any thread. */
void snapshot_cancel(struct snapshot *s);
/* How far it is. Any thread. */
uint64_t snapshot_keys(const struct snapshot *s);
uint64_t snapshot_keys_done(const struct snapshot *s);
#endif
