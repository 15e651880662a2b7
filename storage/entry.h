/*
 * An entry: a key and its value, in one allocation.
 *
 *     0            8        12           16
 *     +------------+--------+------------+----------+-----------+-----+-------+
 *     | version 56 | access | lengths of | expiry   | length of | key | value |
 *     | kind     8 |        | value 16,  | (8, if   | the key   |     |       |
 *     |            |        | key 8      | any)     | (4, long) |     |       |
 *     +------------+--------+------------+----------+-----------+-----+-------+
 *
 * The value is bytes in place, or a 64-bit integer in place, or a pointer to an object outside,
 * which the entry owns: a `struct blob` for a long string, the type's object for the other types.
 *
 * Entries are changed only under the lock of their key's shard, and are borrowed until it is
 * released.
 */
#ifndef LK_STORAGE_ENTRY_H
#define LK_STORAGE_ENTRY_H

#include "base/compiler.h"
#include "base/num.h"
#include "base/slice.h"

#include <assert.h>
#include <limits.h>

enum type { TYPE_STRING, TYPE_LIST, TYPE_SET, TYPE_ZSET, TYPE_HASH, TYPE_STREAM, TYPE_ANY };

enum form {
    FORM_INLINE,  /* the bytes of a string */
    FORM_INT,     /* a string that is a number */
    FORM_OUTSIDE, /* a pointer */
};

/* No time to live. All expiries are milliseconds of the wall clock. */
#define EXPIRY_NONE INT64_MAX

struct entry {
    uint64_t version : 56;
    uint64_t type : 3;
    uint64_t form : 2;
    /* A string edited in place: "raw" however short; a number copied: not shared. */
    uint64_t raw : 1;
    uint64_t has_expiry : 1;
    uint64_t long_key : 1;
    uint32_t access;    /* when or how often it was used, see access.h */
    uint16_t value_len; /* FORM_INLINE: bytes in place */
    uint8_t short_key_len;
    uint8_t unused;
    char data[];
};
static_assert(sizeof(struct entry) == 16, "an entry's header is 16 bytes");

/* A long string. */
struct blob {
    size_t len, cap;
    char data[];
};

enum {
    SHORT_KEY_MAX = UINT8_MAX,
    /* Values whose entry would be larger than this live outside. */
    INLINE_ENTRY_MAX = 2048,
    EMBSTR_MAX = 44, /* what Redis calls "embstr" */
};
static_assert(INLINE_ENTRY_MAX <= UINT16_MAX, "the length of a value in place has 16 bits");

static inline size_t entry_key_offset(const struct entry *e)
{
    return e->has_expiry * sizeof(int64_t) + e->long_key * sizeof(uint32_t);
}

static inline size_t entry_key_len(const struct entry *e)
{
    uint32_t len = e->short_key_len;

    if (UNLIKELY(e->long_key))
        memcpy(&len, e->data + e->has_expiry * sizeof(int64_t), sizeof(len));
    return len;
}

static inline struct slice entry_key(const struct entry *e)
{
    return slice_make(e->data + entry_key_offset(e), entry_key_len(e));
}

static inline bool entry_is(const void *item, struct slice key)
{
    const struct entry *e = item;

    return entry_key_len(e) == key.len && bytes_eq(e->data + entry_key_offset(e), key.ptr, key.len);
}

static inline int64_t entry_expiry(const struct entry *e)
{
    int64_t at = EXPIRY_NONE;

    if (e->has_expiry)
        memcpy(&at, e->data, sizeof(at));
    return at;
}

static inline bool entry_expired(const struct entry *e, int64_t now_ms)
{
    return UNLIKELY(e->has_expiry) && entry_expiry(e) <= now_ms;
}

static inline char *entry_value(struct entry *e)
{
    return e->data + entry_key_offset(e) + entry_key_len(e);
}

static inline void *entry_object(const struct entry *e)
{
    void *object;

    memcpy(&object, entry_value((struct entry *)(uintptr_t)e), sizeof(object));
    return object;
}

static inline int64_t entry_int(const struct entry *e)
{
    int64_t v;

    memcpy(&v, entry_value((struct entry *)(uintptr_t)e), sizeof(v));
    return v;
}

uint64_t entry_hash(const void *item);
/* Bytes of the allocation itself, without what hangs from it. */
size_t entry_size(const struct entry *e);
/* The same with what hangs from it; `samples` as in MEMORY USAGE, 0 for all. */
size_t entry_memory(const struct entry *e, size_t samples);
/* Frees the entry and what it owns. */
void entry_free(struct entry *e);

/*
 * A new string entry, version and access zero. A canonical integer is stored as one when `as_int`.
 */
struct entry *entry_new_string(struct slice key, struct slice value, int64_t expiry, bool as_int);
struct entry *entry_new_int(struct slice key, int64_t value, int64_t expiry);
/* Takes ownership of the object (a blob for TYPE_STRING). */
struct entry *entry_new_outside(struct slice key, enum type type, void *object, int64_t expiry);
/* A deep copy under another key, with `expiry`. */
struct entry *entry_copy(const struct entry *e, struct slice key, int64_t expiry);

/*
 * These take the entry over and return what stands for it from then on, which the caller puts in
 * its place in the table.
 */
struct entry *entry_set_expiry(struct entry *e, int64_t expiry);
struct entry *entry_rename(struct entry *e, struct slice key);

#endif
