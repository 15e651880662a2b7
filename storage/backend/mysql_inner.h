/* A connection to MySQL or MariaDB, for the files of its driver alone. */
#ifndef LK_STORAGE_BACKEND_MYSQL_INNER_H
#define LK_STORAGE_BACKEND_MYSQL_INNER_H

#include "storage/backend/backend_inner.h"
#include "storage/backend/sql_batch.h"
#include "storage/backend/sql_table.h"
#include "storage/backend/sql_text.h"

#include <mysql.h>

/* The name of the lock that is the lease, which is at most 64 characters of the whole server. */
#define MY_LEASE "CONCAT('latchkey:', SHA1(CONCAT(DATABASE(), '/', {l})))"

enum { MY_KEPT = 8, MY_COLUMNS_MAX = 8 };

/* A statement that is prepared. */
struct my_statement {
    char *sql;
    MYSQL_STMT *stmt;
};

struct my {
    struct backend b;
    struct sql_names names;
    char *table, *key, *value;
    MYSQL *conn;
    struct my_statement kept[MY_KEPT];
    unsigned next_kept;
    int64_t began_ms; /* when the last statement did */
    bool broken;      /* nothing more is sent */
    bool clashed;     /* with another transaction: worth another try */
    bool watching;
    const char *collation; /* of our own columns: bytewise, spaces at the end count */
    struct backend_limits limits;
};

extern const struct sql_dialect my_dialect;

/* Parameters. The texts are borrowed until the statement has run, which releases the rest. */
struct my_params {
    MYSQL_BIND *binds;
    int64_t *numbers;
    size_t len, cap;
};

void my_params_init(struct my_params *ps, size_t cap);
void my_add_text(struct my_params *ps, struct slice text);
void my_add_null(struct my_params *ps);
void my_add_number(struct my_params *ps, int64_t number);

/* A row's columns, as texts; ptr NULL: NULL. */
typedef void my_row_fn(void *arg, const struct slice *columns, unsigned n);

/* Runs a statement with parameters (NULL: none) to its end. */
enum backend_status my_run_sql(struct my *m, const char *sql, struct my_params *ps, my_row_fn *row,
                               void *arg);
/* The same with a template. */
enum backend_status my_run_with(struct my *m, const char *template, struct my_params *ps,
                                my_row_fn *row, void *arg);
enum backend_status my_run(struct backend *b, const char *template);
/* The number in the first column of the first row, 0 if there is none. */
enum backend_status my_ask(struct backend *b, const char *template, int64_t *out);
/* The same, with a text as its parameter. */
enum backend_status my_ask_of(struct my *m, const char *template, const char *text, int64_t *out);
/* For my_run_with(): such a number; the first columns of all rows, as keys. */
void my_take_number(void *arg, const struct slice *columns, unsigned n);
void my_take_keys(void *arg, const struct slice *columns, unsigned n);

/* What an error of the connection means; nothing more is sent if that is at an end. */
enum backend_status my_failed(struct my *m, unsigned code, const char *state, const char *text);
void my_forget_statements(struct my *m);

/* mysql_table.c: makes the tables, or takes them as they are. */
enum backend_status my_make_ready(struct my *m);

#endif
