/* The writer of replies, see writer.h. */
#include "resp/writer.h"

#include <math.h>
#include <stdio.h>

enum { HEADER_MAX = NUM_INT_MAX + 3 };

/* Most numbers in headers have one digit or two. Returns the address behind. */
ALWAYS_INLINE char *put_header(char *p, char kind, int64_t n)
{
    *p++ = kind;
    if (n >= 0 && n < 100) {
        if (n >= 10)
            *p++ = (char)('0' + n / 10);
        *p++ = (char)('0' + n % 10);
    } else {
        p += num_format_int(p, n);
    }
    *p++ = '\r';
    *p++ = '\n';
    return p;
}

void write_header(struct writer *w, char kind, int64_t n)
{
    char *to = buf_reserve(w->buf, HEADER_MAX);

    w->buf->len += (size_t)(put_header(to, kind, n) - to);
}

void write_simple(struct writer *w, struct slice s)
{
    buf_append_char(w->buf, '+');
    buf_append_slice(w->buf, s);
    buf_append(w->buf, "\r\n", 2);
}

void write_int(struct writer *w, int64_t v)
{
    write_header(w, ':', v);
}

void write_bulk(struct writer *w, struct slice s)
{
    char *to = buf_reserve(w->buf, HEADER_MAX + s.len + 2);
    char *p = put_header(to, '$', (int64_t)s.len);

    bytes_copy(p, s.ptr, s.len);
    p += s.len;
    *p++ = '\r';
    *p++ = '\n';
    w->buf->len += (size_t)(p - to);
}

void write_bulk_int(struct writer *w, int64_t v)
{
    char digits[NUM_INT_MAX];

    write_bulk(w, slice_make(digits, num_format_int(digits, v)));
}

void write_null(struct writer *w)
{
    write_raw(w, w->resp3 ? SLICE("_\r\n") : SLICE("$-1\r\n"));
}

void write_null_array(struct writer *w)
{
    write_raw(w, w->resp3 ? SLICE("_\r\n") : SLICE("*-1\r\n"));
}

void write_bool(struct writer *w, bool v)
{
    if (w->resp3)
        write_raw(w, v ? SLICE("#t\r\n") : SLICE("#f\r\n"));
    else
        write_int(w, v);
}

static void write_double_text(struct writer *w, struct slice text)
{
    if (!w->resp3) {
        write_bulk(w, text);
        return;
    }
    buf_append_char(w->buf, ',');
    buf_append_slice(w->buf, text);
    buf_append(w->buf, "\r\n", 2);
}

void write_double(struct writer *w, double v)
{
    char text[64];

    write_double_text(w, slice_make(text, num_format_double(text, sizeof(text), v)));
}

void write_long_double(struct writer *w, long double v)
{
    char text[NUM_DOUBLE_MAX];

    write_double_text(w, slice_make(text, num_format_long_double(text, sizeof(text), v)));
}

void write_big_number(struct writer *w, struct slice digits)
{
    if (!w->resp3) {
        write_bulk(w, digits);
        return;
    }
    buf_append_char(w->buf, '(');
    buf_append_slice(w->buf, digits);
    buf_append(w->buf, "\r\n", 2);
}

void write_verbatim(struct writer *w, const char *format, struct slice s)
{
    if (!w->resp3) {
        write_bulk(w, s);
        return;
    }
    write_header(w, '=', (int64_t)s.len + 4);
    buf_append(w->buf, format, 3);
    buf_append_char(w->buf, ':');
    buf_append_slice(w->buf, s);
    buf_append(w->buf, "\r\n", 2);
}

void write_array(struct writer *w, int64_t n)
{
    write_header(w, '*', n);
}

void write_map(struct writer *w, int64_t pairs)
{
    write_header(w, w->resp3 ? '%' : '*', w->resp3 ? pairs : pairs * 2);
}

void write_set(struct writer *w, int64_t n)
{
    write_header(w, w->resp3 ? '~' : '*', n);
}

void write_push(struct writer *w, int64_t n)
{
    write_header(w, w->resp3 ? '>' : '*', n);
}

void write_attribute(struct writer *w, int64_t pairs)
{
    write_header(w, '|', pairs);
}

/* Writes the header behind the collection, and then turns the two about. */
static void put_header_at(struct writer *w, size_t begin, char kind, int64_t n)
{
    char header[NUM_INT_MAX + 4];
    size_t end = w->buf->len, len;

    write_header(w, kind, n);
    len = w->buf->len - end;
    memcpy(header, w->buf->ptr + end, len);
    memmove(w->buf->ptr + begin + len, w->buf->ptr + begin, end - begin);
    memcpy(w->buf->ptr + begin, header, len);
}

void write_end_array(struct writer *w, size_t begin, int64_t n)
{
    put_header_at(w, begin, '*', n);
}

void write_end_map(struct writer *w, size_t begin, int64_t pairs)
{
    put_header_at(w, begin, w->resp3 ? '%' : '*', w->resp3 ? pairs : pairs * 2);
}

void write_end_set(struct writer *w, size_t begin, int64_t n)
{
    put_header_at(w, begin, w->resp3 ? '~' : '*', n);
}

static bool is_line_end(char c)
{
    return c == '\r' || c == '\n';
}

void write_error_slice(struct writer *w, struct slice text)
{
    char *p;

    while (text.len && is_line_end(text.ptr[0]))
        text = slice_make(text.ptr + 1, text.len - 1);
    while (text.len && is_line_end(text.ptr[text.len - 1]))
        text.len--;
    buf_append_char(w->buf, '-');
    p = buf_reserve(w->buf, text.len);
    for (size_t i = 0; i < text.len; i++)
        p[i] = is_line_end(text.ptr[i]) ? ' ' : text.ptr[i];
    w->buf->len += text.len;
    buf_append(w->buf, "\r\n", 2);
}

void write_error(struct writer *w, const char *fmt, ...)
{
    struct buf text = {0};
    va_list args;

    va_start(args, fmt);
    buf_vprintf(&text, fmt, args);
    va_end(args);
    write_error_slice(w, buf_slice(&text));
    buf_release(&text);
}
