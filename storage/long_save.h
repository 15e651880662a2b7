/*
 * Saving a long value for a snapshot piece by piece, as it was when it began, while others change
 * it: what storage/snapshot.h does for the keys of a space, done for the parts of one value.
 *
 * Sets, hashes and sorted sets: a bit for each interval of the elements' hashes. Who is about to
 * change an element of an interval that is not saved saves the interval first, as the functions of
 * set_table.h, field_table.h and zset_large.h do. Lists: the nodes that there were are shared
 * between the list and this; who is about to change one that is copies it (node_own()), so that
 * they are read without a lock. Strings: string_save.h.
 *
 * A value that is taken out of the keyspace is given to this, which frees it when it is saved. All
 * functions are locked, the shard of the key that has the value now (long_save_shard()), but for
 * those that say otherwise.
 */
#ifndef LK_STORAGE_LONG_SAVE_H
#define LK_STORAGE_LONG_SAVE_H

#include "storage/keyspace.h"
#include "storage/rdb/rdb_writer.h"
#include "storage/value_types.h"

struct long_save;

/* Whether the value is to be saved so. */
bool long_save_wanted(const struct entry *e);

struct long_save_key {
    struct space *space;
    struct toll *toll;
    int db;
    unsigned shard;
    uint64_t version;
    struct rdb_age age;
    bool compress;
};
struct long_save *long_save_begin(const struct entry *e, const struct long_save_key *key);

/* The one of this value; NULL for none. */
static inline struct long_save *long_save_of(const struct entry *e)
{
    if (LIKELY(e->form < FORM_BLOB) || (e->form == FORM_BLOB && e->type != TYPE_STRING))
        return NULL;
    return *value_saving(e->type, entry_object(e));
}

/* ---- for the snapshot's thread, not locked --------------------------------------------------- */

/* The shard to lock; another one when it has been locked means to try again. */
unsigned long_save_shard(const struct long_save *s);
/* The key and all in front of the elements. Borrowed. */
const struct rdb_keys *long_save_head(const struct long_save *s);
int long_save_db(const struct long_save *s);
/* How long the string is; 0 for what is none. */
size_t long_save_string_len(const struct long_save *s);

/* Encoded elements. */
struct save_piece {
    struct save_piece *next;
    struct buf bytes, later; /* see rdb_out.h */
};
/* Appends some elements that can be read without the lock. */
void long_save_prepare(struct long_save *s, struct save_piece *own);
/* Locked: appends some that cannot; and gives what others have saved, to be freed by the caller. */
struct save_piece *long_save_portion(struct long_save *s, struct save_piece *own);
/* All is saved; nobody else knows of it any more. */
bool long_save_ended(const struct long_save *s);
/* Frees what long_save_portion() has given. */
void long_save_drop(struct long_save *s, struct save_piece *pieces);
/* What is to stand behind the value; often nothing. The caller releases it. */
void long_save_behind(const struct long_save *s, struct buf *out);
/* Locked: gives it up before all is saved. */
void long_save_give_up(struct long_save *s);
/* Nobody knows of it any more. */
void long_save_free(struct long_save *s);

/* ---- for whoever has the value --------------------------------------------------------------- */

/* An element of this hash will be changed, or will come into being. */
void long_save_first(struct long_save *s, uint64_t hash);
/* These bytes of a string will change. */
void long_save_first_bytes(struct long_save *s, size_t at, size_t len);
/* The string is here from now on. */
void long_save_object_moved(struct long_save *s, void *object);
/* The value's key is in this shard and space from now on; NULL for in none. */
void long_save_moved(struct long_save *s, unsigned shard, struct space *space);
/* The entry is out of the keyspace; takes it over. */
void long_save_adopt(struct long_save *s, struct entry *e);
/* The value will be freed: all of it is saved now. */
void long_save_lose(struct long_save *s);

#endif
