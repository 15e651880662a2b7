/* Replies of a handler: resp/writer.h on the call's output, with the customary errors. */
#ifndef LK_SERVER_REPLY_H
#define LK_SERVER_REPLY_H

#include "server/call.h"
#include "server/handlers.h"

static inline void reply_ok(struct call *c)
{
    write_ok(&c->out);
}
static inline void reply_int(struct call *c, int64_t v)
{
    write_int(&c->out, v);
}
static inline void reply_bulk(struct call *c, struct slice s)
{
    write_bulk(&c->out, s);
}
static inline void reply_cstr(struct call *c, const char *s)
{
    write_cstr(&c->out, s);
}
static inline void reply_simple(struct call *c, const char *s)
{
    write_simple(&c->out, slice_str(s));
}
static inline void reply_null(struct call *c)
{
    write_null(&c->out);
}
static inline void reply_null_array(struct call *c)
{
    write_null_array(&c->out);
}
static inline void reply_array(struct call *c, int64_t n)
{
    write_array(&c->out, n);
}
static inline void reply_map(struct call *c, int64_t pairs)
{
    write_map(&c->out, pairs);
}
static inline void reply_set(struct call *c, int64_t n)
{
    write_set(&c->out, n);
}
static inline void reply_bool(struct call *c, bool v)
{
    write_bool(&c->out, v);
}
static inline void reply_double(struct call *c, double v)
{
    write_double(&c->out, v);
}
static inline void reply_verbatim(struct call *c, const char *format, struct slice s)
{
    write_verbatim(&c->out, format, s);
}

/* The value of a string entry as a bulk; null for NULL. */
void reply_string(struct call *c, const struct entry *e);

/* The whole text, with its code: reply_error(c, "ERR no such key"). */
void reply_error(struct call *c, const char *fmt, ...) PRINTF_LIKE(2, 3);

/* For a subcommand with arguments that its row could not rule out. */
void reply_subcommand_error(struct call *c);

/* For CONTAINER HELP: the customary heading, these lines (NULL ends), and HELP itself. */
void reply_help(struct call *c, const char *const *lines);

#endif
