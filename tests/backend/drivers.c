/*
 * The drivers of all databases: one table of behaviour, run against a file of SQLite and against
 * real servers of PostgreSQL and MariaDB. What another program does, it does by a connection of its
 * own, without the driver.
 */
#include "storage/backend/backend.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "tests/backend/place.h"
#include "tests/lib/tap.h"

enum { TIMEOUT_MS = 10000, MANY = 10000 };

static const struct place *place;
static const struct backend_driver *driver;
static const struct backend_options usual = {
    .timeout_ms = TIMEOUT_MS, .poll_ms = 10, .who = "drivers"};

/* ---- connections ---------------------------------------------------------------------------- */

static struct backend *open_with(const char *table, const struct backend_options *options,
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
    return b;
}

static struct backend *opened_with(const char *table, const struct backend_options *options)
{
    enum backend_status status;
    struct backend_error error;
    struct backend *b = open_with(table, options, &status, &error);

    if (!b)
        bail("%s: %s: status %d: %s", place->scheme, table, status, error.text);
    return b;
}

static struct backend *opened(const char *table)
{
    return opened_with(table, &usual);
}

/* One with the lease. */
static struct backend *writer(const char *table)
{
    struct backend *b = opened(table);

    if (driver->lease(b) != BACKEND_OK)
        bail("%s: no lease: %s", place->scheme, driver->error(b)->text);
    return b;
}

static void is_status(struct backend *b, enum backend_status got, enum backend_status want,
                      const char *what)
{
    if (!is_int(got, want, "%s: %s", place->scheme, what))
        diag("%s", driver->error(b)->text);
}

/* ---- rows as text --------------------------------------------------------------------------- */

static struct buf told;

static const char *told_text(void)
{
    static char text[8192];

    snprintf(text, sizeof(text), "%.*s", (int)told.len, told.len ? told.ptr : "");
    told.len = 0;
    return text;
}

/* key=value, and what else there is in brackets, each row with a comma behind it. */
static void tell_row(void *arg, const struct backend_row *row)
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

static void tell_key(void *arg, const struct backend_row *row)
{
    (void)arg;
    buf_printf(&told, "%.*s,", (int)row->key.len, row->key.ptr);
}

static void tell_value(void *arg, const struct backend_row *row)
{
    (void)arg;
    buf_append_slice(&told, row->value);
}

static void tell_name(void *arg, struct slice key)
{
    (void)arg;
    buf_printf(&told, "%.*s,", key.ptr ? (int)key.len : 1, key.ptr ? key.ptr : "*");
}

static void tell_reject(void *arg, struct slice key, const char *why)
{
    (void)arg;
    buf_printf(&told, "%.*s%s,", (int)key.len, key.ptr, *why ? "" : " (no reason)");
}

static const char *fetched(struct backend *b, const char *key)
{
    struct slice k = slice_str(key);

    is_status(b, driver->fetch(b, &k, 1, tell_row, NULL), BACKEND_OK, "a fetch");
    return told_text();
}

static struct backend_row row(const char *key, const char *value)
{
    return (struct backend_row){
        .key = slice_str(key), .value = slice_str(value), .expiry = BACKEND_NO_EXPIRY};
}

static enum backend_status put_row(struct backend *b, struct backend_row r)
{
    struct backend_batch batch = {.puts = &r, .puts_len = 1};

    return driver->apply(b, &batch, tell_reject, NULL);
}

static void put(struct backend *b, const char *key, const char *value)
{
    enum backend_status status = put_row(b, row(key, value));

    if (status != BACKEND_OK)
        is_status(b, status, BACKEND_OK, "a row is put");
}

/* ---- what is tried -------------------------------------------------------------------------- */

static void rows_are_kept(void)
{
    static const char *const odd[] = {"",
                                      " ",
                                      "a ",
                                      "A",
                                      "a",
                                      "it's \"x\"",
                                      "%_\\|`$1?",
                                      "{k}{t}",
                                      "\xc3\xa9",
                                      "e\xcc\x81",
                                      "\xf0\x9f\x94\x91",
                                      "\xc3\xa4rger",
                                      "a\tb\nc",
                                      "[x]*?",
                                      "NULL",
                                      "0x41",
                                      "007",
                                      "1e5"};
    struct backend *b = writer("kept");
    struct backend_row rich = {.key = SLICE("rich"),
                               .value = SLICE("{\"a\":\"1\"}"),
                               .type = SLICE("hash"),
                               .more = SLICE("{\"a\":5}"),
                               .expiry = 99999999999999,
                               .version = (UINT64_C(1) << 53) - 1};

    for (size_t i = 0; i < sizeof(odd) / sizeof(odd[0]); i++)
        put(b, odd[i], odd[i]);
    for (size_t i = 0; i < sizeof(odd) / sizeof(odd[0]); i++) {
        char want[64];

        snprintf(want, sizeof(want), "%s=%s,", odd[i], odd[i]);
        is_str(fetched(b, odd[i]), want, "%s: odd text %zu is key and value", place->scheme, i);
    }
    is_status(b, put_row(b, rich), BACKEND_OK, "a row with all columns");
    is_str(fetched(b, "rich"),
           "rich={\"a\":\"1\"}[hash][until 99999999999999][v9007199254740991]"
           "[{\"a\":5}],",
           "%s: all columns come back", place->scheme);
    put(b, "rich", "plain");
    is_str(fetched(b, "rich"), "rich=plain,", "%s: none of them stays", place->scheme);
    is_str(fetched(b, "nowhere"), "", "%s: no row, nothing told", place->scheme);
    driver->close(b);
}

static void long_ones_are_kept(void)
{
    struct backend *b = writer("longs");
    size_t len = 3000000;
    char *value = malloc(len), key[10000];
    struct backend_row r = {.expiry = BACKEND_NO_EXPIRY};
    struct slice k;

    memset(key, 'k', sizeof(key));
    r.key = k = slice_make(key, sizeof(key));
    for (size_t i = 0; i < len; i++)
        value[i] = (char)('a' + i % 26);
    r.value = slice_make(value, len);
    is_status(b, put_row(b, r), BACKEND_OK, "a key of 10,000 characters, a value of 3,000,000");
    told.len = 0;
    is_status(b, driver->fetch(b, &k, 1, tell_value, NULL), BACKEND_OK, "they are fetched");
    ok(told.len == len && memcmp(told.ptr, value, len) == 0, "%s: the same", place->scheme);
    told.len = 0;
    free(value);
    driver->close(b);
}

static void many_are_fetched(void)
{
    struct backend *b = writer("fetches");
    struct slice keys[] = {SLICE("a"), SLICE("nowhere"), SLICE("b"), SLICE("B"), SLICE("c")};
    const char *text;

    put(b, "a", "1");
    put(b, "b", "2");
    put(b, "c", "3");
    is_status(b, driver->fetch(b, keys, 5, tell_row, NULL), BACKEND_OK, "five keys are asked for");
    text = told_text();
    ok(strlen(text) == 12 && strstr(text, "a=1,") && strstr(text, "b=2,") && strstr(text, "c=3,"),
       "%s: those that are there, each once: %s", place->scheme, text);
    driver->close(b);
}

static void batches_are_whole(void)
{
    struct backend *b = writer("batches");
    struct backend_row puts[] = {row("new", "1"), row("old", "2")};
    struct slice deletes[] = {SLICE("gone"), SLICE("never")};
    struct backend_note notes[] = {{SLICE("position"), SLICE("log:77")}};
    struct backend_batch batch = {.puts = puts,
                                  .puts_len = 2,
                                  .deletes = deletes,
                                  .deletes_len = 2,
                                  .notes = notes,
                                  .notes_len = 1};

    put(b, "old", "0");
    put(b, "gone", "0");
    is_status(b, driver->note(b, SLICE("position"), tell_row, NULL), BACKEND_OK, "a note");
    is_str(told_text(), "position=,", "%s: there is none yet", place->scheme);
    is_status(b, driver->apply(b, &batch, tell_reject, NULL), BACKEND_OK, "a batch");
    is_str(place->ask("SELECT count(*) FROM batches"), "2", "%s: two rows", place->scheme);
    is_str(place->ask("SELECT v FROM batches WHERE k = 'old'"), "2", "%s: replaced", place->scheme);
    driver->note(b, SLICE("position"), tell_row, NULL);
    is_str(told_text(), "position=log:77,", "%s: the note is there", place->scheme);
    batch = (struct backend_batch){.clear = true, .puts = puts, .puts_len = 1};
    is_status(b, driver->apply(b, &batch, tell_reject, NULL), BACKEND_OK, "a batch that clears");
    is_str(place->ask("SELECT k FROM batches"), "new", "%s: one row is left", place->scheme);
    batch = (struct backend_batch){0};
    is_status(b, driver->apply(b, &batch, tell_reject, NULL), BACKEND_OK, "an empty batch");
    driver->close(b);
}

/* `many` keys with the value `value`, in one batch. */
static enum backend_status put_many(struct backend *b, const char *value, size_t many)
{
    static char names[MANY][16];
    static struct backend_row puts[MANY];
    struct backend_batch batch = {.puts = puts, .puts_len = many};

    for (size_t i = 0; i < many; i++) {
        snprintf(names[i], sizeof(names[i]), "key:%05zu", i);
        puts[i] = row(names[i], value);
        puts[i].version = i + 1;
    }
    return driver->apply(b, &batch, tell_reject, NULL);
}

static enum backend_status delete_many(struct backend *b, size_t many)
{
    static char names[MANY][16];
    static struct slice keys[MANY];
    struct backend_batch batch = {.deletes = keys, .deletes_len = many};

    for (size_t i = 0; i < many; i++) {
        snprintf(names[i], sizeof(names[i]), "key:%05zu", i);
        keys[i] = slice_str(names[i]);
    }
    return driver->apply(b, &batch, tell_reject, NULL);
}

static void many_in_a_batch(void)
{
    struct backend *b = writer("many");
    int64_t began = clock_mono_ms();
    uint64_t n = 0;

    is_status(b, put_many(b, "1", MANY), BACKEND_OK, "10,000 rows in a batch");
    is_status(b, put_many(b, "2", MANY), BACKEND_OK, "and again");
    diag("%s: 20,000 rows in %lld ms", place->scheme, (long long)(clock_mono_ms() - began));
    is_status(b, driver->count(b, 0, &n), BACKEND_OK, "they are counted");
    is_int((long long)n, MANY, "%s: 10,000", place->scheme);
    is_str(place->ask("SELECT count(*) FROM many WHERE v = '2'"), "10000", "%s: replaced",
           place->scheme);
    is_status(b, delete_many(b, MANY - 3), BACKEND_OK, "all but three are deleted");
    driver->count(b, 0, &n);
    is_int((long long)n, 3, "%s: three are left", place->scheme);
    driver->close(b);
}

/* ---- scans ---------------------------------------------------------------------------------- */

static const char *scanned(struct backend *b, struct backend_scan which)
{
    if (!which.limit)
        which.limit = SIZE_MAX;
    is_status(b, driver->scan(b, &which, tell_key, NULL), BACKEND_OK, "a scan");
    return told_text();
}

static void scans_are_in_order(void)
{
    struct backend *b = writer("scans");
    static const char *const keys[] = {
        "b", "a", "B", "a b", "a-", "a\xc3\xa9", "\xf0\x9f\x94\x91", "\xef\xbf\xbd", "_", "Z", ""};

    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
        put(b, keys[i], "x");
    is_str(scanned(b, (struct backend_scan){0}),
           ",B,Z,_,a,a b,a-,a\xc3\xa9,b,\xef\xbf\xbd,\xf0\x9f\x94\x91,", "%s: bytewise",
           place->scheme);
    is_str(scanned(b, (struct backend_scan){.after = SLICE("a"), .limit = 3}), "a b,a-,a\xc3\xa9,",
           "%s: behind a key, at most three", place->scheme);
    is_str(scanned(b, (struct backend_scan){.after = SLICE(""), .limit = 1}), "B,",
           "%s: behind the empty key", place->scheme);
    driver->close(b);
}

static void patterns_find_enough(void)
{
    static const char *const keys[] = {"abc",  "a%c", "a_c", "a*c", "a|c",
                                       "a\\c", "a[c", "a]c", "ABC", "\xc3\xa9t\xc3\xa9",
                                       "b64:x"};
    static const struct {
        const char *glob, *want;
    } cases[] = {
        {"abc", "abc,"},
        {"a%c", "a%c,"},
        {"a_c", "a_c,"},
        {"a\\*c", "a*c,"},
        {"a|c", "a|c,"},
        {"a\\\\c", "a\\c,"},
        {"a\\[c", "a[c,"},
        {"a]c", "a]c,"},
        {"\xc3\xa9*", "\xc3\xa9t\xc3\xa9,"},
        {"?\?t*", "\xc3\xa9t\xc3\xa9,"},
        {"[x\\]-]*", ""},
        {"a[b-]]c", "a%c,a*c,a[c,a\\c,a]c,a_c,a|c,abc,"},
        {"*\xa9t\xc3*", "\xc3\xa9t\xc3\xa9,"},
        {"*", "ABC,a%c,a*c,a[c,a\\c,a]c,a_c,abc,a|c,b64:x,\xc3\xa9t\xc3\xa9,"},
    };
    struct backend *b = writer("patterns");

    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
        put(b, keys[i], "x");
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char found[8192], *at = found;

        snprintf(found, sizeof(found), "%s",
                 scanned(b, (struct backend_scan){.pattern = slice_str(cases[i].glob)}));
        for (const char *w = cases[i].want; *w && at; w = strchr(w, ',') + 1) {
            char one[32];

            snprintf(one, sizeof(one), "%.*s", (int)(strchr(w, ',') - w + 1), w);
            at = strstr(found, one);
        }
        ok(at, "%s: %s finds %s: %s", place->scheme, cases[i].glob, cases[i].want, found);
    }
    is_str(scanned(b, (struct backend_scan){.pattern = SLICE("ab*"), .or_prefix = SLICE("b64:")}),
           "abc,b64:x,", "%s: a pattern, or a prefix", place->scheme);
    driver->close(b);
}

static void types_are_told_apart(void)
{
    struct backend *b = writer("types");
    static const char *const types[] = {"", "string:base64", "hash", "hash:base64", "list"};

    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
        struct backend_row r = row(i ? types[i] : "plain", "x");

        r.type = slice_str(types[i]);
        put_row(b, r);
    }
    is_str(scanned(b, (struct backend_scan){.type = SLICE("hash")}), "hash,hash:base64,",
           "%s: hashes", place->scheme);
    is_str(scanned(b, (struct backend_scan){.type = SLICE("string")}), "plain,string:base64,",
           "%s: strings", place->scheme);
    is_str(scanned(b, (struct backend_scan){.type = SLICE("zset")}), "", "%s: none", place->scheme);
    driver->close(b);
}

static void times_are_over(void)
{
    struct backend *b = writer("times");
    struct backend_row r = row("soon", "x");
    uint64_t n = 0;

    put(b, "always", "x");
    r.expiry = 1000;
    put_row(b, r);
    r.key = SLICE("sooner");
    r.expiry = 500;
    put_row(b, r);
    is_str(scanned(b, (struct backend_scan){.now_ms = 999}), "always,soon,", "%s: before the time",
           place->scheme);
    is_str(scanned(b, (struct backend_scan){.now_ms = 1000}), "always,", "%s: at the time",
           place->scheme);
    driver->count(b, 1000, &n);
    is_int((long long)n, 1, "%s: counted at the time", place->scheme);
    is_status(b, driver->pick(b, 1000, tell_key, NULL), BACKEND_OK, "one at random");
    is_str(told_text(), "always,", "%s: none whose time is over", place->scheme);
    is_status(b, driver->purge(b, 1000, 1, tell_name, NULL), BACKEND_OK, "a purge of one");
    is_str(told_text(), "sooner,", "%s: the oldest", place->scheme);
    is_status(b, driver->purge(b, 1000, SIZE_MAX, tell_name, NULL), BACKEND_OK, "of the others");
    is_str(told_text(), "soon,", "%s: is told", place->scheme);
    is_str(place->ask("SELECT count(*) FROM times"), "1", "%s: one row is left", place->scheme);
    driver->close(b);
}

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

static const struct backend_driver *driver_of(const char *scheme)
{
    return backend_driver(slice_str(scheme));
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
    char key[10001], sql[10100];

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
    memset(key, 'k', sizeof(key) - 1);
    key[sizeof(key) - 1] = '\0';
    snprintf(sql, sizeof(sql), "INSERT INTO watched (k, v) VALUES ('%s', '1')", key);
    place->other(sql);
    ok(strlen(watched(w, "*,")) >= 2, "%s: a long key is told, or that there is something",
       place->scheme);
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

static void (*const tests[])(void) = {
    rows_are_kept,           long_ones_are_kept,   many_are_fetched,
    batches_are_whole,       many_in_a_batch,      scans_are_in_order,
    patterns_find_enough,    types_are_told_apart, times_are_over,
    bad_rows_are_set_aside,  one_has_the_lease,    killed_holder_loses_it,
    others_are_watched,      others_versions_go,   foreign_columns_are_refused,
    names_are_no_statements,
};

int main(void)
{
    size_t n;
    const struct place *places = places_start(&n);

    for (size_t i = 0; i < n; i++) {
        place = &places[i];
        driver = driver_of(place->scheme);
        for (size_t j = 0; j < sizeof(tests) / sizeof(tests[0]); j++)
            tests[j]();
    }
    buf_release(&told);
    places_stop();
    return tap_done();
}
