/* Sorted sets: members drawn at random, and members some at a time. */
#include "base/mem.h"
#include "base/rng.h"
#include "server/reply.h"
#include "server/scan_args.h"
#include "server/zset_args.h"

enum {
    /* Of more than a part in so many of a sorted set all members are gone over. */
    DRAW_PART = 3,
    REPEATED_MAX = 1 << 27, /* members of one reply, where a sorted set could give any number */
};

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

    if (n > REPEATED_MAX) {
        reply_error(c, "ERR value is out of range");
        return;
    }
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

static bool read_count(struct call *c, int64_t *count, bool *with_scores)
{
    if (!call_int(c, 2, count))
        return false;
    if (*count == INT64_MIN) {
        reply_error(c, "ERR value is out of range, value must between -9223372036854775807 and "
                       "9223372036854775807");
        return false;
    }
    *with_scores = c->argc == 4 && call_arg_is(c, 3, "withscores");
    if (c->argc > 3 && !*with_scores)
        return call_syntax_error(c);
    if (*with_scores && (*count < -(INT64_MAX / 2) || *count > INT64_MAX / 2)) {
        reply_error(c, "ERR value is out of range");
        return false;
    }
    return true;
}

/* ZRANDMEMBER key [count [WITHSCORES]] */
void cmd_zrandmember(struct call *c)
{
    bool with_scores = false;
    int64_t count = 1;
    struct entry *e;

    if ((c->argc > 2 && !read_count(c, &count, &with_scores)) || !call_find(c, 1, TYPE_ZSET, &e))
        return;
    if (e && c->argc > 2)
        draw(c, e, count, with_scores);
    else if (e)
        reply_rank(c, e, rng_below(zset_len(e)), false);
    else if (c->argc > 2)
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
