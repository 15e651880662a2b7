/* base/words: splitting lines and quoting words. */
#include "base/words.h"

#include "base/rng.h"
#include "tests/lib/tap.h"

/* The words in angle brackets, or "no" for a line that cannot be split. */
static const char *split(struct buf *out, const char *line)
{
    struct words w = {0};

    out->len = 0;
    if (!words_split(&w, slice_str(line)))
        buf_append_str(out, "no");
    for (size_t i = 0; i < w.len && out->len != 2; i++)
        buf_printf(out, "<%.*s>", (int)w.items[i].len, w.items[i].ptr);
    buf_append_char(out, '\0');
    words_release(&w);
    return out->ptr;
}

static void test_split(void)
{
    static const char *const cases[][2] = {
        {"", ""},
        {"   \t ", ""},
        {"a", "<a>"},
        {"  port   6379\t", "<port><6379>"},
        {"a \"\" ''", "<a><><>"},
        {"a \"b c\" d", "<a><b c><d>"},
        {"a b\"c d\"", "<a><bc d>"},
        {"'a b'", "<a b>"},
        {"'it\\'s'", "<it's>"},
        {"'a\\nb\\\\c'", "<a\\nb\\\\c>"},
        {"\"\\n\\r\\t\\b\\a\"", "<\n\r\t\b\a>"},
        {"\"\\x41\\x4a\\x4B\"", "<AJK>"},
        {"\"\\x4\"", "<x4>"},
        {"\"\\xzz\\q\\\"\"", "<xzzq\">"},
        {"\"a", "no"},
        {"'a", "no"},
        {"\"a\\\"", "no"},
        {"'a\\'", "no"},
        {"\"a\"b", "no"},
        {"'a'\"b\"", "no"},
        {"a \"b\" \"c", "no"},
        {"\\x41", "<\\x41>"},
    };
    struct buf out = {0};

    for (size_t i = 0; i < COUNT_OF(cases); i++)
        is_str(split(&out, cases[i][0]), cases[i][1], "split %s", cases[i][0]);
    buf_release(&out);
}

static void test_nul_ends(void)
{
    struct words w = {0};

    ok(words_split(&w, SLICE("a b\0c \"")), "what is behind a NUL is not looked at");
    is_int((long long)w.len, 2, "two words before the NUL");
    ok(words_split(&w, SLICE("\"\\x00\"")) && w.len == 1 && slice_eq(w.items[0], SLICE("\0")),
       "a NUL can be written as an escape");
    words_release(&w);
}

static void test_quote(void)
{
    struct buf out = {0};

    words_quote(&out, SLICE("a\\\"\n\r\t\a\b\x01\xff\0z"));
    buf_append_char(&out, '\0');
    is_str(out.ptr, "\"a\\\\\\\"\\n\\r\\t\\a\\b\\x01\\xff\\x00z\"",
           "every special byte has its escape");
    buf_release(&out);
}

/* Whatever the bytes, splitting the quoted word gives them back. */
static void test_round_trip(void)
{
    struct buf quoted = {0};
    struct words w = {0};
    char bytes[300];
    int bad = 0;

    rng_seed(7);
    for (int round = 0; round < 2000; round++) {
        size_t len = rng_below(sizeof(bytes));

        for (size_t i = 0; i < len; i++)
            bytes[i] = (char)rng_next();
        quoted.len = 0;
        words_quote(&quoted, slice_make(bytes, len));
        bad += !words_split(&w, buf_slice(&quoted)) || w.len != 1 ||
               !slice_eq(w.items[0], slice_make(bytes, len));
    }
    is_int(bad, 0, "random bytes come back from their quoted form");
    words_release(&w);
    buf_release(&quoted);
}

int main(void)
{
    test_split();
    test_nul_ends();
    test_quote();
    test_round_trip();
    return tap_done();
}
