/*
 * Writing the parts of which snapshots consist, at the end of a buffer. See rdb_format.h.
 */
#ifndef LK_STORAGE_RDB_RDB_OUT_H
#define LK_STORAGE_RDB_RDB_OUT_H

#include "base/buf.h"

static inline void rdb_put_byte(struct buf *out, unsigned byte)
{
    buf_append_char(out, (char)byte);
}

void rdb_put_len(struct buf *out, uint64_t len);
/* A string: as a number where it spells one of 32 bits, else compressed if that is wanted. */
void rdb_put_string(struct buf *out, struct slice s, bool compress);
/* The same for bytes that are known to spell no number. */
void rdb_put_bytes(struct buf *out, struct slice s, bool compress);
/* The string that a number spells. */
void rdb_put_int(struct buf *out, int64_t n);
/* 8 bytes each. */
void rdb_put_int64(struct buf *out, int64_t n);
void rdb_put_double(struct buf *out, double d);
void rdb_put_aux(struct buf *out, struct slice name, struct slice value);

#endif
