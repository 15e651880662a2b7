/* Elements drawn at random, see draw_args.h. */
#include "server/draw_args.h"

#include "server/reply.h"

static bool read_count(struct call *c, int64_t *count)
{
    if (!call_int(c, 2, count))
        return false;
    if (*count != INT64_MIN)
        return true;
    reply_error(c, "ERR value is out of range, value must between -9223372036854775807 and "
                   "9223372036854775807");
    return false;
}

bool draw_args_read(struct call *c, const char *option, struct draw_args *out)
{
    *out = (struct draw_args){.count = 1, .counted = c->argc > 2, .with = c->argc == 4};
    if (!option && c->argc > 3)
        return call_syntax_error(c);
    if (out->counted && !read_count(c, &out->count))
        return false;
    if (c->argc > 4 || (option && out->with && !call_arg_is(c, 3, option)))
        return call_syntax_error(c);
    if (out->with && (out->count < -(INT64_MAX / 2) || out->count > INT64_MAX / 2)) {
        reply_error(c, "ERR value is out of range");
        return false;
    }
    return true;
}

bool draw_fits(struct call *c, uint64_t repeated)
{
    if (repeated <= DRAW_REPEATED_MAX)
        return true;
    reply_error(c, "ERR value is out of range");
    return false;
}
