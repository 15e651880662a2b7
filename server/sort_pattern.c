/* See sort_pattern.h. */
#include "server/sort_pattern.h"

#include "storage/type_hash.h"

/* What is in front of the first NUL. */
static struct slice marks(struct slice text)
{
    return slice_make(text.ptr, strnlen(text.ptr, text.len));
}

static const char *find_place(struct slice text)
{
    struct slice s = marks(text);

    return memchr(s.ptr, '*', s.len);
}

bool sort_pattern_varies(struct slice text)
{
    return find_place(text) != NULL;
}

/* The arrow behind the place, with something behind itself; NULL if there is none. */
static const char *find_arrow(struct slice text, const char *place)
{
    struct slice s = marks(text);
    const char *end = s.ptr + s.len;

    for (const char *at = place + 1; end - at > 2; at++) {
        if (at[0] == '-' && at[1] == '>')
            return at;
    }
    return NULL;
}

struct sort_pattern sort_pattern(struct slice text)
{
    struct sort_pattern p = {.is_element = slice_eq(marks(text), SLICE("#"))};
    const char *place = find_place(text), *end = text.ptr + text.len, *arrow;

    p.is_nothing = !place;
    if (!place)
        return p;
    arrow = find_arrow(text, place);
    p.before = slice_make(text.ptr, (size_t)(place - text.ptr));
    p.behind = slice_make(place + 1, (size_t)((arrow ? arrow : end) - place - 1));
    if (arrow)
        p.field = slice_make(arrow + 2, (size_t)(end - arrow - 2));
    return p;
}

bool sort_pattern_find(struct call *c, const struct sort_pattern *p, struct slice element,
                       struct buf *name, char digits[NUM_INT_MAX], struct slice *out)
{
    struct entry *e;

    *out = element;
    if (p->is_element || p->is_nothing)
        return p->is_element;
    name->len = 0;
    buf_append_slice(name, p->before);
    buf_append_slice(name, element);
    buf_append_slice(name, p->behind);
    e = call_find_named(c, buf_slice(name));
    if (!e || e->type != (p->field.len ? TYPE_HASH : TYPE_STRING))
        return false;
    if (p->field.len)
        return hash_get(e, p->field, digits, out);
    *out = call_string(e, digits);
    return true;
}
