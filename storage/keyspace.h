/*
 * The keyspace: databases cut into shards by the hash of the key.
 *
 * Who owns what: a `struct shard` has the lock and the counters; `space(db, shard)` is the table of
 * that shard's keys in that database with its expiry index. Everything about a key is touched only
 * under its shard's lock, or with the world stopped. Functions here say "locked" where they rely on
 * that.
 */
#ifndef LK_STORAGE_KEYSPACE_H
#define LK_STORAGE_KEYSPACE_H

#include "base/lock.h"
#include "storage/entry.h"
#include "storage/expiry.h"
#include "storage/hash.h"
#include "storage/policies.h"
#include "storage/table.h"
#include "storage/toll.h"
#include "storage/version_source.h"

struct latches;
struct dirty;
struct lazy;

struct shard {
    CACHE_ALIGNED struct lock lock;
    uint64_t seq;           /* the last version given in this shard, to a key or lock */
    uint64_t logged;        /* the last group of the log that concerns a key of it */
    uint64_t logged_widely; /* the last that may concern any of its keys */
    struct table *watched;  /* keys that clients watch, see server/watch.h; NULL for none */
    struct table *waited;   /* keys that clients wait for, see server/waited.h; NULL for none */
    struct table *tracked;  /* keys that clients cache, see server/tracked_keys.h; the same */
    struct heard *heard;    /* keys whose events carry the value, see server/keyvalue.h; the same */
    struct dirty *dirty;    /* see server/backend/dirty.h; NULL without a backend */
    struct latches *locks;  /* see server/locks/latch.h; NULL until the first */
    struct lazy *lazy;      /* keys that are not in memory, see server/backend/lazy.h; or NULL */
    uint64_t guards;        /* locks that guard a key of this shard, in any database */
};

struct space_save;

/* Who else has to look at a key before it changes: `first` is called with its hash. Locked. */
struct space_cut {
    void (*first)(struct space_cut *cut, uint64_t hash);
};

/* The keys of one shard in one database. */
struct space {
    struct table table;
    struct space_save *_Atomic saving; /* a snapshot has not saved all of it yet, see snapshot.h */
    _Atomic uint32_t long_saves;       /* values in it that it is saving piece by piece */
    struct space_cut *cut;             /* NULL for nobody */
    struct expiry expiry;
    uint64_t floor;          /* what version keys have at least; see keyspace_renew() */
    struct policed *policed; /* those under policies, see policed.h; NULL for none */
};

struct keyspace {
    struct shard *shards; /* SHARDS of them */
    int version_source;   /* enum version_source; changed only with the world stopped */
    struct versions *versions;
    /*
     * Per database, SHARDS of them; exchanged only with the world stopped, but for the first key of
     * a database, with which its spaces come into being. Until then they are `unused`: empty, the
     * same for all, in pages that cannot be written to.
     */
    struct space *_Atomic *spaces;
    struct space *unused;
    int databases;
    struct toll toll; /* of the snapshot that is being made */
    /* Per shard, not after the time when its next key is due, in any database. */
    _Atomic int64_t *due;
    struct policies *policies; /* NULL for none; changed only with the world stopped */
};

void keyspace_init(struct keyspace *ks, int databases);
/* Frees everything; nobody else is using it. */
void keyspace_release(struct keyspace *ks);

static inline struct space *keyspace_space(const struct keyspace *ks, int db, unsigned shard)
{
    return &atomic_load_explicit(&ks->spaces[db], memory_order_acquire)[shard];
}

/* Whether the database ever had a key, since it was emptied as a whole. */
static inline bool keyspace_is_used(const struct keyspace *ks, int db)
{
    return atomic_load_explicit(&ks->spaces[db], memory_order_relaxed) != ks->unused;
}

void space_save_first(struct space_save *saving, uint64_t hash);
void space_change_first(struct space *s, uint64_t hash);

/*
 * The key of this hash, or its value, will be changed or will come into being; a snapshot that is
 * being made saves it first. Said by the functions below; and by whoever changes a value in place,
 * before that. Locked.
 */
static inline void space_will_change(struct space *s, uint64_t hash)
{
    struct space_save *saving = atomic_load_explicit(&s->saving, memory_order_relaxed);

    if (UNLIKELY((uintptr_t)saving | (uintptr_t)s->cut))
        space_change_first(s, hash);
}

/* What a lookup found, and where; entry is NULL when there is no such key. Locked. */
struct found {
    struct entry *entry;
    struct table_place place;
};

static inline struct found space_find(const struct space *s, uint64_t hash, struct slice key)
{
    struct found f;

    f.entry = table_find(&s->table, hash, key, entry_is, &f.place);
    return f;
}

/* The same by the hash alone, where the key is not at hand. Locked. */
struct found space_find_hash(const struct space *s, uint64_t hash);

/* The version of a key of this space; NULL, that there is none, has 0. Locked. */
static inline uint64_t space_version(const struct space *s, const struct entry *e)
{
    return !e ? 0 : UNLIKELY(e->version < s->floor) ? s->floor : e->version;
}

/*
 * The next version of a key of this shard, which has the version `has`, 0 if it is not there.
 * Locked.
 */
static inline uint64_t keyspace_next_version(struct keyspace *ks, struct shard *shard, uint64_t has)
{
    return LIKELY(ks->version_source == VERSIONS_OF_SHARDS) ? ++shard->seq
                                                            : versions_draw(ks, shard, has);
}

/*
 * Takes ownership of the entry; there is none of its key. It comes under the policy of its prefix.
 * Locked.
 */
void keyspace_insert(struct keyspace *ks, int db, uint64_t hash, struct entry *e);
/* Puts `e`, which stands for the same key, where `old` stood; does not free `old`. Locked. */
void keyspace_replace(struct keyspace *ks, int db, uint64_t hash, struct table_place place,
                      struct entry_times old, struct entry *e);
/* The entry, which is in its place, has other times than before. Locked. */
void keyspace_retimed(struct keyspace *ks, int db, uint64_t hash, struct entry_times old,
                      const struct entry *e);
/* Takes the entry out, the caller owns it. Locked. */
struct entry *keyspace_take(struct keyspace *ks, int db, uint64_t hash, struct found f);

/* Locked by stopping the world; both databases exist. */
void keyspace_swap(struct keyspace *ks, int a, int b);
/*
 * Gives all keys of a database new versions, those last given in their shards, or this one if it is
 * not 0: what it holds came from another one, where versions were lower or higher. Locked by
 * stopping the world.
 */
void keyspace_renew(struct keyspace *ks, int db, uint64_t version);
/*
 * Empties a database and returns what it held, NULL for nothing, for keyspace_free_spaces, which
 * any thread may call later; it waits for the snapshot, if one is being made. Locked by stopping
 * the world.
 */
struct space *keyspace_detach(struct keyspace *ks, int db);
void keyspace_free_spaces(struct space *spaces);

/*
 * Keys of a database, those with an expiry, and those of whose values parts expire, from one walk
 * over the shards; exact only when nobody writes.
 */
struct keyspace_totals {
    uint64_t keys, expiring, parted;
};
struct keyspace_totals keyspace_totals(const struct keyspace *ks, int db);
uint64_t keyspace_count(const struct keyspace *ks, int db);
uint64_t keyspace_expiring(const struct keyspace *ks, int db);
/*
 * The mean time to live of a sample of the keys that have one, in ms; 0 if none has. Locks shards.
 */
int64_t keyspace_mean_ttl(struct keyspace *ks, int db, int64_t now_ms);

/*
 * When or how often the entry was used (server/access.h), which is kept elsewhere for keys that are
 * under a policy. Locked; good until the entry changes.
 */
uint32_t *keyspace_access(const struct keyspace *ks, int db, uint64_t hash, struct entry *e);
/* Bytes that the key takes, with its share of the tables; `samples` as in MEMORY USAGE. */
size_t keyspace_footprint(const struct entry *e, size_t samples);

/* Memory of tables and indexes, without entries. */
size_t keyspace_overhead(const struct keyspace *ks, int db);
/* The indexes' part of it. */
size_t keyspace_expiry_memory(const struct keyspace *ks, int db);

/*
 * An entry drawn at random; NULL if the database looked empty. On return its shard is locked and
 * *shard says which; on NULL nothing is locked.
 */
struct entry *keyspace_random_locked(struct keyspace *ks, int db, unsigned *shard);

#endif
