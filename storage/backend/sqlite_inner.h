/* A connection to SQLite, for sqlite.c and sqlite_table.c alone. */
#ifndef LK_STORAGE_BACKEND_SQLITE_INNER_H
#define LK_STORAGE_BACKEND_SQLITE_INNER_H

#include "storage/backend/backend_inner.h"
#include "storage/backend/lease_note.h"
#include "storage/backend/sql_table.h"
#include "storage/backend/sql_text.h"

#include <sqlite3.h>

/* Statements that are kept. */
enum statement {
    BEGIN,
    COMMIT,
    ROLLBACK,
    FETCH,
    PUT,
    REMOVE,
    CLEAR,
    REJECT,
    COUNT,
    PICK,
    PURGE,
    NOTE,
    PUT_NOTE,
    DROP_NOTE,
    CHANGED,
    TAKE_CHANGES,
    DATA_VERSION,
    STATEMENTS
};

struct lite {
    struct backend b;
    struct sql_names names;
    char *table, *key, *value;
    sqlite3 *db;
    sqlite3_stmt *statements[STATEMENTS];
    bool keys_fold;
    bool watching;
    int64_t seen; /* data_version when changes were last looked for */
    struct lease_note me;
};

/* What SQLite says, as the interface has it. */
enum backend_status lite_said(struct lite *l, int code);
/* The statement, ready for its parameters; NULL: *status. */
sqlite3_stmt *lite_statement(struct lite *l, enum statement which, enum backend_status *status);

/* The number that a statement gives, with the time as its parameter if it has one. */
enum backend_status lite_number(struct lite *l, enum statement which, int64_t now_ms, int64_t *out);
/* Runs a statement that gives keys. */
enum backend_status lite_gather(struct lite *l, sqlite3_stmt *s, struct sql_keys *keys);

/* sqlite_watch.c */
extern const struct sql_table_step lite_triggers[], lite_no_triggers[];
enum backend_status lite_watch(struct backend *b, int wait_ms, backend_key_fn *changed, void *arg);

/* sqlite_table.c */
extern const struct sql_table_steps lite_table;
/* Runs a template that gives no rows. */
enum backend_status lite_run(struct backend *b, const char *template);

#endif
