/*
 * Rows: a key and its entry as texts that stand in the columns of a table, and back. Pure.
 *
 *     type column      value column                                        "more" column
 *     NULL             the string as it is                                 NULL
 *     string:base64    the bytes of a string that is no text
 *     hash             {"field":"value",…}                                 NULL, or {"field":ms,…}
 *     list, set        ["element",…]                                       NULL
 *     zset             {"member":score,…}; infinity is "inf" or "-inf"     NULL
 *     hash:base64 …    the same, all of whose strings are base64, because one is no text
 *
 * What is read may have been written by somebody else, or changed by hand: numbers and booleans
 * count as their texts where a string is expected, and "string" is a type, too. An empty collection
 * is no key.
 */
#ifndef LK_STORAGE_ROWS_ROWS_H
#define LK_STORAGE_ROWS_ROWS_H

#include "base/buf.h"
#include "storage/entry.h"
#include "storage/rdb/rdb_decode.h"

/* What a key stands in the table as: itself, if it is text and does not begin with this. */
#define ROW_KEY_PREFIX "latchkey:base64:"

/* Whether it stands there as itself. */
bool row_key_is_plain(struct slice key);
void row_put_key(struct buf *out, struct slice key);
/* The key that stands there; false if it looks like one of ours, and is none. */
bool row_get_key(struct slice text, struct buf *out);

/* `type` is a literal, its ptr NULL for NULL. The texts are one behind the other in the buffer. */
struct row_text {
    struct slice type;
    size_t value_len, more_len; /* more_len 0: NULL */
};
/* Appends the value, and then what is more of it. */
struct row_text row_put_entry(struct buf *out, const struct entry *e);

struct row_in {
    struct slice value, type, more; /* len 0 where NULL */
    int64_t expiry;                 /* EXPIRY_NONE for none */
    uint64_t version;
};
/*
 * A new entry, NULL if there is nothing in it. False, and why in *why (static), if it is no row
 * that could be understood.
 */
bool row_get_entry(const struct row_in *row, struct slice key, const struct rdb_limits *limits,
                   struct entry **out, const char **why);

#endif
