/*
 * The types of values: a row for each in value_types.c says how its object outside the entry
 * (FORM_OUTSIDE) is freed, copied and measured. Values that are bytes need none of that. A new type
 * is one file of pure functions and one row.
 */
#ifndef LK_STORAGE_VALUE_TYPES_H
#define LK_STORAGE_VALUE_TYPES_H

#include "storage/digest.h"
#include "storage/entry.h"
#include "storage/table.h"

/*
 * Has what looking for a member of the object will need on its way into the cache: the place where
 * the member is to be found; or, when that has had time to come, the member itself if `deep`.
 */
typedef void value_hint_fn(const void *object, struct slice member, bool deep);

struct value_type {
    const char *name; /* as TYPE says it */
    void (*free)(void *object);
    /* About how many allocations that frees. */
    size_t (*effort)(const void *object);
    void *(*copy)(const void *object);
    /* Bytes that the object takes; from `samples` elements, or from all when it is 0. */
    size_t (*memory)(const void *object, size_t samples);
    const char *(*encoding)(const struct entry *e);
    /* The same for equal values in whatever encoding. */
    struct digest (*digest)(const struct entry *e);
    value_hint_fn *hint; /* NULL where there is nothing to be had */
    /* Where an object has what long_save.h needs to know; NULL in it where no snapshot is. */
    struct long_save **(*saving)(void *object);
    /* The table that an object has its elements in; NULL where it has none. */
    const struct table *(*table)(const void *object);
    /*
     * Where parts of a value have times: that of the first, EXPIRY_NONE for none. Taking out what
     * is due, at most about `max` parts at a time; returns how many went, which is all that there
     * are if they are *gone; `who` may be NULL. Whether all are due.
     */
    int64_t (*part_time)(const struct entry *e);
    size_t (*expire_parts)(struct entry **e, int64_t now_ms, size_t max, bool *gone,
                           const struct part_visitor *who);
    bool (*is_gone)(const struct entry *e, int64_t now_ms);
};

/* NULL for a number that is no type. */
const struct value_type *value_type(enum type type);

/* Of objects outside of their entries. */
struct long_save **value_saving(enum type type, void *object);

const char *value_type_name(enum type type);
void value_free(enum type type, void *object);
size_t value_effort(enum type type, const void *object);
void *value_copy(enum type type, const void *object);
size_t value_memory(enum type type, const void *object, size_t samples);
const char *value_encoding(const struct entry *e);
struct digest value_digest(const struct entry *e);
/* Of those for which entry_has_timed_parts() says yes. */
int64_t value_part_time(const struct entry *e);
size_t value_expire_parts(struct entry **e, int64_t now_ms, size_t max, bool *gone,
                          const struct part_visitor *who);
bool value_is_gone(const struct entry *e, int64_t now_ms);

#endif
