/* What the suites of drivers have in common, see driver_kit.h. */
#include "tests/backend/driver_kit.h"

#include <stdio.h>
#include <string.h>

const struct place *place;
const struct backend_driver *driver;
const struct backend_options usual = {.timeout_ms = TIMEOUT_MS, .poll_ms = 10, .who = "drivers"};

/* ---- connections ---------------------------------------------------------------------------- */

struct backend *open_with(const char *table, const struct backend_options *options,
                          enum backend_status *status, struct backend_error *error)
{
    char query[256];
    struct backend_url url;
    const char *why;
    struct backend *b;

    snprintf(query, sizeof(query), "table=%s&colKey=k&colVal=v", table);
    if (!backend_url_parse(place->url(query), &url, &why))
        bail("%s: %s", place->url(query), why);
    b = driver->open(&url, options, status, error);
    backend_url_release(&url);
    /* cppcheck-suppress returnDanglingLifetime */
    return b;
}

struct backend *opened_with(const char *table, const struct backend_options *options)
{
    enum backend_status status;
    struct backend_error error;
    struct backend *b = open_with(table, options, &status, &error);

    if (!b)
        bail("%s: %s: status %d: %s", place->scheme, table, status, error.text);
    /* cppcheck-suppress returnDanglingLifetime */
    return b;
}

struct backend *opened(const char *table)
{
    return opened_with(table, &usual);
}

/* One with the lease. */
struct backend *writer(const char *table)
{
    struct backend *b = opened(table);

    if (driver->lease(b) != BACKEND_OK)
        bail("%s: no lease: %s", place->scheme, driver->error(b)->text);
    /* cppcheck-suppress returnDanglingLifetime */
    return b;
}

void is_status(struct backend *b, enum backend_status got, enum backend_status want,
               const char *what)
{
    if (!is_int(got, want, "%s: %s", place->scheme, what))
        diag("%s", driver->error(b)->text);
}

/* ---- rows as text --------------------------------------------------------------------------- */

struct buf told;

const char *told_text(void)
{
    static char text[8192];

    snprintf(text, sizeof(text), "%.*s", (int)told.len, told.len ? told.ptr : "");
    told.len = 0;
    return text;
}

/* key=value, and what else there is in brackets, each row with a comma behind it. */
void tell_row(void *arg, const struct backend_row *row)
{
    (void)arg;
    buf_printf(&told, "%.*s=%.*s", (int)row->key.len, row->key.ptr, (int)row->value.len,
               row->value.ptr);
    if (row->type.len)
        buf_printf(&told, "[%.*s]", (int)row->type.len, row->type.ptr);
    if (row->expiry != BACKEND_NO_EXPIRY)
        buf_printf(&told, "[until %lld]", (long long)row->expiry);
    if (row->version)
        buf_printf(&told, "[v%llu]", (unsigned long long)row->version);
    if (row->more.len)
        buf_printf(&told, "[%.*s]", (int)row->more.len, row->more.ptr);
    buf_append_char(&told, ',');
}

void tell_key(void *arg, const struct backend_row *row)
{
    (void)arg;
    buf_printf(&told, "%.*s,", (int)row->key.len, row->key.ptr);
}

void tell_value(void *arg, const struct backend_row *row)
{
    (void)arg;
    buf_append_slice(&told, row->value);
}

void tell_name(void *arg, struct slice key)
{
    (void)arg;
    buf_printf(&told, "%.*s,", key.ptr ? (int)key.len : 1, key.ptr ? key.ptr : "*");
}

void tell_reject(void *arg, struct slice key, const char *why)
{
    (void)arg;
    buf_printf(&told, "%.*s%s,", (int)key.len, key.ptr, *why ? "" : " (no reason)");
}

const char *fetched(struct backend *b, const char *key)
{
    struct slice k = slice_str(key);

    is_status(b, driver->fetch(b, &k, 1, tell_row, NULL), BACKEND_OK, "a fetch");
    return told_text();
}

struct backend_row row(const char *key, const char *value)
{
    return (struct backend_row){
        .key = slice_str(key), .value = slice_str(value), .expiry = BACKEND_NO_EXPIRY};
}

enum backend_status put_row(struct backend *b, struct backend_row r)
{
    struct backend_batch batch = {.puts = &r, .puts_len = 1};

    return driver->apply(b, &batch, tell_reject, NULL);
}

void put(struct backend *b, const char *key, const char *value)
{
    enum backend_status status = put_row(b, row(key, value));

    if (status != BACKEND_OK)
        is_status(b, status, BACKEND_OK, "a row is put");
}

const char *scanned(struct backend *b, struct backend_scan which)
{
    if (!which.limit)
        which.limit = SIZE_MAX;
    is_status(b, driver->scan(b, &which, tell_key, NULL), BACKEND_OK, "a scan");
    return told_text();
}
