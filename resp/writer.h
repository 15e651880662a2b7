/*
 * The writer of replies: appends RESP to a buffer, in version 2 or 3 as the connection wishes. What
 * has no form of its own in RESP2 takes the customary one: a map is a flat array, a double a bulk
 * string, null the null bulk, true 1.
 */
#ifndef LK_RESP_WRITER_H
#define LK_RESP_WRITER_H

#include "base/buf.h"
#include "base/num.h"

struct writer {
    struct buf *buf;
    bool resp3;
};

void write_header(struct writer *w, char kind, int64_t n);

static inline void write_raw(struct writer *w, struct slice s)
{
    buf_append_slice(w->buf, s);
}

static inline void write_ok(struct writer *w)
{
    write_raw(w, SLICE("+OK\r\n"));
}

void write_simple(struct writer *w, struct slice s);
void write_int(struct writer *w, int64_t v);
void write_bulk(struct writer *w, struct slice s);
static inline void write_cstr(struct writer *w, const char *s)
{
    write_bulk(w, slice_str(s));
}
void write_bulk_int(struct writer *w, int64_t v);
void write_null(struct writer *w);
void write_null_array(struct writer *w);
void write_bool(struct writer *w, bool v);
/* 17 significant digits, as a double where there is one, else as a bulk string. */
void write_double(struct writer *w, double v);
/* The same without an exponent, for people. */
void write_long_double(struct writer *w, long double v);
/* Digits of any length, a big number in RESP3. */
void write_big_number(struct writer *w, struct slice digits);
/* `format` is three letters, "txt" or "mkd". */
void write_verbatim(struct writer *w, const char *format, struct slice s);

void write_array(struct writer *w, int64_t n);
void write_map(struct writer *w, int64_t pairs);
void write_set(struct writer *w, int64_t n);
/* Out-of-band data; an array in RESP2. */
void write_push(struct writer *w, int64_t n);
/* Only in RESP3; in RESP2 the caller writes neither header nor pairs. */
void write_attribute(struct writer *w, int64_t pairs);

/*
 * For collections whose size is known only at the end: begin() remembers the place, and one of the
 * ends puts the header there.
 */
static inline size_t write_begin(struct writer *w)
{
    return w->buf->len;
}
void write_end_array(struct writer *w, size_t begin, int64_t n);
void write_end_map(struct writer *w, size_t begin, int64_t pairs);
void write_end_set(struct writer *w, size_t begin, int64_t n);

/* "-" text CRLF; line breaks within are made blanks. "ERR " is not added. */
void write_error(struct writer *w, const char *fmt, ...) PRINTF_LIKE(2, 3);
void write_error_slice(struct writer *w, struct slice text);

#endif
