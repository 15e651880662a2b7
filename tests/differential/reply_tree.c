/* See reply_tree.h. */
#include "tests/differential/reply_tree.h"

#include <stdlib.h>

#include "base/mem.h"

struct header {
    char type;
    struct slice line; /* behind the type */
    size_t len;        /* with the line's end */
    long long number;  /* of types that have one */
};

static long read_header(struct slice bytes, struct header *h)
{
    const char *end = bytes.len > 0 ? memchr(bytes.ptr, '\n', bytes.len) : NULL;

    if (end == NULL)
        return REPLY_PARTIAL;
    h->type = bytes.ptr[0];
    h->len = (size_t)(end - bytes.ptr) + 1;
    if (h->len < 3 || end[-1] != '\r')
        return REPLY_BROKEN;
    h->line = slice_make(bytes.ptr + 1, h->len - 3);
    h->number = strtoll(h->line.ptr, NULL, 10);
    return (long)h->len;
}

static bool holds_bytes(char type)
{
    return strchr("$=!", type) != NULL;
}

/* How many replies lie within this one. An attribute has the reply that it is about behind it. */
static size_t inner_count(const struct header *h)
{
    size_t n = h->number > 0 ? (size_t)h->number : 0;

    switch (h->type) {
    case '*':
    case '~':
    case '>':
        return n;
    case '%':
        return 2 * n;
    case '|':
        return 2 * n + 1;
    default:
        return 0;
    }
}

static long flat_length(struct slice bytes, struct header *h)
{
    long len = read_header(bytes, h);

    if (len < 0)
        return len;
    if (strchr("+-:$*_,#!=(%~>|", h->type) == NULL || h->type == '\0')
        return REPLY_BROKEN;
    if (!holds_bytes(h->type) || h->number < 0)
        return len;
    len += h->number + 2;
    return (size_t)len <= bytes.len ? len : REPLY_PARTIAL;
}

long reply_length(struct slice bytes)
{
    size_t at = 0, missing = 1;

    while (missing > 0) {
        struct header h;
        long len = flat_length(slice_make(bytes.ptr + at, bytes.len - at), &h);

        if (len < 0)
            return len;
        at += (size_t)len;
        missing += inner_count(&h) - 1;
    }
    return (long)at;
}

static void parse_into(struct slice bytes, struct reply *r)
{
    struct header h;
    size_t at = (size_t)flat_length(bytes, &h);
    bool nil = h.type == '_' || (h.number < 0 && strchr("$*", h.type) != NULL);

    r->type = nil ? '_' : h.type;
    r->text =
        holds_bytes(h.type) && !nil ? slice_make(bytes.ptr + h.len, (size_t)h.number) : h.line;
    r->count = inner_count(&h);
    r->items = mem_zalloc((r->count + 1) * sizeof(*r));
    for (size_t i = 0; i < r->count; i++) {
        parse_into(slice_make(bytes.ptr + at, bytes.len - at), &r->items[i]);
        at += r->items[i].whole.len;
    }
    r->whole = slice_make(bytes.ptr, at);
}

struct reply *reply_parse(struct slice bytes)
{
    struct reply *r = mem_zalloc(sizeof(*r));

    parse_into(bytes, r);
    return r;
}

static void release(struct reply *r)
{
    for (size_t i = 0; i < r->count; i++)
        release(&r->items[i]);
    mem_free(r->items);
}

void reply_free(struct reply *r)
{
    release(r);
    mem_free(r);
}
