/*
 * The manifest of a log: which files it consists of, as Redis 7 writes it.
 *
 *     file appendonly.aof.1.base.rdb seq 1 type b      what was in memory at one moment
 *     file appendonly.aof.1.incr.aof seq 1 type i      what changed since, in this order
 *     file appendonly.aof.0.base.rdb seq 0 type h      no part of it any more, to be removed
 */
#ifndef LK_STORAGE_LOG_MANIFEST_H
#define LK_STORAGE_LOG_MANIFEST_H

#include "base/buf.h"

enum log_kind { LOG_BASE = 'b', LOG_INCR = 'i', LOG_HISTORY = 'h' };

struct log_part {
    char *name; /* owned */
    uint64_t seq;
    char kind; /* enum log_kind */
};

struct manifest {
    struct log_part *parts;
    size_t len, cap;
};

/* Appends a part; the name is copied. */
void manifest_add(struct manifest *m, struct slice name, uint64_t seq, enum log_kind kind);
/* The base, NULL for none. */
struct log_part *manifest_base(const struct manifest *m);
/* The last of the increments, NULL for none. */
struct log_part *manifest_last(const struct manifest *m);
/* The largest number among parts of this kind, 0 for none. */
uint64_t manifest_max(const struct manifest *m, enum log_kind kind);
void manifest_copy(struct manifest *to, const struct manifest *from);
void manifest_release(struct manifest *m);
/* Takes a part out. */
void manifest_remove(struct manifest *m, size_t i);

/* False, and appended to `why` what is wrong, for people, where the text is no manifest. */
bool manifest_parse(struct manifest *m, struct slice text, struct buf *why);
void manifest_format(const struct manifest *m, struct buf *out);

#endif
