/*
 * An entry: a key and its value, in one allocation.
 *
 *     0            8        12           16
 *     +------------+--------+------------+----------+-----------+-----+-------+
 *     | version 55 | access | lengths of | expiry   | length of | key | value |
 *     | kind     9 |        | value 16,  | (8, if   | the key   |     |       |
 *     |            |        | key 8      | any)     | (4, long) |     |       |
 *     +------------+--------+------------+----------+-----------+-----+-------+
 *
 * The value is bytes in place, or a 64-bit integer in place, or a pointer to what the entry owns
 * outside: a `struct blob` with more bytes, or the type's object. Bytes are those of a string, or
 * the packed elements of a small collection (pack.h).
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
    FORM_INLINE,  /* bytes in place */
    FORM_INT,     /* a string that is a number */
    FORM_BLOB,    /* a pointer to a struct blob: bytes too many for the entry */
    FORM_OUTSIDE, /* a pointer to the type's object */
};

/* No time to live. All expiries are milliseconds of the wall clock. */
#define EXPIRY_NONE INT64_MAX

struct entry {
    uint64_t version : 55;
    uint64_t type : 3;
    uint64_t form : 2;
    /*
     * A string edited in place: "raw" however short; a number copied: not shared. Of a collection,
     * its type says what it means.
     */
    uint64_t raw : 1;
    uint64_t has_expiry : 1;
    uint64_t policed : 1; /* it is under a policy, see policed.h */
    uint64_t long_key : 1;
    /*
     * When or how often it was used, see server/access.h; of a key under a policy, which of those
     * it is, see policed.h. keyspace_access() knows both.
     */
    uint32_t access_or_member;
    uint16_t value_len; /* FORM_INLINE: bytes in place */
    uint8_t short_key_len;
    uint8_t few; /* a packed collection: its elements, FEW_MAX for as many or more; see pack.h */
    char data[];
};
static_assert(sizeof(struct entry) == 16, "an entry's header is 16 bytes");

struct long_save;

/* Many bytes. */
struct blob {
    size_t len, cap;
    struct long_save *saving; /* a snapshot has not saved all of it, see long_save.h; or NULL */
    char data[];
};

enum {
    SHORT_KEY_MAX = UINT8_MAX,
    /* Values whose entry would be larger than this live outside. */
    INLINE_ENTRY_MAX = 2048,
    EMBSTR_MAX = 44, /* what Redis calls "embstr" */
    FEW_MAX = UINT8_MAX,
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

/* The bytes of FORM_INLINE and FORM_BLOB. Borrowed until the entry changes. */
static inline struct slice entry_bytes(const struct entry *e)
{
    const struct blob *b;

    if (LIKELY(e->form == FORM_INLINE))
        return slice_make(entry_value((struct entry *)(uintptr_t)e), e->value_len);
    b = entry_object(e);
    return slice_make(b->data, b->len);
}

/* When something of an entry ends by itself; EXPIRY_NONE for never. */
struct entry_times {
    int64_t key;
    int64_t part; /* the first of its value's parts: of the fields of a hash */
};

/* Who is told the names of parts that go. NULL: nobody. */
struct part_visitor {
    void (*visit)(struct slice name, void *opaque);
    void *opaque;
};

/* Parts of the value may have times. */
static inline bool entry_has_timed_parts(const struct entry *e)
{
    return e->type == TYPE_HASH && e->raw;
}

int64_t entry_part_time(const struct entry *e);

static inline struct entry_times entry_times(const struct entry *e)
{
    return (struct entry_times){
        entry_expiry(e), UNLIKELY(entry_has_timed_parts(e)) ? entry_part_time(e) : EXPIRY_NONE};
}

static inline int64_t entry_times_first(struct entry_times t)
{
    return t.key < t.part ? t.key : t.part;
}

/* It has a time, or parts of it have. */
static inline bool entry_has_times(const struct entry *e)
{
    return e->has_expiry || entry_has_timed_parts(e);
}

/* It may end by itself, or parts of it: by a time, or by its policy. */
static inline bool entry_may_end(const struct entry *e)
{
    return e->has_expiry || e->policed || entry_has_timed_parts(e);
}

/* Something of it has reached its time: the key, or a part. */
static inline bool entry_is_due(const struct entry *e, int64_t now_ms)
{
    return UNLIKELY(entry_has_times(e)) && entry_times_first(entry_times(e)) <= now_ms;
}

/* Nothing is left of it: the key has reached its time, or all parts of its value have. */
bool entry_is_gone(const struct entry *e, int64_t now_ms);

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
/* A new entry of any type whose value is these bytes, in place or in a blob. */
struct entry *entry_new_bytes(struct slice key, enum type type, struct slice bytes, int64_t expiry);
/* A string of many bytes; takes ownership of the blob. */
struct entry *entry_new_blob(struct slice key, struct blob *b, int64_t expiry);
/* Takes ownership of the type's object. */
struct entry *entry_new_outside(struct slice key, enum type type, void *object, int64_t expiry);
/* A deep copy under another key, with `expiry`. */
struct entry *entry_copy(const struct entry *e, struct slice key, int64_t expiry);

/*
 * These take the entry over and return what stands for it from then on, which the caller puts in
 * its place in the table.
 */
struct entry *entry_set_expiry(struct entry *e, int64_t expiry);
struct entry *entry_rename(struct entry *e, struct slice key);
/*
 * Of the value's bytes, the `old` ones from `at` on become `fresh` others, which the caller is to
 * fill in; *value is where the value begins. What lies behind moves.
 */
struct entry *entry_splice(struct entry *e, size_t at, size_t old, size_t fresh, char **value);
/* The value, whatever it was, becomes this object, which the entry owns from now on. */
struct entry *entry_set_object(struct entry *e, void *object);
/* The value, whatever it was, becomes these bytes, which must not be its own. */
struct entry *entry_set_bytes(struct entry *e, struct slice bytes);

#endif
