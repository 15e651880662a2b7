/*
 * The tables in PostgreSQL, see sql_table.h. Names are meant as SQL means them without quotes: if
 * there is none of that very name, it is the one in small letters, which is also what is made.
 */
#include "storage/backend/pgsql_inner.h"

#include <ctype.h>

/* A key is to fit into a page of an index, a value into a message. */
enum { KEY_BYTES = 2690, VALUE_BYTES = 512 << 20 };

const struct sql_dialect pg_dialect = {.quote = '"',
                                       .numbered = true,
                                       .like = " LIKE $ ESCAPE '|'",
                                       .any = '%',
                                       .special = "%_|",
                                       .before = "|",
                                       .after = ""};

#define THERE(name) "SELECT 1 WHERE to_regclass(" name ") IS NOT NULL"
#define TRIGGER_THERE(name)                                                                        \
    "SELECT 1 FROM pg_trigger WHERE tgrelid = {l}::regclass AND tgname = '" name "'"
#define TRIGGER_GONE(name) "SELECT 1 WHERE NOT EXISTS (" TRIGGER_THERE(name) ")"
#define BY_OTHERS "WHEN (current_setting('latchkey.server', true) IS DISTINCT FROM 'yes') "

static const struct sql_table_step tables[] = {
    {THERE("{l}"), "CREATE TABLE {t} ({k} text COLLATE \"C\" PRIMARY KEY, {v} text, type text, "
                   "expiry int8, version int8, more text)"},
    {THERE("{l_latchkey}"), "CREATE TABLE {t_latchkey} (name text PRIMARY KEY, value text)"},
    {THERE("{l_rejects}"), "CREATE TABLE {t_rejects} (key text, value text, type text, "
                           "reason text, time int8)"},
    {NULL, NULL},
};

#define INDEX(suffix)                                                                              \
    "SELECT 1 FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid WHERE i.indrelid = "         \
    "{l}::regclass AND c.relname LIKE '%" suffix "'"
#define ORDERED                                                                                    \
    "SELECT 1 FROM pg_attribute a JOIN pg_collation c ON c.oid = a.attcollation WHERE a.attrelid " \
    "= {l}::regclass AND a.attname = {c} AND c.collname = 'C'"

static const struct sql_table_step indexes[] = {
    {INDEX("!_latchkey!_expiry' ESCAPE '!"),
     "CREATE INDEX {i_latchkey_expiry} ON {t} (expiry) WHERE expiry IS NOT NULL"},
    {INDEX("!_latchkey!_order' ESCAPE '!") " UNION " ORDERED,
     "CREATE INDEX {i_latchkey_order} ON {t} ({o})"},
    {NULL, NULL},
};

#define TELL(row)                                                                                  \
    "PERFORM pg_notify('latchkey_' || TG_RELID, CASE WHEN octet_length(" row                       \
    ".{k}) > 7000 THEN '*' ELSE 'k' || " row ".{k} END); "
#define TOLD "latchkey_told"
#define NEWER "latchkey_newer"
#define TRUNCATED "latchkey_truncated"

/* The first tells of changes; the second of another version, and of a text that is plain now. */
static const struct sql_table_step triggers[] = {
    {TRIGGER_THERE(TOLD),
     "CREATE OR REPLACE FUNCTION {t_latchkey_told}() RETURNS trigger LANGUAGE plpgsql AS "
     "$latchkey$ "
     "BEGIN "
     "IF TG_OP = 'TRUNCATE' THEN PERFORM pg_notify('latchkey_' || TG_RELID, '*'); RETURN NULL; END "
     "IF; "
     "IF TG_OP = 'DELETE' THEN " TELL(
         "OLD") "RETURN NULL; END IF; "
                "IF TG_OP = 'UPDATE' THEN IF OLD.{k} <> NEW.{k} THEN " TELL(
                    "OLD") "END IF; END IF; " TELL("NEW") "RETURN NULL; END $latchkey$"},
    {TRIGGER_THERE(NEWER),
     "CREATE OR REPLACE FUNCTION {t_latchkey_newer}() RETURNS trigger LANGUAGE plpgsql AS "
     "$latchkey$ "
     "BEGIN IF NEW.version = OLD.version THEN NEW.version := NULL; "
     "IF NEW.{v} IS DISTINCT FROM OLD.{v} THEN NEW.type := nullif(NEW.type, 'string:base64'); "
     "END IF; END IF; RETURN NEW; END $latchkey$"},
    {TRIGGER_THERE(TOLD),
     "CREATE TRIGGER " TOLD " AFTER INSERT OR UPDATE OR DELETE ON {t} FOR EACH ROW " BY_OTHERS
     "EXECUTE PROCEDURE {t_latchkey_told}()"},
    {TRIGGER_THERE(TRUNCATED),
     "CREATE TRIGGER " TRUNCATED " AFTER TRUNCATE ON {t} EXECUTE PROCEDURE {t_latchkey_told}()"},
    {TRIGGER_THERE(NEWER), "CREATE TRIGGER " NEWER " BEFORE UPDATE ON {t} FOR EACH ROW " BY_OTHERS
                           "EXECUTE PROCEDURE {t_latchkey_newer}()"},
    {NULL, NULL},
};

static const struct sql_table_step no_triggers[] = {
    {TRIGGER_GONE(TOLD), "DROP TRIGGER " TOLD " ON {t}"},
    {TRIGGER_GONE(TRUNCATED), "DROP TRIGGER " TRUNCATED " ON {t}"},
    {TRIGGER_GONE(NEWER), "DROP TRIGGER " NEWER " ON {t}"},
    {NULL, NULL},
};

/* ---- columns -------------------------------------------------------------------------------- */

#define COLUMN                                                                                     \
    "FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid "                                    \
    "WHERE a.attrelid = {l}::regclass AND a.attname = $1 AND NOT a.attisdropped"

static enum backend_status has_column(struct backend *b, const char *name, bool *out)
{
    int64_t n = 0;
    enum backend_status status = pg_ask_of((struct pg *)b, "SELECT 1 " COLUMN, name, &n);

    *out = n != 0;
    return status;
}

/* How many characters the column holds; 0 where there is no limit. */
static enum backend_status check_column(struct pg *p, const char *name, int64_t *chars)
{
    enum backend_status status =
        pg_ask_of(p,
                  "SELECT CASE t.typname WHEN 'text' THEN 1 WHEN 'varchar' THEN "
                  "CASE WHEN a.atttypmod < 4 THEN 1 ELSE a.atttypmod - 2 END ELSE 2 END " COLUMN,
                  name, chars);

    if (status == BACKEND_OK && *chars == 0)
        return backend_fail(&p->b, BACKEND_WRONG, "the table has no column `%s`", name);
    if (status == BACKEND_OK && *chars == 2)
        return backend_fail(&p->b, BACKEND_WRONG,
                            "the column `%s` is neither of type text nor varchar", name);
    *chars = *chars == 1 ? 0 : *chars - 2;
    return status;
}

static enum backend_status check_unique(struct pg *p)
{
    int64_t n = 0;
    enum backend_status status = pg_ask_of(
        p,
        "SELECT 1 FROM pg_index i JOIN pg_attribute a ON a.attrelid = i.indrelid "
        "AND a.attnum = i.indkey[0] WHERE i.indrelid = {l}::regclass AND a.attname = $1 "
        "AND i.indisunique AND i.indimmediate AND i.indnkeyatts = 1 AND i.indpred IS NULL",
        p->key, &n);

    if (status == BACKEND_OK && !n)
        return backend_fail(&p->b, BACKEND_WRONG, "the column `%s` is not unique", p->key);
    return status;
}

static enum backend_status check_collation(struct pg *p, bool *folds, bool *ordered)
{
    int64_t n = 0;
    enum backend_status status = pg_ask_of(
        p,
        "SELECT CASE WHEN NOT c.collisdeterministic THEN 1 WHEN c.collname = 'C' THEN 2 ELSE 3 END "
        "FROM pg_attribute a JOIN pg_collation c ON c.oid = a.attcollation "
        "WHERE a.attrelid = {l}::regclass AND a.attname = $1",
        p->key, &n);

    *folds = n == 1;
    *ordered = n == 2;
    return status;
}

/* What is no UTF-8 holds some characters, or has another idea of them. */
static enum backend_status check_characters(struct pg *p)
{
    int64_t n = 0;
    enum backend_status status =
        pg_ask(&p->b, "SELECT (current_setting('server_encoding') <> 'UTF8')::int", &n);

    p->limits.ascii = n != 0;
    return status;
}

static enum backend_status look(struct pg *p, int64_t *key_chars, int64_t *value_chars,
                                bool *ordered)
{
    enum backend_status status = check_column(p, p->key, key_chars);

    if (status == BACKEND_OK)
        status = check_column(p, p->value, value_chars);
    if (status == BACKEND_OK)
        status = check_unique(p);
    if (status == BACKEND_OK)
        status = check_collation(p, &p->limits.keys_fold, ordered);
    if (status == BACKEND_OK)
        status = check_characters(p);
    p->limits.key_chars = *key_chars ? (size_t)*key_chars : SIZE_MAX;
    p->limits.value_chars = *value_chars ? (size_t)*value_chars : SIZE_MAX;
    p->limits.key_bytes = KEY_BYTES;
    p->limits.value_bytes = VALUE_BYTES;
    return status;
}

static enum backend_status check(struct backend *b)
{
    struct pg *p = (struct pg *)b;
    int64_t key_chars = 0, value_chars = 0;
    bool ordered = true;
    enum backend_status status = look(p, &key_chars, &value_chars, &ordered);

    if (status != BACKEND_OK || !b->options.migrate)
        return status;
    if (key_chars || !ordered)
        status = pg_run(b, "ALTER TABLE {t} ALTER COLUMN {k} TYPE text COLLATE \"C\"");
    if (status == BACKEND_OK && value_chars)
        status = pg_run(b, "ALTER TABLE {t} ALTER COLUMN {v} TYPE text");
    return status == BACKEND_OK ? look(p, &key_chars, &value_chars, &ordered) : status;
}

/* ---- all of it ------------------------------------------------------------------------------ */

static void in_small_letters(char *name)
{
    for (; *name; name++)
        *name = (char)tolower((unsigned char)*name);
}

static enum backend_status find_names(struct pg *p)
{
    int64_t n = 0;
    enum backend_status status = pg_ask(&p->b, THERE("{l}"), &n);

    if (status == BACKEND_OK && !n)
        in_small_letters(p->table);
    for (int i = 0; status == BACKEND_OK && i < 2; i++) {
        char *column = i ? p->value : p->key;
        bool there = false;

        status = pg_ask(&p->b, THERE("{l}"), &n);
        if (status == BACKEND_OK && n)
            status = has_column(&p->b, column, &there);
        if (status == BACKEND_OK && !there)
            in_small_letters(column);
    }
    return status;
}

enum backend_status pg_make_ready(struct pg *p)
{
    static const struct sql_table_steps steps = {
        .tables = tables,
        .indexes = indexes,
        .triggers = triggers,
        .no_triggers = no_triggers,
        .text = "text",
        .number = "int8",
        .run = pg_run,
        .ask = pg_ask,
        .has_column = has_column,
        .check = check,
    };
    enum backend_status status;

    if (strstr(p->key, "$latchkey$") || strstr(p->value, "$latchkey$"))
        return backend_fail(&p->b, BACKEND_WRONG, "no column can have that name");
    status = find_names(p);
    if (status == BACKEND_OK)
        status = pg_run(&p->b, "BEGIN; SELECT pg_advisory_xact_lock(1279019598, hashtext({l}))");
    if (status == BACKEND_OK)
        status = sql_table_ready(&p->b, &steps);
    return status == BACKEND_OK ? pg_run(&p->b, "COMMIT") : status;
}
