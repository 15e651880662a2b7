/* Replies that are more than a line, see reply.h. */
#include "server/reply.h"

#include <ctype.h>

void reply_string(struct call *c, const struct entry *e)
{
    char digits[NUM_INT_MAX];

    if (e)
        reply_bulk(c, string_value(e, digits));
    else
        reply_null(c);
}

void reply_error(struct call *c, const char *fmt, ...)
{
    struct buf text = {0};
    va_list args;

    va_start(args, fmt);
    buf_vprintf(&text, fmt, args);
    va_end(args);
    write_error_slice(&c->out, buf_slice(&text));
    buf_release(&text);
}

void reply_help(struct call *c, const char *const *lines)
{
    char name[64];
    size_t n = 0, len = 0;
    const char *from = c->cmd->container ? c->cmd->container->name : c->cmd->name;

    for (; from[len] && len < sizeof(name) - 1; len++)
        name[len] = (char)toupper((unsigned char)from[len]);
    name[len] = '\0';
    while (lines[n])
        n++;
    reply_array(c, (int64_t)n + 3);
    buf_printf(c->out.buf,
               "+%s <subcommand> [<arg> [value] [opt] ...]. Subcommands are:\r\n", name);
    for (size_t i = 0; i < n; i++)
        reply_simple(c, lines[i]);
    reply_simple(c, "HELP");
    reply_simple(c, "    Prints this help.");
}
