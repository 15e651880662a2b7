/* See sort_args.h. */
#include "server/sort_args.h"

#include "base/mem.h"
#include "server/sort_pattern.h"

enum { IS_ERROR = -1, IS_NO_OPTION };

static int read_limit(struct call *c, int i, struct sort_options *o)
{
    return call_int(c, i + 1, &o->offset) && call_int(c, i + 2, &o->count) ? 3 : IS_ERROR;
}

/* Once there was one that needs no sorting, none is done. */
static int read_by(struct call *c, int i, struct sort_options *o)
{
    o->by = i + 1;
    o->unsorted = o->unsorted || !sort_pattern_varies(call_arg(c, o->by));
    return 2;
}

static int read_get(struct call *c, int i, struct sort_options *o)
{
    if (!o->gets)
        o->gets = mem_alloc((size_t)c->argc * sizeof(*o->gets));
    o->gets[o->gets_len++] = i + 1;
    return 2;
}

/* How many arguments the option at i takes, or that there is none. */
static int read_option(struct call *c, int i, bool read_only, struct sort_options *o)
{
    int args = c->argc - i - 1;

    if (call_arg_is(c, i, "asc") || call_arg_is(c, i, "desc")) {
        o->descending = call_arg_is(c, i, "desc");
        return 1;
    }
    if (call_arg_is(c, i, "alpha")) {
        o->alpha = true;
        return 1;
    }
    if (call_arg_is(c, i, "limit") && args >= 2)
        return read_limit(c, i, o);
    if (call_arg_is(c, i, "by") && args >= 1)
        return read_by(c, i, o);
    if (call_arg_is(c, i, "get") && args >= 1)
        return read_get(c, i, o);
    if (!read_only && call_arg_is(c, i, "store") && args >= 1) {
        o->store = i + 1;
        return 2;
    }
    return IS_NO_OPTION;
}

bool sort_options_read(struct call *c, bool read_only, struct sort_options *o)
{
    int n;

    *o = (struct sort_options){.count = -1};
    for (int i = 2; i < c->argc; i += n) {
        n = read_option(c, i, read_only, o);
        if (n == IS_NO_OPTION)
            return call_syntax_error(c);
        if (n == IS_ERROR)
            return false;
    }
    return true;
}

void sort_options_release(struct sort_options *o)
{
    mem_free(o->gets);
}
