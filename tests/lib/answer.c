/*
 * See answer.h. The parser starts anew with every call: a test's replies are short or have few
 * parts.
 */
#include "tests/lib/answer.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct reader {
    const char *at;
    const char *end;
    long state; /* 0 more is needed, -1 no RESP, 1 fine */
};

static struct answer *parse(struct reader *r);

/* The line up to CRLF; NULL when it is not whole. */
static const char *take_line(struct reader *r, size_t *len)
{
    const char *start = r->at, *cr = memmem(start, (size_t)(r->end - start), "\r\n", 2);

    if (cr == NULL) {
        r->state = 0;
        return NULL;
    }
    *len = (size_t)(cr - start);
    r->at = cr + 2;
    return start;
}

static void set_text(struct answer *a, const char *text, size_t len)
{
    a->text = malloc(len + 1);
    if (a->text == NULL)
        abort();
    memcpy(a->text, text, len);
    a->text[len] = '\0';
    a->len = len;
}

static void parse_bulk(struct reader *r, struct answer *a)
{
    if (a->count < 0)
        return;
    if (r->end - r->at < a->count + 2) {
        r->state = 0;
        return;
    }
    if (memcmp(r->at + a->count, "\r\n", 2) != 0) {
        r->state = -1;
        return;
    }
    set_text(a, r->at, (size_t)a->count);
    r->at += a->count + 2;
}

static void parse_items(struct reader *r, struct answer *a, long n)
{
    a->items = calloc((size_t)n + 1, sizeof(*a->items));
    if (a->items == NULL)
        abort();
    for (a->count = 0; a->count < n; a->count++) {
        a->items[a->count] = parse(r);
        if (r->state != 1) {
            a->count += a->items[a->count] != NULL;
            return;
        }
    }
}

static void parse_rest(struct reader *r, struct answer *a, const char *line, size_t len)
{
    a->count = strchr("$=*~>%|", a->type) != NULL ? strtol(line, NULL, 10) : 0;
    if (strchr("+-:,#(_", a->type) != NULL)
        set_text(a, line, len);
    else if (strchr("$=", a->type) != NULL)
        parse_bulk(r, a);
    else if (strchr("*~>", a->type) != NULL && a->count >= 0)
        parse_items(r, a, a->count);
    else if (a->type == '%')
        parse_items(r, a, a->count * 2);
    else if (a->type == '|')
        parse_items(r, a, a->count * 2 + 1);
    else if (a->type != '*')
        r->state = -1;
}

static struct answer *parse(struct reader *r)
{
    struct answer *a;
    const char *line;
    size_t len;

    line = take_line(r, &len);
    if (line == NULL)
        return NULL;
    if (len == 0) {
        r->state = -1;
        return NULL;
    }
    a = calloc(1, sizeof(*a));
    if (a == NULL)
        abort();
    a->type = *line;
    parse_rest(r, a, line + 1, len - 1);
    return a;
}

long answer_parse(const char *bytes, size_t len, struct answer **out)
{
    struct reader r = {bytes, bytes + len, 1};
    struct answer *a = parse(&r);

    if (r.state == 1) {
        *out = a;
        return r.at - bytes;
    }
    answer_free(a);
    return r.state;
}

void answer_free(struct answer *a)
{
    if (a == NULL)
        return;
    for (long i = 0; a->items != NULL && i < a->count; i++)
        answer_free(a->items[i]);
    free(a->items);
    free(a->text);
    free(a);
}

/* ---- the text form ---- */

static void show_byte(FILE *f, unsigned char c)
{
    static const char plain[] = "\n\r\t\\'", names[] = "nrt\\'";
    const char *at = c != '\0' ? strchr(plain, c) : NULL;

    if (at != NULL)
        fprintf(f, "\\%c", names[at - plain]);
    else if (c < 0x80 && isprint(c))
        fputc(c, f);
    else
        fprintf(f, "\\x%02x", c);
}

static void show_quoted(FILE *f, const char *text, size_t len)
{
    fputc('\'', f);
    for (size_t i = 0; i < len; i++)
        show_byte(f, (unsigned char)text[i]);
    fputc('\'', f);
}

static void show(FILE *f, const struct answer *a, int protocol);

static void show_items(FILE *f, const struct answer *a, int protocol, const char *open, char close)
{
    fputs(open, f);
    for (long i = 0; i < a->count; i++) {
        if (i > 0)
            fputc(' ', f);
        show(f, a->items[i], protocol);
    }
    fputc(close, f);
}

static void show_null(FILE *f, const struct answer *a, int protocol)
{
    if (a->type == '_')
        fputs(protocol == 3 ? "nil" : "_", f);
    else if (protocol == 3)
        fprintf(f, "%c-1", a->type);
    else
        fputs(a->type == '$' ? "nil" : "nil*", f);
}

static void show_attribute(FILE *f, const struct answer *a, int protocol)
{
    struct answer pairs = *a;

    pairs.count--;
    show_items(f, &pairs, protocol, "|{", '}');
    fputc(' ', f);
    show(f, a->items[a->count - 1], protocol);
}

static void show(FILE *f, const struct answer *a, int protocol)
{
    if (a->count < 0 || a->type == '_')
        show_null(f, a, protocol);
    else if (a->type == '$')
        show_quoted(f, a->text, a->len);
    else if (a->type == '=' && a->len >= 4) {
        fprintf(f, "=%.4s", a->text);
        show_quoted(f, a->text + 4, a->len - 4);
    } else if (a->type == '%')
        show_items(f, a, protocol, "{", '}');
    else if (a->type == '~')
        show_items(f, a, protocol, "~[", ']');
    else if (a->type == '>')
        show_items(f, a, protocol, ">[", ']');
    else if (a->type == '*')
        show_items(f, a, protocol, "[", ']');
    else if (a->type == '|')
        show_attribute(f, a, protocol);
    else
        fprintf(f, "%c%s", a->type, a->text);
}

char *answer_text(const struct answer *a, int protocol)
{
    char *text = NULL;
    size_t size = 0;
    FILE *f = open_memstream(&text, &size);

    if (f == NULL)
        abort();
    show(f, a, protocol);
    fclose(f);
    return text;
}

struct sortable {
    char *text;
    struct answer *item;
};

static int by_text(const void *a, const void *b)
{
    return strcmp(((const struct sortable *)a)->text, ((const struct sortable *)b)->text);
}

char *answer_text_sorted(const struct answer *a, int protocol)
{
    struct answer sorted = *a;
    size_t n = a->items != NULL ? (size_t)a->count : 0;
    struct sortable *all = calloc(n + 1, sizeof(*all));
    char *text;

    sorted.items = calloc(n + 1, sizeof(*sorted.items));
    if (all == NULL || sorted.items == NULL)
        abort();
    for (size_t i = 0; i < n; i++)
        all[i] = (struct sortable){answer_text(a->items[i], protocol), a->items[i]};
    qsort(all, n, sizeof(*all), by_text);
    for (size_t i = 0; i < n; i++) {
        sorted.items[i] = all[i].item;
        free(all[i].text);
    }
    text = answer_text(&sorted, protocol);
    free(sorted.items);
    free(all);
    return text;
}
