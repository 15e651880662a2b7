/* The table of options, made of options.def and enums.def, and the checks that its rows name. */
#include "conf/option.h"

#include <ctype.h>
#include <stddef.h>

#define ENUM_BEGIN(name) static const struct conf_word name[] = {
#define ENUM_VALUE(id, value, word) {word, id},
#define ENUM_END                                                                                   \
    {                                                                                              \
        NULL, 0                                                                                    \
    }                                                                                              \
    }                                                                                              \
    ;
#include "conf/enums.def"

static bool is_path(struct slice s)
{
    return s.len && (memchr(s.ptr, '/', s.len) || memchr(s.ptr, '\\', s.len));
}

static const char *check_dbfilename(struct slice value)
{
    return is_path(value) ? "dbfilename can't be a path, just a filename" : NULL;
}

static const char *check_appendfilename(struct slice value)
{
    if (value.len == 0)
        return "appendfilename can't be empty";
    return is_path(value) ? "appendfilename can't be a path, just a filename" : NULL;
}

static const char *check_appenddirname(struct slice value)
{
    if (value.len == 0)
        return "appenddirname can't be empty";
    return is_path(value) ? "appenddirname can't be a path, just a dirname" : NULL;
}

static const char *check_no_defrag(struct slice value)
{
    return slice_is(value, "yes") ? "Active defragmentation cannot be enabled: this server has none"
                                  : NULL;
}

static const char *check_hostname(struct slice value)
{
    if (value.len >= 256)
        return "Hostnames must be less than 256 characters";
    for (size_t i = 0; i < value.len; i++) {
        if (!isalnum((unsigned char)value.ptr[i]) && value.ptr[i] != '-' && value.ptr[i] != '.')
            return "Hostnames may only contain alphanumeric characters, hyphens or dots";
    }
    return NULL;
}

/* The length of the {variable} at the start of `s`, 0 if it is none that a title may have. */
static size_t title_variable(struct slice s)
{
    static const char *const known[] = {"{title}",    "{listen-addr}", "{server-mode}", "{port}",
                                        "{tls-port}", "{unixsocket}",  "{config-file}"};

    for (size_t i = 0; i < COUNT_OF(known); i++) {
        size_t len = strlen(known[i]);

        if (s.len >= len && memcmp(s.ptr, known[i], len) == 0)
            return len;
    }
    return 0;
}

static const char *check_title_template(struct slice value)
{
    const char *bad = "template format is invalid or contains unknown variables";
    size_t i = 0;

    while (i < value.len) {
        size_t step = 1;

        if (value.ptr[i] == '{')
            step = title_variable(slice_make(value.ptr + i, value.len - i));
        if (step == 0)
            return bad;
        i += step;
    }
    return value.len ? NULL : bad;
}

#define TYPE_BOOL option_bool
#define TYPE_INT option_int
#define TYPE_OCTAL option_octal
#define TYPE_MEMORY option_memory
#define TYPE_MEMORY_PERCENT option_memory_percent
#define TYPE_TEXT option_text
#define TYPE_BYTES option_bytes
#define TYPE_ENUM option_enum
#define TYPE_FLAGS option_flags
#define TYPE_DIRECTORY option_directory
#define TYPE_EVENTS option_events
#define TYPE_SAVE option_save
#define TYPE_BIND option_bind
#define TYPE_LIMITS option_limits
#define TYPE_OOM_VALUES option_oom_values
#define TYPE_PERCENTILES option_percentiles
#define TYPE_REPLICAOF option_replicaof
#define TYPE_POLICIES option_policies

const struct option options[OPTION_COUNT] = {
#define OPTION(kind, field, text, start, ...)                                                      \
    [OPT_##field] = {.name = text,                                                                 \
                     .initial = start,                                                             \
                     .type = &TYPE_##kind,                                                         \
                     .offset = offsetof(struct conf, field),                                       \
                     ##__VA_ARGS__},
#include "conf/options.def"
#undef OPTION
};
