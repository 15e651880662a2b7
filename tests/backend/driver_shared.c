/* Drivers: what others do with the table: constraints, leases, changes, tables of their own. */
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "tests/backend/driver_kit.h"

/* ---- rejects -------------------------------------------------------------------------------- */

static void bad_rows_are_set_aside(void)
{
    struct backend *b;
    char sql[512];
    struct backend_row puts[] = {row("a", "1"), row("b", "bad"), row("c", "3"), row("d", "bad"),
                                 row("e", "5")};
    struct backend_batch batch = {.puts = puts, .puts_len = 5};

    snprintf(sql, sizeof(sql),
             "CREATE TABLE picky (k VARCHAR(128) PRIMARY KEY, v %s, "
             "CHECK (v <> 'bad'))",
             place->big_text);
    place->other(sql);
    b = writer("picky");
    puts[3].type = SLICE("list");
    is_status(b, driver->apply(b, &batch, tell_reject, NULL), BACKEND_OK, "two of five are bad");
    is_str(told_text(), "b,d,", "%s: they are told", place->scheme);
    is_str(place->ask("SELECT count(*) FROM picky"), "3", "%s: three are there", place->scheme);
    is_str(place->ask("SELECT count(*) FROM picky_rejects WHERE value = 'bad' AND reason <> '' "
                      "AND time > 1600000000000"),
           "2", "%s: two in the rejects", place->scheme);
    is_str(place->ask("SELECT count(*) FROM picky_rejects WHERE type = 'list'"), "1",
           "%s: with the type", place->scheme);
    place->other("CREATE TABLE holder (k VARCHAR(128) REFERENCES picky (k))");
    driver->close(b);
}

/* ---- the lease ------------------------------------------------------------------------------ */

static void one_has_the_lease(void)
{
    struct backend *a = opened("leases"), *b = opened("leases"), *c = writer("leases2");

    is_status(a, put_row(a, row("x", "1")), BACKEND_NO_LEASE, "without the lease nothing is done");
    is_status(a, driver->purge(a, 0, 1, tell_name, NULL), BACKEND_NO_LEASE, "nor purged");
    is_status(a, driver->lease(a), BACKEND_OK, "one gets it");
    is_status(a, driver->lease(a), BACKEND_OK, "and keeps it");
    is_status(b, driver->lease(b), BACKEND_NO_LEASE, "another does not");
    is_status(b, put_row(b, row("x", "2")), BACKEND_NO_LEASE, "and cannot write");
    is_status(a, put_row(a, row("x", "1")), BACKEND_OK, "the first can");
    driver->close(a);
    is_status(b, driver->lease(b), BACKEND_OK, "when the first has closed, the other gets it");
    is_status(b, put_row(b, row("x", "2")), BACKEND_OK, "and can write");
    driver->close(b);
    driver->close(c);
}

static void killed_holder_loses_it(void)
{
    struct backend *b;
    int ready[2];
    char byte;
    enum backend_status status = BACKEND_NO_LEASE;
    pid_t pid;

    if (pipe(ready) < 0 || (pid = fork()) < 0)
        bail("no process");
    if (pid == 0) {
        b = writer("killed");
        put(b, "x", "1");
        (void)!write(ready[1], "x", 1);
        for (;;)
            pause();
    }
    if (read(ready[0], &byte, 1) != 1)
        bail("the other process has ended");
    b = opened("killed");
    is_status(b, driver->lease(b), BACKEND_NO_LEASE, "another process has it");
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
    for (int i = 0; i < 1000 && status == BACKEND_NO_LEASE; i++) {
        status = driver->lease(b);
        usleep(10000);
    }
    is_status(b, status, BACKEND_OK, "it is killed, and this one has it");
    is_str(fetched(b, "x"), "x=1,", "%s: what it wrote is there", place->scheme);
    driver->close(b);
    close(ready[0]);
    close(ready[1]);
}

/* ---- watching ------------------------------------------------------------------------------- */

/* What is told until nothing more comes, or as much as `want` has. */
static const char *watched(struct backend *w, const char *want)
{
    int64_t end_ms = clock_mono_ms() + (*want ? TIMEOUT_MS : 100);

    do {
        enum backend_status status = driver->watch(w, 50, tell_name, NULL);

        if (status != BACKEND_OK)
            is_status(w, status, BACKEND_OK, "watching");
    } while (told.len < strlen(want) && clock_mono_ms() < end_ms);
    return told_text();
}

static void others_are_watched(void)
{
    struct backend_options options = usual;
    struct backend *w, *b;
    struct backend_limits limits;
    char sql[3000];

    options.watch = true;
    w = opened_with("watched", &options);
    b = opened_with("watched", &options);
    driver->lease(b);
    place->other("INSERT INTO watched (k, v) VALUES ('before', '1')");
    is_str(watched(w, ""), "", "%s: nothing of before", place->scheme);
    put(b, "mine", "1");
    is_str(watched(w, ""), "", "%s: nothing of ours", place->scheme);
    place->other("INSERT INTO watched (k, v) VALUES ('o''ther', '1')");
    is_str(watched(w, "o'ther,"), "o'ther,", "%s: a new row", place->scheme);
    place->other("UPDATE watched SET v = '2' WHERE k = 'mine'");
    is_str(watched(w, "mine,"), "mine,", "%s: a changed row", place->scheme);
    place->other("DELETE FROM watched WHERE k = 'mine'");
    is_str(watched(w, "mine,"), "mine,", "%s: a deleted row", place->scheme);
    put(b, "mine", "1");
    driver->purge(b, 0, 10, tell_name, NULL);
    is_str(watched(w, ""), "", "%s: again nothing of ours", place->scheme);
    /* As long as the key may be, and 2,600 at most: notices of PostgreSQL hold 7,000 bytes. */
    driver->limits(w, &limits);
    snprintf(sql, sizeof(sql), "INSERT INTO watched (k, v) VALUES ('%0*d', '1')",
             limits.key_chars < 2600 ? (int)limits.key_chars : 2600, 0);
    place->other(sql);
    ok(strlen(watched(w, "000")) > 700, "%s: a long key is told", place->scheme);
    driver->close(b);
    driver->close(w);
}

static void others_versions_go(void)
{
    struct backend_options options = usual;
    struct backend *b;
    struct backend_row r = row("k", "1");

    options.watch = true;
    b = opened_with("versions", &options);
    driver->lease(b);
    r.version = 5;
    r.type = SLICE("string:base64");
    put_row(b, r);
    place->other("UPDATE versions SET v = '2' WHERE k = 'k'");
    is_str(fetched(b, "k"), "k=2,", "%s: a value of others has no version of ours, and is plain",
           place->scheme);
    r.type = SLICE("hash");
    put_row(b, r);
    place->other("UPDATE versions SET v = '3', version = 6 WHERE k = 'k'");
    is_str(fetched(b, "k"), "k=3[hash][v6],", "%s: unless they say which", place->scheme);
    driver->close(b);
    b = opened("versions");
    place->other("UPDATE versions SET v = '4' WHERE k = 'k'");
    is_str(fetched(b, "k"), "k=4[hash][v6],", "%s: without watching there is no trigger",
           place->scheme);
    driver->close(b);
}

/* ---- tables of others ----------------------------------------------------------------------- */

static void foreign_columns_are_refused(void)
{
    enum backend_status status;
    struct backend_error error;
    struct backend *b;
    char sql[512];

    snprintf(sql, sizeof(sql),
             "CREATE TABLE foreign1 (k VARCHAR(128) PRIMARY KEY, v %s, "
             "version INTEGER)",
             place->big_text);
    place->other(sql);
    b = opened("foreign1");
    ok(b, "%s: a column of that name with nothing in it is taken", place->scheme);
    driver->close(b);
    snprintf(sql, sizeof(sql),
             "CREATE TABLE foreign2 (k VARCHAR(128) PRIMARY KEY, v %s, "
             "version INTEGER)",
             place->big_text);
    place->other(sql);
    place->other("INSERT INTO foreign2 (k, v, version) VALUES ('a', 'b', 3)");
    b = open_with("foreign2", &usual, &status, &error);
    ok(!b && status == BACKEND_WRONG && strstr(error.text, "version"),
       "%s: one with something in it is refused: %s", place->scheme, b ? "" : error.text);
    snprintf(sql, sizeof(sql), "CREATE TABLE foreign3 (k VARCHAR(128), v %s)", place->big_text);
    place->other(sql);
    b = open_with("foreign3", &usual, &status, &error);
    ok(!b && status == BACKEND_WRONG, "%s: keys have to be unique: %s", place->scheme,
       b ? "" : error.text);
    place->other("CREATE TABLE foreign4 (k VARCHAR(128) PRIMARY KEY, v INTEGER)");
    b = open_with("foreign4", &usual, &status, &error);
    ok(!b && status == BACKEND_WRONG, "%s: values have to be texts: %s", place->scheme,
       b ? "" : error.text);
    place->other("CREATE TABLE foreign5 (k VARCHAR(128) PRIMARY KEY, other INTEGER)");
    b = open_with("foreign5", &usual, &status, &error);
    ok(!b && status == BACKEND_WRONG, "%s: there has to be a column for values: %s", place->scheme,
       b ? "" : error.text);
}

static void names_are_no_statements(void)
{
    struct backend_url url;
    const char *why;
    struct backend_error error;
    enum backend_status status;
    struct backend *b;
    struct slice k = SLICE("x");

    if (!backend_url_parse(place->url("table=a%22b%60c%27%3bd&colKey=%22k%60&colVal=%27v%3b"), &url,
                           &why))
        bail("%s", why);
    b = driver->open(&url, &usual, &status, &error);
    if (!ok(b, "%s: names with quotes", place->scheme)) {
        diag("%s", error.text);
        backend_url_release(&url);
        return;
    }
    driver->lease(b);
    put(b, "x", "1");
    is_status(b, driver->fetch(b, &k, 1, tell_row, NULL), BACKEND_OK, "a fetch");
    is_str(told_text(), "x=1,", "%s: are names", place->scheme);
    driver->close(b);
    backend_url_release(&url);
}

test_fn *const tests_shared[] = {bad_rows_are_set_aside,  one_has_the_lease,
                                 killed_holder_loses_it,  others_are_watched,
                                 others_versions_go,      foreign_columns_are_refused,
                                 names_are_no_statements, NULL};
