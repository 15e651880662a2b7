/* Commands that look for keys: KEYS, SCAN, RANDOMKEY. */
#include "base/glob.h"
#include "server/reply.h"
#include "server/walk.h"
#include "storage/value_types.h"

#include <errno.h>
#include <stdlib.h>

struct filter {
    struct slice pattern;
    bool all; /* every name fits the pattern */
    const struct slice *type;
    int64_t shown;
};

static bool fits(const struct filter *f, const struct entry *e)
{
    if (f->type && !slice_is(*f->type, value_type_name(e->type)))
        return false;
    return f->all || glob_match(f->pattern, entry_key(e), false);
}

static void show(struct call *c, const struct entry *e, void *opaque)
{
    struct filter *f = opaque;

    if (!fits(f, e))
        return;
    reply_bulk(c, entry_key(e));
    f->shown++;
}

static void set_pattern(struct filter *f, struct slice pattern)
{
    f->pattern = pattern;
    f->all = slice_eq(pattern, SLICE("*"));
}

/* KEYS pattern */
void cmd_keys(struct call *c)
{
    struct filter f = {0};
    size_t begin = write_begin(&c->out);

    set_pattern(&f, call_arg(c, 1));
    walk_all(c, show, &f);
    write_end_array(&c->out, begin, f.shown);
}

/* RANDOMKEY */
void cmd_randomkey(struct call *c)
{
    struct filter f = {.all = true};

    if (!walk_random(c, show, &f))
        reply_null(c);
}

/* ---- SCAN ----------------------------------------------------------------------------------- */

/* Leniently, as strtoul() reads it; only blanks in front are refused. */
static bool cursor_of(struct call *c, int i, uint64_t *out)
{
    char text[NUM_INT_MAX + 8], *end;
    struct slice arg = call_arg(c, i);

    if (arg.len < sizeof(text) && !(arg.len && strchr(" \t\n\v\f\r", arg.ptr[0]))) {
        memcpy(text, arg.ptr, arg.len);
        text[arg.len] = '\0';
        errno = 0;
        *out = strtoul(text, &end, 10);
        if (!*end && errno != ERANGE)
            return true;
    }
    reply_error(c, "ERR invalid cursor");
    return false;
}

static bool scan_options(struct call *c, struct filter *f, int64_t *count)
{
    for (int i = 2; i < c->argc; i += 2) {
        if (i + 1 == c->argc)
            return call_syntax_error(c);
        if (call_arg_is(c, i, "count")) {
            if (!call_int(c, i + 1, count))
                return false;
            if (*count < 1)
                return call_syntax_error(c);
        } else if (call_arg_is(c, i, "match")) {
            set_pattern(f, call_arg(c, i + 1));
        } else if (call_arg_is(c, i, "type")) {
            f->type = &c->argv[i + 1];
        } else {
            return call_syntax_error(c);
        }
    }
    return true;
}

/* The cursor stands before the keys that lead to it. */
static void put_cursor_first(struct call *c, size_t begin, uint64_t cursor, int64_t shown)
{
    char digits[NUM_INT_MAX];
    struct buf head = {0};
    struct writer w = {.buf = &head};
    size_t keys = c->out.buf->len - begin;

    write_array(&w, 2);
    write_bulk(&w, slice_make(digits, num_format_int(digits, (int64_t)cursor)));
    write_array(&w, shown);
    buf_reserve(c->out.buf, head.len);
    memmove(c->out.buf->ptr + begin + head.len, c->out.buf->ptr + begin, keys);
    memcpy(c->out.buf->ptr + begin, head.ptr, head.len);
    c->out.buf->len += head.len;
    buf_release(&head);
}

/* SCAN cursor [MATCH pattern] [COUNT count] [TYPE type] */
void cmd_scan(struct call *c)
{
    struct filter f = {.all = true};
    size_t begin = write_begin(&c->out);
    int64_t count = 10;
    uint64_t cursor;

    if (!cursor_of(c, 1, &cursor) || !scan_options(c, &f, &count))
        return;
    cursor = walk_some(c, cursor, (uint64_t)count, show, &f);
    put_cursor_first(c, begin, cursor, f.shown);
}
