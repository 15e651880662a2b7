/* A file of SQLite for tests, see place.h. */
#include "tests/backend/places.h"

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "tests/lib/tap.h"

static char dir[256];
static sqlite3 *db;
static char answer[65536];

static const char *url(const char *query)
{
    static char text[1024];

    snprintf(text, sizeof(text), "sqlite://%s/test.db?%s", dir, query);
    return text;
}

static void other(const char *sql)
{
    char *why = NULL;

    if (sqlite3_exec(db, sql, NULL, NULL, &why) != SQLITE_OK)
        bail("%s: %s", sql, why);
}

static const char *ask(const char *sql)
{
    sqlite3_stmt *s;
    const char *text = NULL;

    if (sqlite3_prepare_v2(db, sql, -1, &s, NULL) != SQLITE_OK)
        bail("%s: %s", sql, sqlite3_errmsg(db));
    if (sqlite3_step(s) == SQLITE_ROW)
        text = (const char *)sqlite3_column_text(s, 0);
    snprintf(answer, sizeof(answer), "%s", text ? text : "");
    sqlite3_finalize(s);
    return answer;
}

const struct place place_sqlite = {
    .scheme = "sqlite", .big_text = "TEXT", .url = url, .other = other, .ask = ask};

void place_sqlite_start(void)
{
    char path[300];
    const char *parent = getenv("TMPDIR");

    snprintf(dir, sizeof(dir), "%s/latchkey-sqlite-XXXXXX", parent ? parent : "/tmp");
    if (!mkdtemp(dir))
        bail("no folder %s", dir);
    snprintf(path, sizeof(path), "%s/test.db", dir);
    if (sqlite3_open(path, &db) != SQLITE_OK)
        bail("no file %s", path);
    sqlite3_busy_timeout(db, 10000);
}

void place_sqlite_stop(void)
{
    static const char *const files[] = {"test.db", "test.db-wal", "test.db-shm"};
    char path[300];

    sqlite3_close(db);
    for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
        snprintf(path, sizeof(path), "%s/%s", dir, files[i]);
        unlink(path);
    }
    rmdir(dir);
}
