/*
 * Writing the parts of which snapshots consist, at the end of a buffer. See rdb_format.h.
 *
 * Compression takes too long while somebody waits for a shard. So strings are written as they are,
 * and where they stand is noted in another buffer, `later`, if they are to be compressed; NULL for
 * not at all. rdb_squeeze() compresses them when no lock is held any more. `out` holds nothing but
 * what `later` is about.
 */
#ifndef LK_STORAGE_RDB_RDB_OUT_H
#define LK_STORAGE_RDB_RDB_OUT_H

#include "base/buf.h"

static inline void rdb_put_byte(struct buf *out, unsigned byte)
{
    buf_append_char(out, (char)byte);
}

void rdb_put_len(struct buf *out, uint64_t len);
/* A string: as a number where it spells one of 32 bits. */
void rdb_put_string(struct buf *out, struct slice s, struct buf *later);
/* The same for bytes that are known to spell no number. */
void rdb_put_bytes(struct buf *out, struct slice s, struct buf *later);
/* Appends the bytes with the strings compressed that `later` notes, where that gains something. */
void rdb_squeeze(struct buf *out, struct slice bytes, const struct buf *later);
/* The head of a string of which its compressed form follows. */
void rdb_put_packed_head(struct buf *out, size_t packed_len, size_t len);
/* The string that a number spells. */
void rdb_put_int(struct buf *out, int64_t n);
/* 8 bytes each. */
void rdb_put_int64(struct buf *out, int64_t n);
void rdb_put_double(struct buf *out, double d);
void rdb_put_aux(struct buf *out, struct slice name, struct slice value);

#endif
