/*
 * A long string on its way to a writer, piece by piece. Its length comes first, so it is compressed
 * while little memory is enough for the result, and written as it is else: what was compressed so
 * far is unpacked again then. Pieces are compressed each for itself, and are one compressed string
 * all the same.
 */
#ifndef LK_STORAGE_RDB_RDB_STRING_OUT_H
#define LK_STORAGE_RDB_RDB_STRING_OUT_H

#include "storage/rdb/rdb_writer.h"

struct rdb_string_out {
    struct rdb_writer *writer;
    size_t len;        /* of all */
    size_t taken;      /* of it */
    bool plain;        /* its head and what was taken are written */
    struct buf packed; /* what was taken, compressed */
    struct buf sizes;  /* of each piece of that */
};

void rdb_string_begin(struct rdb_string_out *o, struct rdb_writer *w, size_t len, bool compress);
/* All of the same size but the last. */
void rdb_string_put(struct rdb_string_out *o, struct slice piece);
/* All is there; or nothing more will come. Frees what it has. */
void rdb_string_end(struct rdb_string_out *o);

#endif
