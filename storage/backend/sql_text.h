/*
 * Statements as text: names of tables and columns, which come from the user and are quoted; globs
 * as patterns of SQL. Everything else that comes from outside is a parameter.
 */
#ifndef LK_STORAGE_BACKEND_SQL_TEXT_H
#define LK_STORAGE_BACKEND_SQL_TEXT_H

#include "base/buf.h"
#include "storage/backend/backend.h"

/* How a kind of database wants things said. */
struct sql_dialect {
    char quote;          /* around names */
    bool numbered;       /* parameters are $1, $2, …, else ? */
    const char *like;    /* the operator of patterns, with `$` where the pattern is */
    char any;            /* "any characters" in a pattern */
    const char *special; /* characters that stand for themselves only between `before`, `after` */
    const char *before, *after;
};

/* Borrowed from the driver. */
struct sql_names {
    const struct sql_dialect *dialect;
    const char *table, *key, *value;
    const char *order; /* the key as an expression that compares bytewise, a template */
};

/*
 * Appends a template with what stands in braces replaced: {t} the table, {t_more} another table of
 * ours beside it, {i_more} the same without its schema; as literals {l_more} the first and {b_more}
 * the second without its quotes; {k} the column of the key, {c} its name as a literal, {v} the
 * column of the value, {o} the expression of the order.
 */
void sql_format(struct buf *out, const struct sql_names *names, const char *template);
/* The same as a string; freed with mem_free. */
char *sql_string(const struct sql_names *names, const char *template);
/* The table's own name, without its schema. */
const char *sql_base_name(const char *table);

/* Appends a name in quotes; a dot parts a schema from it. */
void sql_quote(struct buf *out, char quote, struct slice name);

/*
 * Appends a pattern that matches whatever the glob matches, and perhaps more: characters are not
 * bytes, so that `?` and `[…]` may be any number of them.
 */
void sql_pattern(struct buf *out, const struct sql_dialect *d, struct slice glob);
/* Appends a pattern of what begins so. */
void sql_prefix(struct buf *out, const struct sql_dialect *d, struct slice prefix);

/* A parameter of a statement: a text, or a number if ptr is NULL. */
struct sql_param {
    struct slice text;
    int64_t number;
};

enum { SQL_PARAMS_MAX = 8 };

/* A SELECT with its parameters; all zero is empty. */
struct sql_query {
    struct buf sql;
    struct buf texts; /* of patterns */
    struct sql_param params[SQL_PARAMS_MAX];
    int len;
};

/*
 * The rows of a scan: key, type and expiry in these columns, then value, more and version if they
 * are asked for.
 */
enum { SCAN_KEY, SCAN_TYPE, SCAN_EXPIRY, SCAN_VALUE, SCAN_MORE, SCAN_VERSION };
#define SQL_ALL_COLUMNS "{k}, type, expiry, {v}, more, version"

void sql_scan(struct sql_query *q, const struct sql_names *names, const struct backend_scan *which);
void sql_query_release(struct sql_query *q);

/* Keys that are told when what concerns them is committed; all zero is empty. */
struct sql_keys {
    struct buf bytes;
    size_t len;
};

void sql_keys_add(struct sql_keys *keys, struct slice key);
/* The next one; *at is 0 for the first. */
struct slice sql_keys_next(const struct sql_keys *keys, size_t *at);
/* Tells them, unless `tell` is NULL, and releases them. */
void sql_keys_tell(struct sql_keys *keys, backend_key_fn *tell, void *arg);

#endif
