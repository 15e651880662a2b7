/* Sorted sets: ranges by rank, by score and by member, to be told, counted, stored or removed. */
#include "server/reply.h"
#include "server/zset_args.h"

/* ---- the options of ZRANGE and its kin ------------------------------------------------------- */

struct range_query {
    int key; /* the bounds are the two arguments behind it */
    bool by_given, direction_given;
    enum zset_range_by by;
    bool backwards;
    bool with_scores;
    bool store;
    int64_t offset, limit;
    struct zset_range range;
};

static bool read_way(const struct call *c, int i, struct range_query *q)
{
    if (!q->direction_given && call_arg_is(c, i, "rev"))
        return q->backwards = q->direction_given = true;
    if (!q->by_given && call_arg_is(c, i, "bylex")) {
        q->by = ZSET_RANGE_MEMBER;
        return q->by_given = true;
    }
    if (!q->by_given && call_arg_is(c, i, "byscore")) {
        q->by = ZSET_RANGE_SCORE;
        return q->by_given = true;
    }
    return false;
}

static bool read_options(struct call *c, struct range_query *q)
{
    for (int i = q->key + 3; i < c->argc; i++) {
        if (!q->store && call_arg_is(c, i, "withscores")) {
            q->with_scores = true;
        } else if (call_arg_is(c, i, "limit") && c->argc - i > 2) {
            if (!call_int(c, i + 1, &q->offset) || !call_int(c, i + 2, &q->limit))
                return false;
            i += 2;
        } else if (!read_way(c, i, q)) {
            return call_syntax_error(c);
        }
    }
    return true;
}

static bool options_agree(struct call *c, const struct range_query *q)
{
    if (q->limit != -1 && q->by == ZSET_RANGE_RANK) {
        reply_error(c, "ERR syntax error, LIMIT is only supported in combination with either "
                       "BYSCORE or BYLEX");
        return false;
    }
    if (q->with_scores && q->by == ZSET_RANGE_MEMBER) {
        reply_error(c, "ERR syntax error, WITHSCORES not supported in combination with BYLEX");
        return false;
    }
    return true;
}

/* Backwards a range by score or member begins with its upper end. */
static bool read_query(struct call *c, struct range_query *q)
{
    bool turned;

    if (!read_options(c, q) || !options_agree(c, q))
        return false;
    turned = q->backwards && q->by != ZSET_RANGE_RANK;
    return zset_range_read(c, q->by, q->key + (turned ? 2 : 1), q->key + (turned ? 1 : 2),
                           &q->range);
}

/* What LIMIT leaves of a range, in the direction of the query. */
static struct zset_span limited(const struct range_query *q, struct zset_span span)
{
    uint64_t len = span.to - span.from, offset = (uint64_t)q->offset, count;

    if (q->by == ZSET_RANGE_RANK)
        return span;
    if (q->offset < 0 || offset >= len)
        return (struct zset_span){0};
    count = len - offset;
    if (q->limit >= 0 && (uint64_t)q->limit < count)
        count = (uint64_t)q->limit;
    if (q->backwards)
        return (struct zset_span){span.to - offset - count, span.to - offset};
    return (struct zset_span){span.from + offset, span.from + offset + count};
}

/* Of an entry that may be missing. */
static struct zset_span find_span(const struct entry *e, const struct range_query *q)
{
    if (!e)
        return (struct zset_span){0};
    return limited(q, zset_range_find(e, &q->range, q->backwards));
}

static void iterate(struct zset_iter *it, const struct entry *e, struct zset_span span,
                    bool backwards)
{
    zset_iter_begin(it, e, backwards ? span.to - 1 : span.from, backwards);
}

static void reply_span(struct call *c, const struct entry *e, const struct range_query *q,
                       struct zset_span span)
{
    uint64_t len = span.to - span.from;
    struct zset_iter it;

    reply_array(c, (int64_t)(q->with_scores && !c->out.resp3 ? len * 2 : len));
    if (!len)
        return;
    iterate(&it, e, span, q->backwards);
    while (len-- && zset_iter_next(&it)) {
        if (q->with_scores && c->out.resp3)
            reply_array(c, 2);
        reply_bulk(c, it.member);
        if (q->with_scores)
            reply_double(c, it.score);
    }
}

static void range(struct call *c, struct range_query q)
{
    struct entry *e;

    q.key = 1;
    q.limit = -1;
    if (read_query(c, &q) && call_find(c, 1, TYPE_ZSET, &e))
        reply_span(c, e, &q, find_span(e, &q));
}

/* ZRANGE key start stop [BYSCORE | BYLEX] [REV] [LIMIT offset count] [WITHSCORES] */
void cmd_zrange(struct call *c)
{
    range(c, (struct range_query){.by = ZSET_RANGE_RANK});
}

/* ZREVRANGE key start stop [WITHSCORES] */
void cmd_zrevrange(struct call *c)
{
    range(c,
          (struct range_query){
              .by = ZSET_RANGE_RANK, .by_given = true, .backwards = true, .direction_given = true});
}

/* ZRANGEBYSCORE key min max [WITHSCORES] [LIMIT offset count] */
void cmd_zrangebyscore(struct call *c)
{
    range(c,
          (struct range_query){.by = ZSET_RANGE_SCORE, .by_given = true, .direction_given = true});
}

/* ZREVRANGEBYSCORE key max min [WITHSCORES] [LIMIT offset count] */
void cmd_zrevrangebyscore(struct call *c)
{
    range(c, (struct range_query){.by = ZSET_RANGE_SCORE,
                                  .by_given = true,
                                  .backwards = true,
                                  .direction_given = true});
}

/* ZRANGEBYLEX key min max [LIMIT offset count] */
void cmd_zrangebylex(struct call *c)
{
    range(c,
          (struct range_query){.by = ZSET_RANGE_MEMBER, .by_given = true, .direction_given = true});
}

/* ZREVRANGEBYLEX key max min [LIMIT offset count] */
void cmd_zrevrangebylex(struct call *c)
{
    range(c, (struct range_query){.by = ZSET_RANGE_MEMBER,
                                  .by_given = true,
                                  .backwards = true,
                                  .direction_given = true});
}

/* ---- storing --------------------------------------------------------------------------------- */

/*
 * Whether a further member would still be packed if they were added one by one: while they are, a
 * zero has no sign.
 */
static bool fits_packed(const struct zset_builder *b, const struct zset_limits *limits,
                        struct slice member)
{
    return b->n < (uint64_t)limits->members && member.len <= (uint64_t)limits->member_len;
}

static void gather_span(struct call *c, const struct entry *e, const struct range_query *q,
                        struct zset_span span, struct zset_builder *b)
{
    struct zset_limits limits = zset_limits_of(c->conf);
    uint64_t left = span.to - span.from;
    bool packed = q->by != ZSET_RANGE_RANK || left <= (uint64_t)limits.members;
    struct zset_iter it;

    iterate(&it, e, span, q->backwards);
    while (left-- && zset_iter_next(&it)) {
        packed = packed && fits_packed(b, &limits, it.member);
        zset_builder_add(b, it.member, packed && it.score == 0 ? 0 : it.score);
    }
}

/* ZRANGESTORE dst src min max [BYSCORE | BYLEX] [REV] [LIMIT offset count] */
void cmd_zrangestore(struct call *c)
{
    struct range_query q = {.key = 2, .by = ZSET_RANGE_RANK, .store = true, .limit = -1};
    struct zset_builder b = {0};
    struct zset_span span;
    struct entry *e;

    if (!read_query(c, &q) || !call_find(c, 2, TYPE_ZSET, &e))
        return;
    span = find_span(e, &q);
    if (span.from < span.to)
        gather_span(c, e, &q, span, &b);
    zset_store(c, 1, &b, EVENT_ZRANGESTORE);
}

/* ---- counting -------------------------------------------------------------------------------- */

static void count(struct call *c, enum zset_range_by by)
{
    struct zset_range range;
    struct zset_span span;
    struct entry *e;

    if (!zset_range_read(c, by, 2, 3, &range) || !call_find(c, 1, TYPE_ZSET, &e))
        return;
    span = e ? zset_range_find(e, &range, false) : (struct zset_span){0};
    reply_int(c, (int64_t)(span.to - span.from));
}

/* ZCOUNT key min max */
void cmd_zcount(struct call *c)
{
    count(c, ZSET_RANGE_SCORE);
}

/* ZLEXCOUNT key min max */
void cmd_zlexcount(struct call *c)
{
    count(c, ZSET_RANGE_MEMBER);
}

/* ---- removing -------------------------------------------------------------------------------- */

static void touch_span(struct call *c, const struct entry *e, struct zset_span span)
{
    struct zset_iter it;

    if (LIKELY(!keyvalue_wanted(c->server)))
        return;
    zset_iter_begin(&it, e, span.from, false);
    while (span.from++ < span.to && zset_iter_next(&it))
        call_touched(c, 1, it.member);
}

static void remove_range(struct call *c, enum zset_range_by by, enum key_event event)
{
    struct zset_range range;
    struct zset_span span = {0};
    struct entry *e;

    if (!zset_range_read(c, by, 2, 3, &range) || !call_find_write(c, 1, TYPE_ZSET, &e))
        return;
    if (e)
        span = zset_range_find(e, &range, false);
    reply_int(c, (int64_t)(span.to - span.from));
    if (span.from == span.to)
        return;
    touch_span(c, e, span);
    if (span.to - span.from == zset_len(e)) {
        call_changed(c, 1, event);
        call_emptied(c, 1);
        return;
    }
    call_moved(c, 1, zset_remove_span(e, span));
    call_changed(c, 1, event);
}

/* ZREMRANGEBYRANK key start stop */
void cmd_zremrangebyrank(struct call *c)
{
    remove_range(c, ZSET_RANGE_RANK, EVENT_ZREMRANGEBYRANK);
}

/* ZREMRANGEBYSCORE key min max */
void cmd_zremrangebyscore(struct call *c)
{
    remove_range(c, ZSET_RANGE_SCORE, EVENT_ZREMRANGEBYSCORE);
}

/* ZREMRANGEBYLEX key min max */
void cmd_zremrangebylex(struct call *c)
{
    remove_range(c, ZSET_RANGE_MEMBER, EVENT_ZREMRANGEBYLEX);
}
