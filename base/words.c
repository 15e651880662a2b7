/* Splitting a line into words and quoting one, see words.h. */
#include "base/words.h"

#include "base/mem.h"

#include <ctype.h>

struct cursor {
    const char *at, *end;
};

static bool at_blank(const struct cursor *c)
{
    return c->at == c->end || isspace((unsigned char)*c->at);
}

static int hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Behind a backslash in double quotes. */
static char read_escape(struct cursor *c)
{
    static const char letters[] = "nrtba", meanings[] = "\n\r\t\b\a";
    const char *found;

    if (*c->at == 'x' && c->end - c->at >= 3 && hex_value(c->at[1]) >= 0 &&
        hex_value(c->at[2]) >= 0) {
        c->at += 3;
        return (char)(hex_value(c->at[-2]) << 4 | hex_value(c->at[-1]));
    }
    found = strchr(letters, *c->at);
    c->at++;
    return found ? meanings[found - letters] : c->at[-1];
}

/* Behind the opening quote; false if there is no proper end. */
static bool read_quoted(struct cursor *c, char quote, struct buf *out)
{
    while (c->at < c->end && *c->at != quote) {
        if (*c->at != '\\' || c->end - c->at < 2) {
            buf_append_char(out, *c->at++);
        } else if (quote == '"') {
            c->at++;
            buf_append_char(out, read_escape(c));
        } else {
            c->at += c->at[1] == '\'';
            buf_append_char(out, *c->at++);
        }
    }
    if (c->at == c->end)
        return false;
    c->at++;
    return at_blank(c);
}

static bool read_word(struct cursor *c, struct buf *out)
{
    while (!at_blank(c)) {
        char ch = *c->at++;

        if (ch == '"' || ch == '\'')
            return read_quoted(c, ch, out);
        buf_append_char(out, ch);
    }
    return true;
}

static void push(struct words *w, size_t start)
{
    if (w->len == w->cap) {
        w->cap = w->cap ? w->cap * 2 : 8;
        w->items = mem_realloc(w->items, w->cap * sizeof(*w->items));
    }
    w->items[w->len++] = slice_make(w->text.ptr + start, w->text.len - start);
}

bool words_split(struct words *out, struct slice line)
{
    const char *nul = line.len ? memchr(line.ptr, 0, line.len) : NULL;
    struct cursor c = {line.ptr, nul ? nul : line.ptr + line.len};

    out->len = out->text.len = 0;
    /* No word is longer than what it is read from, so that the slices stay where they are. */
    buf_reserve(&out->text, line.len + 1);
    for (;;) {
        size_t start = out->text.len;

        while (c.at < c.end && at_blank(&c))
            c.at++;
        if (c.at == c.end)
            return true;
        if (!read_word(&c, &out->text))
            return false;
        push(out, start);
    }
}

void words_release(struct words *w)
{
    mem_free(w->items);
    buf_release(&w->text);
    *w = (struct words){0};
}

void words_quote(struct buf *out, struct slice s)
{
    static const char special[] = "\\\"\n\r\t\a\b", letters[] = "\\\"nrtab";

    buf_append_char(out, '"');
    for (size_t i = 0; i < s.len; i++) {
        char c = s.ptr[i];
        const char *found = c ? strchr(special, c) : NULL;

        if (found)
            buf_printf(out, "\\%c", letters[found - special]);
        else if (isprint((unsigned char)c))
            buf_append_char(out, c);
        else
            buf_printf(out, "\\x%02x", (unsigned char)c);
    }
    buf_append_char(out, '"');
}
