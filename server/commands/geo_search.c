/* Places near a place: GEOSEARCH and GEOSEARCHSTORE, and the older GEORADIUS forms. */
#include "base/mem.h"
#include "base/ordering.h"
#include "server/geo_args.h"
#include "server/reply.h"
#include "server/zset_args.h"

struct hit {
    size_t name; /* where the member's bytes begin */
    size_t name_len;
    double score, distance; /* in metres */
    struct geo_point place;
};

struct hits {
    struct hit *v;
    size_t len, cap;
    struct buf names;
};

static void hits_release(struct hits *h)
{
    mem_free(h->v);
    buf_release(&h->names);
}

static struct slice hit_member(const struct hits *h, const struct hit *hit)
{
    return slice_make(h->names.ptr + hit->name, hit->name_len);
}

/* ---- searching ------------------------------------------------------------------------------- */

static void add_hit(struct hits *h, const struct zset_iter *it, struct geo_point place,
                    double distance)
{
    if (h->len == h->cap) {
        h->cap = h->cap ? h->cap * 2 : 32;
        h->v = mem_realloc(h->v, h->cap * sizeof(*h->v));
    }
    h->v[h->len++] = (struct hit){h->names.len, it->member.len, it->score, distance, place};
    buf_append_slice(&h->names, it->member);
}

static bool enough(const struct geo_search *s, const struct hits *h)
{
    return s->any && h->len >= (size_t)s->count;
}

static void search_range(const struct geo_search *s, const struct entry *e, struct geo_range r,
                         struct hits *out)
{
    struct zset_cut min = {.by = ZSET_BY_SCORE, .score = r.min};
    struct zset_cut max = {.by = ZSET_BY_SCORE, .score = r.max};
    struct zset_span span = zset_between(e, &min, &max, false);
    struct zset_iter it;
    double distance;

    if (span.from >= span.to)
        return;
    zset_iter_begin(&it, e, span.from, false);
    for (uint64_t left = span.to - span.from; left && !enough(s, out); left--) {
        struct geo_point place;

        zset_iter_next(&it);
        place = geo_place(it.score);
        if (geo_within(&s->shape, place, &distance))
            add_hit(out, &it, place, distance);
    }
}

static void search(const struct geo_search *s, const struct entry *e, struct hits *out)
{
    struct geo_range ranges[GEO_RANGES_MAX];
    int n = geo_ranges(&s->shape, ranges);

    for (int i = 0; i < n && !enough(s, out); i++)
        search_range(s, e, ranges[i], out);
}

/* ---- order ----------------------------------------------------------------------------------- */

static int nearer(const void *a, const void *b, void *arg)
{
    double x = ((const struct hit *)a)->distance, y = ((const struct hit *)b)->distance;
    int sign = (x > y) - (x < y);

    return *(const enum geo_order *)arg == GEO_NEAREST ? sign : -sign;
}

/* The first `wanted` of the hits, in the order that was asked for; the caller frees the array. */
static void **in_order(const struct geo_search *s, const struct hits *h, size_t wanted)
{
    enum geo_order order = s->order;
    void **v = mem_alloc((h->len + 1) * sizeof(*v));

    for (size_t i = 0; i < h->len; i++)
        v[i] = &h->v[i];
    if (order == GEO_UNSORTED && s->count && !s->any)
        order = GEO_NEAREST;
    if (order == GEO_UNSORTED || !wanted)
        return v;
    if (wanted == h->len)
        ordering_sort(v, h->len, nearer, &order);
    else
        ordering_sort_part(v, h->len, 0, wanted - 1, nearer, &order);
    return v;
}

/* ---- results --------------------------------------------------------------------------------- */

/* A score that is no place may be too large for an integer; then it is the least, as on x86. */
static int64_t score_int(double score)
{
    if (score < 0)
        return score > -0x1p63 ? (int64_t)score : INT64_MIN;
    return score < 0x1p63 ? (int64_t)score : INT64_MIN;
}

static void reply_hit(struct call *c, const struct geo_search *s, const struct hits *h,
                      const struct hit *hit)
{
    int extras = s->with_distance + s->with_hash + s->with_place;

    if (extras)
        reply_array(c, 1 + extras);
    reply_bulk(c, hit_member(h, hit));
    if (s->with_distance)
        geo_reply_distance(c, hit->distance / s->shape.unit);
    if (s->with_hash)
        reply_int(c, score_int(hit->score));
    if (s->with_place)
        geo_reply_place(c, hit->place);
}

static struct entry *as_zset(struct call *c, const struct geo_search *s, const struct hits *h,
                             void *const *v, size_t n)
{
    struct zset_limits limits = zset_limits_of(c->conf);
    const struct hit *first = v[0];
    struct entry *e = zset_new(call_arg(c, s->store), first->name_len, &limits);

    for (size_t i = 0; i < n; i++) {
        const struct hit *hit = v[i];
        double score = s->store_distance ? hit->distance / s->shape.unit : hit->score;

        e = zset_add(e, hit_member(h, hit), score, &limits);
    }
    return e;
}

static void store(struct call *c, const struct geo_search *s, const struct hits *h, void *const *v,
                  size_t n)
{
    if (!n) {
        call_emptied(c, s->store);
    } else {
        call_put(c, s->store, as_zset(c, s, h, v, n));
        call_changed(c, s->store,
                     s->form == GEO_SEARCH ? EVENT_GEOSEARCHSTORE : EVENT_GEORADIUSSTORE);
        call_counts_as(c, (int64_t)n);
    }
    reply_int(c, (int64_t)n);
}

static void finish(struct call *c, const struct geo_search *s, const struct hits *h)
{
    size_t n = s->count && (uint64_t)s->count < h->len ? (size_t)s->count : h->len;
    void **v = in_order(s, h, n);

    if (s->store) {
        store(c, s, h, v, n);
    } else {
        reply_array(c, (int64_t)n);
        for (size_t i = 0; i < n; i++)
            reply_hit(c, s, h, v[i]);
    }
    mem_free(v);
}

static void run(struct call *c, struct geo_search *s)
{
    struct hits h = {0};
    struct entry *e;

    if (!call_find(c, s->source, TYPE_ZSET, &e) || !geo_args_read(c, s, e))
        return;
    if (e)
        search(s, e, &h);
    finish(c, s, &h);
    hits_release(&h);
}

/* ---- commands -------------------------------------------------------------------------------- */

/*
 * GEOSEARCH key FROMMEMBER member | FROMLONLAT lon lat
 *     BYRADIUS radius unit | BYBOX width height unit
 *     [ASC | DESC] [COUNT n [ANY]] [WITHCOORD] [WITHDIST] [WITHHASH]
 */
void cmd_geosearch(struct call *c)
{
    run(c, &(struct geo_search){.form = GEO_SEARCH, .source = 1});
}

/* GEOSEARCHSTORE destination source … [STOREDIST], as above. */
void cmd_geosearchstore(struct call *c)
{
    run(c, &(struct geo_search){.form = GEO_SEARCH, .source = 2, .store = 1});
}

/*
 * GEORADIUS key lon lat radius unit [WITHCOORD] [WITHDIST] [WITHHASH] [COUNT n [ANY]]
 *     [ASC | DESC] [STORE key | STOREDIST key]
 */
void cmd_georadius(struct call *c)
{
    run(c, &(struct geo_search){.form = GEO_RADIUS, .source = 1});
}

void cmd_georadius_ro(struct call *c)
{
    run(c, &(struct geo_search){.form = GEO_RADIUS, .source = 1, .read_only = true});
}

/* GEORADIUSBYMEMBER key member radius unit …, as above. */
void cmd_georadiusbymember(struct call *c)
{
    run(c, &(struct geo_search){.form = GEO_BY_MEMBER, .source = 1});
}

void cmd_georadiusbymember_ro(struct call *c)
{
    run(c, &(struct geo_search){.form = GEO_BY_MEMBER, .source = 1, .read_only = true});
}
