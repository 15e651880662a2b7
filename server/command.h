/*
 * Commands as data. A row in a .def list beside a handler says everything about it; the dispatcher,
 * COMMAND INFO and DOCS, arity, key positions, the shards to lock, ACL categories and statistics
 * follow.
 *
 * Rows are COMMAND(handler, fields…) for a command, SUBCOMMAND(handler, .parent = "client", …) for
 * a subcommand, and CONTAINER(fields…) for the name that subcommands share.
 */
#ifndef LK_SERVER_COMMAND_H
#define LK_SERVER_COMMAND_H

#include "base/compiler.h"
#include "base/slice.h"

struct call;

/* Names and meanings as in Redis' COMMAND INFO, which does not tell of MAY_REPLICATE; the last ones
 * are ours. */
enum command_flags {
    CMD_WRITE = 1 << 0,
    CMD_READONLY = 1 << 1,
    CMD_DENYOOM = 1 << 2,
    CMD_ADMIN = 1 << 3,
    CMD_PUBSUB = 1 << 4,
    CMD_NOSCRIPT = 1 << 5,
    CMD_BLOCKING = 1 << 6,
    CMD_LOADING = 1 << 7,
    CMD_STALE = 1 << 8,
    CMD_SKIP_MONITOR = 1 << 9,
    CMD_SKIP_SLOWLOG = 1 << 10,
    CMD_ASKING = 1 << 11,
    CMD_FAST = 1 << 12,
    CMD_NO_AUTH = 1 << 13,
    CMD_MAY_REPLICATE = 1 << 14,
    CMD_NO_MULTI = 1 << 15,
    CMD_MOVABLEKEYS = 1 << 16, /* derived */
    CMD_NO_ASYNC_LOADING = 1 << 17,
    CMD_ALLOW_BUSY = 1 << 18,
    CMD_SORT_FOR_SCRIPT = 1 << 19,
    CMD_PROTECTED = 1 << 20,

    CMD_EXEC_WORLD = 1 << 23,    /* EXEC stops the world for it: it concerns keys that its arguments
                                    do not name, or waits for another thread */
    CMD_WORLD = 1 << 24,         /* runs with the world stopped */
    CMD_IN_SUBSCRIBER = 1 << 25, /* allowed to a RESP2 client that is subscribed */
    CMD_TOUCHES_ARGS = 1 << 26,  /* arguments may hold secrets, see auth_is_secret() */
    CMD_EVEN_PAUSED = 1 << 27,   /* runs although clients are paused */
    CMD_SYSTEM = 1 << 29,        /* not for applications: COMMAND DOCS calls it "syscmd" */
    CMD_QUICK = 1 << 28,         /* timed together with its like, though Redis calls it not fast */
    CMD_AT_ONCE = 1 << 30,       /* within MULTI too it runs at once, and is not queued */
};

enum acl_position {
#define ACL_CATEGORY(id, name) ACL_POSITION_##id,
#include "server/acl_categories.def"
#undef ACL_CATEGORY
};

enum acl_category {
#define ACL_CATEGORY(id, name) ACL_##id = 1 << ACL_POSITION_##id,
#include "server/acl_categories.def"
#undef ACL_CATEGORY
};

/* What a command does with a key: one of the first four, and any of the others. */
enum key_flags {
    KEY_RO = 1 << 0, /* reads the value */
    KEY_RW = 1 << 1, /* changes part of it, or reads and writes */
    KEY_OW = 1 << 2, /* overwrites without reading */
    KEY_RM = 1 << 3, /* removes the key */
    KEY_ACCESS = 1 << 4,
    KEY_UPDATE = 1 << 5,
    KEY_INSERT = 1 << 6,
    KEY_DELETE = 1 << 7,
    KEY_NOT_KEY = 1 << 8, /* not a key, but routed like one: a shard channel */
    KEY_INCOMPLETE = 1 << 9,
    KEY_VARIABLE_FLAGS = 1 << 10,
    KEY_LOCK = 1 << 11, /* the name of a lock, and perhaps a key too; not told in COMMAND INFO */
};

enum key_search { KEY_SEARCH_NONE, KEY_SEARCH_INDEX, KEY_SEARCH_KEYWORD, KEY_SEARCH_UNKNOWN };
enum key_find { KEY_FIND_RANGE, KEY_FIND_NUMBER, KEY_FIND_UNKNOWN };

/* Where keys are among the arguments; the model of Redis 7's key specifications. */
struct key_spec {
    enum key_search search;
    enum key_find find;
    int flags;
    int index; /* of the first key; or of the argument from which the keyword is looked for */
    const char *keyword; /* KEY_SEARCH_KEYWORD: keys begin behind it */
    int last; /* KEY_FIND_RANGE: of the last key, from the first, or from the end if < 0 */
    int step;
    int limit;        /* KEY_FIND_RANGE with last -1: keys are in the first 1/limit of the rest */
    int number_index; /* KEY_FIND_NUMBER: where the number of keys is, from `index` */
    int first;        /* KEY_FIND_NUMBER: where the first key is, from `index` */
    const char *const *words; /* KEY_VARIABLE_FLAGS: without any of these options (NULL ends) … */
    int words_from;           /* … from this argument on … */
    int plain_flags;          /* … these are the flags */
};

enum { KEY_SPECS_MAX = 3 };

#define KEY_AT(at, f)                                                                              \
    {                                                                                              \
        .search = KEY_SEARCH_INDEX, .index = (at), .step = 1, .flags = (f)                         \
    }
/* The flags `f` hold with one of the words from argument `from` on, `plain` without. */
#define KEY_VARIABLE(at, f, from, plain, ...)                                                      \
    {                                                                                              \
        .search = KEY_SEARCH_INDEX, .index = (at), .step = 1, .flags = (f) | KEY_VARIABLE_FLAGS,   \
        .words = (const char *const[]){__VA_ARGS__, NULL}, .words_from = (from),                   \
        .plain_flags = (plain)                                                                     \
    }
#define KEY_RANGE(at, last_key, every, f)                                                          \
    {                                                                                              \
        .search = KEY_SEARCH_INDEX, .index = (at), .last = (last_key), .step = (every),            \
        .flags = (f)                                                                               \
    }
/* The number of keys stands at `at`, the keys, every `every` arguments, behind it. */
#define KEY_NUMBERED(at, every, f)                                                                 \
    {                                                                                              \
        .search = KEY_SEARCH_INDEX, .find = KEY_FIND_NUMBER, .index = (at), .first = 1,            \
        .step = (every), .flags = (f)                                                              \
    }
/* One key behind a keyword, which is looked for from argument `from` (negative: from the end). */
#define KEY_BEHIND(word, from, f)                                                                  \
    {                                                                                              \
        .search = KEY_SEARCH_KEYWORD, .keyword = (word), .index = (from), .step = 1, .flags = (f)  \
    }

/* Keys that are no arguments, or of which only the command itself knows where they are. */
#define KEY_UNKNOWN(f)                                                                             \
    {                                                                                              \
        .search = KEY_SEARCH_UNKNOWN, .find = KEY_FIND_UNKNOWN, .flags = (f)                       \
    }

struct key_position {
    int index; /* among the arguments */
    int flags;
};

/* COMMAND DOCS' description of an argument. */
enum arg_type {
    ARG_TYPE_STRING,
    ARG_TYPE_INTEGER,
    ARG_TYPE_DOUBLE,
    ARG_TYPE_KEY,
    ARG_TYPE_PATTERN,
    ARG_TYPE_UNIX_TIME,
    ARG_TYPE_PURE_TOKEN,
    ARG_TYPE_ONEOF,
    ARG_TYPE_BLOCK,
};
enum arg_flags { ARG_OPTIONAL = 1, ARG_MULTIPLE = 2, ARG_MULTIPLE_TOKEN = 4 };

struct command_arg {
    const char *name; /* NULL ends a list */
    enum arg_type type;
    const char *token; /* the word that stands before it, or that it is */
    int flags;
    int key_spec; /* which of the row's key specifications; 0 counts for ARG_TYPE_KEY alone */
    const char *since, *deprecated_since;
    const struct command_arg *subargs; /* ARG_TYPE_ONEOF, ARG_TYPE_BLOCK */
};

#define ARGS(...) ((const struct command_arg[]){__VA_ARGS__, {.name = NULL}})
#define ARG_KEY(n)                                                                                 \
    {                                                                                              \
        .name = (n), .type = ARG_TYPE_KEY                                                          \
    }
#define ARG_STRING(n)                                                                              \
    {                                                                                              \
        .name = (n), .type = ARG_TYPE_STRING                                                       \
    }
#define ARG_INTEGER(n)                                                                             \
    {                                                                                              \
        .name = (n), .type = ARG_TYPE_INTEGER                                                      \
    }
#define ARG_DOUBLE(n)                                                                              \
    {                                                                                              \
        .name = (n), .type = ARG_TYPE_DOUBLE                                                       \
    }
/* The rest of the fields, where the short forms do not do. */
#define ARG(n, t, ...)                                                                             \
    {                                                                                              \
        .name = (n), .type = ARG_TYPE_##t, __VA_ARGS__                                             \
    }
/* A word alone. */
#define ARG_TOKEN(n, word, ...)                                                                    \
    {                                                                                              \
        .name = (n), .type = ARG_TYPE_PURE_TOKEN, .token = (word), __VA_ARGS__                     \
    }

struct command {
    void (*run)(struct call *c); /* NULL: a container */
    const char *name;            /* lower case; a subcommand's own name */
    const char *parent;          /* a subcommand's container */
    int arity;                   /* with the name(s) itself; -n: at least n */
    int flags;
    int acl; /* categories beside those that follow from the flags */
    struct key_spec keys[KEY_SPECS_MAX];
    int member; /* the argument that is a member or field of the first key's value; 0 for none */
    const char *key_notes[KEY_SPECS_MAX]; /* COMMAND INFO's remark on each of `keys`, or NULL */
    /* Where the key behind KEY_UNKNOWN is; false if there is none in this request. */
    bool (*find_key)(const struct slice *argv, int argc, struct key_position *out);
    /* Where keys are behind the first one of keys[0]; how many, of which `max` are written. */
    int (*find_more)(const struct slice *argv, int argc, struct key_position *out, int max);
    /* Whether this request concerns keys that cannot be told from it: it runs as CMD_WORLD does. */
    bool (*needs_world)(const struct slice *argv, int argc);
    /* Whether this request has no keys, whatever stands in their places. */
    bool (*is_keyless)(const struct slice *argv, int argc);
    /*
     * The command that the request carries: the argument that is its name, 0 if the request makes
     * no sense. Its keys, and all else that it needs, are the request's.
     */
    int (*inner)(const struct slice *argv, int argc);
    int wraps;         /* with `inner`, from 1: it carries no command that wraps as much */
    const char *group; /* "string", "generic", "connection" … */
    const char *since, *summary, *complexity;
    const struct command_arg *args;
    const char *deprecated_since, *replaced_by;
    const char *const *history; /* pairs of version and change, NULL ends */
    const char *const *tips;    /* NULL ends */

    /* Filled in when the table is made. */
    const char *full_name;             /* "get", "client|list" */
    int id;                            /* its index among all rows */
    const struct command_table *table; /* where it stands */
    int first_key;                     /* index of the first key if it is always there, else 0 */
    bool one_key;                      /* that is the only key */
    bool mostly_one_key; /* it is, as far as the functions of the row do not say more */
    struct command *container;
    const struct command **subcommands; /* NULL ends; by name */
};

#define COMMAND_STRINGS(...) ((const char *const[]){__VA_ARGS__, NULL})

struct command_table;

/* The table of all rows. Made once; immutable but for renames at the start. */
struct command_table *command_table_new(void);
void command_table_free(struct command_table *t);
/* `to` "" takes the command away. False if `from` is no command, or `to` is one. */
bool command_table_rename(struct command_table *t, const char *from, const char *to);

/* The command, or subcommand, of a request; a container if it has no such subcommand; or NULL. */
const struct command *command_of_request(const struct command_table *t, const struct slice *argv,
                                         int argc);
/* The command of this name in any case; a container for "client". NULL if there is none. */
const struct command *command_find(const struct command_table *t, struct slice name);
/* The same with the subcommand of `sub`; NULL if there is no such subcommand. */
const struct command *command_find_sub(const struct command *container, struct slice sub);
/* "get", "client|list". */
const struct command *command_find_full(const struct command_table *t, struct slice name);

/* All rows, subcommands too, by id. */
int command_count(const struct command_table *t);
const struct command *command_at(const struct command_table *t, int id);

/* The command that a request may carry, and where; NULL if there is none such. */
const struct command *command_inner(const struct command *cmd, const struct slice *argv, int argc,
                                    int *at);
/* The command that does the work in the end, the request's own if it carries none; and where. */
const struct command *command_innermost(const struct command *cmd, const struct slice *argv,
                                        int argc, int *at);
/* The flags of a request: those of the command, and of the one that it carries. */
int command_flags(const struct command *cmd, const struct slice *argv, int argc);
bool command_inner_needs_world(const struct command *cmd, const struct slice *argv, int argc);

/* Whether the request is to run with the world stopped. */
static inline bool command_needs_world(const struct command *cmd, const struct slice *argv,
                                       int argc)
{
    return cmd->flags & CMD_WORLD || (cmd->needs_world && cmd->needs_world(argv, argc)) ||
           (cmd->inner && command_inner_needs_world(cmd, argv, argc));
}

/* Whether cmd->first_key is all that the request is to lock. */
static inline bool command_has_one_key(const struct command *cmd, const struct slice *argv,
                                       int argc)
{
    if (LIKELY(cmd->one_key))
        return true;
    return cmd->mostly_one_key && !command_needs_world(cmd, argv, argc) &&
           (!cmd->is_keyless || !cmd->is_keyless(argv, argc)) &&
           (!cmd->find_more || cmd->find_more(argv, argc, NULL, 0) == 0);
}

static inline bool command_arity_fits(const struct command *cmd, size_t argc)
{
    return cmd->arity >= 0 ? (int64_t)argc == cmd->arity : (int64_t)argc >= -cmd->arity;
}

/*
 * The keys of a request, by the row's specifications; at most `max` are written. Returns how many
 * there are, -1 if the arguments make no sense (a number of keys that is not one, or too large).
 */
int command_keys(const struct command *cmd, const struct slice *argv, int argc,
                 struct key_position *out, int max);

#endif
