/*
 * Saving a long value for a snapshot piece by piece, as it was when it began, while others change
 * it: what storage/snapshot.h does for the keys of a space, done for the elements of one value.
 *
 * Sets, hashes and sorted sets: a bit for each interval of the elements' hashes. Who is about to
 * change an element of an interval that is not saved saves the interval first, as the functions of
 * set_table.h, field_table.h and zset_large.h do. Lists: the nodes that there were are shared
 * between the list and this; who is about to change one that is copies it (node_own()).
 *
 * A value that is taken out of the keyspace is given to this, which frees it when it is saved. All
 * functions are locked: the shard of the key that has the value now, long_save_shard().
 */
#ifndef LK_STORAGE_LONG_SAVE_H
#define LK_STORAGE_LONG_SAVE_H

#include "storage/entry.h"
#include "storage/rdb/rdb_writer.h"

struct long_save;

/* Whether the value is to be saved so. */
bool long_save_wanted(const struct entry *e);

struct long_save_key {
    int db;
    unsigned shard;
    uint64_t version;
    struct rdb_age age;
    bool compress;
};
struct long_save *long_save_begin(const struct entry *e, const struct long_save_key *key);

/* The key and all in front of the elements. Borrowed. */
const struct rdb_keys *long_save_head(const struct long_save *s);
int long_save_db(const struct long_save *s);
/* Appends some elements that are not saved. True when all are; nobody knows of it any more then. */
bool long_save_portion(struct long_save *s, struct buf *out);
/* What is to stand behind the value; often nothing. Borrowed. */
struct slice long_save_behind(struct long_save *s);
/* Gives it up before all is saved. */
void long_save_give_up(struct long_save *s);
/* Nobody knows of it any more. Not locked. */
void long_save_free(struct long_save *s);

/* Any thread; another one when the shard has been locked means to try again. */
unsigned long_save_shard(const struct long_save *s);

/* ---- for whoever has the value --------------------------------------------------------------- */

/* An element of this hash will be changed, or will come into being. */
void long_save_first(struct long_save *s, uint64_t hash);
/* The value is of a key of this shard from now on. */
void long_save_moved(struct long_save *s, unsigned shard);
/* The entry is out of the keyspace; takes it over. */
void long_save_adopt(struct long_save *s, struct entry *e);
/* The value will be freed: all of it is saved now. */
void long_save_lose(struct long_save *s);

#endif
