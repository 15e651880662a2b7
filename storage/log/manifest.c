/* The manifest of a log, see manifest.h. */
#include "storage/log/manifest.h"

#include "base/mem.h"
#include "base/num.h"
#include "base/words.h"

void manifest_add(struct manifest *m, struct slice name, uint64_t seq, enum log_kind kind)
{
    if (m->len == m->cap) {
        m->cap = m->cap ? m->cap * 2 : 4;
        m->parts = mem_realloc(m->parts, m->cap * sizeof(*m->parts));
    }
    m->parts[m->len++] = (struct log_part){mem_strndup(name.ptr, name.len), seq, (char)kind};
}

void manifest_remove(struct manifest *m, size_t i)
{
    mem_free(m->parts[i].name);
    memmove(m->parts + i, m->parts + i + 1, (m->len - i - 1) * sizeof(*m->parts));
    m->len--;
}

static struct log_part *last_of(const struct manifest *m, enum log_kind kind)
{
    for (size_t i = m->len; i-- > 0;) {
        if (m->parts[i].kind == (char)kind)
            return &m->parts[i];
    }
    return NULL;
}

struct log_part *manifest_base(const struct manifest *m)
{
    return last_of(m, LOG_BASE);
}

struct log_part *manifest_last(const struct manifest *m)
{
    return last_of(m, LOG_INCR);
}

uint64_t manifest_max(const struct manifest *m, enum log_kind kind)
{
    uint64_t max = 0;

    for (size_t i = 0; i < m->len; i++) {
        if (m->parts[i].kind == (char)kind && m->parts[i].seq > max)
            max = m->parts[i].seq;
    }
    return max;
}

void manifest_copy(struct manifest *to, const struct manifest *from)
{
    *to = (struct manifest){0};
    for (size_t i = 0; i < from->len; i++)
        manifest_add(to, slice_str(from->parts[i].name), from->parts[i].seq,
                     (enum log_kind)from->parts[i].kind);
}

void manifest_release(struct manifest *m)
{
    for (size_t i = 0; i < m->len; i++)
        mem_free(m->parts[i].name);
    mem_free(m->parts);
    *m = (struct manifest){0};
}

/* ---- as text -------------------------------------------------------------------------------- */

/* Pairs of a word and its value, in any order; words that nobody knows are passed over. */
static void read_part(const struct words *w, struct slice *name, uint64_t *seq, char *kind)
{
    *name = (struct slice){0};
    *seq = 0;
    *kind = 0;
    for (size_t i = 0; i + 1 < w->len; i += 2) {
        struct slice value = w->items[i + 1];

        if (slice_is(w->items[i], "file"))
            *name = value;
        else if (slice_is(w->items[i], "seq") && !num_parse_uint(value, seq))
            *seq = 0;
        else if (slice_is(w->items[i], "type") && value.len)
            *kind = value.ptr[0];
    }
}

static const char not_a_line[] = "Invalid AOF manifest file format";

/* NULL, or what is wrong with it, in the words of Redis. */
static const char *add_part(struct manifest *m, const struct words *w)
{
    const struct log_part *last = manifest_last(m);
    struct slice name;
    uint64_t seq;
    char kind;

    read_part(w, &name, &seq, &kind);
    if (w->len % 2 || !name.len || !seq || !kind)
        return not_a_line;
    if (memchr(name.ptr, '/', name.len))
        return "File can't be a path, just a filename";
    if (kind != LOG_BASE && kind != LOG_INCR && kind != LOG_HISTORY)
        return "Unknown AOF file type";
    if (kind == LOG_BASE && manifest_base(m))
        return "Found duplicate base file information";
    if (kind == LOG_INCR && last && last->seq >= seq)
        return "Found a non-monotonic sequence number";
    manifest_add(m, name, seq, (enum log_kind)kind);
    return NULL;
}

static const char *parse_line(struct manifest *m, struct slice line)
{
    struct words w = {0};
    const char *wrong;

    if (line.len && line.ptr[0] == '#')
        return NULL;
    wrong = words_split(&w, line) ? add_part(m, &w) : not_a_line;
    words_release(&w);
    return wrong;
}

static bool fail(struct buf *why, int number, struct slice line, const char *what)
{
    buf_printf(why, "line %d, '%.*s': %s", number, (int)line.len, line.ptr, what);
    return false;
}

/* One that is empty, or ends within a line, is not what was written once. */
bool manifest_parse(struct manifest *m, struct slice text, struct buf *why)
{
    *m = (struct manifest){0};
    if (!text.len)
        buf_append_str(why, "Found an empty AOF manifest");
    for (int number = 1; text.len; number++) {
        const char *end = memchr(text.ptr, '\n', text.len), *wrong;
        struct slice line = slice_make(text.ptr, end ? (size_t)(end - text.ptr) : text.len);

        if (!end)
            return fail(why, number, line, "The line has no end");
        wrong = parse_line(m, line);
        if (wrong)
            return fail(why, number, line, wrong);
        text = slice_make(end + 1, text.len - line.len - 1);
    }
    return !why->len;
}

/* Quoted only where it must be. */
static void put_name(struct buf *out, const char *name)
{
    size_t plain = 0;

    while (name[plain] > ' ' && name[plain] < 127 && !strchr("\"'\\", name[plain]))
        plain++;
    if (name[plain])
        words_quote(out, slice_str(name));
    else
        buf_append_str(out, name);
}

static void format_kind(const struct manifest *m, enum log_kind kind, struct buf *out)
{
    for (size_t i = 0; i < m->len; i++) {
        const struct log_part *p = &m->parts[i];

        if (p->kind != (char)kind)
            continue;
        buf_append_str(out, "file ");
        put_name(out, p->name);
        buf_printf(out, " seq %llu type %c\n", (unsigned long long)p->seq, p->kind);
    }
}

/* In the order of Redis. An empty one would be taken for one that was lost. */
void manifest_format(const struct manifest *m, struct buf *out)
{
    if (!m->len)
        buf_append_str(out, "# no files\n");
    format_kind(m, LOG_BASE, out);
    format_kind(m, LOG_HISTORY, out);
    format_kind(m, LOG_INCR, out);
}
