/* Sorted sets: members drawn at random, and members some at a time. */
#include "base/mem.h"
#include "base/rng.h"
#include "server/draw_args.h"
#include "server/reply.h"
#include "server/scan_args.h"
#include "server/zset_args.h"

/* ---- ZRANDMEMBER ----------------------------------------------------------------------------- */

static void reply_drawn(struct call *c, const struct zset_iter *it, bool with_scores)
{
    if (with_scores && c->out.resp3)
        reply_array(c, 2);
    reply_bulk(c, it->member);
    if (with_scores)
        reply_double(c, it->score);
}

static void reply_header(struct call *c, uint64_t n, bool with_scores)
{
    reply_array(c, (int64_t)(with_scores && !c->out.resp3 ? n * 2 : n));
}

static void reply_rank(struct call *c, const struct entry *e, uint64_t rank, bool with_scores)
{
    struct zset_iter it;

    zset_iter_begin(&it, e, rank, false);
    zset_iter_next(&it);
    reply_drawn(c, &it, with_scores);
}

static void draw_repeatedly(struct call *c, const struct entry *e, uint64_t n, bool with_scores)
{
    uint64_t len = zset_len(e);

    if (!draw_fits(c, n))
        return;
    reply_header(c, n, with_scores);
    while (n--)
        reply_rank(c, e, rng_below(len), with_scores);
}

/* From the last one down, as Redis does. */
static void draw_all(struct call *c, const struct entry *e, bool with_scores)
{
    uint64_t len = zset_len(e);
    struct zset_iter it;

    reply_header(c, len, with_scores);
    zset_iter_begin(&it, e, len - 1, true);
    while (zset_iter_next(&it))
        reply_drawn(c, &it, with_scores);
}

/* Going over all, each is taken with the chance that makes any choice of `n` equally likely. */
static void draw_many(struct call *c, const struct entry *e, uint64_t n, bool with_scores)
{
    struct zset_iter it;

    reply_header(c, n, with_scores);
    zset_iter_begin(&it, e, 0, false);
    for (uint64_t left = zset_len(e); n && zset_iter_next(&it); left--) {
        if (rng_below(left) < n) {
            reply_drawn(c, &it, with_scores);
            n--;
        }
    }
}

/* Adds a rank to the set of those that were drawn; false if it is in there. */
static bool note_rank(uint64_t *drawn, uint64_t mask, uint64_t rank)
{
    uint64_t at = (rank * 0x9e3779b97f4a7c15) >> 17 & mask;

    for (; drawn[at]; at = (at + 1) & mask) {
        if (drawn[at] == rank + 1)
            return false;
    }
    drawn[at] = rank + 1;
    return true;
}

/* What was drawn already is drawn again. */
static void draw_few(struct call *c, const struct entry *e, uint64_t n, bool with_scores)
{
    uint64_t len = zset_len(e), slots = 16;
    uint64_t *drawn;

    while (slots < n * 2)
        slots *= 2;
    drawn = mem_zalloc(slots * sizeof(*drawn));
    reply_header(c, n, with_scores);
    while (n) {
        uint64_t rank = rng_below(len);

        if (!note_rank(drawn, slots - 1, rank))
            continue;
        reply_rank(c, e, rank, with_scores);
        n--;
    }
    mem_free(drawn);
}

static void draw(struct call *c, const struct entry *e, int64_t count, bool with_scores)
{
    uint64_t len = zset_len(e), n = (uint64_t)count;

    if (count < 0)
        draw_repeatedly(c, e, 0 - n, with_scores);
    else if (n >= len)
        draw_all(c, e, with_scores);
    else if (e->form == FORM_OUTSIDE && n < len / DRAW_PART)
        draw_few(c, e, n, with_scores);
    else
        draw_many(c, e, n, with_scores);
}

/* ZRANDMEMBER key [count [WITHSCORES]] */
void cmd_zrandmember(struct call *c)
{
    struct draw_args args;
    struct entry *e;

    if (!draw_args_read(c, "withscores", &args) || !call_find(c, 1, TYPE_ZSET, &e))
        return;
    if (e && args.counted)
        draw(c, e, args.count, args.with);
    else if (e)
        reply_rank(c, e, rng_below(zset_len(e)), false);
    else if (args.counted)
        reply_array(c, 0);
    else
        reply_null(c);
}

/* ---- ZSCAN ----------------------------------------------------------------------------------- */

struct show {
    struct call *call;
    struct scan_args args;
    int64_t shown;
    bool packed;
};

/* Texts, also where there are doubles; and whole numbers have all their digits if packed. */
static void reply_score(const struct show *s, double score)
{
    const double whole_max = (double)(INT64_MAX / 2);
    char text[64];

    if (s->packed && score >= -whole_max && score <= whole_max && score == (double)(int64_t)score)
        write_bulk_int(&s->call->out, (int64_t)score);
    else
        reply_bulk(s->call, slice_make(text, num_format_double(text, sizeof(text), score)));
}

static void show_member(struct slice member, double score, void *opaque)
{
    struct show *s = opaque;

    if (!scan_args_fit(&s->args, member))
        return;
    reply_bulk(s->call, member);
    reply_score(s, score);
    s->shown += 2;
}

/* ZSCAN key cursor [MATCH pattern] [COUNT count] */
void cmd_zscan(struct call *c)
{
    size_t begin = write_begin(&c->out);
    struct show s = {.call = c};
    uint64_t cursor;
    struct entry *e;

    if (!scan_args_cursor(c, 2, &cursor) || !call_find(c, 1, TYPE_ZSET, &e))
        return;
    if (!e) {
        scan_reply_empty(c);
        return;
    }
    if (!scan_args_read(c, 3, 0, &s.args))
        return;
    s.packed = e->form != FORM_OUTSIDE;
    cursor = zset_scan(e, cursor, (uint64_t)s.args.count, show_member, &s);
    scan_reply(c, begin, cursor, s.shown);
}
