/*
 * A large set: a table of members. A number of up to 47 bits is itself the table's item, told from
 * an address by its highest bit; any other member is a packed element (pack.h) in an allocation of
 * its own. Pure functions; for storage/type_set.c.
 */
#ifndef LK_STORAGE_SET_TABLE_H
#define LK_STORAGE_SET_TABLE_H

#include "storage/set_member.h"
#include "storage/table.h"

struct set_table {
    struct table table;
    struct long_save *saving; /* a snapshot has not saved all of it, see long_save.h; or NULL */
};

/* The member that an item of the table is. Borrowed until it is removed. */
struct set_member set_table_member(const void *item);

uint64_t set_table_hash(const void *item);

struct set_table *set_table_new(void);
void set_table_free(struct set_table *s);
struct set_table *set_table_copy(const struct set_table *s);

bool set_table_has(const struct set_table *s, const struct set_member *m);
/* False if it was there. */
bool set_table_add(struct set_table *s, const struct set_member *m);
/* The same where it is known not to be there. */
void set_table_put(struct set_table *s, const struct set_member *m);
/* False if it was not there. */
bool set_table_remove(struct set_table *s, const struct set_member *m);

/* For set_hint(). */
void set_table_hint(const struct set_table *s, const struct set_member *m, bool deep);

/* Bytes that it takes, from `samples` members, or from all when that is 0. */
size_t set_table_memory(const struct set_table *s, size_t samples);

#endif
