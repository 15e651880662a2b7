/* The plain types of options: switches, numbers, sizes, texts, words of a list. */
#include "base/mem.h"
#include "base/num.h"
#include "base/words.h"
#include "conf/option.h"

#include <ctype.h>

static bool passes_check(const struct option *o, struct slice value, struct buf *err)
{
    const char *reason = o->check ? o->check(value) : NULL;

    return reason ? option_refuse(err, "%s", reason) : true;
}

/* ---- BOOL ---- */

static bool set_bool(const struct option *o, void *field, struct option_args args, struct buf *err)
{
    bool yes = slice_is(args.argv[0], "yes");

    if (!yes && !slice_is(args.argv[0], "no"))
        return option_refuse(err, "argument must be 'yes' or 'no'");
    if (!passes_check(o, args.argv[0], err))
        return false;
    *(bool *)field = yes;
    return true;
}

static void format_bool(const struct option *o, const void *field, struct buf *out)
{
    (void)o;
    buf_append_str(out, *(const bool *)field ? "yes" : "no");
}

const struct option_type option_bool = {.set = set_bool, .format = format_bool};

/* ---- INT ---- */

static int64_t clamp(const struct option *o, int64_t v)
{
    if (o->clamp_max == 0)
        return v;
    if (v < o->clamp_min)
        return o->clamp_min;
    return v > o->clamp_max ? o->clamp_max : v;
}

static bool set_int(const struct option *o, void *field, struct option_args args, struct buf *err)
{
    int64_t v;

    if (!num_parse_int(args.argv[0], &v))
        return option_refuse(err, "argument couldn't be parsed into an integer");
    if (v < o->min || v > o->max)
        return option_refuse(err, "argument must be between %lld and %lld inclusive",
                             (long long)o->min, (long long)o->max);
    *(int64_t *)field = clamp(o, v);
    return true;
}

static void format_int(const struct option *o, const void *field, struct buf *out)
{
    (void)o;
    buf_printf(out, "%lld", (long long)*(const int64_t *)field);
}

const struct option_type option_int = {.set = set_int, .format = format_int};

/* ---- OCTAL ---- */

static bool parse_octal(struct slice s, int64_t *out)
{
    *out = 0;
    for (size_t i = 0; i < s.len; i++) {
        if (s.ptr[i] < '0' || s.ptr[i] > '7' || i > 16)
            return false;
        *out = *out * 8 + (s.ptr[i] - '0');
    }
    return s.len > 0;
}

static bool set_octal(const struct option *o, void *field, struct option_args args, struct buf *err)
{
    int64_t v;

    if (!parse_octal(args.argv[0], &v))
        return option_refuse(err, "argument couldn't be parsed as an octal number");
    if (v < o->min || v > o->max)
        return option_refuse(err, "argument must be between %llo and %llo inclusive",
                             (unsigned long long)o->min, (unsigned long long)o->max);
    *(int64_t *)field = v;
    return true;
}

static void format_octal(const struct option *o, const void *field, struct buf *out)
{
    (void)o;
    buf_printf(out, "%llo", (unsigned long long)*(const int64_t *)field);
}

const struct option_type option_octal = {.set = set_octal, .format = format_octal};

/* ---- MEMORY ---- */

static uint64_t parse_digits(struct slice s, size_t *used)
{
    uint64_t v = 0;
    bool too_large = false;

    for (*used = 0; *used < s.len && isdigit((unsigned char)s.ptr[*used]); (*used)++) {
        too_large |= __builtin_mul_overflow(v, 10, &v);
        too_large |= __builtin_add_overflow(v, (uint64_t)(s.ptr[*used] - '0'), &v);
    }
    return too_large ? UINT64_MAX : v;
}

bool option_parse_memory(struct slice s, uint64_t *out)
{
    static const struct {
        const char *unit;
        uint64_t factor;
    } units[] = {{"", 1},        {"b", 1},        {"k", 1000},       {"kb", 1 << 10},
                 {"m", 1000000}, {"mb", 1 << 20}, {"g", 1000000000}, {"gb", 1 << 30}};
    size_t used;
    uint64_t v = parse_digits(s, &used);
    struct slice unit = slice_make(s.ptr + used, s.len - used);

    for (size_t i = 0; i < COUNT_OF(units); i++) {
        if (!slice_is(unit, units[i].unit))
            continue;
        if (__builtin_mul_overflow(v, units[i].factor, out))
            *out = UINT64_MAX;
        return true;
    }
    return false;
}

void option_write_memory(uint64_t bytes, struct buf *out)
{
    static const struct {
        const char *unit;
        uint64_t factor;
    } units[] = {{"gb", 1 << 30}, {"mb", 1 << 20}, {"kb", 1 << 10}};

    for (size_t i = 0; i < COUNT_OF(units); i++) {
        if (bytes && bytes % units[i].factor == 0) {
            buf_printf(out, "%llu%s", (unsigned long long)(bytes / units[i].factor), units[i].unit);
            return;
        }
    }
    buf_printf(out, "%llu", (unsigned long long)bytes);
}

static bool set_memory(const struct option *o, void *field, struct option_args args,
                       struct buf *err)
{
    uint64_t v;

    if (!option_parse_memory(args.argv[0], &v))
        return option_refuse(err, "argument must be a memory value");
    if (v < (uint64_t)o->min || v > (uint64_t)o->max)
        return option_refuse(err, "argument must be between %llu and %llu inclusive",
                             (unsigned long long)o->min, (unsigned long long)o->max);
    if (o->clamp_max && v < (uint64_t)o->clamp_min)
        v = (uint64_t)o->clamp_min;
    *(uint64_t *)field = v;
    return true;
}

static void format_memory(const struct option *o, const void *field, struct buf *out)
{
    (void)o;
    buf_printf(out, "%llu", (unsigned long long)*(const uint64_t *)field);
}

static void write_memory(const struct option *o, const void *field, struct buf *out)
{
    (void)o;
    option_write_memory(*(const uint64_t *)field, out);
}

const struct option_type option_memory = {
    .set = set_memory, .format = format_memory, .write = write_memory};

/* ---- MEMORY_PERCENT ---- */

static bool parse_percent(struct slice s, int64_t *out)
{
    return s.len > 1 && s.ptr[s.len - 1] == '%' && s.ptr[0] != '-' &&
           num_parse_int(slice_make(s.ptr, s.len - 1), out);
}

static bool set_memory_percent(const struct option *o, void *field, struct option_args args,
                               struct buf *err)
{
    uint64_t bytes;
    int64_t percent;

    if (parse_percent(args.argv[0], &percent)) {
        if (percent > -o->min)
            return option_refuse(err, "percentage argument must be less or equal to %lld",
                                 (long long)-o->min);
        *(int64_t *)field = -percent;
        return true;
    }
    if (!option_parse_memory(args.argv[0], &bytes))
        return option_refuse(err, "argument must be a memory or percent value");
    if (bytes > (uint64_t)o->max)
        return option_refuse(err, "argument must be between 0 and %lld inclusive",
                             (long long)o->max);
    *(int64_t *)field = (int64_t)bytes;
    return true;
}

static void format_memory_percent(const struct option *o, const void *field, struct buf *out)
{
    int64_t v = *(const int64_t *)field;

    (void)o;
    if (v < 0)
        buf_printf(out, "%lld%%", (long long)-v);
    else
        buf_printf(out, "%lld", (long long)v);
}

static void write_memory_percent(const struct option *o, const void *field, struct buf *out)
{
    if (*(const int64_t *)field < 0)
        format_memory_percent(o, field, out);
    else
        option_write_memory((uint64_t) * (const int64_t *)field, out);
}

const struct option_type option_memory_percent = {
    .set = set_memory_percent, .format = format_memory_percent, .write = write_memory_percent};

/* ---- TEXT ---- */

static bool set_text(const struct option *o, void *field, struct option_args args, struct buf *err)
{
    char **text = field;

    if (!passes_check(o, args.argv[0], err))
        return false;
    mem_free(*text);
    *text = mem_strndup(args.argv[0].ptr, args.argv[0].len);
    return true;
}

static void format_text(const struct option *o, const void *field, struct buf *out)
{
    (void)o;
    buf_append_str(out, *(char *const *)field);
}

static void write_text(const struct option *o, const void *field, struct buf *out)
{
    (void)o;
    words_quote(out, slice_str(*(char *const *)field));
}

static void copy_text(void *to, const void *from)
{
    *(char **)to = mem_strdup(*(char *const *)from);
}

static void release_text(void *field)
{
    mem_free(*(char **)field);
}

const struct option_type option_text = {.set = set_text,
                                        .format = format_text,
                                        .write = write_text,
                                        .copy = copy_text,
                                        .release = release_text};

/* ---- BYTES ---- */

static bool set_bytes(const struct option *o, void *field, struct option_args args, struct buf *err)
{
    struct slice *bytes = field;

    if (!passes_check(o, args.argv[0], err))
        return false;
    mem_free((char *)(uintptr_t)bytes->ptr);
    *bytes = slice_make(mem_strndup(args.argv[0].ptr, args.argv[0].len), args.argv[0].len);
    return true;
}

static void format_bytes(const struct option *o, const void *field, struct buf *out)
{
    (void)o;
    buf_append_slice(out, *(const struct slice *)field);
}

static void write_bytes(const struct option *o, const void *field, struct buf *out)
{
    (void)o;
    words_quote(out, *(const struct slice *)field);
}

static void copy_bytes(void *to, const void *from)
{
    const struct slice *s = from;

    *(struct slice *)to = slice_make(mem_strndup(s->ptr, s->len), s->len);
}

static void release_bytes(void *field)
{
    mem_free((char *)(uintptr_t)((struct slice *)field)->ptr);
}

const struct option_type option_bytes = {.set = set_bytes,
                                         .format = format_bytes,
                                         .write = write_bytes,
                                         .copy = copy_bytes,
                                         .release = release_bytes};

/* ---- ENUM, FLAGS ---- */

static const struct conf_word *find_word(const struct option *o, struct slice s)
{
    for (const struct conf_word *w = o->names; w->word; w++) {
        if (slice_is(s, w->word))
            return w;
    }
    return NULL;
}

static bool refuse_word(const struct option *o, struct buf *err)
{
    buf_append_str(err, "argument(s) must be one of the following: ");
    for (const struct conf_word *w = o->names; w->word; w++)
        buf_printf(err, "%s%s", w == o->names ? "" : ", ", w->word);
    return false;
}

static bool set_enum(const struct option *o, void *field, struct option_args args, struct buf *err)
{
    const struct conf_word *w = find_word(o, args.argv[0]);

    if (!w)
        return refuse_word(o, err);
    *(int *)field = w->value;
    return true;
}

static void format_enum(const struct option *o, const void *field, struct buf *out)
{
    const struct conf_word *w = o->names;

    while (w->word && w->value != *(const int *)field)
        w++;
    INVARIANT(w->word);
    buf_append_str(out, w->word);
}

const struct option_type option_enum = {.set = set_enum, .format = format_enum};

static bool set_flags(const struct option *o, void *field, struct option_args args, struct buf *err)
{
    int flags = 0;

    for (size_t i = 0; i < args.argc; i++) {
        const struct conf_word *w = find_word(o, args.argv[i]);

        if (!w)
            return refuse_word(o, err);
        flags |= w->value;
    }
    if (args.argc == 0)
        return refuse_word(o, err);
    if ((flags & CONF_SHUTDOWN_SAVE) && (flags & CONF_SHUTDOWN_NOSAVE))
        return option_refuse(err, "shutdown options SAVE and NOSAVE can't be used simultaneously");
    *(int *)field = flags;
    return true;
}

static void format_flags(const struct option *o, const void *field, struct buf *out)
{
    int flags = *(const int *)field;
    const char *blank = "";

    for (const struct conf_word *w = o->names; w->word; w++) {
        if (flags == w->value || (w->value && (flags & w->value))) {
            buf_printf(out, "%s%s", blank, w->word);
            blank = " ";
        }
    }
}

const struct option_type option_flags = {.set = set_flags, .format = format_flags};
