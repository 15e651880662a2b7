/* The string type, see string.h. */
#include "storage/string.h"

#include "base/mem.h"
#include "storage/long_save.h"

struct blob *blob_new(size_t len, size_t cap)
{
    struct blob *b = mem_alloc(sizeof(*b) + cap);

    b->len = len;
    b->cap = cap;
    b->saving = NULL;
    return b;
}

void blob_free(struct blob *b)
{
    if (UNLIKELY(b && b->saving))
        long_save_lose(b->saving);
    mem_free(b);
}

size_t string_len(const struct entry *e)
{
    char digits[NUM_INT_MAX];

    return string_value(e, digits).len;
}

const char *string_encoding(const struct entry *e)
{
    if (e->form == FORM_INT)
        return "int";
    return e->raw || string_len(e) > EMBSTR_MAX ? "raw" : "embstr";
}

bool string_int(const struct entry *e, int64_t *out)
{
    char digits[NUM_INT_MAX];

    if (e->form != FORM_INT)
        return num_parse_int(string_value(e, digits), out);
    *out = entry_int(e);
    return true;
}

bool string_overwrite(struct entry *e, struct slice value, bool as_int)
{
    int64_t number;

    if (as_int && num_parse_int(value, &number)) {
        if (e->form != FORM_INT)
            return false;
        string_overwrite_int(e, number);
        return true;
    }
    if (e->form != FORM_INLINE || e->value_len != value.len)
        return false;
    memcpy(entry_value(e), value.ptr, value.len);
    e->raw = 0;
    return true;
}

void string_overwrite_int(struct entry *e, int64_t value)
{
    INVARIANT(e->form == FORM_INT);
    e->raw = 0;
    memcpy(entry_value(e), &value, sizeof(value));
}

/*
 * A long value: its blob grows by half, so that appending is cheap in the long run. The first bytes
 * take what they need and no more: most values are never appended to.
 */
static char *edit_blob(struct entry *e, size_t len)
{
    struct blob *b = entry_object(e);

    if (len > b->cap) {
        size_t more = len < ((size_t)1 << 20) ? len / 2 : (size_t)1 << 19;
        size_t cap = b->len ? len + more : len;

        cap = mem_good_size(sizeof(*b) + cap) - sizeof(*b);
        b = mem_realloc(b, sizeof(*b) + cap);
        b->cap = cap;
        memcpy(entry_value(e), &b, sizeof(b));
        if (UNLIKELY(b->saving != NULL))
            long_save_object_moved(b->saving, b);
    }
    if (len > b->len)
        memset(b->data + b->len, 0, len - b->len);
    b->len = len;
    return b->data;
}

static struct entry *move_outside(struct entry *e)
{
    char digits[NUM_INT_MAX];
    struct slice value = string_value(e, digits);
    struct blob *b = blob_new(value.len, value.len);
    struct entry *moved;

    memcpy(b->data, value.ptr, value.len);
    moved = entry_new_blob(entry_key(e), b, entry_expiry(e));
    moved->version = e->version;
    moved->policed = e->policed;
    moved->access_or_member = e->access_or_member;
    entry_free(e);
    return moved;
}

/* An integer becomes its digits, in place. */
static struct entry *spell_out(struct entry *e)
{
    char digits[NUM_INT_MAX];
    size_t len = num_format_int(digits, entry_int(e)), head = entry_size(e) - sizeof(int64_t);

    e = mem_realloc(e, head + len);
    e->form = FORM_INLINE;
    e->value_len = (uint16_t)len;
    memcpy(entry_value(e), digits, len);
    return e;
}

void string_will_change(const struct entry *e, size_t len, size_t at, size_t n)
{
    const struct blob *b = e->form == FORM_BLOB ? entry_object(e) : NULL;

    if (LIKELY(!b || !b->saving))
        return;
    long_save_first_bytes(b->saving, at, n);
    if (len < b->len)
        long_save_first_bytes(b->saving, len, b->len - len);
}

struct entry *string_edit(struct entry *e, size_t len, char **bytes)
{
    size_t head = (size_t)(entry_value(e) - (char *)e), old;

    if (e->form != FORM_BLOB && head + len > INLINE_ENTRY_MAX)
        e = move_outside(e);
    e->raw = 1;
    if (e->form == FORM_BLOB) {
        *bytes = edit_blob(e, len);
        return e;
    }
    if (e->form == FORM_INT)
        e = spell_out(e);
    old = e->value_len;
    if (len != old)
        e = mem_realloc(e, head + len);
    e->value_len = (uint16_t)len;
    *bytes = entry_value(e);
    if (len > old)
        memset(*bytes + old, 0, len - old);
    return e;
}
