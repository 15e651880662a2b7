/* Fields drawn at random, and going over them in small steps: HRANDFIELD, HSCAN. */
#include "base/rng.h"
#include "server/commands/hashes.h"
#include "server/draw_args.h"
#include "server/effects.h"
#include "server/scan_args.h"

/* ---- HRANDFIELD ----------------------------------------------------------------------------- */

static void reply_item(struct call *c, const struct hash_item *item, bool values)
{
    if (values && c->out.resp3)
        reply_array(c, 2);
    reply_bulk(c, item->name);
    if (values)
        reply_bulk(c, item->value);
}

static void begin_items(struct call *c, size_t count, bool values)
{
    reply_array(c, (int64_t)(values && !c->out.resp3 ? count * 2 : count));
}

static void draw_repeatedly(struct call *c, const struct entry *e, uint64_t count, bool values)
{
    struct hash_item item;

    if (!draw_fits(c, count))
        return;
    begin_items(c, count, values);
    while (count--) {
        hash_random(e, &item);
        reply_item(c, &item, values);
    }
}

/* All are looked at; any choice is equally likely. */
static void draw_many(struct call *c, const struct entry *e, size_t count, bool values)
{
    struct hash_walk w = hash_walk(e);
    size_t left = hash_len(e);
    struct hash_item item;

    for (; count && hash_walk_next(&w, &item); left--) {
        if (rng_below(left) < count) {
            reply_item(c, &item, values);
            count--;
        }
    }
}

/* What was drawn already is drawn again. */
static void draw_few(struct call *c, const struct entry *e, size_t count, bool values)
{
    const struct hash_limits unlimited = {64, SIZE_MAX};
    struct entry *drawn = hash_new(SLICE(""));
    struct hash_item item;

    while (count) {
        hash_random(e, &item);
        if (!hash_set(&drawn, item.name, SLICE(""), EXPIRY_NONE, &unlimited))
            continue;
        reply_item(c, &item, values);
        count--;
    }
    effect_discard(c->worker, drawn);
}

static void draw(struct call *c, const struct entry *e, int64_t count, bool values)
{
    size_t there = hash_len(e);

    if (count < 0) {
        draw_repeatedly(c, e, (uint64_t)-count, values);
        return;
    }
    if ((uint64_t)count > there)
        count = (int64_t)there;
    begin_items(c, (size_t)count, values);
    if (!hash_is_packed(e) && (size_t)count < there / DRAW_PART)
        draw_few(c, e, (size_t)count, values);
    else
        draw_many(c, e, (size_t)count, values);
}

/* HRANDFIELD key [count [WITHVALUES]]: fewer than none are drawn anew each time. */
void cmd_hrandfield(struct call *c)
{
    struct hash_item item;
    struct draw_args args;
    struct entry *e;

    if (!draw_args_read(c, "withvalues", &args) || !call_find(c, 1, TYPE_HASH, &e))
        return;
    if (args.counted && e) {
        draw(c, e, args.count, args.with);
    } else if (args.counted) {
        reply_array(c, 0);
    } else if (e) {
        hash_random(e, &item);
        reply_bulk(c, item.name);
    } else {
        reply_null(c);
    }
}

/* ---- HSCAN ---------------------------------------------------------------------------------- */

struct show {
    struct call *call;
    struct scan_args args;
    int64_t shown;
};

static void show_item(const struct hash_item *item, void *opaque)
{
    struct show *s = opaque;

    if (!scan_args_fit(&s->args, item->name))
        return;
    reply_bulk(s->call, item->name);
    if (!s->args.no_values)
        reply_bulk(s->call, item->value);
    s->shown += s->args.no_values ? 1 : 2;
}

/* HSCAN key cursor [MATCH pattern] [COUNT count] [NOVALUES] */
void cmd_hscan(struct call *c)
{
    size_t begin = write_begin(&c->out);
    struct show s = {.call = c};
    uint64_t cursor;
    struct entry *e;

    if (!scan_args_cursor(c, 2, &cursor) || !call_find(c, 1, TYPE_HASH, &e))
        return;
    if (!e) {
        scan_reply_empty(c);
        return;
    }
    if (!scan_args_read(c, 3, SCAN_NO_VALUES, &s.args))
        return;
    cursor = hash_scan(e, cursor, (size_t)s.args.count, show_item, &s);
    scan_reply(c, begin, cursor, s.shown);
}
