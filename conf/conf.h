/*
 * The configuration: a snapshot with a field for every row of options.def.
 *
 * A snapshot that others can see is never changed. Whoever wants a change copies it, sets options
 * in the copy, and publishes or drops the copy; how it is published is the server's matter. No
 * function here touches anything but the snapshot it is given, so that different snapshots may be
 * used by different threads.
 */
#ifndef LK_CONF_CONF_H
#define LK_CONF_CONF_H

#include "base/buf.h"
#include "base/slice.h"

enum { CONF_THREADS_DEFAULT_MAX = 16, CONF_THREADS_MAX = 48 };

/* The words of the ENUM and FLAGS options; a field holds one of these values as an int. */
#define ENUM_BEGIN(name) enum name {
#define ENUM_VALUE(id, value, word) id = (value),
#define ENUM_END                                                                                   \
    }                                                                                              \
    ;
#include "conf/enums.def"
#undef ENUM_BEGIN
#undef ENUM_VALUE
#undef ENUM_END

/* notify-keyspace-events: the classes of events, and the forms of channels. */
enum conf_event {
    CONF_EVENT_KEYSPACE = 1 << 0,  /* K */
    CONF_EVENT_KEYEVENT = 1 << 1,  /* E */
    CONF_EVENT_GENERIC = 1 << 2,   /* g */
    CONF_EVENT_STRING = 1 << 3,    /* $ */
    CONF_EVENT_LIST = 1 << 4,      /* l */
    CONF_EVENT_SET = 1 << 5,       /* s */
    CONF_EVENT_HASH = 1 << 6,      /* h */
    CONF_EVENT_ZSET = 1 << 7,      /* z */
    CONF_EVENT_EXPIRED = 1 << 8,   /* x */
    CONF_EVENT_EVICTED = 1 << 9,   /* e */
    CONF_EVENT_STREAM = 1 << 10,   /* t */
    CONF_EVENT_KEY_MISS = 1 << 11, /* m */
    CONF_EVENT_MODULE = 1 << 12,   /* d */
    CONF_EVENT_NEW = 1 << 13,      /* n */
    CONF_EVENT_KEYVALUE = 1 << 14, /* W */
    CONF_EVENT_ALL = CONF_EVENT_GENERIC | CONF_EVENT_STRING | CONF_EVENT_LIST | CONF_EVENT_SET |
                     CONF_EVENT_HASH | CONF_EVENT_ZSET | CONF_EVENT_EXPIRED | CONF_EVENT_EVICTED |
                     CONF_EVENT_STREAM | CONF_EVENT_MODULE, /* A */
};

struct conf_save_point {
    int64_t seconds, changes;
};

struct conf_save {
    struct conf_save_point *points;
    size_t len;
};

enum { CONF_BIND_MAX = 16 };

/* Addresses as they were written: "*", "::*", a leading '-' for "may be missing". */
struct conf_bind {
    char *addresses[CONF_BIND_MAX];
    size_t len;
};

enum conf_client_class {
    CONF_CLASS_NORMAL,
    CONF_CLASS_REPLICA,
    CONF_CLASS_PUBSUB,
    CONF_CLASS_COUNT
};

struct conf_limits {
    struct {
        uint64_t hard, soft; /* bytes, 0 for none */
        int64_t soft_seconds;
    } class[CONF_CLASS_COUNT];
};

struct conf_oom_values {
    int64_t score[3]; /* server, replica, background process */
};

struct conf_percentiles {
    double *values;
    size_t len;
};

struct conf_replicaof {
    char *host; /* NULL for none */
    int64_t port;
};

/* What is to become of keys by their prefix; see storage/policies.h. */
enum conf_rule {
    CONF_RULE_IDLE,
    CONF_RULE_MAXAGE,
    CONF_RULE_MAXKEYS,
    CONF_RULE_MAXMEMORY,
    CONF_RULES
};

enum { CONF_POLICIES_MAX = 512, CONF_PREFIX_MAX = 1024 };
#define CONF_RULE_TIME_MAX_MS INT64_C(1000000000000) /* 31 years */
#define CONF_RULE_LIMIT_MAX (INT64_C(1) << 53)

struct conf_key_policy {
    char *prefix; /* prefix_len bytes of any kind */
    size_t prefix_len;
    int64_t rules[CONF_RULES]; /* 0: no such rule */
};

struct conf_policies {
    struct conf_key_policy *v; /* by prefix */
    size_t len;
};

#define FIELD_BOOL(name) bool name;
#define FIELD_INT(name) int64_t name;
#define FIELD_OCTAL(name) int64_t name;
#define FIELD_MEMORY(name) uint64_t name;        /* bytes */
#define FIELD_MEMORY_PERCENT(name) int64_t name; /* bytes, or -n for n % of maxmemory */
#define FIELD_TEXT(name) char *name;             /* never NULL */
#define FIELD_DIRECTORY(name) char *name;        /* absolute */
#define FIELD_BYTES(name) struct slice name;
#define FIELD_ENUM(name) int name;
#define FIELD_FLAGS(name) int name;
#define FIELD_EVENTS(name) int name;
#define FIELD_SAVE(name) struct conf_save name;
#define FIELD_BIND(name) struct conf_bind name;
#define FIELD_LIMITS(name) struct conf_limits name;
#define FIELD_OOM_VALUES(name) struct conf_oom_values name;
#define FIELD_PERCENTILES(name) struct conf_percentiles name;
#define FIELD_REPLICAOF(name) struct conf_replicaof name;
#define FIELD_POLICIES(name) struct conf_policies name;

/* OPT_port, OPT_maxmemory … in the order of options.def. */
enum option_id {
#define OPTION(type, field, ...) OPT_##field,
#include "conf/options.def"
#undef OPTION
    OPTION_COUNT
};

/* One rename-command line. */
struct conf_rename {
    char *from, *to; /* to is "" when the command is taken away */
};

struct conf {
#define OPTION(type, field, ...) FIELD_##type(field)
#include "conf/options.def"
#undef OPTION
    bool given[OPTION_COUNT]; /* set by somebody, if only to the initial value */
    struct conf_rename *renames;
    size_t renames_len;
    char *file; /* absolute path of the configuration file, NULL without one */
};

struct option;

/* The initial values. */
struct conf *conf_new(void);
struct conf *conf_copy(const struct conf *c);
void conf_free(struct conf *c);

/* How many workers the server should have: threads, io-threads, or what the machine suggests. */
int conf_workers(const struct conf *c);

/*
 * CONFIG SET name value [name value ...]. True when all were set. Otherwise `err` holds the error
 * reply without its "ERR " and `c` is to be thrown away.
 */
bool conf_set_pairs(struct conf *c, const struct slice *pairs, size_t pairs_len, bool local_client,
                    struct buf *err);

/* Names as CONFIG GET answers them, with the option each stands for. */
struct conf_match {
    struct slice name; /* borrowed from the table or from the patterns */
    const struct option *option;
};

/*
 * CONFIG GET pattern [pattern ...]: how many names match, the names in *out, which the caller frees
 * with mem_free.
 */
size_t conf_match(const struct slice *patterns, size_t patterns_len, struct conf_match **out);

/* Appends an option's value as CONFIG GET shows it. */
void conf_format(const struct conf *c, const struct option *o, struct buf *out);

/* Does the option differ between two snapshots? */
bool conf_differs(const struct conf *a, const struct conf *b, enum option_id id);

/* "IDLE 5 MAXKEYS 7" as rules. NULL, or what is wrong, without a code. */
const char *conf_read_rules(const struct slice *words, size_t n, int64_t out[CONF_RULES]);
struct slice conf_policy_prefix(const struct conf_key_policy *p);
/* Adds a policy or replaces that of the prefix. NULL, or what is wrong. */
const char *conf_put_policy(struct conf_policies *p, struct slice prefix,
                            const int64_t given[CONF_RULES]);
/* False if there is none. */
bool conf_drop_policy(struct conf_policies *p, struct slice prefix);

/* NULL if there is no such option or alias. */
const struct option *conf_find(struct slice name);
enum option_id option_id(const struct option *o);
/* The value must not appear in logs or in lists of slow commands. */
bool option_is_secret(const struct option *o);

/* The option is kept and answered, but has no effect in this server. */
bool option_is_inert(enum option_id id);
/* One of these options is not to be changed while the data is being loaded. */
bool conf_pairs_wait_for_data(const struct slice *pairs, size_t pairs_len);
const char *option_name(enum option_id id);
/* Appends a sentence for the log: that this option, or a directive that is none, has no effect. */
void conf_say_unsupported(struct slice name, struct buf *out);

enum conf_result {
    CONF_OK,
    CONF_BAD,       /* error holds the text for the error stream */
    CONF_UNREADABLE /* error holds one line for the log */
};

struct conf_notes {
    struct buf error;
    struct buf warnings; /* lines for the log, each ended by '\n' */
    bool read_stdin;
};

/*
 * Fills a fresh snapshot from the server's command line: [FILE] [--name value ...] [-]. The first
 * of `argv` is the first argument, not the program.
 */
enum conf_result conf_load(struct conf *c, int argc, char *const *argv, struct conf_notes *notes);
void conf_notes_release(struct conf_notes *notes);

/*
 * CONFIG REWRITE: brings c->file up to date with `c`, keeping comments and order. 0, or -errno with
 * the old file as it was. Blocks on the disk.
 */
int conf_rewrite(const struct conf *c);

#endif
