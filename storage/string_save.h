/*
 * A long string that a snapshot saves piece by piece, while others change it: who is about to
 * change bytes that are not saved copies the pieces in which they are. What is appended is none of
 * the snapshot's business. Part of long_save.h, which says who may call this.
 */
#ifndef LK_STORAGE_STRING_SAVE_H
#define LK_STORAGE_STRING_SAVE_H

#include "base/buf.h"
#include "storage/entry.h"

enum { STRING_PIECE = 64 << 10 };

struct string_save {
    size_t len;  /* as it was */
    size_t next; /* the first byte that is not saved */
    char **kept; /* pieces that were copied, NULL for those that were not; NULL for none at all */
};

/* Of the bytes that are in `b` now, these will change. Returns how many were copied. */
size_t string_save_first(struct string_save *s, const struct blob *b, size_t at, size_t len);
/* Appends the next piece; returns how many bytes of it had been copied. */
size_t string_save_take(struct string_save *s, const struct blob *b, struct buf *out);
/* Returns how many bytes had been copied and not been taken. */
size_t string_save_release(struct string_save *s);

#endif
