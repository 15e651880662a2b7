/* The arguments and replies of SCAN and its kin, see scan_args.h. */
#include "server/scan_args.h"

#include "base/glob.h"
#include "server/reply.h"

#include <errno.h>
#include <stdlib.h>

/* Leniently, as strtoul() reads it; only blanks in front are refused. */
bool scan_args_cursor(struct call *c, int i, uint64_t *cursor)
{
    char text[NUM_INT_MAX + 8], *end;
    struct slice arg = call_arg(c, i);

    if (arg.len < sizeof(text) && !(arg.len && strchr(" \t\n\v\f\r", arg.ptr[0]))) {
        memcpy(text, arg.ptr, arg.len);
        text[arg.len] = '\0';
        errno = 0;
        *cursor = strtoul(text, &end, 10);
        if (!*end && errno != ERANGE)
            return true;
    }
    reply_error(c, "ERR invalid cursor");
    return false;
}

struct scan_args scan_args_none(void)
{
    return (struct scan_args){.all = true, .count = 10};
}

void scan_args_pattern(struct scan_args *args, struct slice pattern)
{
    args->pattern = pattern;
    args->all = slice_eq(pattern, SLICE("*"));
}

bool scan_args_fit(const struct scan_args *args, struct slice name)
{
    return args->all || glob_match(args->pattern, name, false);
}

static bool read_count(struct call *c, int i, int64_t *count)
{
    if (!call_int(c, i, count))
        return false;
    return *count >= 1 || call_syntax_error(c);
}

/* An option with a value at argument i. */
static bool read_option(struct call *c, int i, unsigned options, struct scan_args *args)
{
    if (call_arg_is(c, i, "count"))
        return read_count(c, i + 1, &args->count);
    if (call_arg_is(c, i, "match"))
        scan_args_pattern(args, call_arg(c, i + 1));
    else if (options & SCAN_TYPE && call_arg_is(c, i, "type"))
        args->type = &c->argv[i + 1];
    else
        return call_syntax_error(c);
    return true;
}

bool scan_args_read(struct call *c, int i, unsigned options, struct scan_args *args)
{
    *args = scan_args_none();
    while (i < c->argc) {
        if (options & SCAN_NO_VALUES && call_arg_is(c, i, "novalues")) {
            args->no_values = true;
            i++;
            continue;
        }
        if (i + 1 == c->argc)
            return call_syntax_error(c);
        if (!read_option(c, i, options, args))
            return false;
        i += 2;
    }
    return true;
}

void scan_reply(struct call *c, size_t begin, uint64_t cursor, int64_t shown)
{
    char digits[NUM_INT_MAX];
    struct buf head = {0};
    struct writer w = {.buf = &head};
    size_t elements = c->out.buf->len - begin;

    write_array(&w, 2);
    write_bulk(&w, slice_make(digits, num_format_int(digits, (int64_t)cursor)));
    write_array(&w, shown);
    buf_reserve(c->out.buf, head.len);
    memmove(c->out.buf->ptr + begin + head.len, c->out.buf->ptr + begin, elements);
    memcpy(c->out.buf->ptr + begin, head.ptr, head.len);
    c->out.buf->len += head.len;
    buf_release(&head);
}

void scan_reply_empty(struct call *c)
{
    scan_reply(c, write_begin(&c->out), 0, 0);
}
