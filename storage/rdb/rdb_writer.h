/*
 * A snapshot as it is written, into whatever takes its bytes: a file, or the base of a log.
 *
 *     struct rdb_writer w;
 *
 *     rdb_writer_begin(&w, sink, arg, &header);
 *     rdb_writer_database(&w, db, keys, expiring);  … keys of it …
 *     rdb_writer_keys(&w, &keys);
 *     status = rdb_writer_end(&w);
 *
 * What Redis does not know stands in RDB_AUX fields, which it passes over:
 *
 *     lk-seq         a number that no version of any key is above
 *     lk-versions    the versions of the keys that follow, one behind the other: the first, and of
 *                    each other one by how much it differs from that before
 *     lk-times       when the fields of the hash that follows go, in its order; 0 for never
 *     lk-lines       lines as they stand in a log (../log/records.h), as often as need be
 *     lk-field-times of a hash that was there before: database, key, and fields each with its time
 */
#ifndef LK_STORAGE_RDB_RDB_WRITER_H
#define LK_STORAGE_RDB_RDB_WRITER_H

#include "storage/rdb/rdb_encode.h"

#define RDB_AUX_SEQ "lk-seq"
#define RDB_AUX_LINES "lk-lines"
#define RDB_AUX_VERSIONS "lk-versions"
#define RDB_AUX_TIMES "lk-times"
#define RDB_AUX_FIELD_TIMES "lk-field-times"

/* Takes bytes; 0 or -errno. */
typedef int rdb_sink_fn(void *arg, const char *bytes, size_t len);

struct rdb_header {
    const char *redis_version;
    int64_t now_s;
    size_t used_memory;
    uint64_t seq;
    bool checksum;
    bool log_base;    /* it is the base of a log */
    struct buf lines; /* what belongs to no key; its owner's */
};

struct rdb_writer {
    struct buf out;
    rdb_sink_fn *sink;
    void *arg;
    int status; /* the first error; nothing is written behind one */
    bool checksum;
    uint64_t crc, written;
    int db; /* of the keys that are being written, -1 for none yet */
};

void rdb_writer_begin(struct rdb_writer *w, rdb_sink_fn *sink, void *arg,
                      const struct rdb_header *header);
/* The keys that follow are of this database, which has so many. */
void rdb_writer_database(struct rdb_writer *w, int db, uint64_t keys, uint64_t expiring);
void rdb_writer_bytes(struct rdb_writer *w, struct slice bytes);
/* The same, of which strings are to be compressed. */
void rdb_writer_squeeze(struct rdb_writer *w, struct slice bytes, const struct buf *later);
/* Hands on what it has gathered. */
void rdb_writer_flush(struct rdb_writer *w);
/* The end and the checksum. 0 or -errno. Frees what the writer has. */
int rdb_writer_end(struct rdb_writer *w);
/* Frees it without an end. */
void rdb_writer_release(struct rdb_writer *w);

/* ---- keys ------------------------------------------------------------------------------------ */

/* Seconds since the last use, or how often it was used; -1 for what is not told. */
struct rdb_age {
    int64_t idle_s;
    int frequency;
};

/* Keys with their versions, on their way to a writer. All zero is empty. */
struct rdb_keys {
    struct buf bytes, versions;
    struct buf later; /* which strings of the bytes are to be compressed, see rdb_out.h */
    uint64_t last_version, count;
};

/* Everything of a key but its value: expiry, age, type, name. */
void rdb_put_key_head(struct buf *out, const struct entry *e, enum rdb_type type,
                      struct rdb_age age);
void rdb_keys_add(struct rdb_keys *keys, const struct entry *e, uint64_t version,
                  struct rdb_age age, bool compress);
/* A key whose bytes the caller has put there, or will. */
void rdb_keys_add_version(struct rdb_keys *keys, uint64_t version);
void rdb_writer_keys(struct rdb_writer *w, const struct rdb_keys *keys);
void rdb_keys_clear(struct rdb_keys *keys);
void rdb_keys_release(struct rdb_keys *keys);

/* Numbers in as many bytes as they need, seven bits in each, the low ones first. */
void rdb_put_number(struct buf *out, uint64_t n);
/* False, and 0, at the end. */
bool rdb_take_number(struct slice *from, uint64_t *n);

#endif
