/* Sorted sets: members and their scores. Ranges, pops and algebra are in files of their own. */
#include "base/mem.h"
#include "server/reply.h"
#include "server/zset_args.h"

#include <math.h>

/* ---- ZADD, ZINCRBY --------------------------------------------------------------------------- */

struct add_options {
    bool nx, xx, gt, lt, ch, incr;
    int pairs_at;
    int pairs;
};

struct add_counts {
    uint64_t added, updated;
    bool processed; /* the last one was not left alone */
    double score;   /* of the last one */
};

static bool read_option(const struct call *c, int i, struct add_options *o)
{
    const struct {
        const char *word;
        bool *set;
    } words[] = {{"nx", &o->nx}, {"xx", &o->xx}, {"gt", &o->gt},
                 {"lt", &o->lt}, {"ch", &o->ch}, {"incr", &o->incr}};

    for (size_t k = 0; k < COUNT_OF(words); k++) {
        if (call_arg_is(c, i, words[k].word))
            return *words[k].set = true;
    }
    return false;
}

static bool options_agree(struct call *c, const struct add_options *o)
{
    const char *error = NULL;

    if (o->nx && o->xx)
        error = "ERR XX and NX options at the same time are not compatible";
    else if ((o->nx && (o->gt || o->lt)) || (o->gt && o->lt))
        error = "ERR GT, LT, and/or NX options at the same time are not compatible";
    else if (o->incr && o->pairs > 1)
        error = "ERR INCR option supports a single increment-element pair";
    if (error)
        reply_error(c, "%s", error);
    return !error;
}

static bool read_add_options(struct call *c, struct add_options *o)
{
    int i = 2;

    /* No option begins with a digit: most calls end here. */
    while (i < c->argc && call_arg(c, i).len && call_arg(c, i).ptr[0] > '9' && read_option(c, i, o))
        i++;
    o->pairs_at = i;
    o->pairs = (c->argc - i) / 2;
    if (!o->pairs || (c->argc - i) % 2)
        return call_syntax_error(c);
    return options_agree(c, o);
}

/* One member, which was looked for; false if its score would be none, which is answered. */
static bool add_one(struct call *c, const struct add_options *o, struct entry **e,
                    const struct zset_spot *spot, double score, struct add_counts *n)
{
    struct zset_limits limits = zset_limits_of(c->conf);

    n->processed = false;
    n->score = score;
    if (spot->found ? o->nx : o->xx)
        return true;
    if (spot->found && o->incr) {
        n->score = score += spot->score;
        if (isnan(score)) {
            reply_error(c, "ERR resulting score is not a number (NaN)");
            return false;
        }
    }
    if (spot->found && ((o->lt && score >= spot->score) || (o->gt && score <= spot->score)))
        return true;
    n->processed = true;
    if (spot->found && score == spot->score)
        return true;
    *e = zset_put(*e, spot, score, &limits);
    call_touched(c, 1, spot->member);
    *(spot->found ? &n->updated : &n->added) += 1;
    return true;
}

static bool add_all(struct call *c, const struct add_options *o, struct entry **e,
                    const double *scores, struct add_counts *n)
{
    struct zset_spot spot;

    for (int k = 0; k < o->pairs; k++) {
        zset_seek(*e, call_arg(c, o->pairs_at + k * 2 + 1), &spot);
        if (!add_one(c, o, e, &spot, scores[k], n))
            return false;
    }
    return true;
}

static void reply_added(struct call *c, const struct add_options *o, const struct add_counts *n)
{
    if (!o->incr)
        reply_int(c, (int64_t)(o->ch ? n->added + n->updated : n->added));
    else if (n->processed)
        reply_double(c, n->score);
    else
        reply_null(c);
}

/* With the scores at hand. */
static void add_scored(struct call *c, const struct add_options *o, const double *scores)
{
    struct zset_limits limits = zset_limits_of(c->conf);
    struct add_counts n = {0};
    struct entry *e, *found;

    if (!call_find_write(c, 1, TYPE_ZSET, &found))
        return;
    if (!found && o->xx) {
        reply_added(c, o, &n);
        return;
    }
    e = found ? found : zset_new(call_arg(c, 1), call_arg(c, o->pairs_at + 1).len, &limits);
    if (add_all(c, o, &e, scores, &n))
        reply_added(c, o, &n);
    if (found)
        call_moved(c, 1, e);
    else
        call_put(c, 1, e);
    if (n.added || n.updated)
        call_changed(c, 1, o->incr ? EVENT_ZINCR : EVENT_ZADD);
}

static void add(struct call *c, struct add_options *o)
{
    enum { QUICK = 16 };
    double quick[QUICK], *scores = quick;
    bool right = true;

    if (!read_add_options(c, o))
        return;
    if (o->pairs > QUICK)
        scores = mem_alloc((size_t)o->pairs * sizeof(*scores));
    for (int k = 0; k < o->pairs && right; k++)
        right = call_double(c, o->pairs_at + k * 2, &scores[k]);
    if (right)
        add_scored(c, o, scores);
    if (scores != quick)
        mem_free(scores);
}

/* ZADD key [NX | XX] [GT | LT] [CH] [INCR] score member [score member ...] */
void cmd_zadd(struct call *c)
{
    struct add_options o = {0};

    add(c, &o);
}

/* ZINCRBY key increment member */
void cmd_zincrby(struct call *c)
{
    struct add_options o = {.incr = true};

    add(c, &o);
}

/* ---- ZREM ------------------------------------------------------------------------------------ */

/* ZREM key member [member ...] */
void cmd_zrem(struct call *c)
{
    struct zset_spot spot;
    struct entry *e;
    int64_t removed = 0;

    if (!call_find_write(c, 1, TYPE_ZSET, &e))
        return;
    for (int i = 2; e && i < c->argc && zset_len(e); i++) {
        zset_seek(e, call_arg(c, i), &spot);
        if (!spot.found)
            continue;
        e = zset_remove(e, &spot);
        call_touched(c, 1, spot.member);
        removed++;
    }
    reply_int(c, removed);
    if (!removed)
        return;
    call_moved(c, 1, e);
    call_changed(c, 1, EVENT_ZREM);
    if (!zset_len(e))
        call_emptied(c, 1);
}

/* ---- reading --------------------------------------------------------------------------------- */

/* ZCARD key */
void cmd_zcard(struct call *c)
{
    struct entry *e;

    if (call_find(c, 1, TYPE_ZSET, &e))
        reply_int(c, e ? (int64_t)zset_len(e) : 0);
}

static void reply_score(struct call *c, const struct entry *e, int member)
{
    double score;

    if (e && zset_score(e, call_arg(c, member), &score))
        reply_double(c, score);
    else
        reply_null(c);
}

/* ZSCORE key member */
void cmd_zscore(struct call *c)
{
    struct entry *e;

    if (call_find(c, 1, TYPE_ZSET, &e))
        reply_score(c, e, 2);
}

/* ZMSCORE key member [member ...] */
void cmd_zmscore(struct call *c)
{
    struct entry *e;

    if (!call_find(c, 1, TYPE_ZSET, &e))
        return;
    reply_array(c, c->argc - 2);
    for (int i = 2; i < c->argc; i++)
        reply_score(c, e, i);
}

/* The option WITHSCORE, which alone may follow. */
static bool with_score(struct call *c, bool *with)
{
    *with = c->argc == 4 && call_arg_is(c, 3, "withscore");
    if (c->argc <= 4)
        return c->argc == 3 || *with || call_syntax_error(c);
    reply_error(c, "ERR wrong number of arguments for '%s' command", c->cmd->full_name);
    return false;
}

static void reply_rank(struct call *c, bool backwards)
{
    struct zset_spot spot = {0};
    struct entry *e;
    uint64_t rank;
    bool with;

    if (!with_score(c, &with) || !call_find(c, 1, TYPE_ZSET, &e))
        return;
    if (e)
        zset_seek(e, call_arg(c, 2), &spot);
    if (!spot.found) {
        if (with)
            reply_null_array(c);
        else
            reply_null(c);
        return;
    }
    rank = zset_rank(e, &spot);
    if (with)
        reply_array(c, 2);
    reply_int(c, (int64_t)(backwards ? zset_len(e) - 1 - rank : rank));
    if (with)
        reply_double(c, spot.score);
}

/* ZRANK key member [WITHSCORE] */
void cmd_zrank(struct call *c)
{
    reply_rank(c, false);
}

/* ZREVRANK key member [WITHSCORE] */
void cmd_zrevrank(struct call *c)
{
    reply_rank(c, true);
}
