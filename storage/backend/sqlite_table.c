/* The tables in a file of SQLite, see sql_table.h. */
#include "base/mem.h"
#include "storage/backend/sqlite_inner.h"

static const struct sql_table_step tables[] = {
    {NULL, "CREATE TABLE IF NOT EXISTS {t} ({k} TEXT NOT NULL PRIMARY KEY, {v} TEXT, type TEXT, "
           "expiry INTEGER, version INTEGER, more TEXT)"},
    {NULL, "CREATE TABLE IF NOT EXISTS {t_latchkey} (name TEXT NOT NULL PRIMARY KEY, value TEXT)"},
    {NULL, "CREATE TABLE IF NOT EXISTS {t_rejects} (key TEXT, value TEXT, type TEXT, reason TEXT, "
           "time INTEGER)"},
    {NULL, "CREATE TABLE IF NOT EXISTS {t_changes} (id INTEGER PRIMARY KEY, key TEXT)"},
    {NULL, NULL},
};

static const struct sql_table_step indexes[] = {
    {NULL,
     "CREATE INDEX IF NOT EXISTS {i_latchkey_expiry} ON {t} (expiry) WHERE expiry IS NOT NULL"},
    {NULL, NULL},
};

enum backend_status lite_run(struct backend *b, const char *template)
{
    struct lite *l = (struct lite *)b;
    char *sql = sql_string(&l->names, template);
    int code = sqlite3_exec(l->db, sql, NULL, NULL, NULL);

    mem_free(sql);
    return lite_said(l, code);
}

static enum backend_status ask(struct backend *b, const char *template, int64_t *out)
{
    struct lite *l = (struct lite *)b;
    char *sql = sql_string(&l->names, template);
    sqlite3_stmt *s = NULL;
    int code = sqlite3_prepare_v2(l->db, sql, -1, &s, NULL);

    if (code == SQLITE_OK)
        code = sqlite3_step(s);
    *out = code == SQLITE_ROW ? sqlite3_column_int64(s, 0) : 0;
    sqlite3_finalize(s);
    mem_free(sql);
    return lite_said(l, code);
}

static enum backend_status has_column(struct backend *b, const char *name, bool *out)
{
    struct lite *l = (struct lite *)b;

    *out = sqlite3_table_column_metadata(l->db, NULL, l->table, name, NULL, NULL, NULL, NULL,
                                         NULL) == SQLITE_OK;
    return BACKEND_OK;
}

/* SQLite makes numbers of texts in columns of certain types, by these parts of their names. */
static bool keeps_text(const char *type)
{
    return !strcasestr(type, "INT") &&
           (!*type || strcasestr(type, "CHAR") || strcasestr(type, "CLOB") ||
            strcasestr(type, "TEXT") || strcasestr(type, "BLOB"));
}

static enum backend_status check_column(struct lite *l, const char *name, const char **collation)
{
    const char *type = NULL;
    int code = sqlite3_table_column_metadata(l->db, NULL, l->table, name, &type, collation, NULL,
                                             NULL, NULL);

    if (code != SQLITE_OK)
        return lite_said(l, code);
    if (type && !keeps_text(type))
        return backend_fail(&l->b, BACKEND_WRONG, "the column `%s` is of type %s, TEXT is needed",
                            name, type);
    return BACKEND_OK;
}

static enum backend_status check(struct backend *b)
{
    struct lite *l = (struct lite *)b;
    const char *collation = NULL;
    enum backend_status status = check_column(l, l->value, &collation);

    if (status == BACKEND_OK)
        status = check_column(l, l->key, &collation);
    l->keys_fold = collation && strcasecmp(collation, "BINARY") != 0;
    /* Fails here already if the key is not unique. */
    if (status == BACKEND_OK)
        lite_statement(l, PUT, &status);
    return status;
}

const struct sql_table_steps lite_table = {
    .tables = tables,
    .indexes = indexes,
    .triggers = lite_triggers,
    .no_triggers = lite_no_triggers,
    .text = "TEXT",
    .number = "INTEGER",
    .run = lite_run,
    .ask = ask,
    .has_column = has_column,
    .check = check,
};
