/* Drivers: servers that are killed, hang, are not there, or speak TLS; tables of ipc-keyval. */
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "tests/backend/driver_kit.h"
#include "tests/lib/server.h"

static struct backend *open_url(const char *text, const struct backend_options *options,
                                enum backend_status *status, struct backend_error *error)
{
    struct backend_url url;
    const char *why;
    struct backend *b;

    if (!backend_url_parse(text, &url, &why))
        bail("%s: %s", text, why);
    *status = BACKEND_OK;
    b = driver->open(&url, options, status, error);
    backend_url_release(&url);
    /* cppcheck-suppress returnDanglingLifetime */
    return b;
}

/* ---- servers that fail ---------------------------------------------------------------------- */

static void killed_servers_come_back(void)
{
    struct backend *b, *w;
    struct backend_options options = usual;
    struct slice key = SLICE("x");

    if (!place->kill)
        return;
    options.watch = true;
    b = opened_with("fails", &options);
    w = opened_with("fails", &options);
    driver->lease(b);
    put(b, "x", "1");
    driver->watch(w, 0, tell_name, NULL);
    place->kill();
    is_status(b, driver->fetch(b, &key, 1, tell_row, NULL), BACKEND_DOWN, "killed: a fetch");
    is_status(b, put_row(b, row("x", "2")), BACKEND_NO_LEASE, "killed: the lease is gone, too");
    is_status(b, driver->lease(b), BACKEND_DOWN, "killed: no lease");
    is_status(w, driver->watch(w, 10, tell_name, NULL), BACKEND_DOWN, "killed: watching");
    driver->close(b);
    driver->close(w);
    told.len = 0;
    place->restart();
    b = writer("fails");
    is_str(fetched(b, "x"), "x=1,", "%s: restarted: what was committed is there", place->scheme);
    put(b, "x", "3");
    is_str(fetched(b, "x"), "x=3,", "%s: restarted: it is written to", place->scheme);
    driver->close(b);
}

static void servers_that_are_killed_while_writing(void)
{
    struct backend *b;

    if (!place->kill)
        return;
    b = writer("fails");
    put(b, "x", "4");
    place->kill();
    is_status(b, put_row(b, row("x", "5")), BACKEND_DOWN, "killed: a batch");
    driver->close(b);
    place->restart();
    b = writer("fails");
    is_str(fetched(b, "x"), "x=4,", "%s: restarted: it was not committed", place->scheme);
    driver->close(b);
}

static void hanging_servers_are_left(void)
{
    struct backend_options options = usual;
    enum backend_status status;
    struct backend_error error;
    struct backend *b, *late;
    struct slice key = SLICE("x");
    int64_t began;

    if (!place->pause)
        return;
    options.timeout_ms = 1000;
    b = opened_with("fails", &options);
    place->pause(true);
    began = clock_mono_ms();
    status = driver->fetch(b, &key, 1, tell_row, NULL);
    ok(status == BACKEND_TIMEOUT || status == BACKEND_DOWN, "%s: it hangs: %d, %s", place->scheme,
       status, driver->error(b)->text);
    late = open_with("fails", &options, &status, &error);
    ok(!late && (status == BACKEND_TIMEOUT || status == BACKEND_DOWN), "%s: nor is there a new one",
       place->scheme);
    ok(clock_mono_ms() - began >= 1000, "%s: it was waited for", place->scheme);
    place->pause(false);
    driver->close(b);
    b = writer("fails");
    ok(b, "%s: it goes on, and so does this", place->scheme);
    driver->close(b);
}

static void nobody_is_there(void)
{
    char text[256];
    enum backend_status status;
    struct backend_error error = {""};
    struct backend *b;

    if (!place->kill)
        return;
    snprintf(text, sizeof(text), "%s://u:p@127.0.0.1:%d/d", place->scheme, server_free_port());
    b = open_url(text, &usual, &status, &error);
    ok(!b && status == BACKEND_DOWN && *error.text, "%s: nobody listens: %s", place->scheme,
       error.text);
    snprintf(text, sizeof(text), "%s://%%6eobody:wrong@%s", place->scheme,
             strrchr(place->url(""), '@') + 1);
    b = open_url(text, &usual, &status, &error);
    ok(!b && *error.text, "%s: nobody of that name: %s", place->scheme, error.text);
}

/* What a server of ours would have written while the file is locked by another program. */
static void locked_tables_are_left(void)
{
    struct backend_options options = usual;
    struct backend *b;
    enum backend_status status;

    options.timeout_ms = 1000;
    b = opened_with("locked", &options);
    driver->lease(b);
    put(b, "x", "1");
    place->other("BEGIN");
    place->other("UPDATE locked SET v = '2' WHERE k = 'x'");
    status = put_row(b, row("x", "3"));
    is_status(b, status, BACKEND_TIMEOUT, "another program holds the row");
    place->other("COMMIT");
    driver->close(b);
    b = writer("locked");
    is_str(fetched(b, "x"), "x=2,", "%s: and wrote it", place->scheme);
    put(b, "x", "3");
    is_str(fetched(b, "x"), "x=3,", "%s: then we do", place->scheme);
    driver->close(b);
}

static void tls_is_spoken(void)
{
    enum backend_status status;
    struct backend_error error = {""};
    struct backend *b;
    char query[400];

    if (!place->certificate)
        return;
    b = open_url(place->url("table=tls&tls=1"), &usual, &status, &error);
    ok(b, "%s: tls: %s", place->scheme, error.text);
    if (b)
        driver->close(b);
    snprintf(query, sizeof(query), "table=tls&ca=%s", place->certificate());
    b = open_url(place->url(query), &usual, &status, &error);
    ok(b, "%s: tls with a ca: %s", place->scheme, error.text);
    if (b)
        driver->close(b);
    b = open_url(place->url("table=tls&ca=/etc/ssl/certs/ca-certificates.crt"), &usual, &status,
                 &error);
    ok(!b, "%s: tls with another ca: %s", place->scheme, b ? "" : error.text);
    if (b)
        driver->close(b);
}

/* ---- tables of ipc-keyval ------------------------------------------------------------------- */

/* As it makes them, without quotes around the names. */
static void make_ipc_table(void)
{
    const char *key = strcmp(place->scheme, "mysql") == 0 ? "name" : "key";
    char sql[256];

    place->other("DROP TABLE IF EXISTS KeyVal");
    snprintf(sql, sizeof(sql), "CREATE TABLE KeyVal (%s VARCHAR(128), val TEXT, PRIMARY KEY (%s))",
             key, key);
    place->other(sql);
    snprintf(sql, sizeof(sql), "INSERT INTO KeyVal (%s, val) VALUES ('foo', '{\"a\":1}')", key);
    place->other(sql);
}

static void ipc_tables_are_used(void)
{
    enum backend_status status;
    struct backend_error error = {""};
    struct backend_limits limits;
    struct backend *b;
    bool narrow = strcmp(place->scheme, "sqlite") != 0;
    bool folds = strcmp(place->scheme, "mysql") == 0;
    struct backend_options options = usual;

    make_ipc_table();
    b = open_url(place->url(""), &usual, &status, &error);
    if (!ok(b, "%s: a table of ipc-keyval is taken: %s", place->scheme, error.text))
        return;
    driver->limits(b, &limits);
    ok(limits.key_chars == (narrow ? 128 : SIZE_MAX), "%s: keys of 128 characters", place->scheme);
    ok(limits.keys_fold == folds, "%s: whether keys fold is known", place->scheme);
    ok(!folds || limits.value_bytes == 65535, "%s: so is the room for values", place->scheme);
    driver->lease(b);
    is_str(fetched(b, "foo"), "foo={\"a\":1},", "%s: its row is read", place->scheme);
    is_str(fetched(b, "FOO"), "", "%s: by its very key", place->scheme);
    put(b, "foo", "2");
    put(b, "FOO", "3");
    is_str(told_text(), folds ? "FOO," : "", "%s: a key that is another to us", place->scheme);
    is_str(place->ask("SELECT val FROM KeyVal WHERE val IN ('2', '3') ORDER BY val"), "2",
           "%s: a value is never another key's", place->scheme);
    is_str(scanned(b, (struct backend_scan){0}), folds ? "foo," : "FOO,foo,", "%s: scanned",
           place->scheme);
    driver->close(b);
    options.migrate = true;
    b = open_url(place->url(""), &options, &status, &error);
    if (!ok(b, "%s: it is migrated: %s", place->scheme, error.text))
        return;
    driver->limits(b, &limits);
    ok(limits.key_chars >= 768 && limits.value_bytes > 100000 && !limits.keys_fold,
       "%s: its columns are wider then", place->scheme);
    driver->lease(b);
    put(b, "FOO", "3");
    is_str(fetched(b, "FOO"), "FOO=3,", "%s: keys are their bytes then", place->scheme);
    is_str(fetched(b, "foo"), "foo=2,", "%s: what was there is still there", place->scheme);
    driver->close(b);
}

static void narrow_characters_are_known(void)
{
    struct backend_options options = usual;
    struct backend_limits limits;
    struct backend *b;

    if (strcmp(place->scheme, "mysql") != 0)
        return;
    place->other("CREATE TABLE narrow (k VARCHAR(128) PRIMARY KEY, v TEXT) CHARSET latin1");
    b = writer("narrow");
    driver->limits(b, &limits);
    ok(limits.ascii, "%s: a table of latin1 is known as such", place->scheme);
    put(b, "k\xc3\xa9", "\xc3\xa4");
    is_str(fetched(b, "k\xc3\xa9"), "k\xc3\xa9=\xc3\xa4,", "%s: some characters it has",
           place->scheme);
    put(b, "wide", "\xf0\x9f\x94\x91");
    is_str(told_text(), "wide,", "%s: others it has not", place->scheme);
    driver->close(b);
    options.migrate = true;
    b = opened_with("narrow", &options);
    driver->limits(b, &limits);
    ok(!limits.ascii && !limits.keys_fold, "%s: until it is migrated", place->scheme);
    driver->lease(b);
    put(b, "wide", "\xf0\x9f\x94\x91");
    is_str(fetched(b, "wide"), "wide=\xf0\x9f\x94\x91,", "%s: then it has all", place->scheme);
    is_str(fetched(b, "k\xc3\xa9"), "k\xc3\xa9=\xc3\xa4,", "%s: and keeps what it had",
           place->scheme);
    driver->close(b);
}

/* Where `foo` and `FOO` are the same key, whichever is there first is the one. */
static void make_folding_table(void)
{
    const char *type = "VARCHAR(128) COLLATE utf8mb4_general_ci";
    char sql[256];

    if (strcmp(place->scheme, "sqlite") == 0)
        type = "VARCHAR(128) COLLATE NOCASE";
    if (strcmp(place->scheme, "pgsql") == 0) {
        place->other("CREATE COLLATION nocase (provider = icu, locale = 'und-u-ks-level2', "
                     "deterministic = false)");
        type = "VARCHAR(128) COLLATE nocase";
    }
    snprintf(sql, sizeof(sql), "CREATE TABLE folding (k %s PRIMARY KEY, v TEXT)", type);
    place->other(sql);
}

static void folding_tables_lose_nothing(void)
{
    struct backend_row puts[] = {row("foo", "1"), row("bar", "2"), row("FOO", "3"), row("b", "4")};
    struct backend_batch batch = {.puts = puts, .puts_len = 4};
    struct slice upper = SLICE("BAR");
    struct backend_limits limits;
    struct backend *b;

    make_folding_table();
    b = writer("folding");
    driver->limits(b, &limits);
    ok(limits.keys_fold, "%s: a table that folds keys is known as such", place->scheme);
    is_status(b, driver->apply(b, &batch, tell_reject, NULL), BACKEND_OK, "two keys of four fold");
    is_int((long long)strlen(told_text()), 4, "%s: one of them is told", place->scheme);
    is_str(place->ask("SELECT count(*) FROM folding"), "3", "%s: the others are there",
           place->scheme);
    is_str(fetched(b, "bar"), "bar=2,", "%s: a key is fetched", place->scheme);
    is_str(fetched(b, "BAR"), "", "%s: another one is not", place->scheme);
    batch = (struct backend_batch){.deletes = &upper, .deletes_len = 1};
    is_status(b, driver->apply(b, &batch, tell_reject, NULL), BACKEND_OK, "another one is deleted");
    is_str(fetched(b, "bar"), "bar=2,", "%s: which harms nobody", place->scheme);
    is_str(scanned(b, (struct backend_scan){.pattern = SLICE("b*")}), "b,bar,",
           "%s: patterns are bytewise", place->scheme);
    is_str(scanned(b, (struct backend_scan){.after = SLICE("b"), .pattern = SLICE("b*")}), "bar,",
           "%s: and so is the order", place->scheme);
    driver->close(b);
}

static void too_long_is_set_aside(void)
{
    struct backend_row puts[] = {row("a", "1"), {.expiry = BACKEND_NO_EXPIRY}, row("c", "3")};
    struct backend_batch batch = {.puts = puts, .puts_len = 3};
    char key[130];
    struct backend *b;

    if (strcmp(place->scheme, "sqlite") == 0)
        return;
    place->other("CREATE TABLE short (k VARCHAR(128) PRIMARY KEY, v TEXT)");
    b = writer("short");
    memset(key, 'k', sizeof(key));
    puts[1].key = slice_make(key, sizeof(key));
    puts[1].value = SLICE("2");
    is_status(b, driver->apply(b, &batch, tell_reject, NULL), BACKEND_OK, "one key is too long");
    is_int((long long)strlen(told_text()), sizeof(key) + 1, "%s: it is told", place->scheme);
    is_str(place->ask("SELECT count(*) FROM short"), "2", "%s: the others are there",
           place->scheme);
    is_str(place->ask("SELECT count(*) FROM short_rejects WHERE value = '2'"), "1",
           "%s: it is in the rejects", place->scheme);
    driver->close(b);
}

test_fn *const tests_failing[] = {ipc_tables_are_used,
                                  too_long_is_set_aside,
                                  narrow_characters_are_known,
                                  folding_tables_lose_nothing,
                                  locked_tables_are_left,
                                  tls_is_spoken,
                                  nobody_is_there,
                                  killed_servers_come_back,
                                  servers_that_are_killed_while_writing,
                                  hanging_servers_are_left,
                                  NULL};
