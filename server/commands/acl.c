/* ACL: there is one user, "default", who may do everything; see auth.h for the password. */
#include "base/rng.h"
#include "base/sha256.h"
#include "server/reply.h"

enum { GENPASS_BITS = 256, GENPASS_BITS_MAX = 4096 };

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
        reply_subcommand_error(c);
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

/* The digest of the user's password; false if anybody may come in. */
static bool password_digest(const struct call *c, char *out)
{
    if (!c->conf->requirepass.len)
        return false;
    sha256_hex(c->conf->requirepass, out);
    return true;
}

/* ACL LIST */
void cmd_acl_list(struct call *c)
{
    char digest[SHA256_HEX + 1];
    struct buf line = {0};

    if (password_digest(c, digest))
        buf_printf(&line, "user default on #%s ~* &* +@all", digest);
    else
        buf_append_str(&line, "user default on nopass ~* &* +@all");
    reply_array(c, 1);
    reply_bulk(c, buf_slice(&line));
    buf_release(&line);
}

static void reply_user(struct call *c)
{
    char digest[SHA256_HEX + 1];
    bool guarded = password_digest(c, digest);

    reply_map(c, 6);
    reply_cstr(c, "flags");
    reply_set(c, guarded ? 1 : 2);
    reply_cstr(c, "on");
    if (!guarded)
        reply_cstr(c, "nopass");
    reply_cstr(c, "passwords");
    reply_array(c, guarded);
    if (guarded)
        reply_cstr(c, digest);
    reply_cstr(c, "commands");
    reply_cstr(c, "+@all");
    reply_cstr(c, "keys");
    reply_cstr(c, "~*");
    reply_cstr(c, "channels");
    reply_cstr(c, "&*");
    reply_cstr(c, "selectors");
    reply_array(c, 0);
}

/* ACL GETUSER username */
void cmd_acl_getuser(struct call *c)
{
    if (slice_eq(call_arg(c, 2), SLICE("default")))
        reply_user(c);
    else
        reply_null(c);
}

/* ACL GENPASS [bits] */
void cmd_acl_genpass(struct call *c)
{
    char digits[GENPASS_BITS_MAX / 4 + 1];
    int64_t bits = GENPASS_BITS;

    if (c->argc > 3) {
        reply_subcommand_error(c);
        return;
    }
    if (c->argc == 3 && !call_int(c, 2, &bits))
        return;
    if (bits <= 0 || bits > GENPASS_BITS_MAX) {
        reply_error(c, "ERR ACL GENPASS argument must be the number of bits for the output "
                       "password, a positive number up to 4096");
        return;
    }
    rng_hex_id(digits, (int)(bits + 3) / 4);
    reply_cstr(c, digits);
}

/* ACL HELP */
void cmd_acl_help(struct call *c)
{
    static const char *const lines[] = {
        "CAT [<category>]",
        "    The categories of commands, or the commands of one.",
        "GENPASS [<bits>]",
        "    A random password of 256 bits, or as many as are asked for.",
        "GETUSER <username>",
        "    What the user may do.",
        "LIST",
        "    All users, as a configuration file would have them.",
        "USERS",
        "    The names of all users.",
        "WHOAMI",
        "    The name of the connection's user.",
        NULL,
    };

    reply_help(c, lines);
}
