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

enum { NAME_ROOM = 64 };

/* The command's or its container's name in capitals. */
static void upper_name(const struct call *c, char out[NAME_ROOM])
{
    const char *from = c->cmd->container ? c->cmd->container->name : c->cmd->name;
    size_t len = 0;

    for (; from[len] && len < NAME_ROOM - 1; len++)
        out[len] = (char)toupper((unsigned char)from[len]);
    out[len] = '\0';
}

void reply_subcommand_error(struct call *c)
{
    char name[NAME_ROOM];

    upper_name(c, name);
    reply_error(c, "ERR unknown subcommand or wrong number of arguments for '%.*s'. Try %s HELP.",
                (int)(call_arg(c, 1).len < 128 ? call_arg(c, 1).len : 128), call_arg(c, 1).ptr,
                name);
}

void reply_help(struct call *c, const char *const *lines)
{
    char name[NAME_ROOM];
    size_t n = 0;

    upper_name(c, name);
    while (lines[n])
        n++;
    reply_array(c, (int64_t)n + 3);
    buf_printf(c->out.buf, "+%s <subcommand> [<arg> [value] [opt] ...]. Subcommands are:\r\n",
               name);
    for (size_t i = 0; i < n; i++)
        reply_simple(c, lines[i]);
    reply_simple(c, "HELP");
    reply_simple(c, "    Prints this help.");
}
