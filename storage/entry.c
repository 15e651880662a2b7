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
    size_t outside = e->form == FORM_OUTSIDE ? value_memory(e->type, entry_object(e), samples) : 0;

    return mem_good_size(entry_size(e)) + outside;
}

void entry_free(struct entry *e)
{
    if (e->form == FORM_OUTSIDE)
        value_free(e->type, entry_object(e));
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

struct entry *entry_new_outside(struct slice key, enum type type, void *object, int64_t expiry)
{
    struct entry *e = new_entry(key, expiry, sizeof(object));

    e->type = type & 7;
    e->form = FORM_OUTSIDE;
    memcpy(entry_value(e), &object, sizeof(object));
    return e;
}

struct entry *entry_new_string(struct slice key, struct slice value, int64_t expiry, bool as_int)
{
    struct entry *e;
    struct blob *b;
    int64_t number;

    if (as_int && num_parse_int(value, &number))
        return entry_new_int(key, number, expiry);
    if (header_size(key, expiry) + value.len > INLINE_ENTRY_MAX) {
        b = blob_new(value.len, value.len);
        memcpy(b->data, value.ptr, value.len);
        return entry_new_outside(key, TYPE_STRING, b, expiry);
    }
    e = new_entry(key, expiry, value.len);
    e->type = TYPE_STRING;
    e->form = FORM_INLINE;
    e->value_len = (uint16_t)value.len;
    memcpy(entry_value(e), value.ptr, value.len);
    return e;
}

struct entry *entry_copy(const struct entry *e, struct slice key, int64_t expiry)
{
    char digits[NUM_INT_MAX];
    struct entry *copy;

    if (e->type != TYPE_STRING)
        return entry_new_outside(key, e->type, value_copy(e->type, entry_object(e)), expiry);
    if (e->form == FORM_INT)
        copy = entry_new_int(key, entry_int(e), expiry);
    else
        copy = entry_new_string(key, string_value(e, digits), expiry, false);
    copy->raw = e->form == FORM_INT || e->raw;
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
    moved->access = e->access;
    moved->value_len = e->value_len;
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
