/* Private to conf/: what a row of options.def becomes, and how a type of option behaves. */
#ifndef LK_CONF_OPTION_H
#define LK_CONF_OPTION_H

#include "conf/conf.h"

enum option_flag {
    IMMUTABLE = 1 << 0,
    GUARDED = 1 << 1,
    HIDDEN = 1 << 2,
    SECRET = 1 << 3,
    MULTI = 1 << 4,
    INERT = 1 << 5,
    MOOT = 1 << 6,
    NOT_LOADING = 1 << 7,
};

/* A word of an ENUM or FLAGS option; the list ends with a NULL word. */
struct conf_word {
    const char *word;
    int value;
};

/* What somebody gave: the words behind the option's name. */
struct option_args {
    const struct slice *argv;
    size_t argc;
    bool append; /* another line of the same option: adds to the field where the type is a list */
};

struct option_type {
    /* False with a reason in `err`; the field is then unchanged. */
    bool (*set)(const struct option *o, void *field, struct option_args args, struct buf *err);
    void (*format)(const struct option *o, const void *field, struct buf *out);
    /*
     * The words of a configuration line behind the name; NULL: as format. Of a type with several
     * lines each ends with '\n'.
     */
    void (*write)(const struct option *o, const void *field, struct buf *out);
    /* `to` holds the bytes of `from`: makes the copy independent. NULL: nothing to do. */
    void (*copy)(void *to, const void *from);
    void (*release)(void *field);
    bool always_written; /* to the configuration file, be it the initial value or not */
};

struct option {
    const char *name, *initial, *alias;
    const struct option_type *type;
    size_t offset; /* in struct conf */
    unsigned flags;
    int64_t min, max;
    int64_t clamp_min, clamp_max; /* silently kept between these, where clamp_max is not 0 */
    const struct conf_word *names;
    /* A last look at the words; NULL if they are fine, else the reason why not. */
    const char *(*check)(struct slice value);
};

extern const struct option options[OPTION_COUNT];

extern const struct option_type option_bool, option_int, option_octal, option_memory,
    option_memory_percent, option_text, option_bytes, option_enum, option_flags;
extern const struct option_type option_directory, option_events, option_save, option_bind,
    option_limits, option_oom_values, option_percentiles, option_replicaof, option_policies;

static inline void *option_field(const struct option *o, const struct conf *c)
{
    return (char *)(uintptr_t)c + o->offset;
}

/* Writes the reason and returns false. */
bool option_refuse(struct buf *err, const char *fmt, ...) PRINTF_LIKE(2, 3);
/* Sets from the words of a configuration line. */
bool option_set(struct conf *c, const struct option *o, struct option_args args, struct buf *err);
/* A number with a unit. Saturates at the largest there is. */
bool option_parse_memory(struct slice s, uint64_t *out);
/* "64mb" where it comes out even. */
void option_write_memory(uint64_t bytes, struct buf *out);
/* In quotes where it must be, for people read the file. */
void option_write_word(struct slice s, struct buf *out);

#endif
