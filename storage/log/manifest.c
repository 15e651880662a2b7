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
static bool read_part(const struct words *w, struct slice *name, uint64_t *seq, char *kind)
{
    bool numbered = false;

    *name = (struct slice){0};
    *kind = 0;
    for (size_t i = 0; i + 1 < w->len; i += 2) {
        if (slice_is(w->items[i], "file"))
            *name = w->items[i + 1];
        else if (slice_is(w->items[i], "seq"))
            numbered = num_parse_uint(w->items[i + 1], seq);
        else if (slice_is(w->items[i], "type") && w->items[i + 1].len == 1)
            *kind = w->items[i + 1].ptr[0];
    }
    return w->len % 2 == 0 && name->len && !memchr(name->ptr, '/', name->len) && numbered &&
           (*kind == LOG_BASE || *kind == LOG_INCR || *kind == LOG_HISTORY);
}

static bool parse_line(struct manifest *m, struct slice line)
{
    struct words w = {0};
    struct slice name;
    uint64_t seq;
    char kind;
    bool ok = words_split(&w, line);

    if (ok && w.len && w.items[0].ptr[0] != '#') {
        ok = read_part(&w, &name, &seq, &kind) && !(kind == LOG_BASE && manifest_base(m)) &&
             !(kind == LOG_INCR && manifest_last(m) && manifest_last(m)->seq >= seq);
        if (ok)
            manifest_add(m, name, seq, (enum log_kind)kind);
    }
    words_release(&w);
    return ok;
}

bool manifest_parse(struct manifest *m, struct slice text, int *line)
{
    *m = (struct manifest){0};
    for (*line = 1; text.len; (*line)++) {
        const char *end = memchr(text.ptr, '\n', text.len);
        size_t len = end ? (size_t)(end - text.ptr) : text.len;

        if (!parse_line(m, slice_make(text.ptr, len)))
            return false;
        text = slice_make(text.ptr + len + (end != NULL), text.len - len - (end != NULL));
    }
    return true;
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

/* In the order of Redis. */
void manifest_format(const struct manifest *m, struct buf *out)
{
    format_kind(m, LOG_BASE, out);
    format_kind(m, LOG_HISTORY, out);
    format_kind(m, LOG_INCR, out);
}
