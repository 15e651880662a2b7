/* COMMAND: what the server says of its own commands, all of it from their rows. */
#include "base/glob.h"
#include "base/mem.h"
#include "server/reply.h"

struct bit_name {
    int bit;
    const char *name;
};

static const struct bit_name flag_names[] = {
    {CMD_WRITE, "write"},
    {CMD_READONLY, "readonly"},
    {CMD_DENYOOM, "denyoom"},
    {CMD_ADMIN, "admin"},
    {CMD_PUBSUB, "pubsub"},
    {CMD_NOSCRIPT, "noscript"},
    {CMD_BLOCKING, "blocking"},
    {CMD_LOADING, "loading"},
    {CMD_STALE, "stale"},
    {CMD_SKIP_MONITOR, "skip_monitor"},
    {CMD_SKIP_SLOWLOG, "skip_slowlog"},
    {CMD_ASKING, "asking"},
    {CMD_FAST, "fast"},
    {CMD_NO_AUTH, "no_auth"},
    {CMD_NO_ASYNC_LOADING, "no_async_loading"},
    {CMD_NO_MULTI, "no_multi"},
    {CMD_MOVABLEKEYS, "movablekeys"},
    {CMD_ALLOW_BUSY, "allow_busy"},
};

static const struct bit_name acl_names[] = {
#define ACL_CATEGORY(id, name) {ACL_##id, name},
#include "server/acl_categories.def"
#undef ACL_CATEGORY
};

static const struct bit_name key_flag_names[] = {
    {KEY_RO, "RO"},
    {KEY_RW, "RW"},
    {KEY_OW, "OW"},
    {KEY_RM, "RM"},
    {KEY_ACCESS, "access"},
    {KEY_UPDATE, "update"},
    {KEY_INSERT, "insert"},
    {KEY_DELETE, "delete"},
    {KEY_NOT_KEY, "not_key"},
    {KEY_INCOMPLETE, "incomplete"},
    {KEY_VARIABLE_FLAGS, "variable_flags"},
};

static const struct bit_name arg_flag_names[] = {
    {ARG_OPTIONAL, "optional"},
    {ARG_MULTIPLE, "multiple"},
    {ARG_MULTIPLE_TOKEN, "multiple_token"},
};

/* The names of the bits that are set, as a set of simple strings, each with a prefix. */
static void reply_bits(struct call *c, int bits, const struct bit_name *names, size_t n,
                       const char *prefix)
{
    size_t begin = write_begin(&c->out);
    int64_t count = 0;

    for (size_t i = 0; i < n; i++) {
        if (!(bits & names[i].bit))
            continue;
        buf_printf(c->out.buf, "+%s%s\r\n", prefix, names[i].name);
        count++;
    }
    write_end_set(&c->out, begin, count);
}

/* ---- COMMAND INFO --------------------------------------------------------------------------- */

static void reply_search(struct call *c, const struct key_spec *k)
{
    static const char *const types[] = {
        [KEY_SEARCH_INDEX] = "index",
        [KEY_SEARCH_KEYWORD] = "keyword",
        [KEY_SEARCH_UNKNOWN] = "unknown",
    };
    bool keyword = k->search == KEY_SEARCH_KEYWORD;

    reply_map(c, 2);
    reply_cstr(c, "type");
    reply_cstr(c, types[k->search]);
    reply_cstr(c, "spec");
    if (k->search == KEY_SEARCH_UNKNOWN) {
        reply_map(c, 0);
        return;
    }
    reply_map(c, keyword ? 2 : 1);
    if (keyword) {
        reply_cstr(c, "keyword");
        reply_cstr(c, k->keyword);
    }
    reply_cstr(c, keyword ? "startfrom" : "index");
    reply_int(c, k->index);
}

static void reply_field(struct call *c, const char *name, int value)
{
    reply_cstr(c, name);
    reply_int(c, value);
}

static void reply_find(struct call *c, const struct key_spec *k)
{
    static const char *const types[] = {"range", "keynum", "unknown"};

    reply_map(c, 2);
    reply_cstr(c, "type");
    reply_cstr(c, types[k->find]);
    reply_cstr(c, "spec");
    if (k->find == KEY_FIND_RANGE) {
        reply_map(c, 3);
        reply_field(c, "lastkey", k->last);
        reply_field(c, "keystep", k->step);
        reply_field(c, "limit", k->limit);
    } else if (k->find == KEY_FIND_NUMBER) {
        reply_map(c, 3);
        reply_field(c, "keynumidx", k->number_index);
        reply_field(c, "firstkey", k->first);
        reply_field(c, "keystep", k->step);
    } else {
        reply_map(c, 0);
    }
}

static int key_specs(const struct command *cmd)
{
    int n = 0;

    while (n < KEY_SPECS_MAX && cmd->keys[n].search != KEY_SEARCH_NONE)
        n++;
    return n;
}

static void reply_key_specs(struct call *c, const struct command *cmd)
{
    int n = key_specs(cmd);

    reply_set(c, n);
    for (int i = 0; i < n; i++) {
        const struct key_spec *k = &cmd->keys[i];

        reply_map(c, cmd->key_notes[i] ? 4 : 3);
        if (cmd->key_notes[i]) {
            reply_cstr(c, "notes");
            reply_cstr(c, cmd->key_notes[i]);
        }
        reply_cstr(c, "flags");
        reply_bits(c, k->flags, key_flag_names, COUNT_OF(key_flag_names), "");
        reply_cstr(c, "begin_search");
        reply_search(c, k);
        reply_cstr(c, "find_keys");
        reply_find(c, k);
    }
}

/*
 * The older description by first, last and step: what the specifications amount to, if they are
 * ranges.
 */
static void reply_key_range(struct call *c, const struct command *cmd)
{
    int first = 0, last = 0, step = 0;

    for (int i = 0; i < key_specs(cmd); i++) {
        const struct key_spec *k = &cmd->keys[i];
        int end = k->last >= 0 ? k->index + k->last : k->last;

        if (k->search != KEY_SEARCH_INDEX || k->find != KEY_FIND_RANGE)
            continue;
        if (!first) {
            first = k->index;
            step = k->step;
            last = end;
        } else if (k->index == last + 1 && k->step == 1 && step == 1) {
            last = end;
        }
    }
    reply_int(c, first);
    reply_int(c, last);
    reply_int(c, step);
}

static void reply_strings(struct call *c, const char *const *strings, bool as_set)
{
    int64_t n = 0;

    while (strings && strings[n])
        n++;
    if (as_set)
        reply_set(c, n);
    else
        reply_array(c, n);
    for (int64_t i = 0; i < n; i++)
        reply_cstr(c, strings[i]);
}

static int64_t count_subcommands(const struct command *cmd)
{
    int64_t n = 0;

    while (cmd->subcommands && cmd->subcommands[n])
        n++;
    return n;
}

static void reply_info(struct call *c, const struct command *cmd)
{
    int64_t subcommands;

    if (!cmd) {
        reply_null_array(c);
        return;
    }
    subcommands = count_subcommands(cmd);
    reply_array(c, 10);
    reply_cstr(c, cmd->full_name);
    reply_int(c, cmd->arity);
    reply_bits(c, cmd->flags, flag_names, COUNT_OF(flag_names), "");
    reply_key_range(c, cmd);
    reply_bits(c, cmd->acl, acl_names, COUNT_OF(acl_names), "@");
    reply_strings(c, cmd->tips, true);
    reply_key_specs(c, cmd);
    reply_set(c, subcommands);
    for (int64_t i = 0; i < subcommands; i++)
        reply_info(c, cmd->subcommands[i]);
}

static int64_t count_top(const struct command_table *t)
{
    int64_t n = 0;

    for (int id = 0; id < command_count(t); id++)
        n += !command_at(t, id)->parent;
    return n;
}

static void reply_all(struct call *c, void (*one)(struct call *c, const struct command *cmd))
{
    const struct command_table *t = c->server->commands;

    for (int id = 0; id < command_count(t); id++) {
        if (!command_at(t, id)->parent)
            one(c, command_at(t, id));
    }
}

/* COMMAND */
void cmd_command(struct call *c)
{
    reply_array(c, count_top(c->server->commands));
    reply_all(c, reply_info);
}

/* COMMAND COUNT */
void cmd_command_count(struct call *c)
{
    reply_int(c, count_top(c->server->commands));
}

/* COMMAND INFO [name ...] */
void cmd_command_info(struct call *c)
{
    if (c->argc == 2) {
        cmd_command(c);
        return;
    }
    reply_array(c, c->argc - 2);
    for (int i = 2; i < c->argc; i++)
        reply_info(c, command_find_full(c->server->commands, call_arg(c, i)));
}

/* ---- COMMAND DOCS --------------------------------------------------------------------------- */

static void reply_args(struct call *c, const struct command_arg *args);

static void reply_pair(struct call *c, const char *name, const char *value, int64_t *pairs)
{
    if (!value)
        return;
    reply_cstr(c, name);
    reply_cstr(c, value);
    ++*pairs;
}

static void reply_one_arg(struct call *c, const struct command_arg *arg)
{
    static const char *const types[] = {"string",    "integer",    "double", "key",  "pattern",
                                        "unix-time", "pure-token", "oneof",  "block"};
    size_t begin = write_begin(&c->out);
    int64_t pairs = 0;

    reply_pair(c, "name", arg->name, &pairs);
    reply_pair(c, "type", types[arg->type], &pairs);
    if (arg->type == ARG_TYPE_KEY || arg->key_spec) {
        reply_field(c, "key_spec_index", arg->key_spec);
        pairs++;
    }
    reply_pair(c, "token", arg->token, &pairs);
    reply_pair(c, "since", arg->since, &pairs);
    reply_pair(c, "deprecated_since", arg->deprecated_since, &pairs);
    if (arg->flags) {
        reply_cstr(c, "flags");
        reply_bits(c, arg->flags, arg_flag_names, COUNT_OF(arg_flag_names), "");
        pairs++;
    }
    if (arg->subargs) {
        reply_cstr(c, "arguments");
        reply_args(c, arg->subargs);
        pairs++;
    }
    write_end_map(&c->out, begin, pairs);
}

static void reply_args(struct call *c, const struct command_arg *args)
{
    int64_t n = 0;

    while (args[n].name)
        n++;
    reply_array(c, n);
    for (int64_t i = 0; i < n; i++)
        reply_one_arg(c, &args[i]);
}

static void reply_history(struct call *c, const char *const *history)
{
    int64_t n = 0;

    while (history[n])
        n += 2;
    reply_cstr(c, "history");
    reply_set(c, n / 2);
    for (int64_t i = 0; i < n; i += 2) {
        reply_array(c, 2);
        reply_cstr(c, history[i]);
        reply_cstr(c, history[i + 1]);
    }
}

static void reply_docs(struct call *c, const struct command *cmd)
{
    size_t begin;
    int64_t pairs = 0;

    reply_cstr(c, cmd->full_name);
    begin = write_begin(&c->out);
    reply_pair(c, "summary", cmd->summary, &pairs);
    reply_pair(c, "since", cmd->since, &pairs);
    reply_pair(c, "group", cmd->group, &pairs);
    reply_pair(c, "complexity", cmd->complexity, &pairs);
    if (cmd->deprecated_since || cmd->flags & CMD_SYSTEM) {
        reply_cstr(c, "doc_flags");
        reply_set(c, 1);
        reply_simple(c, cmd->deprecated_since ? "deprecated" : "syscmd");
        pairs++;
    }
    reply_pair(c, "deprecated_since", cmd->deprecated_since, &pairs);
    reply_pair(c, "replaced_by", cmd->replaced_by, &pairs);
    if (cmd->history) {
        reply_history(c, cmd->history);
        pairs++;
    }
    if (cmd->args) {
        reply_cstr(c, "arguments");
        reply_args(c, cmd->args);
        pairs++;
    }
    if (cmd->subcommands) {
        reply_cstr(c, "subcommands");
        reply_map(c, count_subcommands(cmd));
        for (int64_t i = 0; cmd->subcommands[i]; i++)
            reply_docs(c, cmd->subcommands[i]);
        pairs++;
    }
    write_end_map(&c->out, begin, pairs);
}

/* COMMAND DOCS [name ...] */
void cmd_command_docs(struct call *c)
{
    const struct command_table *t = c->server->commands;
    size_t begin = write_begin(&c->out);
    int64_t n = 0;

    if (c->argc == 2) {
        reply_map(c, count_top(t));
        reply_all(c, reply_docs);
        return;
    }
    for (int i = 2; i < c->argc; i++) {
        const struct command *cmd = command_find_full(t, call_arg(c, i));

        if (!cmd)
            continue;
        reply_docs(c, cmd);
        n++;
    }
    write_end_map(&c->out, begin, n);
}

/* ---- COMMAND LIST --------------------------------------------------------------------------- */

enum list_filter { LIST_ALL, LIST_ACL, LIST_PATTERN, LIST_NONE };

static int acl_bit(struct slice name)
{
    for (size_t i = 0; i < COUNT_OF(acl_names); i++) {
        if (slice_is(name, acl_names[i].name))
            return acl_names[i].bit;
    }
    return 0;
}

static bool listed(const struct command *cmd, enum list_filter filter, struct slice by)
{
    switch (filter) {
    case LIST_ACL:
        return cmd->acl & acl_bit(by);
    case LIST_PATTERN:
        return glob_match(by, slice_str(cmd->full_name), true);
    case LIST_ALL:
        return true;
    default:
        return false;
    }
}

/* COMMAND LIST [FILTERBY MODULE name | ACLCAT category | PATTERN pattern] */
void cmd_command_list(struct call *c)
{
    const struct command_table *t = c->server->commands;
    enum list_filter filter = LIST_ALL;
    size_t begin = write_begin(&c->out);
    int64_t n = 0;

    if (c->argc == 5 && call_arg_is(c, 2, "filterby") && call_arg_is(c, 3, "module")) {
        filter = LIST_NONE;
    } else if (c->argc == 5 && call_arg_is(c, 2, "filterby") && call_arg_is(c, 3, "aclcat")) {
        filter = LIST_ACL;
    } else if (c->argc == 5 && call_arg_is(c, 2, "filterby") && call_arg_is(c, 3, "pattern")) {
        filter = LIST_PATTERN;
    } else if (c->argc != 2) {
        call_syntax_error(c);
        return;
    }
    for (int id = 0; id < command_count(t); id++) {
        const struct command *cmd = command_at(t, id);

        if (!listed(cmd, filter, filter == LIST_ALL ? SLICE("") : call_arg(c, 4)))
            continue;
        reply_cstr(c, cmd->full_name);
        n++;
    }
    write_end_array(&c->out, begin, n);
}

/* ---- COMMAND GETKEYS ------------------------------------------------------------------------ */

/*
 * The row and the key positions of the command given as arguments; -1, and answered, if there are
 * none.
 */
static int keys_of_args(struct call *c, struct key_position **out)
{
    const struct slice *argv = c->argv + 2;
    int argc = c->argc - 2, n;
    const struct command *cmd = command_find(c->server->commands, argv[0]);

    if (cmd && cmd->subcommands && argc > 1)
        cmd = command_find_sub(cmd, argv[1]);
    if (!cmd || !cmd->run) {
        reply_error(c, "ERR Invalid command specified");
        return -1;
    }
    if (key_specs(cmd) == 0) {
        reply_error(c, "ERR The command has no key arguments");
        return -1;
    }
    if (!command_arity_fits(cmd, (size_t)argc)) {
        reply_error(c, "ERR Invalid number of arguments specified for command");
        return -1;
    }
    *out = mem_alloc((size_t)argc * sizeof(**out));
    n = command_keys(cmd, argv, argc, *out, argc);
    if (n > 0)
        return n;
    mem_free(*out);
    reply_error(c, "ERR Invalid arguments specified for command");
    return -1;
}

/* COMMAND GETKEYS command [arg ...] */
void cmd_command_getkeys(struct call *c)
{
    struct key_position *keys;
    int n = keys_of_args(c, &keys);

    if (n < 0)
        return;
    reply_array(c, n);
    for (int i = 0; i < n; i++)
        reply_bulk(c, call_arg(c, keys[i].index + 2));
    mem_free(keys);
}

/* COMMAND GETKEYSANDFLAGS command [arg ...] */
void cmd_command_getkeysandflags(struct call *c)
{
    struct key_position *keys;
    int n = keys_of_args(c, &keys);

    if (n < 0)
        return;
    reply_array(c, n);
    for (int i = 0; i < n; i++) {
        reply_array(c, 2);
        reply_bulk(c, call_arg(c, keys[i].index + 2));
        reply_bits(c, keys[i].flags, key_flag_names, COUNT_OF(key_flag_names), "");
    }
    mem_free(keys);
}

/* COMMAND HELP */
void cmd_command_help(struct call *c)
{
    static const char *const lines[] = {
        "(no subcommand)",
        "    Describe all commands.",
        "COUNT",
        "    How many commands there are.",
        "DOCS [<command-name> ...]",
        "    Documentation of the named commands, or of all.",
        "GETKEYS <full-command>",
        "    The keys among the arguments of a command.",
        "GETKEYSANDFLAGS <full-command>",
        "    The keys among the arguments of a command, and what it does with them.",
        "INFO [<command-name> ...]",
        "    Describe the named commands, or all.",
        "LIST [FILTERBY (MODULE <name>|ACLCAT <category>|PATTERN <pattern>)]",
        "    The names of all commands, or of some.",
        NULL,
    };

    reply_help(c, lines);
}
