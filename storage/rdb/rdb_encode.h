/*
 * Values as snapshots and DUMP have them, in the encodings that Redis 7.0 chooses. Pure; locked:
 * the shard of the entry's key.
 */
#ifndef LK_STORAGE_RDB_RDB_ENCODE_H
#define LK_STORAGE_RDB_RDB_ENCODE_H

#include "base/buf.h"
#include "storage/entry.h"
#include "storage/rdb/listpack_out.h"
#include "storage/rdb/rdb_format.h"
#include "storage/type_list.h"

struct rdb_encoding {
    struct buf *later; /* strings that are to be compressed, see rdb_out.h; NULL for none */
    /*
     * Fields that have times are told as Redis 7.4 does, which older ones do not understand; else
     * without their times.
     */
    bool field_times;
};

/* How the value is told. */
enum rdb_type rdb_type_of(const struct entry *e, const struct rdb_encoding *how);
/* The value, without its type. */
void rdb_put_value(struct buf *out, const struct entry *e, const struct rdb_encoding *how);

/* Elements of a list as one of its nodes; `lp` is scratch. */
void rdb_put_list_run(struct buf *out, struct list_run run, struct listpack_out *lp,
                      struct buf *later);

/* What DUMP answers: type, value, and a checksum. */
void rdb_put_dump(struct buf *out, const struct entry *e, bool compress);
/* Whether it is that of a version that can be read, and unharmed; *payload is what it is about. */
bool rdb_check_dump(struct slice dump, struct slice *payload);
/* Whether one that was checked is of a version that Redis 7.0 does not read. */
bool rdb_dump_is_newer(struct slice dump);

#endif
