/*
 * Reading the parts of which snapshots consist: from bytes in memory, or from a source that brings
 * more of them when they are used up. See rdb_format.h.
 *
 * Nothing that is read is believed: every function returns false where the bytes are not what they
 * should be, or too few, and `status` and `what` say why. What was read is borrowed until the next
 * call, unless a function says otherwise.
 */
#ifndef LK_STORAGE_RDB_RDB_IN_H
#define LK_STORAGE_RDB_RDB_IN_H

#include "base/buf.h"
#include "base/num.h"

enum rdb_status {
    RDB_OK,
    RDB_SHORT,       /* the bytes end before what is read does */
    RDB_CORRUPT,     /* they are no snapshot */
    RDB_UNSUPPORTED, /* they are, of something that there is not here */
    RDB_EMPTY,       /* a collection without elements */
    RDB_FAILED,      /* the source could not be read */
};

struct rdb_in {
    const char *at, *end;
    /*
     * Makes `need` bytes at least lie at `at`, which may move; false with `status` set if there are
     * not as many. NULL: there are no others.
     */
    bool (*fill)(struct rdb_in *in, size_t need);
    uint64_t behind; /* bytes that the source still has, beyond `end` */
    enum rdb_status status;
    const char *what; /* for people: what is wrong */

    /* Borrowed: when the fields of the next hash go, as rdb_take_number() reads it; or empty. */
    struct slice times;
    struct buf unpacked; /* scratch: a string that was compressed */
    char digits[NUM_INT_MAX];
};

static inline struct rdb_in rdb_in_bytes(struct slice bytes)
{
    return (struct rdb_in){.at = bytes.ptr, .end = bytes.ptr + bytes.len};
}

void rdb_in_release(struct rdb_in *in);

/* Bytes that are still to be read. */
static inline uint64_t rdb_in_left(const struct rdb_in *in)
{
    return (uint64_t)(in->end - in->at) + in->behind;
}

/* Notes what is wrong, unless something is already; always false. */
bool rdb_in_fail(struct rdb_in *in, enum rdb_status status, const char *what);

bool rdb_in_need_more(struct rdb_in *in, size_t need);
/* Whether `need` bytes lie at `at`. */
static inline bool rdb_in_need(struct rdb_in *in, size_t need)
{
    return (size_t)(in->end - in->at) >= need || rdb_in_need_more(in, need);
}

/* The next `n` bytes, in one run. */
bool rdb_get_bytes(struct rdb_in *in, size_t n, const char **bytes);
/* The same, copied; they need not lie in one run. */
bool rdb_get_copy(struct rdb_in *in, char *to, size_t n);
bool rdb_skip_bytes(struct rdb_in *in, uint64_t n);
bool rdb_get_byte(struct rdb_in *in, unsigned *byte);
bool rdb_get_int64(struct rdb_in *in, int64_t *n);
bool rdb_get_double(struct rdb_in *in, double *d);
bool rdb_get_len(struct rdb_in *in, uint64_t *len);

/* How a string begins, all of which is there. */
struct rdb_string_head {
    bool plain, packed; /* as it is; compressed; or if none of these a number */
    int64_t number;
    uint64_t len;        /* of the string */
    uint64_t packed_len; /* of its bytes here */
};
bool rdb_get_string_head(struct rdb_in *in, struct rdb_string_head *head);
/* What follows it, into `to`, which has room for `len` bytes; not of a number. */
bool rdb_get_string_body(struct rdb_in *in, const struct rdb_string_head *head, char *to);

bool rdb_get_string(struct rdb_in *in, struct slice *s);
bool rdb_skip_string(struct rdb_in *in);

#endif
