/* storage/log/records: what is written, and notes read back. */
#include "storage/log/records.h"

#include "base/rng.h"
#include "tests/lib/tap.h"

static bool is_text(const struct buf *b, const char *text)
{
    return slice_eq(buf_slice(b), slice_str(text));
}

static void test_requests(void)
{
    struct slice set[] = {SLICE("SET"), SLICE("key"), SLICE("")};
    struct records r = {0};

    records_add(&r, 3, set, 3);
    ok(is_text(&r.bytes, "*3\r\n$3\r\nSET\r\n$3\r\nkey\r\n$0\r\n\r\n"), "a request");
    ok(r.count == 1 && r.first_db == 3 && r.db == 3, "of a database");
    records_clear(&r);
    records_add(&r, 0, set, 1);
    records_begin(&r, 12, 1);
    records_arg(&r, SLICE("0123456789"));
    ok(is_text(&r.bytes, "*1\r\n$3\r\nSET\r\n*2\r\n$6\r\nselect\r\n$2\r\n12\r\n"
                         "*1\r\n$10\r\n0123456789\r\n"),
       "another database is selected between two");
    ok(r.count == 2 && r.first_db == 0 && r.db == 12, "which is known of both ends");
    records_release(&r);
}

/* The text of a note's lines, joined. False if a line is not as it should be. */
static bool join(struct slice lines, struct buf *text)
{
    bool more = true;

    while (lines.len) {
        const char *end = memchr(lines.ptr, '\n', lines.len);
        size_t len = end ? (size_t)(end - lines.ptr) + 1 : 0;

        if (!more || len < 10 || len > NOTE_LINE_MAX || memcmp(lines.ptr, "#LK:cmd", 7) != 0)
            return false;
        more = lines.ptr[7] == '+';
        buf_append(text, lines.ptr + 8, len - 10);
        lines = slice_make(end + 1, lines.len - len);
    }
    return !more;
}

static void test_notes(void)
{
    struct records r = {0};
    struct buf text = {0}, arg = {0};
    struct slice rest;

    records_begin_note(&r, 0);
    records_note_arg(&r, SLICE("A b"));
    records_note_arg(&r, SLICE(""));
    records_note_arg(&r, SLICE("100%\n"));
    records_end_note(&r);
    ok(is_text(&r.bytes, "#LK:cmd A%20b % 100%25%0a\r\n"), "a note");
    ok(join(buf_slice(&r.bytes), &text), "is lines");
    rest = buf_slice(&text);
    ok(note_next_arg(&rest, &arg) && is_text(&arg, "A b"), "its first argument");
    arg.len = 0;
    ok(note_next_arg(&rest, &arg) && arg.len == 0, "an empty one");
    ok(note_next_arg(&rest, &arg) && is_text(&arg, "100%\n"), "the last");
    ok(!note_next_arg(&rest, &arg), "there are no others");
    rest = SLICE("%4");
    ok(note_next_arg(&rest, &arg) == true, "what is cut off is taken for empty");
    rest = SLICE("%zz");
    ok(!note_next_arg(&rest, &arg), "what is no escape is told");
    records_release(&r);
    buf_release(&text);
    buf_release(&arg);
}

enum { ARGS_MAX = 40 };

static bool comes_back(void)
{
    struct records r = {0};
    struct buf args = {0}, text = {0}, arg = {0};
    size_t n = 1 + rng_below(ARGS_MAX), at[ARGS_MAX + 1] = {0};
    struct slice rest;
    bool same = true;

    records_begin_note(&r, 0);
    for (size_t i = 0; i < n; i++) {
        size_t len = rng_below(4) ? rng_below(20) : rng_below(3000);

        for (size_t k = 0; k < len; k++)
            buf_append_char(&args, (char)(rng_below(2) ? rng_below(256) : 'a' + rng_below(26)));
        at[i + 1] = args.len;
    }
    for (size_t i = 0; i < n; i++)
        records_note_arg(&r, slice_make(args.ptr + at[i], at[i + 1] - at[i]));
    records_end_note(&r);
    same = join(buf_slice(&r.bytes), &text);
    rest = buf_slice(&text);
    for (size_t i = 0; i < n && same; i++) {
        arg.len = 0;
        same = note_next_arg(&rest, &arg) &&
               slice_eq(buf_slice(&arg), slice_make(args.ptr + at[i], at[i + 1] - at[i]));
    }
    same = same && !rest.len;
    records_release(&r);
    buf_release(&args);
    buf_release(&text);
    buf_release(&arg);
    return same;
}

static void test_random_notes(void)
{
    int same = 0;

    for (int i = 0; i < 2000; i++)
        same += comes_back();
    is_int(same, 2000, "notes of any bytes and lengths come back as they were");
}

int main(void)
{
    rng_seed(20260101);
    test_requests();
    test_notes();
    test_random_notes();
    return tap_done();
}
