/* The types of options that are lists or have a language of their own. */
#include "base/mem.h"
#include "base/num.h"
#include "base/words.h"
#include "conf/option.h"

#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

void option_write_word(struct slice s, struct buf *out)
{
    bool plain = s.len > 0;

    for (size_t i = 0; i < s.len; i++)
        plain &= isgraph((unsigned char)s.ptr[i]) && !strchr("\"'\\", s.ptr[i]);
    if (plain)
        buf_append_slice(out, s);
    else
        words_quote(out, s);
}

/* ---- DIRECTORY: kept absolute, so that it stays the same when the process goes there ---- */

static bool set_directory(const struct option *o, void *field, struct option_args args,
                          struct buf *err)
{
    char *path = mem_strndup(args.argv[0].ptr, args.argv[0].len), real[PATH_MAX];
    int status = realpath(path, real) ? 0 : errno;
    struct stat st;

    (void)o;
    mem_free(path);
    if (status == 0 && stat(real, &st) == 0 && !S_ISDIR(st.st_mode))
        status = ENOTDIR;
    else if (status == 0 && access(real, X_OK) != 0)
        status = errno;
    if (status)
        return option_refuse(err, "%s", strerror(status));
    mem_free(*(char **)field);
    *(char **)field = mem_strdup(real);
    return true;
}

static void format_directory(const struct option *o, const void *field, struct buf *out)
{
    (void)o;
    buf_append_str(out, *(char *const *)field);
}

static void write_directory(const struct option *o, const void *field, struct buf *out)
{
    (void)o;
    words_quote(out, slice_str(*(char *const *)field));
}

static void copy_directory(void *to, const void *from)
{
    *(char **)to = mem_strdup(*(char *const *)from);
}

static void release_directory(void *field)
{
    mem_free(*(char **)field);
}

const struct option_type option_directory = {.set = set_directory,
                                             .format = format_directory,
                                             .write = write_directory,
                                             .copy = copy_directory,
                                             .release = release_directory,
                                             .always_written = true};

/* ---- EVENTS ---- */

/* In the order in which they are answered; the classes that "A" stands for come first. */
static const struct {
    char letter;
    int flag;
} event_letters[] = {
    {'g', CONF_EVENT_GENERIC},  {'$', CONF_EVENT_STRING},   {'l', CONF_EVENT_LIST},
    {'s', CONF_EVENT_SET},      {'h', CONF_EVENT_HASH},     {'z', CONF_EVENT_ZSET},
    {'x', CONF_EVENT_EXPIRED},  {'e', CONF_EVENT_EVICTED},  {'t', CONF_EVENT_STREAM},
    {'d', CONF_EVENT_MODULE},   {'n', CONF_EVENT_NEW},      {'K', CONF_EVENT_KEYSPACE},
    {'E', CONF_EVENT_KEYEVENT}, {'m', CONF_EVENT_KEY_MISS}, {'W', CONF_EVENT_KEYVALUE},
};

static int event_of_letter(char letter)
{
    if (letter == 'A')
        return CONF_EVENT_ALL;
    for (size_t i = 0; i < COUNT_OF(event_letters); i++) {
        if (event_letters[i].letter == letter)
            return event_letters[i].flag;
    }
    return 0;
}

static bool set_events(const struct option *o, void *field, struct option_args args,
                       struct buf *err)
{
    int flags = 0;

    (void)o;
    for (size_t i = 0; i < args.argv[0].len; i++) {
        int flag = event_of_letter(args.argv[0].ptr[i]);

        if (!flag)
            return option_refuse(err, "Invalid event class character. Use 'Ag$lshzxeKEtmdn'.");
        flags |= flag;
    }
    *(int *)field = flags;
    return true;
}

static void format_events(const struct option *o, const void *field, struct buf *out)
{
    int flags = *(const int *)field;
    bool all = (flags & CONF_EVENT_ALL) == CONF_EVENT_ALL;

    (void)o;
    if (all)
        buf_append_char(out, 'A');
    for (size_t i = 0; i < COUNT_OF(event_letters); i++) {
        int flag = event_letters[i].flag;
        bool in_all = (flag & CONF_EVENT_ALL) || flag == CONF_EVENT_NEW;

        if ((flags & flag) && !(all && in_all))
            buf_append_char(out, event_letters[i].letter);
    }
}

static void write_events(const struct option *o, const void *field, struct buf *out)
{
    struct buf text = {0};

    format_events(o, field, &text);
    words_quote(out, buf_slice(&text));
    buf_release(&text);
}

const struct option_type option_events = {
    .set = set_events, .format = format_events, .write = write_events};

/* ---- SAVE ---- */

/* Pairs of seconds and changes, behind what is there; false leaves `save` as it was. */
static bool add_save_points(struct conf_save *save, struct option_args args)
{
    size_t count = args.argc / 2;
    struct conf_save_point *points = mem_alloc((save->len + count + 1) * sizeof(*points));

    if (save->len)
        memcpy(points, save->points, save->len * sizeof(*points));
    for (size_t i = 0; i < count; i++) {
        struct conf_save_point *p = &points[save->len + i];

        if (!num_parse_int(args.argv[2 * i], &p->seconds) || p->seconds < 1 ||
            !num_parse_int(args.argv[2 * i + 1], &p->changes) || p->changes < 0) {
            mem_free(points);
            return false;
        }
    }
    mem_free(save->points);
    save->points = points;
    save->len += count;
    return true;
}

static bool set_save(const struct option *o, void *field, struct option_args args, struct buf *err)
{
    struct conf_save *save = field, fresh = {0};
    bool nothing = args.argc == 0 || (args.argc == 1 && args.argv[0].len == 0);

    (void)o;
    if (nothing)
        args.argc = 0;
    if (args.argc % 2)
        return option_refuse(err, "Invalid save parameters");
    if (args.append && !nothing)
        return add_save_points(save, args) || option_refuse(err, "Invalid save parameters");
    if (!add_save_points(&fresh, args))
        return option_refuse(err, "Invalid save parameters");
    mem_free(save->points);
    *save = fresh;
    return true;
}

static void format_save(const struct option *o, const void *field, struct buf *out)
{
    const struct conf_save *save = field;

    (void)o;
    for (size_t i = 0; i < save->len; i++)
        buf_printf(out, "%s%lld %lld", i ? " " : "", (long long)save->points[i].seconds,
                   (long long)save->points[i].changes);
}

static void write_save(const struct option *o, const void *field, struct buf *out)
{
    const struct conf_save *save = field;

    (void)o;
    for (size_t i = 0; i < save->len; i++)
        buf_printf(out, "%lld %lld\n", (long long)save->points[i].seconds,
                   (long long)save->points[i].changes);
    if (save->len == 0)
        buf_append_str(out, "\"\"\n");
}

static void copy_save(void *to, const void *from)
{
    const struct conf_save *save = from;
    struct conf_save *copy = to;

    copy->points = mem_alloc((save->len + 1) * sizeof(*copy->points));
    memcpy(copy->points, save->points, save->len * sizeof(*copy->points));
}

static void release_save(void *field)
{
    mem_free(((struct conf_save *)field)->points);
}

const struct option_type option_save = {.set = set_save,
                                        .format = format_save,
                                        .write = write_save,
                                        .copy = copy_save,
                                        .release = release_save,
                                        .always_written = true};

/* ---- BIND ---- */

static void release_bind(void *field)
{
    struct conf_bind *bind = field;

    for (size_t i = 0; i < bind->len; i++)
        mem_free(bind->addresses[i]);
}

static bool set_bind(const struct option *o, void *field, struct option_args args, struct buf *err)
{
    struct conf_bind *bind = field;

    (void)o;
    if (args.argc > CONF_BIND_MAX)
        return option_refuse(err, "Too many bind addresses specified.");
    if (args.argc == 1 && args.argv[0].len == 0)
        args.argc = 0;
    release_bind(bind);
    for (size_t i = 0; i < args.argc; i++)
        bind->addresses[i] = mem_strndup(args.argv[i].ptr, args.argv[i].len);
    bind->len = args.argc;
    return true;
}

static void format_bind(const struct option *o, const void *field, struct buf *out)
{
    const struct conf_bind *bind = field;

    (void)o;
    for (size_t i = 0; i < bind->len; i++)
        buf_printf(out, "%s%s", i ? " " : "", bind->addresses[i]);
}

static void write_bind(const struct option *o, const void *field, struct buf *out)
{
    const struct conf_bind *bind = field;

    (void)o;
    for (size_t i = 0; i < bind->len; i++) {
        buf_append_str(out, i ? " " : "");
        option_write_word(slice_str(bind->addresses[i]), out);
    }
    if (bind->len == 0)
        buf_append_str(out, "\"\"");
}

static void copy_bind(void *to, const void *from)
{
    const struct conf_bind *bind = from;
    struct conf_bind *copy = to;

    for (size_t i = 0; i < bind->len; i++)
        copy->addresses[i] = mem_strdup(bind->addresses[i]);
}

const struct option_type option_bind = {.set = set_bind,
                                        .format = format_bind,
                                        .write = write_bind,
                                        .copy = copy_bind,
                                        .release = release_bind};

/* ---- LIMITS ---- */

static int limit_class(struct slice name)
{
    if (slice_is(name, "normal"))
        return CONF_CLASS_NORMAL;
    if (slice_is(name, "slave") || slice_is(name, "replica"))
        return CONF_CLASS_REPLICA;
    return slice_is(name, "pubsub") ? CONF_CLASS_PUBSUB : -1;
}

static bool set_limit(struct conf_limits *limits, const struct slice *argv, struct buf *err)
{
    int class = limit_class(argv[0]);
    uint64_t hard, soft;
    int64_t seconds;

    if (class < 0)
        return option_refuse(err, "Invalid client class specified in buffer limit configuration.");
    if (!option_parse_memory(argv[1], &hard) || !option_parse_memory(argv[2], &soft) ||
        !num_parse_int(argv[3], &seconds) || seconds < 0)
        return option_refuse(err, "Error in hard, soft or soft_seconds setting in buffer limit "
                                  "configuration.");
    limits->class[class].hard = hard;
    limits->class[class].soft = soft;
    limits->class[class].soft_seconds = seconds;
    return true;
}

static bool set_limits(const struct option *o, void *field, struct option_args args,
                       struct buf *err)
{
    struct conf_limits limits = *(struct conf_limits *)field;

    (void)o;
    if (args.argc % 4)
        return option_refuse(err, "Wrong number of arguments in buffer limit configuration.");
    for (size_t i = 0; i < args.argc; i += 4) {
        if (!set_limit(&limits, args.argv + i, err))
            return false;
    }
    *(struct conf_limits *)field = limits;
    return true;
}

static const char *const limit_names[CONF_CLASS_COUNT] = {"normal", "slave", "pubsub"};

static void format_limits(const struct option *o, const void *field, struct buf *out)
{
    const struct conf_limits *limits = field;

    (void)o;
    for (int i = 0; i < CONF_CLASS_COUNT; i++)
        buf_printf(out, "%s%s %llu %llu %lld", i ? " " : "", limit_names[i],
                   (unsigned long long)limits->class[i].hard,
                   (unsigned long long)limits->class[i].soft,
                   (long long)limits->class[i].soft_seconds);
}

static void write_limits(const struct option *o, const void *field, struct buf *out)
{
    const struct conf_limits *limits = field;

    (void)o;
    for (int i = 0; i < CONF_CLASS_COUNT; i++) {
        buf_printf(out, "%s ", i == CONF_CLASS_REPLICA ? "replica" : limit_names[i]);
        option_write_memory(limits->class[i].hard, out);
        buf_append_char(out, ' ');
        option_write_memory(limits->class[i].soft, out);
        buf_printf(out, " %lld\n", (long long)limits->class[i].soft_seconds);
    }
}

const struct option_type option_limits = {
    .set = set_limits, .format = format_limits, .write = write_limits};

/* ---- OOM_VALUES ---- */

static bool set_oom_values(const struct option *o, void *field, struct option_args args,
                           struct buf *err)
{
    struct conf_oom_values values;

    (void)o;
    if (args.argc != COUNT_OF(values.score))
        return option_refuse(err, "wrong number of arguments");
    for (size_t i = 0; i < args.argc; i++) {
        int64_t *score = &values.score[i];

        if (!num_parse_int(args.argv[i], score) || *score < -2000 || *score > 2000)
            return option_refuse(err, "Invalid oom-score-adj-values, elements must be between "
                                      "-2000 and 2000.");
    }
    *(struct conf_oom_values *)field = values;
    return true;
}

static void format_oom_values(const struct option *o, const void *field, struct buf *out)
{
    const struct conf_oom_values *v = field;

    (void)o;
    buf_printf(out, "%lld %lld %lld", (long long)v->score[0], (long long)v->score[1],
               (long long)v->score[2]);
}

const struct option_type option_oom_values = {.set = set_oom_values, .format = format_oom_values};

/* ---- PERCENTILES ---- */

static bool parse_percentiles(double *values, struct option_args args, struct buf *err)
{
    for (size_t i = 0; i < args.argc; i++) {
        if (!num_parse_double(args.argv[i], &values[i]))
            return option_refuse(err, "Invalid latency-tracking-info-percentiles parameters");
        if (values[i] < 0 || values[i] > 100)
            return option_refuse(err, "latency-tracking-info-percentiles parameters should sit "
                                      "between [0.0,100.0]");
    }
    return true;
}

static bool set_percentiles(const struct option *o, void *field, struct option_args args,
                            struct buf *err)
{
    struct conf_percentiles *p = field;
    double *values = mem_alloc((args.argc + 1) * sizeof(*values));

    (void)o;
    if (args.argc == 1 && args.argv[0].len == 0)
        args.argc = 0;
    if (!parse_percentiles(values, args, err)) {
        mem_free(values);
        return false;
    }
    mem_free(p->values);
    *p = (struct conf_percentiles){values, args.argc};
    return true;
}

/* Six digits behind the point at most, without the zeros at the end. */
static void format_percentile(double value, struct buf *out)
{
    buf_printf(out, "%f", value);
    while (out->ptr[out->len - 1] == '0')
        out->len--;
    if (out->ptr[out->len - 1] == '.')
        out->len--;
}

static void format_percentiles(const struct option *o, const void *field, struct buf *out)
{
    const struct conf_percentiles *p = field;

    (void)o;
    for (size_t i = 0; i < p->len; i++) {
        if (i)
            buf_append_char(out, ' ');
        format_percentile(p->values[i], out);
    }
}

static void write_percentiles(const struct option *o, const void *field, struct buf *out)
{
    if (((const struct conf_percentiles *)field)->len)
        format_percentiles(o, field, out);
    else
        buf_append_str(out, "\"\"");
}

static void copy_percentiles(void *to, const void *from)
{
    const struct conf_percentiles *p = from;
    struct conf_percentiles *copy = to;

    copy->values = mem_alloc((p->len + 1) * sizeof(*copy->values));
    memcpy(copy->values, p->values, p->len * sizeof(*copy->values));
}

static void release_percentiles(void *field)
{
    mem_free(((struct conf_percentiles *)field)->values);
}

const struct option_type option_percentiles = {.set = set_percentiles,
                                               .format = format_percentiles,
                                               .write = write_percentiles,
                                               .copy = copy_percentiles,
                                               .release = release_percentiles};

/* ---- REPLICAOF ---- */

static bool set_replicaof(const struct option *o, void *field, struct option_args args,
                          struct buf *err)
{
    struct conf_replicaof *r = field;
    int64_t port = 0;
    bool none;

    (void)o;
    if (args.argc == 1 && args.argv[0].len == 0)
        args.argc = 0;
    if (args.argc != 0 && args.argc != 2)
        return option_refuse(err, "wrong number of arguments");
    none = args.argc == 0 || (slice_is(args.argv[0], "no") && slice_is(args.argv[1], "one"));
    if (!none && (!num_parse_int(args.argv[1], &port) || port < 0 || port > 65535))
        return option_refuse(err, "Invalid master port");
    mem_free(r->host);
    r->host = none ? NULL : mem_strndup(args.argv[0].ptr, args.argv[0].len);
    r->port = port;
    return true;
}

static void format_replicaof(const struct option *o, const void *field, struct buf *out)
{
    const struct conf_replicaof *r = field;

    (void)o;
    if (r->host)
        buf_printf(out, "%s %lld", r->host, (long long)r->port);
}

static void write_replicaof(const struct option *o, const void *field, struct buf *out)
{
    const struct conf_replicaof *r = field;

    (void)o;
    option_write_word(slice_str(r->host ? r->host : "no"), out);
    if (r->host)
        buf_printf(out, " %lld", (long long)r->port);
    else
        buf_append_str(out, " one");
}

static void copy_replicaof(void *to, const void *from)
{
    const struct conf_replicaof *r = from;

    ((struct conf_replicaof *)to)->host = r->host ? mem_strdup(r->host) : NULL;
}

static void release_replicaof(void *field)
{
    mem_free(((struct conf_replicaof *)field)->host);
}

const struct option_type option_replicaof = {.set = set_replicaof,
                                             .format = format_replicaof,
                                             .write = write_replicaof,
                                             .copy = copy_replicaof,
                                             .release = release_replicaof};
