/* ACL: there is one user, "default", who may do everything; see auth.h for the password. */
#include "server/reply.h"

static const struct category {
    int bit;
    const char *name;
} categories[] = {
#define ACL_CATEGORY(id, name) {ACL_##id, name},
#include "server/acl_categories.def"
#undef ACL_CATEGORY
};

static void reply_categories(struct call *c)
{
    reply_array(c, COUNT_OF(categories));
    for (size_t i = 0; i < COUNT_OF(categories); i++)
        reply_cstr(c, categories[i].name);
}

static void reply_commands_of(struct call *c, const struct category *category)
{
    const struct command_table *t = c->server->commands;
    size_t begin = write_begin(&c->out);
    int64_t n = 0;

    for (int id = 0; id < command_count(t); id++) {
        const struct command *cmd = command_at(t, id);

        if (!(cmd->acl & category->bit))
            continue;
        reply_cstr(c, cmd->full_name);
        n++;
    }
    write_end_array(&c->out, begin, n);
}

/* ACL CAT [category] */
void cmd_acl_cat(struct call *c)
{
    struct slice name = c->argc == 3 ? call_arg(c, 2) : SLICE("");

    if (c->argc > 3) {
        reply_error(c,
                    "ERR unknown subcommand or wrong number of arguments for '%.*s'. Try ACL HELP.",
                    (int)call_arg(c, 1).len, call_arg(c, 1).ptr);
        return;
    }
    if (c->argc == 2) {
        reply_categories(c);
        return;
    }
    for (size_t i = 0; i < COUNT_OF(categories); i++) {
        if (slice_is(name, categories[i].name)) {
            reply_commands_of(c, &categories[i]);
            return;
        }
    }
    reply_error(c, "ERR Unknown category '%.*s'", (int)(name.len < 128 ? name.len : 128), name.ptr);
}

/* ACL USERS */
void cmd_acl_users(struct call *c)
{
    reply_array(c, 1);
    reply_cstr(c, "default");
}

/* ACL WHOAMI */
void cmd_acl_whoami(struct call *c)
{
    reply_cstr(c, "default");
}

/* ACL HELP */
void cmd_acl_help(struct call *c)
{
    static const char *const lines[] = {
        "CAT [<category>]",
        "    The categories of commands, or the commands of one.",
        "USERS",
        "    The names of all users.",
        "WHOAMI",
        "    The name of the connection's user.",
        NULL,
    };

    reply_help(c, lines);
}
