/* See drawn.h. */
#include "tests/differential/drawn.h"

#include <ctype.h>

enum { SHOWN_WORD = 100 };

void drawn_clear(struct drawn *d)
{
    d->text.len = 0;
    d->count = 0;
    d->chained = false;
    d->exact = false;
}

void drawn_release(struct drawn *d)
{
    buf_release(&d->text);
    d->count = 0;
}

void drawn_copy(struct drawn *to, const struct drawn *from)
{
    struct buf text = to->text;

    text.len = 0;
    buf_append_slice(&text, buf_slice(&from->text));
    *to = *from;
    to->text = text;
}

static size_t store(struct drawn *d, struct slice word)
{
    size_t at = d->text.len;
    char *place = buf_reserve(&d->text, word.len + 1);

    if (word.len > 0)
        memcpy(place, word.ptr, word.len);
    d->text.len += word.len;
    return at;
}

void drawn_replace(struct drawn *d, int i, struct slice word, enum word_kind kind)
{
    d->words[i].at = store(d, word);
    d->words[i].len = word.len;
    d->words[i].kind = kind;
}

void drawn_add(struct drawn *d, struct slice word, enum word_kind kind)
{
    if (d->count < DRAWN_WORDS_MAX)
        drawn_replace(d, d->count++, word, kind);
}

void drawn_remove(struct drawn *d, int i)
{
    d->count--;
    memmove(&d->words[i], &d->words[i + 1], sizeof(d->words[0]) * (size_t)(d->count - i));
}

void drawn_swap(struct drawn *d, int i, int j)
{
    __typeof__(d->words[0]) kept = d->words[i];

    d->words[i] = d->words[j];
    d->words[j] = kept;
}

void drawn_encode(const struct drawn *d, struct buf *out)
{
    buf_printf(out, "*%d\r\n", d->count);
    for (int i = 0; i < d->count; i++) {
        buf_printf(out, "$%zu\r\n", d->words[i].len);
        buf_append_slice(out, drawn_word(d, i));
        buf_append_str(out, "\r\n");
    }
}

static void append_shown_byte(struct buf *out, unsigned char c)
{
    if (c == '\r')
        buf_append_str(out, "\\r");
    else if (c == '\n')
        buf_append_str(out, "\\n");
    else if (c == '"' || c == '\\')
        buf_printf(out, "\\%c", c);
    else if (isprint(c))
        buf_append_char(out, (char)c);
    else
        buf_printf(out, "\\x%02x", c);
}

void text_append_shown(struct buf *out, struct slice bytes, size_t most)
{
    size_t n = bytes.len < most ? bytes.len : most;

    for (size_t i = 0; i < n; i++)
        append_shown_byte(out, (unsigned char)bytes.ptr[i]);
    if (n < bytes.len)
        buf_printf(out, "... (%zu bytes)", bytes.len);
}

static bool plain(struct slice word)
{
    for (size_t i = 0; i < word.len; i++) {
        if (!isgraph((unsigned char)word.ptr[i]) || strchr("\"'\\", word.ptr[i]) != NULL)
            return false;
    }
    return word.len > 0;
}

void drawn_append_shown(const struct drawn *d, struct buf *out)
{
    for (int i = 0; i < d->count; i++) {
        struct slice word = drawn_word(d, i);
        const char *quote = plain(word) ? "" : "\"";

        buf_printf(out, "%s%s", i > 0 ? " " : "", quote);
        text_append_shown(out, word, SHOWN_WORD);
        buf_append_str(out, quote);
    }
}

static bool named(const struct drawn *d, const char *const *names)
{
    for (; d->count > 0 && *names != NULL; names++) {
        if (slice_is(drawn_word(d, 0), *names))
            return true;
    }
    return false;
}

static bool shares_key(const struct drawn *a, const struct drawn *b, int i)
{
    for (int j = 0; j < b->count; j++) {
        if (b->words[j].kind == WORD_KEY && slice_eq(drawn_word(a, i), drawn_word(b, j)))
            return true;
    }
    return false;
}

bool drawn_related(const struct drawn *d, const struct drawn *earlier)
{
    static const char *const everywhere[] = {"flushall", "flushdb", "swapdb", "config", NULL};
    static const char *const connection[] = {"select", "reset", "hello", NULL};
    bool has_key = false;

    if (named(earlier, everywhere) ||
        (d->connection == earlier->connection && named(earlier, connection)))
        return true;
    for (int i = 0; i < d->count; i++) {
        if (d->words[i].kind != WORD_KEY)
            continue;
        has_key = true;
        if (shares_key(d, earlier, i))
            return true;
    }
    return !has_key && d->rule == earlier->rule;
}
