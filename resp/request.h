/*
 * The parser of requests: RESP arrays of bulk strings, and inline commands.
 *
 * It runs over a buffer of the caller's and copies nothing: arguments are slices of that buffer. It
 * can stop at any byte and go on when more has come, even in another buffer, if the caller moves
 * the slices with request_moved(). Where a long argument begins, it stops (REQUEST_LONG), so that
 * the caller can have its bytes read straight into an allocation of their own.
 *
 * Texts of errors, limits and leniencies are those of Redis 7.0.
 */
#ifndef LK_RESP_REQUEST_H
#define LK_RESP_REQUEST_H

#include "base/slice.h"

enum {
    REQUEST_INLINE_MAX = 64 * 1024,
    REQUEST_LONG_FROM = 32 * 1024, /* bytes of an argument that is worth its own allocation */
    UNAUTH_ARGS_MAX = 10,
    UNAUTH_BULK_MAX = 16384,
};

enum request_state {
    REQUEST_DONE,  /* args hold a request; argc 0 for an empty one, which is to be skipped */
    REQUEST_MORE,  /* it ends beyond what is there */
    REQUEST_LONG,  /* the next argument is `bulk_len` bytes and begins at `pos` */
    REQUEST_ERROR, /* `error` says what is wrong; the connection is to be closed */
};

/* A growing list of arguments. */
struct args {
    struct slice *v;
    size_t len, cap;
};

struct request_limits {
    int64_t bulk_max; /* proto-max-bulk-len */
    bool unauthenticated;
};

/* All zero: before the first byte of a request. */
struct request {
    size_t pos;        /* bytes of the request that are parsed */
    int64_t args_left; /* arguments still to come; meaningful once `multibulk` */
    int64_t bulk_len;  /* of the argument whose header is parsed, if `in_bulk` */
    bool multibulk, in_bulk, quoted;
    size_t first;      /* index of the request's first argument in `args` */
    const char *error; /* static, or `error_text` */
    char error_text[64];
};

/*
 * Parses on in `data`, which begins with the request's first byte. Arguments are appended to
 * `args`. With REQUEST_DONE, `pos` is the request's length. Inline arguments are unquoted within
 * `data`.
 */
enum request_state request_parse(struct request *r, char *data, size_t len, struct args *args,
                                 const struct request_limits *limits);

/* The bytes of args[from...] that lay at `old` (of `len` bytes) lie at `fresh` now. */
void request_moved(struct args *args, size_t from, const char *old, size_t len, const char *fresh);

/* After REQUEST_LONG: the argument is `arg`, bytes elsewhere, and parsing goes on behind it. */
void request_long_done(struct request *r, struct args *args, struct slice arg);

void args_grow(struct args *args);
void args_release(struct args *args);

static inline void args_push(struct args *args, struct slice s)
{
    if (__builtin_expect(args->len == args->cap, 0))
        args_grow(args);
    args->v[args->len++] = s;
}

#endif
