/*
 * Which keys of database 0 are dirty: changed in memory, and not committed in the table yet. A
 * shard has an item for each. Under the shard's lock, but where it says otherwise.
 *
 *     clean --dirty_mark()--> fresh --dirty_cut()--> cut --read--> in flight --committed--> clean
 *                               ^                                      |
 *                               '------- dirty_mark(): it is both -----'
 *
 * A cut is one moment, at which the world is stopped: all that is fresh becomes the next batch,
 * which is what the table is to be as of then. Rows are made of it afterwards; whoever is about to
 * change a key that has been cut and not read makes its row first, as a snapshot does it
 * (space_will_change()). So a batch is always the keyspace of one moment, whole transactions and
 * all; nobody copies anything but what is changed, and nothing stops for longer than it takes to
 * look at the shards that have something new.
 *
 * Moments are numbered: what is marked now will be in the batch of the epoch in hand, which changes
 * only while the world is stopped.
 */
#ifndef LK_SERVER_BACKEND_DIRTY_H
#define LK_SERVER_BACKEND_DIRTY_H

#include "base/list.h"
#include "storage/keyspace.h"

struct home;
struct server;

/* What is to stand in the table for a key. Belongs to the batch. */
struct dirty_row {
    struct list link; /* until it is taken */
    uint64_t hash;
    struct slice key;               /* in the same allocation, as all of these */
    struct slice value, type, more; /* type's ptr NULL for NULL; more's len 0 */
    int64_t expiry;                 /* EXPIRY_NONE for none */
    uint64_t version;
    bool gone; /* nothing: the key was not there */
    char bytes[];
};

struct dirty_item {
    struct list link; /* fresh, or cut and not read; a ring of one if it is neither */
    uint64_t hash;
    uint64_t epoch; /* in which it was marked last */
    bool flying;    /* there is a row of it in the batch under way */
    uint32_t key_len;
    char key[];
};

struct dirty {
    struct space_cut hook;
    struct home *home;
    unsigned shard;
    struct table items;
    struct list fresh, cut; /* items */
    struct list read;       /* rows of what was cut */
    uint64_t epoch; /* of the last mark: what is seen in this shard is committed with that */
    uint64_t bytes; /* that items and rows take */
};

/* One for each shard; none of them is in force yet. */
struct dirty *dirty_new(struct home *h);
void dirty_free(struct dirty *all);
/* From now on changes are marked, or not any more. The world is stopped, or nobody serves yet. */
void dirty_attach(struct home *h, bool on);

/* The key was changed or removed. */
void dirty_mark(struct shard *shard, struct slice key);
/* It is dirty or in flight: what memory says of it counts, also that it is gone. */
bool dirty_has(const struct shard *shard, struct slice key, uint64_t hash);
/* It is in the batch under way, or was changed before that was cut. */
bool dirty_in_flight(const struct shard *shard, struct slice key, uint64_t hash);

/* Database 0 is about to be emptied; the world is stopped. */
void dirty_emptying(struct home *h);
/* All keys of database 0 are dirty. The world is stopped, or nobody serves yet. */
void dirty_mark_all(struct home *h);

/* Cuts: true if there is anything. The world is stopped, and all that was cut before was taken. */
bool dirty_cut(struct home *h);
/* Takes rows of what was cut in this shard, some at a time; fewer than `max` are the last. */
size_t dirty_take(struct dirty *d, struct dirty_row **out, size_t max);
/* The batch of this row, which is freed, is committed; or its key is dirty again. */
void dirty_landed(struct dirty *d, struct dirty_row *row);
/* The clean key leaves memory: what it is, the table says. */
void dirty_forget(struct dirty *d, struct slice key, uint64_t hash);
/*
 * Forgets all that is dirty and takes the entries out of memory, since the table is right and they
 * are not. Rows that were taken are the taker's to free. The world is stopped. How many they were.
 */
uint64_t dirty_forget_all(struct home *h);

struct dirty_totals {
    uint64_t keys, bytes;
};
/* Roughly, from any thread. */
struct dirty_totals dirty_totals(const struct home *h);
bool dirty_any(const struct home *h);

#endif
