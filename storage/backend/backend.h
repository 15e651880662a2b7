/*
 * The interface of a backend: a table of a SQL database in which keys and values live, and which
 * other programs read and write. A kind of database is one file and one row of drivers.def.
 *
 * A `struct backend` is one connection, used by one thread at a time. All texts that go in and out
 * are valid UTF-8 without NUL; what keys and values of other bytes look like is no matter of the
 * driver. Slices given to a callback are borrowed until it returns.
 */
#ifndef LK_STORAGE_BACKEND_BACKEND_H
#define LK_STORAGE_BACKEND_BACKEND_H

#include "base/slice.h"
#include "storage/backend/backend_url.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum backend_status {
    BACKEND_OK,
    BACKEND_DOWN,     /* no connection, or it broke: it may come back, after a new open() */
    BACKEND_NO_LEASE, /* somebody else has it; nothing was done */
    BACKEND_WRONG,    /* it will not work as it is: no permission, a table that does not fit */
    BACKEND_TIMEOUT,  /* longer than the options allow; the connection is closed */
};

/* What the last function that did not return BACKEND_OK has to say, in one line. */
struct backend_error {
    char text[256];
};

/* Copied. The same for all connections of a server. */
struct backend_options {
    int timeout_ms;  /* of each function */
    int poll_ms;     /* how often changes are looked for where the database cannot tell them */
    bool migrate;    /* columns may be widened, collations changed */
    bool watch;      /* triggers are installed; else those of an earlier start are dropped */
    const char *who; /* names the server in the lease, for people */
};

enum { BACKEND_NO_EXPIRY = -1 };

struct backend_row {
    struct slice key, value;
    struct slice type; /* empty: NULL, a plain string */
    struct slice more; /* empty: NULL */
    int64_t expiry;    /* milliseconds since 1970, or BACKEND_NO_EXPIRY */
    uint64_t version;  /* 0: NULL */
};

/* What the columns hold; SIZE_MAX where there is no limit. */
struct backend_limits {
    size_t key_chars, key_bytes, value_chars, value_bytes;
    /* Keys that differ in bytes may be equal to the table: case, accents, spaces at the end. */
    bool keys_fold;
    /* Of characters beyond ASCII, only some are held; which, the database knows. */
    bool ascii;
};

/* A name and a value in the table of the server's own, `<table>_latchkey`. */
struct backend_note {
    struct slice name, value;
};

/* One transaction: all of it or nothing. No key is in it twice. */
struct backend_batch {
    bool clear; /* all rows leave the table before anything else is done */
    const struct backend_row *puts;
    size_t puts_len;
    const struct slice *deletes;
    size_t deletes_len;
    const struct backend_note *notes;
    size_t notes_len;
};

/* Which rows. Those whose time is over by `now_ms` are left out. */
struct backend_scan {
    struct slice after; /* keys behind this one, bytewise; ptr NULL: from the beginning */
    struct slice
        pattern; /* a glob as KEYS has it, used as far as the database can; ptr NULL: all */
    struct slice or_prefix; /* keys that begin so are told whatever the pattern; ptr NULL: none */
    struct slice type;      /* rows whose type begins so, NULL being `string`; ptr NULL: all */
    size_t limit;           /* SIZE_MAX: all */
    bool values;            /* else only keys, types and expiries are filled in */
    int64_t now_ms;
};

typedef void backend_row_fn(void *arg, const struct backend_row *row);
/* A row that the database would not take, and why; it is in `<table>_rejects` by then. */
typedef void backend_reject_fn(void *arg, struct slice key, const char *why);
/* ptr NULL: any key may have changed. */
typedef void backend_key_fn(void *arg, struct slice key);

struct backend;

struct backend_driver {
    const char *scheme;
    bool polls; /* what others change is looked for every poll_ms, since the database cannot tell */
    /* The connection; makes the table, and adds columns, if need be. NULL: see *status, *error. */
    struct backend *(*open)(const struct backend_url *url, const struct backend_options *options,
                            enum backend_status *status, struct backend_error *error);
    void (*close)(struct backend *b);
    void (*limits)(struct backend *b, struct backend_limits *out);
    const struct backend_error *(*error)(const struct backend *b);

    /*
     * The right to write, which one connection to a table has at a time, until it is closed or
     * breaks; also kept up by calling it again (at least once a second). apply() needs it.
     */
    enum backend_status (*lease)(struct backend *b);
    /* The rows of these keys, in any order, each once; none for those that are not there. */
    enum backend_status (*fetch)(struct backend *b, const struct slice *keys, size_t n,
                                 backend_row_fn *row, void *arg);
    /* Rows in bytewise order of their keys. */
    enum backend_status (*scan)(struct backend *b, const struct backend_scan *which,
                                backend_row_fn *row, void *arg);
    enum backend_status (*count)(struct backend *b, int64_t now_ms, uint64_t *out);
    /* One row at random; not called if there is none. */
    enum backend_status (*pick)(struct backend *b, int64_t now_ms, backend_row_fn *row, void *arg);
    /* BACKEND_OK: committed. BACKEND_DOWN, BACKEND_TIMEOUT: perhaps committed. Else it was not. */
    enum backend_status (*apply)(struct backend *b, const struct backend_batch *batch,
                                 backend_reject_fn *rejected, void *arg);
    /* Deletes rows whose time is over, at most `limit`, and tells their keys. Needs the lease. */
    enum backend_status (*purge)(struct backend *b, int64_t now_ms, size_t limit,
                                 backend_key_fn *gone, void *arg);
    /* The value of a note, empty if there is none. */
    enum backend_status (*note)(struct backend *b, struct slice name, backend_row_fn *row,
                                void *arg);
    /*
     * Waits for at most `wait_ms` and tells which keys others have changed or deleted since the
     * last call. The first tells nothing and begins: what was read before it may be old. What
     * apply() and purge() did, of whatever server, is not told. On a connection of its own, of one
     * server at a time.
     */
    enum backend_status (*watch)(struct backend *b, int wait_ms, backend_key_fn *changed,
                                 void *arg);
};

/* The driver of that scheme, without `rpm+`; NULL if there is none. */
const struct backend_driver *backend_driver(struct slice scheme);

#endif
