/*
 * Going over the keys of a snapshot, from whatever brings its bytes (rdb_in.h).
 */
#ifndef LK_STORAGE_RDB_RDB_KEYS_IN_H
#define LK_STORAGE_RDB_RDB_KEYS_IN_H

#include "storage/rdb/rdb_in.h"
#include "storage/rdb/rdb_writer.h"

/* What has to be known of what came before. All zero at the beginning. */
struct rdb_state {
    int db;
    struct buf versions; /* of the keys to come, those before `versions_at` being used up */
    size_t versions_at;
    uint64_t last_version;
    uint64_t blocks;  /* of versions that came */
    struct buf times; /* of the fields of the hash that follows */
};

/* `to` owns buffers, or is all zero. */
void rdb_state_copy(struct rdb_state *to, const struct rdb_state *from);
void rdb_state_release(struct rdb_state *s);

/* What a snapshot tells beside its keys; for whoever is told of each, in any thread. */
struct rdb_notes {
    void *arg;
    void (*aux)(void *arg, struct slice name, struct slice value);
    /* Something that there is not here ("functions"); false to go on without it. NULL: to go on. */
    bool (*refuses)(void *arg, const char *what);
};

struct rdb_key {
    int64_t expiry;
    struct rdb_age age;
    unsigned type;
    uint64_t version; /* 0: not told */
    struct slice key; /* borrowed until the next call */
};

enum rdb_next { RDB_NEXT_KEY, RDB_NEXT_END, RDB_NEXT_STOP };

enum { RDB_MAGIC_WHY = 96 };

/* Whether they begin as a snapshot does, of whatever version. */
bool rdb_has_magic(struct slice bytes);
/* The version in "REDIS0011"; 0, and why in the words of Redis, if there is none that is read. */
int rdb_read_magic(const char magic[RDB_MAGIC_LEN], char why[RDB_MAGIC_WHY]);

/*
 * To the next key, whose value is to be read or passed over then; or to the end. RDB_NEXT_STOP: see
 * the status of `in`; `s` may have changed.
 */
enum rdb_next rdb_next(struct rdb_in *in, struct rdb_state *s, const struct rdb_notes *notes,
                       struct rdb_key *key);

#endif
