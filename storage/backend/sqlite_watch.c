/*
 * Changes by other programs in a file of SQLite: triggers write the keys to `<table>_changes`, and
 * watch() takes them out. A number that SQLite has for it tells cheaply whether anybody has written
 * anything. Our own transactions are known by a note that is there only while they last.
 */
#include "base/clock.h"
#include "storage/backend/sqlite_inner.h"

#define BY_OTHERS "WHEN NOT EXISTS (SELECT 1 FROM {t_latchkey} WHERE name = '" NOTE_WRITING "')"
#define TRIGGER(event)                                                                             \
    "CREATE TRIGGER IF NOT EXISTS {i_latchkey_" #event "} AFTER " #event " ON {t} " BY_OTHERS      \
    " BEGIN "
#define NOTICE(row) "INSERT INTO {t_changes} (key) VALUES (" #row ".{k}); "

#define OLD_NAME "INSERT INTO {t_changes} (key) SELECT OLD.{k} WHERE OLD.{k} IS NOT NEW.{k}; "
#define PLAIN "CASE WHEN {v} IS NOT OLD.{v} THEN nullif(type, 'string:base64') ELSE type END"
#define FORGET                                                                                     \
    "UPDATE {t} SET version = NULL, type = " PLAIN " "                                             \
    "WHERE {k} = NEW.{k} AND version = OLD.version; "

/*
 * Who changes a row and leaves the version as it is does not know of us: it is another version by
 * now, and a new value is no encoded bytes. A row that is replaced has neither column, anyway.
 */
const struct sql_table_step lite_triggers[] = {
    {NULL, TRIGGER(INSERT) NOTICE(NEW) "END"},
    {NULL, TRIGGER(DELETE) NOTICE(OLD) "END"},
    {NULL, TRIGGER(UPDATE) OLD_NAME NOTICE(NEW) FORGET "END"},
    {NULL, NULL},
};

const struct sql_table_step lite_no_triggers[] = {
    {NULL, "DROP TRIGGER IF EXISTS {i_latchkey_INSERT}"},
    {NULL, "DROP TRIGGER IF EXISTS {i_latchkey_DELETE}"},
    {NULL, "DROP TRIGGER IF EXISTS {i_latchkey_UPDATE}"},
    {NULL, NULL},
};

/* Changes may be there at any time, but the file is written to only if there are some. */
static enum backend_status take_changes(struct lite *l, struct sql_keys *keys)
{
    int64_t any = 0;
    enum backend_status status = lite_number(l, CHANGED, 0, &any);
    sqlite3_stmt *s;

    if (status != BACKEND_OK || !any)
        return status;
    s = lite_statement(l, TAKE_CHANGES, &status);
    return s ? lite_gather(l, s, keys) : status;
}

static void nap(int64_t ms)
{
    struct timespec span = {ms / 1000, ms % 1000 * 1000000};

    nanosleep(&span, NULL);
}

enum backend_status lite_watch(struct backend *b, int wait_ms, backend_key_fn *changed, void *arg)
{
    struct lite *l = (struct lite *)b;
    int64_t end_ms = clock_mono_ms() + wait_ms;
    struct sql_keys keys = {0};
    enum backend_status status;

    for (;;) {
        int64_t version = 0, left_ms = end_ms - clock_mono_ms();

        status = lite_number(l, DATA_VERSION, 0, &version);
        if (status == BACKEND_OK && version != l->seen)
            status = take_changes(l, &keys);
        if (status == BACKEND_OK)
            l->seen = version;
        if (status != BACKEND_OK || keys.len || left_ms <= 0 || !l->watching)
            break;
        nap(left_ms < b->options.poll_ms ? left_ms : b->options.poll_ms);
    }
    /* Somebody writes for long; there is always the next time. */
    if (status == BACKEND_TIMEOUT)
        status = BACKEND_OK;
    sql_keys_tell(&keys, status == BACKEND_OK && l->watching ? changed : NULL, arg);
    l->watching = l->watching || status == BACKEND_OK;
    return status;
}
