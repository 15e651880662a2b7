/* See iterate.h. */
#include "tests/differential/iterate.h"

#include <stdlib.h>

#include "base/mem.h"
#include "tests/differential/reply_tree.h"
#include "tests/differential/rules.h"

enum { ROUNDS_MAX = 100000 };

struct finds {
    struct buf *items;
    size_t count, space;
};

static void add_find(struct finds *f, struct slice item)
{
    if (f->count == f->space) {
        f->space = f->space * 2 + 64;
        f->items = mem_realloc(f->items, f->space * sizeof(*f->items));
    }
    f->items[f->count] = (struct buf){0};
    buf_append_slice(&f->items[f->count++], item);
}

static int by_content(const void *a, const void *b)
{
    return slice_cmp(buf_slice(a), buf_slice(b));
}

static void append_sorted_once(struct buf *out, struct finds *f)
{
    struct slice last = {NULL, 0};

    if (f->count > 0)
        qsort(f->items, f->count, sizeof(*f->items), by_content);
    for (size_t i = 0; i < f->count; i++) {
        struct slice item = buf_slice(&f->items[i]);

        if (i == 0 || !slice_eq(item, last)) {
            buf_append_slice(out, item);
            buf_append_char(out, '\n');
        }
        last = item;
    }
}

/*
 * Adds the elements of one reply and takes its cursor; false at the end, or if it is no such
 * reply.
 */
static bool take_round(struct slice reply, struct finds *f, struct buf *cursor)
{
    struct reply *r = reply.len > 0 ? reply_parse(reply) : NULL;
    bool more = false;

    if (r != NULL && r->count == 2) {
        for (size_t i = 0; i < r->items[1].count; i++)
            add_find(f, r->items[1].items[i].text);
        cursor->len = 0;
        buf_append_slice(cursor, r->items[0].text);
        more = !slice_eq(buf_slice(cursor), SLICE("0"));
    }
    if (r != NULL)
        reply_free(r);
    return more;
}

static struct slice ask(struct twin *t, const struct drawn *d)
{
    struct buf out = {0};
    struct slice reply = {"", 0};

    drawn_encode(d, &out);
    if (twin_send(t, d->connection, buf_slice(&out)))
        twin_read(t, d->connection, 1, &reply);
    buf_release(&out);
    return reply;
}

/* SCAN cursor …, SSCAN key cursor … */
static int cursor_at(const struct drawn *d)
{
    return slice_is(drawn_word(d, 0), "scan") ? 1 : 2;
}

static void iterate(struct twin *t, const struct drawn *d, struct slice reply, struct buf *found)
{
    struct drawn next = {0};
    struct finds f = {0};
    struct buf cursor = {0};
    int rounds = 0;

    drawn_copy(&next, d);
    while (take_round(reply, &f, &cursor) && rounds++ < ROUNDS_MAX) {
        drawn_replace(&next, cursor_at(d), buf_slice(&cursor), WORD_VALUE);
        reply = ask(t, &next);
    }
    buf_append_str(found, rounds < ROUNDS_MAX ? "" : "(endless)\n");
    append_sorted_once(found, &f);
    for (size_t i = 0; i < f.count; i++)
        buf_release(&f.items[i]);
    mem_free(f.items);
    buf_release(&cursor);
    drawn_release(&next);
}

static void look_up(struct twin *t, const struct drawn *d, struct slice reply, struct buf *found)
{
    struct reply *r = reply_parse(reply);
    struct drawn exists = {.connection = d->connection};

    if (r->type == '$') {
        drawn_add(&exists, SLICE("EXISTS"), WORD_LITERAL);
        drawn_add(&exists, r->text, WORD_KEY);
        buf_append_slice(found, ask(t, &exists));
    }
    drawn_release(&exists);
    reply_free(r);
}

void iterate_rest(struct twin *t, const struct drawn *d, struct slice reply, struct buf *found)
{
    if (reply.len == 0 || reply_is_error(reply))
        return;
    if (d->rule->how == ONE_KEY)
        look_up(t, d, reply, found);
    else if (slice_eq(drawn_word(d, cursor_at(d)), SLICE("0")))
        iterate(t, d, reply, found);
}
