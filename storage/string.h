/* The string type: reading and editing the value of an entry of TYPE_STRING. Pure: no replies. */
#ifndef LK_STORAGE_STRING_H
#define LK_STORAGE_STRING_H

#include "storage/entry.h"

struct blob *blob_new(size_t len, size_t cap);
void blob_free(struct blob *b);

/* The bytes; an integer's digits are written to `digits`. Borrowed until the entry changes. */
static inline struct slice string_value(const struct entry *e, char digits[NUM_INT_MAX])
{
    if (UNLIKELY(e->form == FORM_INT))
        return slice_make(digits, num_format_int(digits, entry_int(e)));
    return entry_bytes(e);
}

size_t string_len(const struct entry *e);
/* "int", "embstr" or "raw". */
const char *string_encoding(const struct entry *e);

/* False when the value is no canonical signed 64-bit integer. */
bool string_int(const struct entry *e, int64_t *out);

/*
 * Replaces the value in place where the allocation's size stays the same; false, nothing changed,
 * where it does not. Keeps the expiry.
 */
bool string_overwrite(struct entry *e, struct slice value, bool as_int);
void string_overwrite_int(struct entry *e, int64_t value);

/*
 * The string will be `len` bytes long, and of the bytes that it has, `n` from `at` on will change.
 */
void string_will_change(const struct entry *e, size_t len, size_t at, size_t n);
/*
 * Makes the value `len` bytes long and editable, zero-filled behind its old end. Takes the entry
 * over and returns what stands for it from then on; *bytes is where the value lies.
 */
struct entry *string_edit(struct entry *e, size_t len, char **bytes);

#endif
