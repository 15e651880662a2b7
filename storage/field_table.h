/*
 * A large hash: a table of fields, and a heap of those that have a time. Pure functions; for
 * storage/type_hash.c.
 *
 * A field whose time has come is hidden: it is neither found nor counted, though it is there until
 * field_table_expire() takes it out. What the time is, field_table_set_now() says.
 */
#ifndef LK_STORAGE_FIELD_TABLE_H
#define LK_STORAGE_FIELD_TABLE_H

#include "storage/field_heap.h"
#include "storage/table.h"

struct field_table {
    struct table table;
    struct long_save *saving; /* a snapshot has not saved all of it, see long_save.h; or NULL */
    struct field_heap timed;
    int64_t now_ms;
    /* One whose time is far off, or was when it was looked for; NULL where none is known. */
    const struct field *lasting;
};

/* A field keeps the time that it has. */
#define FIELD_TIME_KEEP INT64_MIN

struct field_table *field_table_new(void);
void field_table_free(struct field_table *t);
struct field_table *field_table_copy(const struct field_table *t);

static inline bool field_hidden(const struct field_table *t, const struct field *f)
{
    return UNLIKELY(f->has_time) && field_time(f) <= t->now_ms;
}

size_t field_table_count(const struct field_table *t);
/* NULL if there is none of this name. Borrowed until the table changes. */
const struct field *field_table_find(const struct field_table *t, struct slice name);
/* With this time, EXPIRY_NONE for none, or FIELD_TIME_KEEP. False if it was there. */
bool field_table_set(struct field_table *t, struct slice name, struct slice value, int64_t time);
/* The same where it is known not to be there. */
void field_table_put(struct field_table *t, struct slice name, struct slice value, int64_t time);
/* False if it was not there. */
bool field_table_remove(struct field_table *t, struct slice name);
/* A field that is there gets another time, or none. */
void field_table_set_time(struct field_table *t, struct slice name, int64_t time);

/* Hides what is due by then. */
static inline void field_table_set_now(struct field_table *t, int64_t now_ms)
{
    t->now_ms = now_ms;
}
/* Takes out what is hidden, at most `max` fields; returns how many. */
size_t field_table_expire(struct field_table *t, size_t max, const struct part_visitor *who);

/* Whether all fields are due by then, or there are none. */
bool field_table_is_gone(struct field_table *t, int64_t now_ms);

/* A field drawn at random, all being equally likely; one is not hidden. Borrowed. */
const struct field *field_table_random(const struct field_table *t);

/* Bytes that it takes, from `samples` fields, or from all when that is 0. */
size_t field_table_memory(const struct field_table *t, size_t samples);

#endif
