/* The parser of requests, see request.h. */
#include "resp/request.h"

#include "base/compiler.h"
#include "base/mem.h"
#include "base/num.h"

#include <ctype.h>
#include <limits.h>
#include <stdio.h>

void args_grow(struct args *args)
{
    args->cap = args->cap ? args->cap * 2 : 64;
    args->v = mem_realloc(args->v, args->cap * sizeof(*args->v));
}

void args_release(struct args *args)
{
    mem_free(args->v);
    *args = (struct args){0};
}

static enum request_state fail(struct request *r, const char *error)
{
    r->error = error;
    return REQUEST_ERROR;
}

/* ---- inline -------------------------------------------------------------------------------- */

static int hex_digit(char c)
{
    return isdigit((unsigned char)c) ? c - '0' : tolower((unsigned char)c) - 'a' + 10;
}

static char unescaped(char c)
{
    switch (c) {
    case 'n':
        return '\n';
    case 'r':
        return '\r';
    case 't':
        return '\t';
    case 'b':
        return '\b';
    case 'a':
        return '\a';
    default:
        return c;
    }
}

/* Unquotes a double-quoted word whose first byte is at `in`; NULL if it does not end well. */
static const char *unquote_double(const char *in, const char *end, char **out)
{
    for (; in < end && *in != '"'; in++) {
        if (*in == '\\' && end - in >= 4 && in[1] == 'x' && isxdigit((unsigned char)in[2]) &&
            isxdigit((unsigned char)in[3])) {
            *(*out)++ = (char)(hex_digit(in[2]) * 16 + hex_digit(in[3]));
            in += 3;
        } else if (*in == '\\' && end - in >= 2) {
            *(*out)++ = unescaped(*++in);
        } else {
            *(*out)++ = *in;
        }
    }
    return in < end ? in + 1 : NULL;
}

static const char *unquote_single(const char *in, const char *end, char **out)
{
    for (; in < end && *in != '\''; in++) {
        if (*in == '\\' && end - in >= 2 && in[1] == '\'')
            in++;
        *(*out)++ = *in;
    }
    return in < end ? in + 1 : NULL;
}

/*
 * One word, unquoted in place to `out`; a closing quote must end it. NULL if quotes are unbalanced.
 */
static const char *unquote_word(const char *in, const char *end, char **out)
{
    /* Vertical tabs and form feeds are blanks between words and letters within them. */
    while (in < end && !memchr(" \t\r\n", *in, 5)) {
        char quote = *in;

        if (quote != '"' && quote != '\'') {
            *(*out)++ = *in++;
            continue;
        }
        in = quote == '"' ? unquote_double(in + 1, end, out) : unquote_single(in + 1, end, out);
        if (!in || (in < end && !isspace((unsigned char)*in)))
            return NULL;
        return in;
    }
    return in;
}

static enum request_state parse_inline(struct request *r, char *data, size_t len, struct args *args)
{
    char *newline = memchr(data, '\n', len);
    const char *in = data, *end;

    if (!newline) {
        if (len > REQUEST_INLINE_MAX)
            return fail(r, "Protocol error: too big inline request");
        return REQUEST_MORE;
    }
    end = newline > data && newline[-1] == '\r' ? newline - 1 : newline;
    r->pos = (size_t)(newline - data) + 1;
    for (;;) {
        char *start, *out;

        while (in < end && isspace((unsigned char)*in))
            in++;
        if (in >= end || !*in)
            return REQUEST_DONE;
        start = out = data + (in - data);
        in = unquote_word(in, end, &out);
        if (!in)
            return fail(r, "Protocol error: unbalanced quotes in request");
        args_push(args, slice_make(start, (size_t)(out - start)));
    }
}

/* ---- arrays of bulk strings ---------------------------------------------------------------- */

/*
 * The number between the byte at r->pos and the next CR, and moves behind the line. Canonical
 * spelling only. Short numbers, which nearly all are, are read without looking for the CR first.
 */
static enum request_state parse_count(struct request *r, const char *data, size_t len,
                                      const char *too_long, int64_t *out, bool *valid)
{
    const char *p = data + r->pos + 1, *end = data + len, *cr = p;
    int64_t v = 0;

    while (cr < end && (unsigned char)(*cr - '0') <= 9 && cr - p < 10)
        v = v * 10 + (*cr++ - '0');
    if (cr == p || cr >= end || *cr != '\r' || (*p == '0' && cr - p > 1)) {
        cr = r->pos + 1 < len ? memchr(p, '\r', (size_t)(end - p)) : NULL;
        if (!cr && len - r->pos > REQUEST_INLINE_MAX)
            return fail(r, too_long);
        if (!cr)
            return REQUEST_MORE;
        *valid = num_parse_int(slice_make(p, (size_t)(cr - p)), out);
    } else {
        *valid = true;
        *out = v;
    }
    if (end - cr < 2)
        return REQUEST_MORE;
    r->pos = (size_t)(cr - data) + 2;
    return REQUEST_DONE;
}

static enum request_state parse_array_header(struct request *r, const char *data, size_t len,
                                             const struct request_limits *limits)
{
    enum request_state state;
    bool valid = false;
    int64_t n = 0;

    state = parse_count(r, data, len, "Protocol error: too big mbulk count string", &n, &valid);
    if (state != REQUEST_DONE)
        return state;
    if (!valid || n > INT_MAX)
        return fail(r, "Protocol error: invalid multibulk length");
    if (n > UNAUTH_ARGS_MAX && limits->unauthenticated)
        return fail(r, "Protocol error: unauthenticated multibulk length");
    r->args_left = n < 0 ? 0 : n;
    r->multibulk = true;
    return REQUEST_DONE;
}

static enum request_state parse_bulk_header(struct request *r, const char *data, size_t len,
                                            const struct request_limits *limits)
{
    enum request_state state;
    bool valid = false;
    int64_t n = 0;

    if (r->pos >= len)
        return REQUEST_MORE;
    if (data[r->pos] != '$') {
        /* As Redis: it looks at the byte when the line's end and a byte more are there. */
        const char *cr = memchr(data + r->pos, '\r', len - r->pos);

        if (!cr && len - r->pos > REQUEST_INLINE_MAX)
            return fail(r, "Protocol error: too big bulk count string");
        if (!cr || cr + 1 == data + len)
            return REQUEST_MORE;
        snprintf(r->error_text, sizeof(r->error_text), "Protocol error: expected '$', got '%c'",
                 data[r->pos]);
        return fail(r, r->error_text);
    }
    state = parse_count(r, data, len, "Protocol error: too big bulk count string", &n, &valid);
    if (state != REQUEST_DONE)
        return state;
    if (!valid || n < 0 || n > limits->bulk_max)
        return fail(r, "Protocol error: invalid bulk length");
    if (n > UNAUTH_BULK_MAX && limits->unauthenticated)
        return fail(r, "Protocol error: unauthenticated bulk length");
    r->bulk_len = n;
    r->in_bulk = true;
    return REQUEST_DONE;
}

/* The argument whose header is parsed. What stands where its CRLF should is not looked at. */
static enum request_state parse_bulk(struct request *r, const char *data, size_t len,
                                     struct args *args)
{
    size_t need = (size_t)r->bulk_len + 2;

    if (len - r->pos < need)
        return r->bulk_len >= REQUEST_LONG_FROM ? REQUEST_LONG : REQUEST_MORE;
    args_push(args, slice_make(data + r->pos, (size_t)r->bulk_len));
    r->pos += need;
    r->args_left--;
    r->in_bulk = false;
    return REQUEST_DONE;
}

/* The length that a header of "$d" or "$dd" CRLF says, and moves behind it; -1 for another. */
ALWAYS_INLINE int short_length(const char **at)
{
    const char *p = *at;
    unsigned n = (unsigned char)p[1] - '0', low;

    if (UNLIKELY(p[0] != '$' || n > 9))
        return -1;
    p += 2;
    if (*p != '\r') {
        low = (unsigned char)*p++ - '0';
        if (UNLIKELY(n == 0 || low > 9 || *p != '\r'))
            return -1;
        n = n * 10 + low;
    }
    *at = p + 2;
    return (int)n;
}

/*
 * A request as most are: all there, of up to nine arguments of less than 100 bytes. False, and
 * nothing done, for another.
 */
static bool parse_short(struct request *r, const char *data, size_t len, struct args *args)
{
    enum { HEADER_MIN = 4, ARGUMENT_MIN = 6 }; /* "*1" CRLF, "$0" CRLF CRLF */
    const char *p = data + HEADER_MIN, *end = data + len;
    size_t before = args->len;
    unsigned count;

    if (len < HEADER_MIN || data[2] != '\r' || (count = (unsigned char)data[1] - '0') > 9)
        return false;
    for (; count; count--) {
        int n = end - p < ARGUMENT_MIN ? -1 : short_length(&p);

        if (UNLIKELY(n < 0 || end - p < n + 2)) {
            args->len = before;
            return false;
        }
        args_push(args, slice_make(p, (size_t)n));
        p += n + 2;
    }
    r->pos = (size_t)(p - data);
    r->multibulk = true;
    return true;
}

enum request_state request_parse(struct request *r, char *data, size_t len, struct args *args,
                                 const struct request_limits *limits)
{
    enum request_state state;

    if (!r->multibulk) {
        if (len == 0)
            return REQUEST_MORE;
        if (data[0] != '*')
            return parse_inline(r, data, len, args);
        if (LIKELY(parse_short(r, data, len, args)))
            return REQUEST_DONE;
        state = parse_array_header(r, data, len, limits);
        if (state != REQUEST_DONE)
            return state;
    }
    while (r->args_left > 0) {
        if (!r->in_bulk) {
            state = parse_bulk_header(r, data, len, limits);
            if (state != REQUEST_DONE)
                return state;
        }
        state = parse_bulk(r, data, len, args);
        if (state != REQUEST_DONE)
            return state;
    }
    return REQUEST_DONE;
}

void request_moved(struct args *args, size_t from, const char *old, size_t len, const char *fresh)
{
    for (size_t i = from; i < args->len; i++) {
        const char *p = args->v[i].ptr;

        if (p >= old && p <= old + len)
            args->v[i].ptr = fresh + (p - old);
    }
}

void request_long_done(struct request *r, struct args *args, struct slice arg)
{
    args_push(args, arg);
    r->args_left--;
    r->in_bulk = false;
}
