/*
 * What a file of the log consists of: requests and annotation lines. Pure; the bytes are borrowed.
 *
 * After each run of records that is written at once a line seals it:
 *
 *     #LK:sum SEQ LEN SYNCED DB CRC
 *
 * SEQ is the number of the last group of records, LEN the bytes since the seal before, SYNCED how
 * much of the file was known to be on the disk when the run was written, DB the database selected
 * at its beginning, CRC the CRC-32C, in hexadecimal, of the run and the line as far as there.
 */
#ifndef LK_STORAGE_LOG_LOG_ITEMS_H
#define LK_STORAGE_LOG_LOG_ITEMS_H

#include "base/buf.h"

enum log_item {
    LOG_REQUEST,
    LOG_LINE, /* an annotation */
    LOG_END,
    LOG_SHORT, /* the bytes end within something */
    LOG_BAD,   /* they are nothing of the log */
};

struct log_cursor {
    struct slice bytes;
    size_t pos;         /* behind the item */
    size_t start;       /* where it begins */
    struct slice *argv; /* LOG_REQUEST; see log_cursor_release() */
    int argc;
    size_t argv_cap;
    struct slice line; /* LOG_LINE, without its end */
};

enum log_item log_next(struct log_cursor *c);
void log_cursor_release(struct log_cursor *c);

struct log_seal {
    uint64_t seq, synced;
    size_t len;
    int db;
    uint32_t crc;
    size_t covered; /* of the line: what the checksum is of, too */
};

/* Whether the line is a seal. */
bool log_seal_read(struct slice line, struct log_seal *s);
/* Whether it is that of these bytes, which it follows. */
bool log_seal_fits(const struct log_seal *s, struct slice run, struct slice line);
/* Appends the seal of `run`; s->len and s->crc follow from that. */
void log_seal_put(struct buf *out, struct log_seal *s, struct slice run);

/*
 * Where what comes behind group `seq` begins: behind the last seal that does not say more; at
 * `from` if there is none.
 */
size_t log_position(struct slice bytes, size_t from, uint64_t seq);

#endif
