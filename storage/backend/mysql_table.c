/* The tables in MySQL and MariaDB, see sql_table.h. Statements that change tables commit. */
#include "storage/backend/mysql_inner.h"

#include "base/mem.h"

/* A text that an index holds whatever its characters are, and one of any length. */
#define SHORT "VARCHAR(768) CHARACTER SET utf8mb4 COLLATE "
#define LONG "LONGTEXT CHARACTER SET utf8mb4"

const struct sql_dialect my_dialect = {.quote = '`',
                                       .numbered = false,
                                       .like = " LIKE $ ESCAPE '|'",
                                       .any = '%',
                                       .special = "%_|",
                                       .before = "|",
                                       .after = ""};

#define TABLE_THERE(name)                                                                          \
    "SELECT 1 FROM information_schema.TABLES WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME "      \
    "= " name
#define INDEX_THERE(name)                                                                          \
    "SELECT 1 FROM information_schema.STATISTICS WHERE TABLE_SCHEMA = DATABASE() "                 \
    "AND TABLE_NAME = {b} AND INDEX_NAME = '" name "' LIMIT 1"
#define TRIGGER_THERE(name)                                                                        \
    "SELECT 1 FROM information_schema.TRIGGERS WHERE TRIGGER_SCHEMA = DATABASE() "                 \
    "AND TRIGGER_NAME = " name
#define TRIGGER_GONE(name) "SELECT NOT EXISTS (" TRIGGER_THERE(name) ")"

static const struct sql_table_step indexes[] = {
    {INDEX_THERE("latchkey_expiry"), "CREATE INDEX latchkey_expiry ON {t} (expiry)"},
    {NULL, NULL},
};

#define TRIGGER(name, when) "CREATE TRIGGER {i_latchkey_" name "} " when " ON {t} FOR EACH ROW "
#define NOTICE(row) "INSERT INTO {t_changes} (`key`) VALUES (" row ".{k}); "
#define BY_OTHERS(statements) "IF @latchkey_server IS NULL THEN " statements "END IF"
#define RENAMED "IF BINARY OLD.{k} <> BINARY NEW.{k} THEN " NOTICE("OLD") "END IF; "
/* Another version, and a text that is plain now. */
#define FORGET                                                                                     \
    "IF NEW.version = OLD.version THEN SET NEW.version = NULL; "                                   \
    "IF NOT (BINARY NEW.{v} <=> BINARY OLD.{v}) THEN "                                             \
    "SET NEW.type = nullif(NEW.type, 'string:base64'); END IF; END IF; "

static const struct sql_table_step triggers[] = {
    {TRIGGER_THERE("{b_latchkey_insert}"),
     TRIGGER("insert", "AFTER INSERT") BY_OTHERS(NOTICE("NEW"))},
    {TRIGGER_THERE("{b_latchkey_delete}"),
     TRIGGER("delete", "AFTER DELETE") BY_OTHERS(NOTICE("OLD"))},
    {TRIGGER_THERE("{b_latchkey_update}"),
     TRIGGER("update", "AFTER UPDATE") BY_OTHERS(RENAMED NOTICE("NEW"))},
    {TRIGGER_THERE("{b_latchkey_newer}"), TRIGGER("newer", "BEFORE UPDATE") BY_OTHERS(FORGET)},
    {NULL, NULL},
};

static const struct sql_table_step no_triggers[] = {
    {TRIGGER_GONE("{b_latchkey_insert}"), "DROP TRIGGER {i_latchkey_insert}"},
    {TRIGGER_GONE("{b_latchkey_delete}"), "DROP TRIGGER {i_latchkey_delete}"},
    {TRIGGER_GONE("{b_latchkey_update}"), "DROP TRIGGER {i_latchkey_update}"},
    {TRIGGER_GONE("{b_latchkey_newer}"), "DROP TRIGGER {i_latchkey_newer}"},
    {NULL, NULL},
};

/* ---- columns -------------------------------------------------------------------------------- */

#define COLUMN                                                                                     \
    " FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = {b} "       \
    "AND COLUMN_NAME = ?"

static enum backend_status has_column(struct backend *b, const char *name, bool *out)
{
    int64_t n = 0;
    enum backend_status status = my_ask_of((struct my *)b, "SELECT 1" COLUMN, name, &n);

    *out = n != 0;
    return status;
}

static enum backend_status check_type(struct my *m, const char *name)
{
    int64_t n = 0;
    enum backend_status status = my_ask_of(m,
                                           "SELECT 1 + (DATA_TYPE IN ('varchar', 'tinytext', "
                                           "'text', 'mediumtext', 'longtext'))" COLUMN,
                                           name, &n);

    if (status == BACKEND_OK && n == 0)
        return backend_fail(&m->b, BACKEND_WRONG, "the table has no column `%s`", name);
    if (status == BACKEND_OK && n == 1)
        return backend_fail(&m->b, BACKEND_WRONG, "the column `%s` is neither varchar nor text",
                            name);
    return status;
}

/* What is counted in characters and what in bytes depends on the type and the character set. */
static enum backend_status measure(struct my *m, const char *name, size_t *chars, size_t *bytes)
{
    int64_t n = 0;
    enum backend_status status =
        my_ask_of(m,
                  "SELECT CASE WHEN DATA_TYPE = 'varchar' OR CHARACTER_SET_NAME NOT LIKE 'utf8%' "
                  "THEN CHARACTER_MAXIMUM_LENGTH END" COLUMN,
                  name, &n);

    *chars = n ? (size_t)n : SIZE_MAX;
    if (status == BACKEND_OK)
        status = my_ask_of(m,
                           "SELECT CASE WHEN CHARACTER_SET_NAME LIKE 'utf8%' "
                           "THEN CHARACTER_OCTET_LENGTH END" COLUMN,
                           name, &n);
    *bytes = n ? (size_t)n : SIZE_MAX;
    return status;
}

/* Only under these collations keys are the same if, and only if, their bytes are. */
static enum backend_status check_collation(struct my *m)
{
    int64_t n = 0;
    enum backend_status status = my_ask_of(
        m, "SELECT COLLATION_NAME IN ('utf8mb4_nopad_bin', 'utf8mb4_0900_bin')" COLUMN, m->key, &n);

    m->limits.keys_fold = !n;
    m->names.order = n ? "{k}" : "CAST(CONVERT({k} USING utf8mb4) AS BINARY)";
    return status;
}

static enum backend_status check_characters(struct my *m)
{
    int64_t wide = 0;
    enum backend_status status = BACKEND_OK;

    m->limits.ascii = false;
    for (int i = 0; status == BACKEND_OK && i < 2; i++) {
        status = my_ask_of(m, "SELECT CHARACTER_SET_NAME = 'utf8mb4'" COLUMN, i ? m->value : m->key,
                           &wide);
        m->limits.ascii |= !wide;
    }
    return status;
}

static enum backend_status check_unique(struct my *m)
{
    int64_t n = 0;
    enum backend_status status = my_ask_of(
        m,
        "SELECT count(*) FROM information_schema.STATISTICS s WHERE s.TABLE_SCHEMA = DATABASE() "
        "AND s.TABLE_NAME = {b} AND s.COLUMN_NAME = ? AND NOT s.NON_UNIQUE AND s.SUB_PART IS NULL "
        "AND NOT EXISTS (SELECT 1 FROM information_schema.STATISTICS o WHERE "
        "o.TABLE_SCHEMA = s.TABLE_SCHEMA AND o.TABLE_NAME = s.TABLE_NAME AND "
        "o.INDEX_NAME = s.INDEX_NAME AND o.SEQ_IN_INDEX > 1)",
        m->key, &n);

    if (status == BACKEND_OK && !n)
        return backend_fail(&m->b, BACKEND_WRONG, "the column `%s` is not unique", m->key);
    return status;
}

static enum backend_status look(struct my *m)
{
    struct backend_limits *l = &m->limits;
    int64_t packet = 0;
    enum backend_status status = check_type(m, m->key);

    if (status == BACKEND_OK)
        status = check_type(m, m->value);
    if (status == BACKEND_OK)
        status = check_unique(m);
    if (status == BACKEND_OK)
        status = check_collation(m);
    if (status == BACKEND_OK)
        status = check_characters(m);
    if (status == BACKEND_OK)
        status = measure(m, m->key, &l->key_chars, &l->key_bytes);
    if (status == BACKEND_OK)
        status = measure(m, m->value, &l->value_chars, &l->value_bytes);
    if (status == BACKEND_OK)
        status = my_ask(&m->b, "SELECT @@max_allowed_packet", &packet);
    /* A row is sent in one piece. */
    if (status == BACKEND_OK && l->value_bytes > (size_t)packet / 4 * 3)
        l->value_bytes = (size_t)packet / 4 * 3;
    return status;
}

static enum backend_status check(struct backend *b)
{
    struct my *m = (struct my *)b;
    struct buf sql = {0};
    enum backend_status status = look(m);

    if (status != BACKEND_OK || !b->options.migrate ||
        (!m->limits.keys_fold && !m->limits.ascii && m->limits.key_chars >= 768 &&
         m->limits.value_bytes > 0xffff))
        return status;
    buf_printf(&sql,
               "ALTER TABLE {t} MODIFY {k} " SHORT "%s NOT NULL, MODIFY {v} " LONG " COLLATE %s",
               m->collation, m->collation);
    buf_append_char(&sql, '\0');
    status = my_run(b, sql.ptr);
    buf_release(&sql);
    return status == BACKEND_OK ? look(m) : status;
}

/* ---- all of it ------------------------------------------------------------------------------ */

static enum backend_status find_collation(struct my *m)
{
    static const char *const known[] = {"utf8mb4_nopad_bin", "utf8mb4_0900_bin"};
    enum backend_status status = BACKEND_OK;

    m->collation = "utf8mb4_bin";
    for (size_t i = 0; status == BACKEND_OK && i < COUNT_OF(known); i++) {
        int64_t n = 0;

        status =
            my_ask_of(m, "SELECT 1 FROM information_schema.COLLATIONS WHERE COLLATION_NAME = ?",
                      known[i], &n);
        if (status == BACKEND_OK && n) {
            m->collation = known[i];
            break;
        }
    }
    return status;
}

/* A schema is a database here. */
static enum backend_status enter_schema(struct my *m)
{
    char *dot = strrchr(m->table, '.');
    struct buf sql = {0};
    enum backend_status status;

    if (!dot)
        return BACKEND_OK;
    buf_append_str(&sql, "USE ");
    sql_quote(&sql, '`', slice_make(m->table, (size_t)(dot - m->table)));
    status = mysql_real_query(m->conn, sql.ptr, sql.len)
                 ? my_failed(m, mysql_errno(m->conn), mysql_sqlstate(m->conn), mysql_error(m->conn))
                 : BACKEND_OK;
    buf_release(&sql);
    memmove(m->table, dot + 1, strlen(dot));
    return status;
}

static enum backend_status make_tables(struct my *m)
{
    struct buf sql = {0}, notes = {0};
    const struct sql_table_step tables[] = {
        {TABLE_THERE("{b}"), NULL},
        {TABLE_THERE("{b_latchkey}"), NULL},
        {TABLE_THERE("{b_rejects}"), "CREATE TABLE {t_rejects} (`key` " LONG ", value " LONG
                                     ", type " LONG ", reason " LONG ", time BIGINT)"},
        {TABLE_THERE("{b_changes}"),
         "CREATE TABLE {t_changes} (id BIGINT AUTO_INCREMENT PRIMARY KEY, `key` " LONG ")"},
        {NULL, NULL},
    };
    struct sql_table_step list[COUNT_OF(tables)];
    const struct sql_table_steps steps = {.tables = list,
                                          .indexes = indexes,
                                          .triggers = triggers,
                                          .no_triggers = no_triggers,
                                          .text = LONG,
                                          .number = "BIGINT",
                                          .run = my_run,
                                          .ask = my_ask,
                                          .has_column = has_column,
                                          .check = check};
    enum backend_status status;

    buf_printf(&sql,
               "CREATE TABLE {t} ({k} " SHORT "%s NOT NULL PRIMARY KEY, {v} " LONG
               " COLLATE %s, type " LONG ", expiry BIGINT, version BIGINT, more " LONG
               ") ENGINE = InnoDB ROW_FORMAT = DYNAMIC",
               m->collation, m->collation);
    buf_append_char(&sql, '\0');
    buf_printf(&notes,
               "CREATE TABLE {t_latchkey} (name " SHORT "%s NOT NULL PRIMARY KEY, value " LONG
               ") ENGINE = InnoDB ROW_FORMAT = DYNAMIC",
               m->collation);
    buf_append_char(&notes, '\0');
    memcpy(list, tables, sizeof(tables));
    list[0].run = sql.ptr;
    list[1].run = notes.ptr;
    status = sql_table_ready(&m->b, &steps);
    buf_release(&sql);
    buf_release(&notes);
    return status;
}

/* Two servers that start at the same time do it one after the other. */
enum backend_status my_make_ready(struct my *m)
{
    int64_t granted = 0;
    struct backend_error why;
    enum backend_status status = enter_schema(m);

    if (status == BACKEND_OK)
        status = find_collation(m);
    if (status == BACKEND_OK)
        status = my_ask(&m->b, "SELECT GET_LOCK(CONCAT(" MY_LEASE ", '-setup'), 5)", &granted);
    if (status == BACKEND_OK && !granted)
        status = backend_fail(&m->b, BACKEND_TIMEOUT, "another server is making the tables");
    if (status == BACKEND_OK)
        status = make_tables(m);
    why = m->b.error;
    if (granted && !m->broken)
        my_ask(&m->b, "SELECT RELEASE_LOCK(CONCAT(" MY_LEASE ", '-setup'))", &granted);
    m->b.error = why;
    return status;
}
