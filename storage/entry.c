/* Entries: making, copying and freeing, see entry.h. */
#include "storage/entry.h"

#include "base/mem.h"
#include "storage/hash.h"
#include "storage/string.h"
#include "storage/value_types.h"

uint64_t entry_hash(const void *item)
{
    return hash_bytes(entry_key(item));
}

int64_t entry_part_time(const struct entry *e)
{
    return value_part_time(e);
}

bool entry_is_gone(const struct entry *e, int64_t now_ms)
{
    struct entry_times t = entry_times(e);

    return t.key <= now_ms || (t.part <= now_ms && value_is_gone(e, now_ms));
}

static size_t value_size(const struct entry *e)
{
    return e->form == FORM_INLINE ? e->value_len : sizeof(int64_t);
}

size_t entry_size(const struct entry *e)
{
    return sizeof(*e) + entry_key_offset(e) + entry_key_len(e) + value_size(e);
}

size_t entry_memory(const struct entry *e, size_t samples)
{
    size_t outside = 0;

    if (e->form == FORM_OUTSIDE)
        outside = value_memory(e->type, entry_object(e), samples);
    else if (e->form == FORM_BLOB)
        outside = mem_size_of(entry_object(e));
    return mem_good_size(entry_size(e)) + outside;
}

static void free_outside(struct entry *e)
{
    if (e->form == FORM_OUTSIDE)
        value_free(e->type, entry_object(e));
    else if (e->form == FORM_BLOB)
        blob_free(entry_object(e));
}

void entry_free(struct entry *e)
{
    free_outside(e);
    mem_free_sized(e, entry_size(e));
}

static size_t header_size(struct slice key, int64_t expiry)
{
    return sizeof(struct entry) + (expiry != EXPIRY_NONE ? sizeof(int64_t) : 0) +
           (key.len > SHORT_KEY_MAX ? sizeof(uint32_t) : 0) + key.len;
}

/* Everything but the value, for which there are `value_len` bytes. */
static struct entry *new_entry(struct slice key, int64_t expiry, size_t value_len)
{
    struct entry *e = mem_alloc(header_size(key, expiry) + value_len);
    uint32_t long_len = (uint32_t)key.len;

    memset(e, 0, sizeof(*e));
    e->has_expiry = expiry != EXPIRY_NONE;
    e->long_key = key.len > SHORT_KEY_MAX;
    e->short_key_len = e->long_key ? 0 : key.len & 0xff;
    if (e->has_expiry)
        memcpy(e->data, &expiry, sizeof(expiry));
    if (e->long_key)
        memcpy(e->data + e->has_expiry * sizeof(expiry), &long_len, sizeof(long_len));
    memcpy(e->data + entry_key_offset(e), key.ptr, key.len);
    return e;
}

struct entry *entry_new_int(struct slice key, int64_t value, int64_t expiry)
{
    struct entry *e = new_entry(key, expiry, sizeof(value));

    e->type = TYPE_STRING;
    e->form = FORM_INT;
    memcpy(entry_value(e), &value, sizeof(value));
    return e;
}

static struct entry *new_pointing(struct slice key, enum type type, enum form form, void *object,
                                  int64_t expiry)
{
    struct entry *e = new_entry(key, expiry, sizeof(object));

    e->type = type & 7;
    e->form = form & 3;
    memcpy(entry_value(e), &object, sizeof(object));
    return e;
}

struct entry *entry_new_outside(struct slice key, enum type type, void *object, int64_t expiry)
{
    return new_pointing(key, type, FORM_OUTSIDE, object, expiry);
}

struct entry *entry_new_blob(struct slice key, struct blob *b, int64_t expiry)
{
    return new_pointing(key, TYPE_STRING, FORM_BLOB, b, expiry);
}

static struct blob *blob_of(struct slice bytes)
{
    struct blob *b = blob_new(bytes.len, bytes.len);

    if (bytes.len)
        memcpy(b->data, bytes.ptr, bytes.len);
    return b;
}

struct entry *entry_new_bytes(struct slice key, enum type type, struct slice bytes, int64_t expiry)
{
    struct entry *e;

    if (header_size(key, expiry) + bytes.len > INLINE_ENTRY_MAX)
        return new_pointing(key, type, FORM_BLOB, blob_of(bytes), expiry);
    e = new_entry(key, expiry, bytes.len);
    e->type = type & 7;
    e->form = FORM_INLINE;
    e->value_len = (uint16_t)bytes.len;
    if (bytes.len)
        memcpy(entry_value(e), bytes.ptr, bytes.len);
    return e;
}

struct entry *entry_new_string(struct slice key, struct slice value, int64_t expiry, bool as_int)
{
    int64_t number;

    if (as_int && num_parse_int(value, &number))
        return entry_new_int(key, number, expiry);
    return entry_new_bytes(key, TYPE_STRING, value, expiry);
}

static struct entry *copy_of(const struct entry *e, struct slice key, int64_t expiry)
{
    if (e->form == FORM_INT)
        return entry_new_int(key, entry_int(e), expiry);
    if (e->form == FORM_OUTSIDE)
        return entry_new_outside(key, e->type, value_copy(e->type, entry_object(e)), expiry);
    return entry_new_bytes(key, e->type, entry_bytes(e), expiry);
}

struct entry *entry_copy(const struct entry *e, struct slice key, int64_t expiry)
{
    struct entry *copy = copy_of(e, key, expiry);

    copy->raw = e->form == FORM_INT || e->raw;
    copy->few = e->few;
    return copy;
}

/*
 * The same value under a new header; the old entry is gone, what hung from it hangs from the new.
 */
static struct entry *move_value(struct entry *e, struct slice key, int64_t expiry)
{
    size_t len = value_size(e);
    struct entry *moved = new_entry(key, expiry, len);

    moved->version = e->version;
    moved->type = e->type;
    moved->form = e->form;
    moved->raw = e->raw;
    moved->policed = e->policed;
    moved->access_or_member = e->access_or_member;
    moved->value_len = e->value_len;
    moved->few = e->few;
    memcpy(entry_value(moved), entry_value(e), len);
    mem_free_sized(e, entry_size(e));
    return moved;
}

struct entry *entry_set_expiry(struct entry *e, int64_t expiry)
{
    if (e->has_expiry != (expiry != EXPIRY_NONE))
        return move_value(e, entry_key(e), expiry);
    if (e->has_expiry)
        memcpy(e->data, &expiry, sizeof(expiry));
    return e;
}

struct entry *entry_rename(struct entry *e, struct slice key)
{
    return move_value(e, key, entry_expiry(e));
}

/* ---- editing bytes --------------------------------------------------------------------------- */

static size_t head_size(const struct entry *e)
{
    return sizeof(*e) + entry_key_offset(e) + entry_key_len(e);
}

/* In front of the value everything stays; for what it was there are `len` bytes instead. */
static struct entry *resize(struct entry *e, size_t len)
{
    size_t head = head_size(e), old = value_size(e);

    return mem_good_size(head + len) == mem_good_size(head + old) ? e : mem_realloc(e, head + len);
}

static struct entry *point(struct entry *e, enum form form, void *object)
{
    e = resize(e, sizeof(object));
    e->form = form & 3;
    e->value_len = 0;
    memcpy(entry_value(e), &object, sizeof(object));
    return e;
}

static char *splice_blob(struct entry *e, size_t at, size_t old, size_t fresh)
{
    struct blob *b = entry_object(e);
    size_t len = b->len - old + fresh, behind = b->len - at - old;

    if (len > b->cap) {
        size_t cap = mem_good_size(sizeof(*b) + len + len / 8) - sizeof(*b);

        b = mem_realloc(b, sizeof(*b) + cap);
        b->cap = cap;
        memcpy(entry_value(e), &b, sizeof(b));
    }
    memmove(b->data + at + fresh, b->data + at + old, behind);
    b->len = len;
    return b->data;
}

struct entry *entry_splice(struct entry *e, size_t at, size_t old, size_t fresh, char **value)
{
    size_t len, behind;

    if (e->form == FORM_INLINE && head_size(e) + e->value_len - old + fresh > INLINE_ENTRY_MAX)
        e = point(e, FORM_BLOB, blob_of(entry_bytes(e)));
    if (UNLIKELY(e->form == FORM_BLOB)) {
        *value = splice_blob(e, at, old, fresh);
        return e;
    }
    INVARIANT(e->form == FORM_INLINE && at + old <= e->value_len);
    len = e->value_len - old + fresh;
    behind = e->value_len - at - old;
    if (fresh > old)
        e = resize(e, len);
    *value = entry_value(e);
    memmove(*value + at + fresh, *value + at + old, behind);
    if (fresh < old) {
        e = resize(e, len);
        *value = entry_value(e);
    }
    e->value_len = (uint16_t)len;
    return e;
}

struct entry *entry_set_object(struct entry *e, void *object)
{
    free_outside(e);
    return point(e, FORM_OUTSIDE, object);
}

struct entry *entry_set_bytes(struct entry *e, struct slice bytes)
{
    free_outside(e);
    if (head_size(e) + bytes.len > INLINE_ENTRY_MAX)
        return point(e, FORM_BLOB, blob_of(bytes));
    e = resize(e, bytes.len);
    e->form = FORM_INLINE;
    e->value_len = (uint16_t)bytes.len;
    if (bytes.len)
        memcpy(entry_value(e), bytes.ptr, bytes.len);
    return e;
}
