/* A connection to PostgreSQL, for the files of its driver alone. */
#ifndef LK_STORAGE_BACKEND_PGSQL_INNER_H
#define LK_STORAGE_BACKEND_PGSQL_INNER_H

#include "storage/backend/backend_inner.h"
#include "storage/backend/sql_batch.h"
#include "storage/backend/sql_table.h"
#include "storage/backend/sql_text.h"

#include <libpq-fe.h>

/* The first finds it by the index, the second tells it from one that only folds to the same. */
#define PG_IS_KEY "{k} = ANY($1) AND {k} COLLATE \"C\" = ANY($1)"
#define ALIVE "(expiry IS NULL OR expiry > $1)"
/* A number of ours, and one of the table. */
#define PG_LEASE "1279019597, {l}::regclass::oid::int4"
#define PG_UPSERT                                                                                  \
    "INSERT INTO {t} AS old ({k}, {v}, type, more, expiry, version) "                              \
    "SELECT * FROM unnest($1, $2, $3, $4, $5, $6) "                                                \
    "ON CONFLICT ({k}) DO UPDATE SET {v} = excluded.{v}, type = excluded.type, "                   \
    "more = excluded.more, expiry = excluded.expiry, version = excluded.version "                  \
    "WHERE old.{k} COLLATE \"C\" = excluded.{k}"

struct pg {
    struct backend b;
    struct sql_names names;
    char *table, *key, *value;
    PGconn *conn;
    int64_t deadline_ms; /* of the function that runs; of the monotonic clock */
    bool broken;         /* nothing more is sent */
    bool clashed;        /* with another transaction: worth another try */
    bool single;         /* rows are wanted as they come */
    bool listening;
    struct backend_limits limits;
};

extern const struct sql_dialect pg_dialect;

/* Parameters in binary form. */
struct pg_params {
    int len;
    Oid types[SQL_PARAMS_MAX];
    const char *values[SQL_PARAMS_MAX];
    int lens[SQL_PARAMS_MAX];
    int formats[SQL_PARAMS_MAX];
    char numbers[SQL_PARAMS_MAX][sizeof(int64_t)];
    struct buf arrays[SQL_PARAMS_MAX];
};

/* What to do with the rows of a result; NULL: nothing. */
typedef void pg_rows_fn(void *arg, const PGresult *r);

/* The texts are borrowed until the statement has run, which releases the rest. */
void pg_add_text(struct pg_params *ps, struct slice text);
/* ptr NULL: NULL. */
void pg_add_text_or_null(struct pg_params *ps, struct slice text);
void pg_add_number(struct pg_params *ps, int64_t number);
void pg_add_keys(struct pg_params *ps, const struct slice *keys, size_t n);
/* Six arrays, as PG_UPSERT wants them. */
void pg_add_rows(struct pg_params *ps, const struct backend_row *rows, size_t n);

/* Runs a statement to its end; rows come as they arrive if `single`. */
enum backend_status pg_run_sql(struct pg *p, const char *sql, struct pg_params *ps,
                               pg_rows_fn *rows, void *arg);
/* The same with a template; without parameters it may be several. */
enum backend_status pg_run_with(struct pg *p, const char *template, struct pg_params *ps,
                                pg_rows_fn *rows, void *arg);
enum backend_status pg_run(struct backend *b, const char *template);
/* The number in the first column of the first row, 0 if there is none. */
enum backend_status pg_ask(struct backend *b, const char *template, int64_t *out);
/* The same, with a text as its parameter. */
enum backend_status pg_ask_of(struct pg *p, const char *template, const char *text, int64_t *out);
/* For pg_run_with(): such a number. */
void pg_take_number(void *arg, const PGresult *r);
struct slice pg_field(const PGresult *r, int row, int column);

/* Waits until the socket can be read (or written, if `out`), in time. */
enum backend_status pg_await(struct pg *p, bool out);
/* Nothing more is sent; returns `status`. */
enum backend_status pg_broken(struct pg *p, enum backend_status status, const char *why);

/* pgsql_table.c: makes the tables, or takes them as they are. */
enum backend_status pg_make_ready(struct pg *p);

#endif
