/* See trail.h. */
#include "tests/differential/trail.h"

#include <ctype.h>
#include <stdio.h>

#include "base/mem.h"
#include "tests/lib/tap.h"

enum { SHOWN_REPLY = 600, SHOWN_BEFORE = 40, RELATED_MAX = 10, REPORTS_PER_NAME = 3 };

void trail_init(struct trail *t)
{
    memset(t, 0, sizeof(*t));
    t->ring = mem_zalloc(TRAIL_LEN * sizeof(*t->ring));
}

void trail_release(struct trail *t)
{
    for (int i = 0; i < TRAIL_LEN; i++)
        drawn_release(&t->ring[i]);
    mem_free(t->ring);
}

void trail_add(struct trail *t, const struct drawn *d)
{
    drawn_copy(&t->ring[t->added++ % TRAIL_LEN], d);
}

/* How many reports the command had before; the name's slot is made. */
static int count_report(struct trail *t, const struct drawn *d)
{
    struct slice name = d->count > 0 ? drawn_word(d, 0) : SLICE("");
    char key[32];
    int i = 0;

    snprintf(key, sizeof(key), "%.*s", (int)name.len, name.ptr);
    for (char *c = key; *c != '\0'; c++)
        *c = (char)tolower((unsigned char)*c);
    while (i < TRAIL_NAMES - 1 && t->names[i].count > 0 && strcmp(t->names[i].name, key) != 0)
        i++;
    memcpy(t->names[i].name, key, sizeof(key));
    return t->names[i].count++;
}

static void show_command(const char *label, const struct drawn *d)
{
    struct buf line = {0};

    drawn_append_shown(d, &line);
    diag("  %s #%lu, connection %d: %.*s", label, d->index, d->connection, (int)line.len, line.ptr);
    buf_release(&line);
}

static size_t first_difference(struct slice a, struct slice b)
{
    size_t i = 0;

    while (i < a.len && i < b.len && a.ptr[i] == b.ptr[i])
        i++;
    return i;
}

/* Long replies are shown from a little before the place where they part. */
static void show_reply(const char *label, struct slice reply, size_t parts_at)
{
    size_t skip = parts_at > SHOWN_BEFORE && reply.len > SHOWN_REPLY ? parts_at - SHOWN_BEFORE : 0;
    struct buf line = {0};

    text_append_shown(&line, slice_make(reply.ptr + skip, reply.len - skip), SHOWN_REPLY);
    if (skip > 0)
        diag("  %s from byte %zu: %.*s", label, skip, (int)line.len, line.ptr);
    else
        diag("  %s %.*s", label, (int)line.len, line.ptr);
    buf_release(&line);
}

static void show_related(const struct trail *t, const struct drawn *d)
{
    unsigned long oldest = t->added > TRAIL_LEN ? t->added - TRAIL_LEN : 0;
    const struct drawn *found[RELATED_MAX];
    int n = 0;

    for (unsigned long i = t->added; i > oldest && n < RELATED_MAX; i--) {
        const struct drawn *earlier = &t->ring[(i - 1) % TRAIL_LEN];

        if (earlier->index < d->index && drawn_related(d, earlier))
            found[n++] = earlier;
    }
    while (n > 0)
        show_command("before", found[--n]);
}

void trail_report(struct trail *t, const char *where, const struct drawn *d,
                  struct difference found)
{
    size_t parts_at = first_difference(found.oracle, found.tested);

    t->differences++;
    if (count_report(t, d) >= REPORTS_PER_NAME)
        return;
    diag("difference %d (%s), %s", t->differences, found.what, where);
    show_command("command", d);
    show_reply("  oracle:", found.oracle, parts_at);
    show_reply("  tested:", found.tested, parts_at);
    show_related(t, d);
}
