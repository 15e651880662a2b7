/* Changes as records, see records.h. */
#include "storage/log/records.h"

#include "base/num.h"

/* ---- requests ------------------------------------------------------------------------------- */

/* Mostly one or two digits. */
static inline char *put_number(char *to, size_t n)
{
    if (LIKELY(n < 10)) {
        *to++ = (char)('0' + n);
        return to;
    }
    if (LIKELY(n < 100)) {
        *to++ = (char)('0' + n / 10);
        *to++ = (char)('0' + n % 10);
        return to;
    }
    return to + num_format_int(to, (int64_t)n);
}

static void put_header(struct buf *b, char kind, size_t n)
{
    char *start = buf_reserve(b, NUM_INT_MAX + 3), *to = start;

    *to++ = kind;
    to = put_number(to, n);
    *to++ = '\r';
    *to++ = '\n';
    b->len += (size_t)(to - start);
}

static void put_bulk(struct buf *b, struct slice s)
{
    char *start = buf_reserve(b, s.len + NUM_INT_MAX + 5), *to = start;

    *to++ = '$';
    to = put_number(to, s.len);
    *to++ = '\r';
    *to++ = '\n';
    bytes_copy(to, s.ptr, s.len);
    to += s.len;
    *to++ = '\r';
    *to++ = '\n';
    b->len += (size_t)(to - start);
}

void records_select(struct buf *b, int db)
{
    char digits[NUM_INT_MAX];

    buf_printf(b, "*2\r\n$6\r\nselect\r\n$%zu\r\n%d\r\n", num_format_int(digits, db), db);
}

/* Another record of that database follows. */
static void add_one(struct records *r, int db)
{
    if (!r->count)
        r->first_db = db;
    else if (UNLIKELY(r->db != db))
        records_select(&r->bytes, db);
    r->db = db;
    r->count++;
}

void records_begin(struct records *r, int db, int argc)
{
    add_one(r, db);
    put_header(&r->bytes, '*', (size_t)argc);
}

void records_arg(struct records *r, struct slice arg)
{
    put_bulk(&r->bytes, arg);
}

void records_add(struct records *r, int db, const struct slice *argv, int argc)
{
    records_begin(r, db, argc);
    for (int i = 0; i < argc; i++)
        put_bulk(&r->bytes, argv[i]);
}

void records_clear(struct records *r)
{
    enum { KEPT = 64 * 1024 };

    if (UNLIKELY(r->bytes.cap > KEPT))
        buf_release(&r->bytes);
    r->bytes.len = 0;
    r->count = 0;
    record_versions_clear(&r->versions);
}

void records_release(struct records *r)
{
    buf_release(&r->bytes);
    buf_release(&r->versions.keys);
}

/* ---- notes ---------------------------------------------------------------------------------- */

/* What a line begins with: "#LK:", its word, and a blank or a sign. */
static size_t head_len(const struct records *r)
{
    return 4 + strlen(r->word) + 1;
}

static void begin_line(struct records *r)
{
    r->line = r->bytes.len;
    buf_printf(&r->bytes, "#LK:%s ", r->word);
}

void records_begin_line(struct records *r, const char *word)
{
    r->word = word;
    begin_line(r);
}

void records_begin_note(struct records *r, int db)
{
    add_one(r, db);
    records_begin_line(r, "cmd");
}

static void put_note(struct records *r, const char *text, size_t len)
{
    enum { LINE_END = 2 };

    if (r->bytes.len - r->line + len + LINE_END > NOTE_LINE_MAX) {
        r->bytes.ptr[r->line + head_len(r) - 1] = '+';
        buf_append(&r->bytes, "\r\n", 2);
        begin_line(r);
    }
    buf_append(&r->bytes, text, len);
}

static void put_escaped(struct records *r, unsigned char c)
{
    static const char digits[] = "0123456789abcdef";
    char text[3] = {'%', digits[c >> 4], digits[c & 15]};

    if (c > ' ' && c < 127 && c != '%')
        put_note(r, (const char *)&c, 1);
    else
        put_note(r, text, sizeof(text));
}

/* An empty argument is "%" alone. */
void records_note_arg(struct records *r, struct slice arg)
{
    if (r->bytes.len - r->line > head_len(r))
        put_note(r, " ", 1);
    if (!arg.len)
        put_note(r, "%", 1);
    for (size_t i = 0; i < arg.len; i++)
        put_escaped(r, (unsigned char)arg.ptr[i]);
}

void records_note_number(struct records *r, int64_t n)
{
    char digits[NUM_INT_MAX];

    records_note_arg(r, slice_make(digits, num_format_int(digits, n)));
}

void records_end_note(struct records *r)
{
    buf_append(&r->bytes, "\r\n", 2);
}

static void put_version(void *arg, int db, struct slice key, uint64_t version)
{
    struct records *r = arg;

    records_begin_line(r, "ver");
    records_note_number(r, db);
    records_note_number(r, (int64_t)version);
    records_note_arg(r, key);
    records_end_note(r);
}

void records_tell_versions(struct records *r, bool plain)
{
    if (r->versions.several && !(plain && record_versions_in_turn(&r->versions)))
        record_versions_each(&r->versions, put_version, r);
    else if (!r->versions.several)
        record_versions_same(&r->versions);
}

static int digit_of(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool note_next_arg(struct slice *text, struct buf *out)
{
    size_t i = 0;

    if (!text->len)
        return false;
    for (; i < text->len && text->ptr[i] != ' '; i++) {
        const char *c = text->ptr + i;
        bool whole = *c == '%' && i + 2 < text->len && c[1] != ' ';

        if (*c != '%') {
            buf_append_char(out, *c);
        } else if (whole) {
            if (digit_of(c[1]) < 0 || digit_of(c[2]) < 0)
                return false;
            buf_append_char(out, (char)(digit_of(c[1]) * 16 + digit_of(c[2])));
            i += 2;
        }
    }
    if (i < text->len)
        i++;
    *text = slice_make(text->ptr + i, text->len - i);
    return true;
}
