/* The table of commands: look-up, containers, and where a request's keys are. See command.h. */
#include "server/command.h"

#include "base/compiler.h"
#include "base/mem.h"
#include "base/num.h"
#include "server/durability.h"
#include "server/handlers.h"
#include "server/request_keys.h"
#include "server/when_args.h"
#include "storage/hash.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>

static const struct command rows[] = {
#define COMMAND(handler, ...) {.run = handler, __VA_ARGS__},
#define SUBCOMMAND(handler, ...) {.run = handler, __VA_ARGS__},
#define CONTAINER(...) {__VA_ARGS__},
#include "server/commands/all.def"
#undef COMMAND
#undef SUBCOMMAND
#undef CONTAINER
};

enum { ROWS = COUNT_OF(rows), NAMES = 2048, NAME_MAX_LEN = 64 };

struct command_table {
    struct command rows[ROWS];
    const struct command *by_name[NAMES]; /* open addressing; subcommands are not in it */
    const char *names[NAMES];             /* what by_name goes by: renamed commands differ */
};

static size_t lower(struct slice name, char *out)
{
    for (size_t i = 0; i < name.len; i++)
        out[i] = (char)tolower((unsigned char)name.ptr[i]);
    return name.len;
}

static unsigned name_slot(struct slice lowered)
{
    return (unsigned)XXH3_64bits(lowered.ptr, lowered.len) % NAMES;
}

static void add_name(struct command_table *t, const char *name, const struct command *cmd)
{
    unsigned i = name_slot(slice_str(name));

    while (t->names[i])
        i = (i + 1) % NAMES;
    t->names[i] = name;
    t->by_name[i] = cmd;
}

static int find_name(const struct command_table *t, struct slice name)
{
    char lowered[NAME_MAX_LEN];
    struct slice key;
    unsigned i;

    if (name.len > NAME_MAX_LEN)
        return -1;
    key = slice_make(lowered, lower(name, lowered));
    for (i = name_slot(key); t->names[i]; i = (i + 1) % NAMES) {
        if (slice_eq(slice_str(t->names[i]), key))
            return (int)i;
    }
    return -1;
}

const struct command *command_find(const struct command_table *t, struct slice name)
{
    int i = find_name(t, name);

    return i < 0 ? NULL : t->by_name[i];
}

const struct command *command_find_sub(const struct command *container, struct slice sub)
{
    for (const struct command **s = container->subcommands; s && *s; s++) {
        if (slice_is(sub, (*s)->name))
            return *s;
    }
    return NULL;
}

const struct command *command_of_request(const struct command_table *t, const struct slice *argv,
                                         int argc)
{
    const struct command *cmd = command_find(t, argv[0]), *sub;

    if (!cmd || !cmd->subcommands || argc < 2)
        return cmd;
    sub = command_find_sub(cmd, argv[1]);
    return sub ? sub : cmd;
}

const struct command *command_find_full(const struct command_table *t, struct slice name)
{
    const char *bar = memchr(name.ptr, '|', name.len);
    const struct command *cmd;

    if (!bar)
        return command_find(t, name);
    cmd = command_find(t, slice_make(name.ptr, (size_t)(bar - name.ptr)));
    return cmd ? command_find_sub(cmd, slice_make(bar + 1, name.len - (size_t)(bar + 1 - name.ptr)))
               : NULL;
}

bool command_table_rename(struct command_table *t, const char *from, const char *to)
{
    int i = find_name(t, slice_str(from));
    const struct command *cmd;
    char *lowered;

    if (i < 0 || !t->by_name[i] || (to[0] && find_name(t, slice_str(to)) >= 0))
        return false;
    cmd = t->by_name[i];
    t->by_name[i] = NULL;
    if (!to[0])
        return true;
    lowered = mem_strdup(to);
    lower(slice_str(to), lowered);
    add_name(t, lowered, cmd);
    return true;
}

int command_count(const struct command_table *t)
{
    (void)t;
    return ROWS;
}

const struct command *command_at(const struct command_table *t, int id)
{
    return &t->rows[id];
}

/* ---- making the table ---------------------------------------------------------------------- */

/* The categories that follow from flags, as in Redis. */
static int derived_acl(const struct command *cmd)
{
    int acl = cmd->acl, f = cmd->flags;

    if (f & CMD_WRITE)
        acl |= ACL_WRITE;
    if (f & CMD_READONLY && !(acl & ACL_SCRIPTING))
        acl |= ACL_READ;
    if (f & CMD_ADMIN)
        acl |= ACL_ADMIN | ACL_DANGEROUS;
    if (f & CMD_PUBSUB)
        acl |= ACL_PUBSUB;
    if (f & CMD_FAST)
        acl |= ACL_FAST;
    if (f & CMD_BLOCKING)
        acl |= ACL_BLOCKING;
    return acl & ACL_FAST ? acl : acl | ACL_SLOW;
}

/* The one place where a first key always is, so that the dispatcher need not search. */
static void derive_first_key(struct command *cmd)
{
    const struct key_spec *k = &cmd->keys[0];
    bool keys = k->search == KEY_SEARCH_INDEX && !(k->flags & KEY_NOT_KEY);

    if (!keys || k->find != KEY_FIND_RANGE)
        return;
    cmd->first_key = k->index;
    cmd->mostly_one_key = k->last == 0 && cmd->keys[1].search == KEY_SEARCH_NONE && !cmd->inner;
    cmd->one_key = cmd->mostly_one_key && !cmd->find_more && !cmd->needs_world && !cmd->is_keyless;
}

static void derive(struct command_table *t, int id)
{
    struct command *cmd = &t->rows[id];
    char full[NAME_MAX_LEN * 2];

    cmd->id = id;
    cmd->table = t;
    cmd->acl = derived_acl(cmd);
    derive_first_key(cmd);
    for (int i = 0; i < KEY_SPECS_MAX; i++) {
        if (cmd->keys[i].search >= KEY_SEARCH_KEYWORD || cmd->keys[i].find != KEY_FIND_RANGE)
            cmd->flags |= CMD_MOVABLEKEYS;
    }
    if (!cmd->parent) {
        cmd->full_name = cmd->name;
        add_name(t, cmd->name, cmd);
        return;
    }
    snprintf(full, sizeof(full), "%s|%s", cmd->parent, cmd->name);
    cmd->full_name = mem_strdup(full);
}

static void join_container(struct command_table *t, struct command *sub)
{
    const struct command *found = command_find(t, slice_str(sub->parent));
    struct command *container;
    size_t n = 0;

    INVARIANT(found);
    container = &t->rows[found->id];
    while (container->subcommands && container->subcommands[n])
        n++;
    container->subcommands = mem_realloc(container->subcommands, (n + 2) * sizeof(sub));
    container->subcommands[n] = sub;
    container->subcommands[n + 1] = NULL;
    sub->container = container;
}

struct command_table *command_table_new(void)
{
    struct command_table *t = mem_zalloc(sizeof(*t));

    memcpy(t->rows, rows, sizeof(rows));
    for (int id = 0; id < ROWS; id++)
        derive(t, id);
    for (int id = 0; id < ROWS; id++) {
        if (t->rows[id].parent)
            join_container(t, &t->rows[id]);
    }
    return t;
}

void command_table_free(struct command_table *t)
{
    for (int id = 0; id < ROWS; id++) {
        if (t->rows[id].parent)
            mem_free((void *)(uintptr_t)t->rows[id].full_name);
        mem_free(t->rows[id].subcommands);
    }
    for (int i = 0; i < NAMES; i++) {
        if (t->by_name[i] && t->names[i] != t->by_name[i]->name)
            mem_free((void *)(uintptr_t)t->names[i]);
    }
    mem_free(t);
}

/* ---- the keys of a request ----------------------------------------------------------------- */

/*
 * Where the search begins and where it is bounded: the index behind the last argument it may use.
 */
static int search_begin(const struct key_spec *k, const struct slice *argv, int argc)
{
    int i, step;

    if (k->search == KEY_SEARCH_INDEX)
        return k->index;
    step = k->index > 0 ? 1 : -1;
    for (i = k->index > 0 ? k->index : argc + k->index; i > 0 && i < argc - 1; i += step) {
        if (slice_is(argv[i], k->keyword))
            return i + 1;
    }
    return -1;
}

/* The index of the last key; below `first` if there is none; -1 on nonsense. */
static int find_last(const struct key_spec *k, const struct slice *argv, int argc, int *first)
{
    int64_t n;
    int begin = *first;

    if (k->find == KEY_FIND_RANGE) {
        if (k->last >= 0)
            return begin + k->last;
        if (k->limit > 1)
            return begin + (argc - begin) / k->limit + k->last;
        return argc + k->last;
    }
    if (begin + k->number_index >= argc || !num_parse_int(argv[begin + k->number_index], &n) ||
        n < 0 || n > argc)
        return -1;
    *first = begin + k->first;
    return *first + ((int)n - 1) * k->step;
}

/* What the command does with the keys of a specification, given these arguments. */
static int flags_of(const struct key_spec *k, const struct slice *argv, int argc)
{
    if (!k->words)
        return k->flags;
    for (int i = k->words_from; i < argc; i++) {
        for (int word = 0; k->words[word]; word++) {
            if (slice_is(argv[i], k->words[word]))
                return k->flags & ~KEY_VARIABLE_FLAGS;
        }
    }
    return k->plain_flags;
}

/* Of one whose arguments make no sense there are none: it will say so before it needs any. */
static int inner_keys(const struct command *cmd, const struct slice *argv, int argc,
                      struct key_position *out, int max)
{
    int at, n;
    const struct command *inner = command_inner(cmd, argv, argc, &at);

    n = inner ? command_keys(inner, argv + at, argc - at, out, max) : 0;
    for (int i = 0; i < n && i < max; i++)
        out[i].index += at;
    return n > 0 ? n : 0;
}

int command_keys(const struct command *cmd, const struct slice *argv, int argc,
                 struct key_position *out, int max)
{
    struct key_position more;
    int n = 0;

    if (cmd->is_keyless && cmd->is_keyless(argv, argc))
        return 0;
    for (int s = 0; s < KEY_SPECS_MAX && cmd->keys[s].search != KEY_SEARCH_NONE; s++) {
        const struct key_spec *k = &cmd->keys[s];
        int first, last, flags;

        if (k->find == KEY_FIND_UNKNOWN)
            continue;
        first = search_begin(k, argv, argc);
        if (first < 0)
            continue;
        last = find_last(k, argv, argc, &first);
        if (last < 0 || last >= argc)
            return -1;
        flags = flags_of(k, argv, argc);
        for (int i = first; i <= last; i += k->step, n++) {
            if (n < max)
                out[n] = (struct key_position){i, flags};
        }
    }
    if (cmd->find_more)
        n += cmd->find_more(argv, argc, out + (n < max ? n : max), n < max ? max - n : 0);
    if (cmd->find_key && cmd->find_key(argv, argc, &more)) {
        if (n < max)
            out[n] = more;
        n++;
    }
    if (cmd->inner)
        n += inner_keys(cmd, argv, argc, out + (n < max ? n : max), n < max ? max - n : 0);
    return n;
}

/* ---- commands within others ------------------------------------------------------------------ */

const struct command *command_inner(const struct command *cmd, const struct slice *argv, int argc,
                                    int *at)
{
    const struct command *inner = NULL;

    *at = cmd->inner ? cmd->inner(argv, argc) : 0;
    if (*at)
        inner = command_of_request(cmd->table, argv + *at, argc - *at);
    return inner && inner->wraps < cmd->wraps ? inner : NULL;
}

const struct command *command_innermost(const struct command *cmd, const struct slice *argv,
                                        int argc, int *at)
{
    const struct command *inner;
    int step;

    for (*at = 0; (inner = command_inner(cmd, argv + *at, argc - *at, &step)); cmd = inner)
        *at += step;
    return cmd;
}

int command_flags(const struct command *cmd, const struct slice *argv, int argc)
{
    int at;
    const struct command *inner = command_inner(cmd, argv, argc, &at);

    return cmd->flags | (inner ? command_flags(inner, argv + at, argc - at) : 0);
}

/* What stops the world within a transaction does so here. */
bool command_inner_needs_world(const struct command *cmd, const struct slice *argv, int argc)
{
    int at;
    const struct command *inner = command_inner(cmd, argv, argc, &at);

    return inner &&
           (inner->flags & CMD_EXEC_WORLD || command_needs_world(inner, argv + at, argc - at));
}
