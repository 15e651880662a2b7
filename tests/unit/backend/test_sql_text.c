/*
 * storage/backend/sql_text: names are quoted, and a pattern of SQL finds whatever the glob finds,
 * which SQLite is asked for both kinds of patterns. $TEST_SEED repeats a run.
 */
#include "storage/backend/sql_text.h"

#include <sqlite3.h>
#include <stdlib.h>

#include "base/glob.h"
#include "base/mem.h"
#include "base/num.h"
#include "base/rng.h"
#include "tests/lib/tap.h"

enum { ROUNDS = 30000, LONGEST = 8 };

static const struct sql_dialect globs = {'"', true, " GLOB $", '*', "*?[", "[", "]"};
static const struct sql_dialect likes = {'`', false, " LIKE $ ESCAPE '|'", '%', "%_|", "|", ""};

static void is_format(const struct sql_names *names, const char *template, const char *want)
{
    char *got = sql_string(names, template);

    is_str(got, want, "%s", template);
    mem_free(got);
}

static void names_are_quoted(void)
{
    const struct sql_names plain = {&globs, "KeyVal", "key", "val", "{k} COLLATE BINARY"};
    const struct sql_names odd = {&likes, "my.a`b'c", "k`.y", "v", "{k}"};

    is_format(&plain, "SELECT {k}, {v} FROM {t}", "SELECT \"key\", \"val\" FROM \"KeyVal\"");
    is_format(&plain, "{t_more} {i_more} {o}",
              "\"KeyVal_more\" \"KeyVal_more\" \"key\" COLLATE BINARY");
    is_format(&plain, "{l} {b_x} {c}", "'\"KeyVal\"' 'KeyVal_x' 'key'");
    is_format(&odd, "{t_x} {i_x}", "`my`.`a``b'c_x` `a``b'c_x`");
    is_format(&odd, "{l} {b} {k} {c}", "'`my`.`a``b''c`' 'a`b''c' `k``.y` 'k`.y'");
}

/* Texts of few characters, so that they often match: special ones, and some of several bytes. */
static struct slice random_text(char *out, bool whole)
{
    static const char *const pieces[] = {"a", "b", "%",        "_",        "|",    "\\",
                                         "-", "^", "\xc3\xa9", "\xc3\xa8", "]",    "[",
                                         "*", "?", "*",        "?",        "\xc3", "\xa9"};
    size_t n = rng_below(LONGEST), len = 0;

    for (size_t i = 0; i < n; i++) {
        const char *piece = pieces[rng_below(whole ? 14 : 18)];

        memcpy(out + len, piece, strlen(piece));
        len += strlen(piece);
    }
    return slice_make(out, len);
}

static bool finds(sqlite3_stmt *s, struct slice text, const struct sql_dialect *d,
                  struct slice glob)
{
    struct buf pattern = {0};
    bool found;

    buf_grow(&pattern, 1); /* an empty pattern is no NULL */
    sql_pattern(&pattern, d, glob);
    sqlite3_bind_text(s, 1, text.ptr, (int)text.len, SQLITE_STATIC);
    sqlite3_bind_text(s, 2, pattern.ptr, (int)pattern.len, SQLITE_STATIC);
    found = sqlite3_step(s) == SQLITE_ROW && sqlite3_column_int(s, 0);
    sqlite3_reset(s);
    buf_release(&pattern);
    return found;
}

static void nothing_is_missed(sqlite3 *db)
{
    sqlite3_stmt *glob = NULL, *like = NULL;
    char text_bytes[LONGEST * 2], glob_bytes[LONGEST * 2];
    int missed = 0, matched = 0, excluded = 0;

    sqlite3_exec(db, "PRAGMA case_sensitive_like = ON", NULL, NULL, NULL);
    sqlite3_prepare_v2(db, "SELECT ?1 GLOB ?2", -1, &glob, NULL);
    sqlite3_prepare_v2(db, "SELECT ?1 LIKE ?2 ESCAPE '|'", -1, &like, NULL);
    for (int i = 0; i < ROUNDS; i++) {
        struct slice text = random_text(text_bytes, true);
        struct slice pattern = random_text(glob_bytes, false);
        bool by_glob = finds(glob, text, &globs, pattern);
        bool by_like = finds(like, text, &likes, pattern);

        excluded += !by_glob && !by_like;
        if (!glob_match(pattern, text, false))
            continue;
        matched++;
        if (!(by_glob && by_like) && missed++ < 5)
            diag("'%.*s' does not find '%.*s'", (int)pattern.len, pattern.ptr, (int)text.len,
                 text.ptr);
    }
    is_int(missed, 0, "whatever a glob finds, patterns of SQL find");
    ok(matched > ROUNDS / 50 && excluded > ROUNDS / 4, "%d found, %d excluded", matched, excluded);
    sqlite3_finalize(glob);
    sqlite3_finalize(like);
}

int main(void)
{
    const char *given = getenv("TEST_SEED");
    uint64_t seed = rng_entropy() >> 32;
    sqlite3 *db;

    if (given)
        num_parse_uint(slice_str(given), &seed);
    rng_seed(seed);
    diag("TEST_SEED=%llu", (unsigned long long)seed);
    names_are_quoted();
    if (sqlite3_open(":memory:", &db) != SQLITE_OK)
        bail("no database");
    nothing_is_missed(db);
    sqlite3_close(db);
    return tap_done();
}
