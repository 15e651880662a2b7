/* Commands that look for keys: KEYS, SCAN, RANDOMKEY. */
#include "server/backend/asker.h"
#include "server/reply.h"
#include "server/scan_args.h"
#include "server/walk.h"
#include "storage/value_types.h"

struct search {
    struct scan_args args;
    int64_t shown;
};

static void show(struct call *c, const struct entry *e, void *opaque)
{
    struct search *s = opaque;

    if ((s->args.type && !slice_is(*s->args.type, value_type_name(e->type))) ||
        !scan_args_fit(&s->args, entry_key(e)))
        return;
    reply_bulk(c, entry_key(e));
    s->shown++;
}

/* KEYS pattern */
void cmd_keys(struct call *c)
{
    struct search s = {.args = scan_args_none()};
    size_t begin = write_begin(&c->out);

    scan_args_pattern(&s.args, call_arg(c, 1));
    if (asker_takes(c, ASKED_KEYS, &s.args, 0))
        return;
    walk_all(c, show, &s);
    write_end_array(&c->out, begin, s.shown);
}

/* RANDOMKEY */
void cmd_randomkey(struct call *c)
{
    struct search s = {.args = scan_args_none()};

    if (asker_takes(c, ASKED_RANDOM, NULL, 0))
        return;
    if (!walk_random(c, show, &s))
        reply_null(c);
}

/* SCAN cursor [MATCH pattern] [COUNT count] [TYPE type] */
void cmd_scan(struct call *c)
{
    struct search s = {0};
    size_t begin = write_begin(&c->out);
    uint64_t cursor;

    if (!scan_args_cursor(c, 1, &cursor) || !scan_args_read(c, 2, SCAN_TYPE, &s.args))
        return;
    if (asker_takes(c, ASKED_SCAN, &s.args, cursor))
        return;
    if (cursor & ASKER_CURSOR_BIT)
        cursor = 0;
    cursor = walk_some(c, cursor, (uint64_t)s.args.count, show, &s);
    scan_reply(c, begin, cursor, s.shown);
}
