/* Snapshots of the configuration: making, asking, setting; see conf.h. */
#include "conf/conf.h"

#include "base/glob.h"
#include "base/mem.h"
#include "conf/option.h"

#include <sched.h>

bool option_refuse(struct buf *err, const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    buf_vprintf(err, fmt, args);
    va_end(args);
    return false;
}

/* Cuts `s` at single blanks, as CONFIG SET takes several arguments in one; 0 pieces of nothing. */
static struct slice *split_at_blanks(struct slice s, size_t *count)
{
    struct slice *out = mem_alloc((s.len + 1) * sizeof(*out));
    size_t start = 0;

    *count = 0;
    for (size_t i = 0; s.len && i <= s.len; i++) {
        if (i < s.len && s.ptr[i] != ' ')
            continue;
        out[(*count)++] = slice_make(s.ptr + start, i - start);
        start = i + 1;
    }
    return out;
}

/* One value, which may hold several arguments. */
static bool set_value(struct conf *c, const struct option *o, struct slice value, bool append,
                      struct buf *err)
{
    struct slice *pieces;
    size_t count;
    bool done;

    if (!(o->flags & MULTI))
        return o->type->set(o, option_field(o, c), (struct option_args){&value, 1, append}, err);
    pieces = split_at_blanks(value, &count);
    done = o->type->set(o, option_field(o, c), (struct option_args){pieces, count, append}, err);
    mem_free(pieces);
    return done;
}

bool option_set(struct conf *c, const struct option *o, struct option_args args, struct buf *err)
{
    bool done;

    if (!(o->flags & MULTI) && args.argc != 1)
        return option_refuse(err, "wrong number of arguments");
    if (args.argc == 1 && args.argv[0].len)
        done = set_value(c, o, args.argv[0], args.append, err);
    else
        done = o->type->set(o, option_field(o, c), args, err);
    c->given[option_id(o)] |= done;
    return done;
}

struct conf *conf_new(void)
{
    struct conf *c = mem_zalloc(sizeof(*c));
    struct buf err = {0};

    for (size_t i = 0; i < OPTION_COUNT; i++)
        INVARIANT(set_value(c, &options[i], slice_str(options[i].initial), false, &err));
    buf_release(&err);
    return c;
}

static void copy_renames(struct conf *to, const struct conf *from)
{
    to->renames = mem_zalloc((from->renames_len + 1) * sizeof(*to->renames));
    for (size_t i = 0; i < from->renames_len; i++) {
        to->renames[i].from = mem_strdup(from->renames[i].from);
        to->renames[i].to = mem_strdup(from->renames[i].to);
    }
}

struct conf *conf_copy(const struct conf *c)
{
    struct conf *copy = mem_alloc(sizeof(*copy));

    *copy = *c;
    for (size_t i = 0; i < OPTION_COUNT; i++) {
        const struct option *o = &options[i];

        if (o->type->copy)
            o->type->copy(option_field(o, copy), option_field(o, c));
    }
    copy_renames(copy, c);
    copy->file = c->file ? mem_strdup(c->file) : NULL;
    return copy;
}

void conf_free(struct conf *c)
{
    if (!c)
        return;
    for (size_t i = 0; i < OPTION_COUNT; i++) {
        if (options[i].type->release)
            options[i].type->release(option_field(&options[i], c));
    }
    for (size_t i = 0; i < c->renames_len; i++) {
        mem_free(c->renames[i].from);
        mem_free(c->renames[i].to);
    }
    mem_free(c->renames);
    mem_free(c->file);
    mem_free(c);
}

int conf_workers(const struct conf *c)
{
    cpu_set_t cpus;
    int n;

    if (c->threads)
        return (int)c->threads;
    if (c->given[OPT_io_threads])
        return c->io_threads < CONF_THREADS_MAX ? (int)c->io_threads : CONF_THREADS_MAX;
    if (sched_getaffinity(0, sizeof(cpus), &cpus) != 0)
        return 1;
    n = CPU_COUNT(&cpus);
    return n > CONF_THREADS_DEFAULT_MAX ? CONF_THREADS_DEFAULT_MAX : n;
}

const struct option *conf_find(struct slice name)
{
    for (size_t i = 0; i < OPTION_COUNT; i++) {
        const struct option *o = &options[i];

        if (slice_is(name, o->name) || (o->alias && slice_is(name, o->alias)))
            return o;
    }
    return NULL;
}

enum option_id option_id(const struct option *o)
{
    return (enum option_id)(o - options);
}

bool option_is_secret(const struct option *o)
{
    return o->flags & SECRET;
}

bool option_is_inert(enum option_id id)
{
    return options[id].flags & INERT;
}

bool conf_pairs_wait_for_data(const struct slice *pairs, size_t pairs_len)
{
    for (size_t i = 0; i < pairs_len; i += 2) {
        const struct option *o = conf_find(pairs[i]);

        if (o && o->flags & NOT_LOADING)
            return true;
    }
    return false;
}

const char *option_name(enum option_id id)
{
    return options[id].name;
}

void conf_say_unsupported(struct slice name, struct buf *out)
{
    static const struct {
        const char *name, *text;
    } texts[] = {
#define UNSUPPORTED(option, meaning) {option, meaning},
#include "conf/unsupported.def"
#undef UNSUPPORTED
    };

    buf_printf(out, "Option '%.*s' is not supported here, ignored", (int)name.len, name.ptr);
    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        if (slice_is(name, texts[i].name))
            buf_printf(out, ": %s", texts[i].text);
    }
}

void conf_format(const struct conf *c, const struct option *o, struct buf *out)
{
    o->type->format(o, option_field(o, c), out);
}

bool conf_differs(const struct conf *a, const struct conf *b, enum option_id id)
{
    struct buf left = {0}, right = {0};
    bool differs;

    conf_format(a, &options[id], &left);
    conf_format(b, &options[id], &right);
    differs = !slice_eq(buf_slice(&left), buf_slice(&right));
    buf_release(&left);
    buf_release(&right);
    return differs;
}

/* Several conditions on the names of a CONFIG SET, of which the first broken one is told. */
static bool may_set(const struct conf *c, const struct option *o, bool local_client,
                    const char **reason)
{
    bool guard_open = c->enable_protected_configs == CONF_ALLOWED_YES ||
                      (c->enable_protected_configs == CONF_ALLOWED_LOCAL && local_client);

    if (o->flags & IMMUTABLE)
        *reason = "can't set immutable config";
    else if ((o->flags & GUARDED) && !guard_open)
        *reason = "can't set protected config";
    return *reason == NULL;
}

static bool given_before(const struct slice *pairs, size_t index)
{
    const struct option *o = conf_find(pairs[index]);

    for (size_t i = 0; i < index; i += 2) {
        if (conf_find(pairs[i]) == o && pairs[i].len == pairs[index].len &&
            strncasecmp(pairs[i].ptr, pairs[index].ptr, pairs[i].len) == 0)
            return true;
    }
    return false;
}

/* The spelling of the table for a name in any case. */
static const char *proper_name(const struct option *o, struct slice name)
{
    return slice_is(name, o->name) ? o->name : o->alias;
}

static bool refuse_pair(struct slice name, const char *shown, const char *reason, struct buf *err)
{
    int len = shown ? (int)strlen(shown) : (int)name.len;

    return option_refuse(err, "CONFIG SET failed (possibly related to argument '%.*s') - %s", len,
                         shown ? shown : name.ptr, reason);
}

static bool names_are_fine(const struct conf *c, const struct slice *pairs, size_t pairs_len,
                           bool local_client, struct buf *err)
{
    for (size_t i = 0; i < pairs_len; i += 2) {
        const struct option *o = conf_find(pairs[i]);
        const char *reason = NULL;

        if (!o)
            return option_refuse(err,
                                 "Unknown option or number of arguments for CONFIG SET - '%.*s'",
                                 (int)pairs[i].len, pairs[i].ptr);
        if (may_set(c, o, local_client, &reason) && given_before(pairs, i))
            reason = "duplicate parameter";
        if (reason)
            return refuse_pair(pairs[i], NULL, reason, err);
    }
    return true;
}

bool conf_set_pairs(struct conf *c, const struct slice *pairs, size_t pairs_len, bool local_client,
                    struct buf *err)
{
    struct buf reason = {0};
    bool done = names_are_fine(c, pairs, pairs_len, local_client, err);

    for (size_t i = 0; done && i < pairs_len; i += 2) {
        const struct option *o = conf_find(pairs[i]);

        done = set_value(c, o, pairs[i + 1], false, &reason);
        c->given[option_id(o)] |= done;
        if (done)
            continue;
        buf_append_char(&reason, '\0');
        refuse_pair(pairs[i], proper_name(o, pairs[i]), reason.ptr, err);
    }
    buf_release(&reason);
    return done;
}

static bool is_pattern(struct slice s)
{
    for (size_t i = 0; i < s.len; i++) {
        if (strchr("*?[", s.ptr[i]) && s.ptr[i])
            return true;
    }
    return false;
}

struct matches {
    struct conf_match *items;
    size_t len;
};

static void add_match(struct matches *m, struct slice name, const struct option *o)
{
    for (size_t i = 0; i < m->len; i++) {
        if (m->items[i].name.len == name.len &&
            strncasecmp(m->items[i].name.ptr, name.ptr, name.len) == 0)
            return;
    }
    m->items[m->len++] = (struct conf_match){name, o};
}

static void add_pattern(struct matches *m, struct slice pattern)
{
    for (size_t i = 0; i < OPTION_COUNT; i++) {
        const struct option *o = &options[i];

        if (o->flags & HIDDEN)
            continue;
        if (glob_match(pattern, slice_str(o->name), true))
            add_match(m, slice_str(o->name), o);
        if (o->alias && glob_match(pattern, slice_str(o->alias), true))
            add_match(m, slice_str(o->alias), o);
    }
}

size_t conf_match(const struct slice *patterns, size_t patterns_len, struct conf_match **out)
{
    struct matches m = {mem_alloc(2 * OPTION_COUNT * sizeof(*m.items)), 0};

    for (size_t i = 0; i < patterns_len; i++) {
        const struct option *o = conf_find(patterns[i]);

        if (o)
            add_match(&m, patterns[i], o);
        else if (is_pattern(patterns[i]))
            add_pattern(&m, patterns[i]);
    }
    *out = m.items;
    return m.len;
}
