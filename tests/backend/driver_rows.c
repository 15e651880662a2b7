/* Drivers: rows, batches and scans. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/rng.h"
#include "tests/backend/driver_kit.h"

enum { MANY = 10000 };

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

/* As long as the limits say, up to 10,000 characters that no compression makes fewer. */
static size_t long_key(struct backend *b, char key[10000])
{
    struct backend_limits limits;
    size_t len = 10000;

    driver->limits(b, &limits);
    len = limits.key_chars < len ? limits.key_chars : len;
    len = limits.key_bytes < len ? limits.key_bytes : len;
    rng_seed(7);
    for (size_t i = 0; i < len; i++)
        key[i] = (char)('!' + rng_below(90));
    return len;
}

static void long_ones_are_kept(void)
{
    struct backend *b = writer("longs");
    size_t len = 3000000;
    char *value = malloc(len), key[10000];
    struct backend_row r = {.expiry = BACKEND_NO_EXPIRY};

    r.key = slice_make(key, long_key(b, key));
    for (size_t i = 0; i < len; i++)
        value[i] = (char)('a' + i % 26);
    r.value = slice_make(value, len);
    diag("%s: a key of %zu bytes", place->scheme, r.key.len);
    is_status(b, put_row(b, r), BACKEND_OK, "a long key, a value of 3,000,000");
    is_str(told_text(), "", "%s: not rejected", place->scheme);
    is_status(b, driver->fetch(b, &r.key, 1, tell_value, NULL), BACKEND_OK, "they are fetched");
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
        snprintf(names[i], sizeof(names[i]), "key:%05u", (unsigned)i);
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
        snprintf(names[i], sizeof(names[i]), "key:%05u", (unsigned)i);
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

test_fn *const tests_rows[] = {rows_are_kept,        long_ones_are_kept,
                               many_are_fetched,     batches_are_whole,
                               many_in_a_batch,      scans_are_in_order,
                               patterns_find_enough, types_are_told_apart,
                               times_are_over,       NULL};
