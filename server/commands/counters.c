/* Strings that are numbers. */
#include "server/reply.h"

#include <math.h>

static void add(struct call *c, int64_t by)
{
    int64_t value = 0;
    struct entry *e;

    if (!call_find_write(c, 1, TYPE_STRING, &e))
        return;
    if (e && !string_int(e, &value)) {
        reply_error(c, "ERR value is not an integer or out of range");
        return;
    }
    if (__builtin_add_overflow(value, by, &value)) {
        reply_error(c, "ERR increment or decrement would overflow");
        return;
    }
    call_set_int(c, 1, value);
    call_changed(c, 1, EVENT_INCRBY);
    reply_int(c, value);
}

/* INCR key */
void cmd_incr(struct call *c)
{
    add(c, 1);
}

/* DECR key */
void cmd_decr(struct call *c)
{
    add(c, -1);
}

/* INCRBY key increment */
void cmd_incrby(struct call *c)
{
    int64_t by;

    if (call_int(c, 2, &by))
        add(c, by);
}

/* DECRBY key decrement */
void cmd_decrby(struct call *c)
{
    int64_t by;

    if (!call_int(c, 2, &by))
        return;
    if (by == INT64_MIN)
        reply_error(c, "ERR decrement would overflow");
    else
        add(c, -by);
}

/* The number that key 1 holds, 0 if there is none, and argument 2. */
static bool read_floats(struct call *c, const struct entry *e, long double *value, long double *by)
{
    char digits[NUM_INT_MAX];

    *value = 0;
    if ((!e || num_parse_long_double(call_string(e, digits), value)) &&
        num_parse_long_double(call_arg(c, 2), by))
        return true;
    reply_error(c, "ERR value is not a valid float");
    return false;
}

/* INCRBYFLOAT key increment: the result is text, even where it is whole. */
void cmd_incrbyfloat(struct call *c)
{
    char text[NUM_DOUBLE_MAX];
    struct slice sum;
    long double value, by;
    struct entry *e;

    if (!call_find_write(c, 1, TYPE_STRING, &e) || !read_floats(c, e, &value, &by))
        return;
    value += by;
    if (isnan(value) || isinf(value)) {
        reply_error(c, "ERR increment would produce NaN or Infinity");
        return;
    }
    sum = slice_make(text, num_format_long_double(text, sizeof(text), value));
    call_put(c, 1, entry_new_string(call_arg(c, 1), sum, e ? entry_expiry(e) : EXPIRY_NONE, false));
    call_changed(c, 1, EVENT_INCRBYFLOAT);
    CALL_LOG(c, SLICE("SET"), call_arg(c, 1), sum, SLICE("KEEPTTL"));
    reply_bulk(c, sum);
}
