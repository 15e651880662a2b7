/*
 * storage/rows: entries of every type and form as rows and back, also with bytes that are no text;
 * what others may write by hand; keys; what is no row.
 */
#include "storage/rows/rows.h"

#include "base/mem.h"
#include "base/rng.h"
#include "storage/hash.h"
#include "storage/rows/text.h"
#include "storage/type_hash.h"
#include "storage/type_list.h"
#include "storage/type_set.h"
#include "storage/type_zset.h"
#include "storage/value_types.h"
#include "tests/lib/tap.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { ROUNDS = 400 };

static const struct rdb_limits limits = {
    .hash = {16, 64}, .list = {256, 1 << 15}, .zset = {16, 64}, .intset = 16};

/* ---- random values --------------------------------------------------------------------------- */

enum taste { ASCII, UTF8, BYTES };

static struct slice draw(enum taste taste, size_t max)
{
    static const char *const pieces[] = {
        "\xc3\xa9", "\xe2\x82\xac", "\xf0\x9f\x98\x80", "\"", "\\", "\n", "\x7f", "\x01"};
    static char text[1 << 17];
    size_t len = 0, wanted = rng_below(max);

    if (rng_below(4) == 0)
        return slice_make(text, num_format_int(text, (int64_t)(rng_next() >> rng_below(64))));
    while (len < wanted) {
        if (taste == BYTES) {
            text[len++] = (char)rng_below(256);
        } else if (taste == ASCII || rng_below(3)) {
            text[len++] = (char)(' ' + rng_below(95));
        } else {
            const char *piece = pieces[rng_below(8)];

            memcpy(text + len, piece, strlen(piece));
            len += strlen(piece);
        }
    }
    return slice_make(text, len);
}

static struct entry *draw_hash(enum taste taste, size_t n)
{
    struct entry *e = hash_new(SLICE("key"));
    bool timed = rng_below(2);

    while (n--) {
        char name[200];
        struct slice s = draw(taste, 100);

        memcpy(name, s.ptr, s.len);
        hash_set(&e, slice_make(name, s.len), draw(taste, 100),
                 timed && rng_below(2) ? (int64_t)rng_below(1 << 30) + 1 : EXPIRY_NONE,
                 &limits.hash);
    }
    return e;
}

static struct entry *draw_list(enum taste taste, size_t n)
{
    struct slice first = draw(taste, 100);
    struct entry *e = lists_new(SLICE("key"), LIST_TAIL, &first, 1, limits.list);

    while (--n) {
        struct slice next = draw(taste, 100);

        lists_push(&e, LIST_TAIL, &next, 1, limits.list);
    }
    return e;
}

static struct entry *draw_set(enum taste taste, size_t n)
{
    struct entry *e = set_new(SLICE("key"), EXPIRY_NONE);
    bool numbers = rng_below(3) == 0;

    while (n--) {
        struct set_member m =
            numbers ? set_member_int((int64_t)rng_next()) : set_member(draw(taste, 100));

        set_add(&e, &m, limits.intset);
    }
    return e;
}

static double draw_score(void)
{
    static const double odd[] = {0.1, -0.0, 1e300, -1e-300, 3, 5e-324, 1.0 / 3};

    if (rng_below(10) == 0)
        return rng_below(2) ? INFINITY : -INFINITY;
    return rng_below(2) ? odd[rng_below(7)] : (double)(int64_t)rng_next() / 1000;
}

static struct entry *draw_zset(enum taste taste, size_t n)
{
    struct entry *e = zset_new(SLICE("key"), 1, &limits.zset);

    while (n--)
        e = zset_add(e, draw(taste, 60), draw_score(), &limits.zset);
    return e;
}

static struct entry *draw_string(enum taste taste, size_t n)
{
    return entry_new_string(SLICE("key"), draw(taste, n > 50 ? 100000 : n), EXPIRY_NONE, true);
}

/* ---- there and back -------------------------------------------------------------------------- */

static struct row_in row_in_of(const struct buf *bytes, const struct row_text *text)
{
    return (struct row_in){
        .value = slice_make(bytes->ptr ? bytes->ptr : "", text->value_len),
        .type = text->type,
        .more = slice_make(bytes->ptr ? bytes->ptr + text->value_len : "", text->more_len),
        .expiry = 5000000000000,
        .version = 77,
    };
}

static bool same_times(const struct entry *a, const struct entry *b)
{
    struct hash_walk walk;
    struct hash_item item;

    if (a->type != TYPE_HASH)
        return true;
    walk = hash_walk(a);
    while (hash_walk_next(&walk, &item)) {
        int64_t time;

        if (!hash_time(b, item.name, &time) || time != item.time)
            return false;
    }
    return true;
}

/* Why not, NULL if it is the same. */
static const char *differs(const struct entry *e)
{
    struct digest was = value_digest(e), is;
    struct buf bytes = {0};
    struct row_text text = row_put_entry(&bytes, e);
    struct row_in in = row_in_of(&bytes, &text);
    struct entry *back;
    const char *why = NULL;

    if (!text_is_valid(buf_slice(&bytes)))
        return "it is no text";
    if (!row_get_entry(&in, SLICE("key"), &limits, &back, &why))
        return why;
    is = value_digest(back);
    if (memcmp(&was, &is, sizeof(is)) != 0)
        why = "another value";
    else if (strcmp(value_encoding(e), value_encoding(back)) != 0)
        why = "another encoding";
    else if (entry_expiry(back) != in.expiry || back->version != in.version)
        why = "another expiry or version";
    else if (!same_times(e, back))
        why = "other times of fields";
    entry_free(back);
    buf_release(&bytes);
    return why;
}

static void test_round_trips(void)
{
    static struct entry *(*const draws[])(enum taste, size_t) = {draw_string, draw_hash, draw_list,
                                                                 draw_set, draw_zset};
    static const char *const tastes[] = {"plain", "all kinds of", "no"};

    for (size_t type = 0; type < COUNT_OF(draws); type++) {
        for (int taste = ASCII; taste <= BYTES; taste++) {
            const char *why = NULL;

            for (int i = 0; i < ROUNDS && !why; i++) {
                struct entry *e = draws[type]((enum taste)taste, 1 + rng_below(i % 2 ? 8 : 200));

                why = differs(e);
                entry_free(e);
            }
            is_str(why, NULL, "values of draw %zu with %s text come back", type, tastes[taste]);
        }
    }
}

static void test_huge(void)
{
    size_t len = 20u << 20;
    char *bytes = mem_alloc(len);
    struct entry *e;

    for (size_t i = 0; i < len; i++)
        bytes[i] = (char)(i * 31 >> 3);
    e = entry_new_string(SLICE("key"), slice_make(bytes, len), EXPIRY_NONE, true);
    is_str(differs(e), NULL, "twenty megabytes come back");
    entry_free(e);
    e = draw_list(UTF8, 100000);
    is_str(differs(e), NULL, "and a long list");
    entry_free(e);
    mem_free(bytes);
}

/* ---- what stands there ----------------------------------------------------------------------- */

static const char *shown(const struct entry *e)
{
    static char text[512];
    struct buf bytes = {0};
    struct row_text t = row_put_entry(&bytes, e);

    snprintf(text, sizeof(text), "%.*s|%.*s|%.*s", (int)t.type.len, t.type.ptr, (int)t.value_len,
             bytes.ptr, (int)t.more_len, bytes.ptr + t.value_len);
    buf_release(&bytes);
    return text;
}

static struct entry *read_row(const char *type, const char *value, const char **why)
{
    struct row_in in = {.value = slice_str(value),
                        .type = slice_str(type),
                        .more = SLICE(""),
                        .expiry = EXPIRY_NONE};
    struct entry *e;

    return row_get_entry(&in, SLICE("key"), &limits, &e, why) ? e : NULL;
}

/* A row that somebody wrote by hand, as it would be written here. */
static void is_read(const char *type, const char *value, const char *want)
{
    const char *why = NULL;
    struct entry *e = read_row(type, value, &why);

    is_str(e ? shown(e) : why, want, "%s %s", type, value);
    if (e)
        entry_free(e);
}

static void test_by_hand(void)
{
    is_read("", "as it is", "|as it is|");
    is_read("string", "12", "|12|");
    is_read("string:base64", "AP8=", "string:base64|AP8=|");
    is_read("hash", " {\"n\" : 1, \"b\":true,\"t\":\"\\u00e9\\n\", \"f\": 1.50} ",
            "hash|{\"n\":\"1\",\"b\":\"true\",\"t\":\"\xc3\xa9\\n\",\"f\":\"1.50\"}|");
    is_read("list", "[1, \"a\", false]", "list|[\"1\",\"a\",\"false\"]|");
    is_read("set", "[\"a\",\"b\",\"a\"]", "set|[\"a\",\"b\"]|");
    is_read("zset", "{\"a\":2,\"b\":\"-inf\",\"c\":0.1}",
            "zset|{\"b\":\"-inf\",\"c\":0.1,\"a\":2}|");
    is_read("hash:base64", "{\"AA==\":\"\"}", "hash:base64|{\"AA==\":\"\"}|");
}

static void test_nonsense(void)
{
    static const struct {
        const char *type, *value, *why;
    } rows[] = {
        {"stream", "x", "there is no such type"},
        {"hash", "x", "it is no JSON object"},
        {"hash", "[]", "it is no JSON object"},
        {"hash", "{\"a\":\"b\"} x", "it is no JSON object"},
        {"hash", "{\"a\":{}}", "something in it is no string"},
        {"hash", "{\"a\":null}", "something in it is no string"},
        {"list", "{}", "it is no JSON array"},
        {"list", "[[1]]", "something in it is no string"},
        {"list", "[\"a\"", "it is no JSON array"},
        {"set", "", "it is no JSON array"},
        {"zset", "{\"a\":\"x\"}", "a score in it is no number"},
        {"zset", "{\"a\":\"nan\"}", "a score in it is no number"},
        {"zset", "{\"a\":[]}", "a score in it is no number"},
        {"string:base64", "a", "it is no base64"},
        {"string:base64", "a===", "it is no base64"},
        {"list:base64", "[\"?\"]", "a string in it is no base64"},
        {"list:base64", "[1]", "something in it is no string"},
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++)
        is_read(rows[i].type, rows[i].value, rows[i].why);
    is_read("hash", "{}", NULL);
    is_read("list", "[]", NULL);
    is_read("set", "[ ]", NULL);
    is_read("zset", "{}", NULL);
}

/* ---- keys and text --------------------------------------------------------------------------- */

static void is_key(struct slice key, const char *want)
{
    struct buf text = {0}, back = {0};

    row_put_key(&text, key);
    ok(slice_eq(buf_slice(&text), slice_str(want)), "a key stands as %s", want);
    ok(row_get_key(buf_slice(&text), &back) && slice_eq(buf_slice(&back), key), "and comes back");
    buf_release(&text);
    buf_release(&back);
}

static void test_keys(void)
{
    struct buf out = {0};

    is_key(SLICE("user:1"), "user:1");
    is_key(SLICE(""), "");
    is_key(SLICE("\xc3\xa9"), "\xc3\xa9");
    is_key(SLICE("a\0b"), "latchkey:base64:YQBi");
    is_key(SLICE("\xff"), "latchkey:base64:/w==");
    is_key(SLICE("latchkey:base64:x"), "latchkey:base64:bGF0Y2hrZXk6YmFzZTY0Ong=");
    ok(!row_get_key(SLICE("latchkey:base64:x"), &out), "what looks like one of ours may be none");
    buf_release(&out);
}

static void test_text(void)
{
    static const char *const good[] = {"",
                                       "a",
                                       "\x7f",
                                       "\xc2\x80",
                                       "\xed\x9f\xbf",
                                       "\xee\x80\x80",
                                       "\xf4\x8f\xbf\xbf",
                                       "\xe0\xa0\x80"};
    static const char *const bad[] = {"\x80",
                                      "\xc1\xbf",
                                      "\xc3",
                                      "\xe0\x9f\xbf",
                                      "\xed\xa0\x80",
                                      "\xf4\x90\x80\x80",
                                      "\xf5\x80\x80\x80",
                                      "\xc3(",
                                      "\xe2\x82",
                                      "\xf0\x8f\xbf\xbf"};

    for (size_t i = 0; i < COUNT_OF(good); i++)
        ok(text_is_valid(slice_str(good[i])), "text %zu", i);
    for (size_t i = 0; i < COUNT_OF(bad); i++)
        ok(!text_is_valid(slice_str(bad[i])), "no text %zu", i);
    ok(!text_is_valid(SLICE("a\0")), "nor with NUL");
}

int main(void)
{
    uint64_t seed = getenv("SEED") ? strtoull(getenv("SEED"), NULL, 10) : rng_entropy();

    diag("SEED=%llu", (unsigned long long)seed);
    rng_seed(seed);
    hash_init(seed);
    test_text();
    test_keys();
    test_by_hand();
    test_nonsense();
    test_round_trips();
    test_huge();
    return tap_done();
}
