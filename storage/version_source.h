/*
 * Where versions come from. Each write to a key gets the next number of a counter: of its shard;
 * or, while changes are logged, of one for all shards, so that the log need say what they are only
 * where they do not follow each other. A token of a lock is such a number, too.
 *
 * While a log is loaded they are what the log says. A group of its records has versions
 *
 *     all the same        the one behind the last of the group before, and `off` more
 *     each its own        the same, and those that follow it, in the order of the changes
 *     held                what a line says, until another one says something else
 *     as they are         a key that is there keeps the one that it has
 *
 * What was loaded from a file that tells none has, in the end, the same version for all such keys,
 * which is above all others: versions_floor(). So has everything if something was missing.
 */
#ifndef LK_STORAGE_VERSION_SOURCE_H
#define LK_STORAGE_VERSION_SOURCE_H

#include <stdbool.h>
#include <stdint.h>

struct keyspace;
struct shard;

enum {
    /*
     * A server that is started goes on so far above what it finds: what was given and never came to
     * the disk is not given again, whatever the clock says.
     */
    VERSIONS_AHEAD = 1 << 26,
    /* So many are given, at most, before something of them is in the log. */
    VERSIONS_UNLOGGED_MAX = 1 << 24,
};

#define VERSION_MAX (((uint64_t)1 << 53) - 1)

enum version_source { VERSIONS_OF_SHARDS, VERSIONS_OF_LOG, VERSIONS_LOADED };

struct versions;

struct versions *versions_new(void);
void versions_free(struct versions *v);

/* keyspace_next_version() where that is no shard's own. Locked. */
uint64_t versions_draw(struct keyspace *ks, struct shard *shard, uint64_t has);
/* From now on they are logged, or not any more. The world is stopped. */
void versions_log(struct keyspace *ks, bool logged);
/* All that are given from now on are above. The world is stopped, or nothing runs yet. */
void versions_raise(struct keyspace *ks, uint64_t above);
/* All keys that were loaded without a version have this one; or really all. Stopped. */
void versions_floor(struct keyspace *ks, uint64_t floor, bool all);

/* ---- loading a snapshot; any thread ---------------------------------------------------------- */

/*
 * The version of a key, which is told, or 0. One that is not is a new one, unless a log is being
 * loaded, which may tell it yet. Locked: the shard.
 */
uint64_t versions_of_snapshot(struct keyspace *ks, struct shard *shard, uint64_t told);
/*
 * What is given from now on is above `seq`, which was the last then, and so much more. 0: nothing
 * is told.
 */
void versions_above_snapshot(struct keyspace *ks, uint64_t seq, uint64_t ahead);

/* ---- loading a log; by one thread, but for versions_loaded() --------------------------------- */

void versions_load_begin(struct keyspace *ks);
/* True if there was anything of which no version is known. */
bool versions_load_end(struct keyspace *ks);
/* What it was up to now has come from elsewhere: nothing is known until a line says it. */
void versions_load_unknown(struct keyspace *ks);
/* The last given by then; what the next group has; what all that follows has. */
void versions_load_at(struct keyspace *ks, uint64_t last);
void versions_load_off(struct keyspace *ks, int64_t off, uint32_t in_turn);
void versions_load_hold(struct keyspace *ks, int64_t off, bool as_it_is);
/* What was loaded until now without versions has this one. */
void versions_load_floor(struct keyspace *ks, uint64_t floor, bool all);
/* Around each group of records. */
void versions_load_group(struct keyspace *ks);
void versions_load_group_end(struct keyspace *ks);
/* A version that stands in a snapshot, or in a line: 0, and what it is counted as, for none. */
uint64_t versions_loaded(struct keyspace *ks, uint64_t version);

#endif
