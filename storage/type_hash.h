/*
 * The hash type: looking into and changing the value of an entry of TYPE_HASH. Pure: no replies.
 *
 *     form      raw   what it holds                                     encoding, as Redis says it
 *     bytes     0     packed: name, value, name, value …                listpack
 *     bytes     1     packed: name, value, time, name, value, time …    listpackex
 *     outside   0     a table of fields (field_table.h)                 hashtable
 *     outside   1     the same, some of them with a time                hashtable
 *
 * Packed fields lie in the order of their arrival; with times, those that go first stand first, and
 * behind them in the order of their arrival those that stay, whose time is 0. A packed hash becomes
 * a table when it has more than `entries` fields, or one with a name or value of more than `value`
 * bytes (the options hash-max-listpack-…). It never goes back, nor does one lose its times.
 *
 * `few` counts the fields of a packed one.
 */
#ifndef LK_STORAGE_TYPE_HASH_H
#define LK_STORAGE_TYPE_HASH_H

#include "storage/digest.h"
#include "storage/field_table.h"
#include "storage/pack.h"

struct hash_limits {
    size_t entries, value;
};

/* A field, borrowed until the hash changes. */
struct hash_item {
    struct slice name, value;
    int64_t time; /* when it goes, EXPIRY_NONE if it stays */
    char name_digits[NUM_INT_MAX], value_digits[NUM_INT_MAX];
};

static inline bool hash_is_packed(const struct entry *e)
{
    return e->form != FORM_OUTSIDE;
}

/* ---- looking -------------------------------------------------------------------------------- */

size_t hash_len(const struct entry *e);
static inline bool hash_is_empty(const struct entry *e)
{
    return e->form == FORM_INLINE ? !e->few : !hash_len(e);
}
/* False if there is no such field. Borrowed; the digits of a number are written to `digits`. */
bool hash_get(const struct entry *e, struct slice name, char digits[NUM_INT_MAX],
              struct slice *value);
/* False if there is no such field; EXPIRY_NONE if it has no time. */
bool hash_time(const struct entry *e, struct slice name, int64_t *time);

/* Going over all fields; the hash must not change meanwhile. */
struct hash_walk {
    const char *at, *end; /* packed */
    bool timed;
    const struct field_table *fields;
    struct table_walk table;
};

struct hash_walk hash_walk(const struct entry *e);
bool hash_walk_next(struct hash_walk *w, struct hash_item *item);

/*
 * Goes on from a cursor, 0 at first, until `count` fields were visited or so; all of a packed hash.
 * Returns the cursor to go on from, 0 at the end.
 */
typedef void hash_visit_fn(const struct hash_item *item, void *opaque);
uint64_t hash_scan(const struct entry *e, uint64_t cursor, size_t count, hash_visit_fn *visit,
                   void *opaque);

/* A field drawn at random, all being equally likely; there is one. */
void hash_random(const struct entry *e, struct hash_item *item);

/* ---- changing ------------------------------------------------------------------------------- */

/* An empty hash; not to be left in the keyspace. */
struct entry *hash_new(struct slice key);

/* These may move the entry, which *e stands for before and behind. */

/*
 * Sets a field that goes at `time`, EXPIRY_NONE for never, FIELD_TIME_KEEP for whatever it was.
 * False if it was there.
 */
bool hash_set(struct entry **e, struct slice name, struct slice value, int64_t time,
              const struct hash_limits *limits);
/* False if it was not there. The last one may be removed. */
bool hash_remove(struct entry **e, struct slice name);
/* A field that is there goes at another time, EXPIRY_NONE for never. */
void hash_set_time(struct entry **e, struct slice name, int64_t time);

/* ---- for the row of the type ---------------------------------------------------------------- */

void hash_free(void *object);
size_t hash_effort(const void *object);
void *hash_copy(const void *object);
size_t hash_memory(const void *object, size_t samples);
const char *hash_encoding(const struct entry *e);
struct digest hash_digest(const struct entry *e);
void hash_hint(const void *object, struct slice name, bool deep);
int64_t hash_due(const struct entry *e);
size_t hash_expire(struct entry **e, int64_t now_ms, size_t max, bool *gone,
                   const struct part_visitor *who);
bool hash_is_gone(const struct entry *e, int64_t now_ms);

#endif
