/* Places: members of sorted sets whose scores say where they are, see storage/geohash.h. */
#include "base/mem.h"
#include "server/geo_args.h"
#include "server/reply.h"
#include "server/zset_args.h"

/* ---- GEOADD ---------------------------------------------------------------------------------- */

struct add {
    bool nx, xx, ch;
    int first; /* longitude, latitude, member … from this argument on */
    int count;
};

static bool read_add(struct call *c, struct add *a)
{
    int i;

    for (i = 2; i < c->argc; i++) {
        if (call_arg_is(c, i, "nx"))
            a->nx = true;
        else if (call_arg_is(c, i, "xx"))
            a->xx = true;
        else if (call_arg_is(c, i, "ch"))
            a->ch = true;
        else
            break;
    }
    a->first = i;
    a->count = (c->argc - i) / 3;
    return (a->count && (c->argc - i) % 3 == 0 && !(a->nx && a->xx)) || call_syntax_error(c);
}

static bool read_scores(struct call *c, const struct add *a, double *scores)
{
    struct geo_point p;

    for (int k = 0; k < a->count; k++) {
        if (!geo_args_place(c, a->first + k * 3, &p))
            return false;
        scores[k] = geo_score(p);
    }
    return true;
}

/* Returns what stands for the entry. */
static struct entry *add_all(struct call *c, const struct add *a, struct entry *e,
                             const double *scores, int64_t *added, int64_t *moved)
{
    struct zset_limits limits = zset_limits_of(c->conf);
    struct zset_spot spot;

    for (int k = 0; k < a->count; k++) {
        zset_seek(e, call_arg(c, a->first + k * 3 + 2), &spot);
        if (spot.found ? a->nx || spot.score == scores[k] : a->xx)
            continue;
        ++*(spot.found ? moved : added);
        e = zset_put(e, &spot, scores[k], &limits);
        call_touched(c, 1, spot.member);
    }
    return e;
}

static void add_scored(struct call *c, const struct add *a, const double *scores)
{
    struct zset_limits limits = zset_limits_of(c->conf);
    int64_t added = 0, moved = 0;
    struct entry *e, *found;

    if (!call_find_write(c, 1, TYPE_ZSET, &found))
        return;
    if (found || !a->xx) {
        e = found ? found : zset_new(call_arg(c, 1), call_arg(c, a->first + 2).len, &limits);
        e = add_all(c, a, e, scores, &added, &moved);
        if (found)
            call_moved(c, 1, e);
        else
            call_put(c, 1, e);
    }
    if (added + moved) {
        call_changed(c, 1, EVENT_ZADD);
        call_counts_as(c, added + moved);
    }
    reply_int(c, a->ch ? added + moved : added);
}

/* GEOADD key [NX | XX] [CH] longitude latitude member [longitude latitude member ...] */
void cmd_geoadd(struct call *c)
{
    struct add a = {0};
    double *scores;

    if (!read_add(c, &a))
        return;
    scores = mem_alloc((size_t)a.count * sizeof(*scores));
    if (read_scores(c, &a, scores))
        add_scored(c, &a, scores);
    mem_free(scores);
}

/* ---- reading --------------------------------------------------------------------------------- */

static bool place_of(const struct entry *e, struct slice member, struct geo_point *out)
{
    double score;

    if (!e || !zset_score(e, member, &score))
        return false;
    *out = geo_place(score);
    return true;
}

/* GEOPOS key [member [member ...]] */
void cmd_geopos(struct call *c)
{
    struct geo_point p;
    struct entry *e;

    if (!call_find(c, 1, TYPE_ZSET, &e))
        return;
    reply_array(c, c->argc - 2);
    for (int i = 2; i < c->argc; i++) {
        if (place_of(e, call_arg(c, i), &p))
            geo_reply_place(c, p);
        else
            reply_null_array(c);
    }
}

/* GEOHASH key [member [member ...]] */
void cmd_geohash(struct call *c)
{
    char text[GEO_TEXT_LEN];
    struct geo_point p;
    struct entry *e;

    if (!call_find(c, 1, TYPE_ZSET, &e))
        return;
    reply_array(c, c->argc - 2);
    for (int i = 2; i < c->argc; i++) {
        if (place_of(e, call_arg(c, i), &p)) {
            geo_text(p, text);
            reply_bulk(c, slice_make(text, sizeof(text)));
        } else {
            reply_null(c);
        }
    }
}

/* GEODIST key member1 member2 [M | KM | FT | MI] */
void cmd_geodist(struct call *c)
{
    struct geo_point a, b;
    struct entry *e;
    double unit = 1;

    if (c->argc > 5) {
        call_syntax_error(c);
        return;
    }
    if ((c->argc == 5 && !geo_args_unit(c, 4, &unit)) || !call_find(c, 1, TYPE_ZSET, &e))
        return;
    if (place_of(e, call_arg(c, 2), &a) && place_of(e, call_arg(c, 3), &b))
        geo_reply_distance(c, geo_distance(a, b) / unit);
    else
        reply_null(c);
}
