/* See geo_args.h. What is found wrong first is a matter of the order in which Redis looks. */
#include "server/geo_args.h"

#include "server/reply.h"
#include "storage/type_zset.h"

#include <math.h>
#include <stdio.h>

/* ---- places and lengths ---------------------------------------------------------------------- */

bool geo_args_place(struct call *c, int i, struct geo_point *out)
{
    if (!call_double(c, i, &out->lon) || !call_double(c, i + 1, &out->lat))
        return false;
    if (geo_point_valid(*out))
        return true;
    reply_error(c, "ERR invalid longitude,latitude pair %f,%f", out->lon, out->lat);
    return false;
}

bool geo_args_unit(struct call *c, int i, double *out)
{
    static const struct {
        const char *name;
        double metres;
    } units[] = {{"m", 1}, {"km", 1000}, {"ft", 0.3048}, {"mi", 1609.34}};

    for (size_t k = 0; k < COUNT_OF(units); k++) {
        if (call_arg_is(c, i, units[k].name)) {
            *out = units[k].metres;
            return true;
        }
    }
    reply_error(c, "ERR unsupported unit provided. please use M, KM, FT, MI");
    return false;
}

static bool read_length(struct call *c, int i, const char *what, double *out)
{
    if (num_parse_double(call_arg(c, i), out))
        return true;
    reply_error(c, "ERR need numeric %s", what);
    return false;
}

static bool read_radius(struct call *c, int i, struct geo_shape *s)
{
    if (!read_length(c, i, "radius", &s->radius))
        return false;
    if (s->radius < 0) {
        reply_error(c, "ERR radius cannot be negative");
        return false;
    }
    return geo_args_unit(c, i + 1, &s->unit);
}

static bool read_box(struct call *c, int i, struct geo_shape *s)
{
    if (!read_length(c, i, "width", &s->width) || !read_length(c, i + 1, "height", &s->height))
        return false;
    if (s->width < 0 || s->height < 0) {
        reply_error(c, "ERR height or width cannot be negative");
        return false;
    }
    s->is_box = true;
    return geo_args_unit(c, i + 2, &s->unit);
}

static bool read_member(struct call *c, int i, const struct entry *e, struct geo_point *out)
{
    double score;

    if (!e)
        return true;
    if (!zset_score(e, call_arg(c, i), &score)) {
        reply_error(c, "ERR could not decode requested zset member");
        return false;
    }
    *out = geo_place(score);
    return true;
}

/* ---- options --------------------------------------------------------------------------------- */

/* What has been said of where and how far. */
struct given {
    bool member, place, radius, box;
};

enum parsed_as { IS_ERROR = -1, IS_NO_OPTION };

static int read_flag(const struct call *c, int i, struct geo_search *s)
{
    const struct {
        const char *word;
        bool *set;
    } flags[] = {{"withdist", &s->with_distance},
                 {"withhash", &s->with_hash},
                 {"withcoord", &s->with_place},
                 {"any", &s->any}};

    for (size_t k = 0; k < COUNT_OF(flags); k++) {
        if (call_arg_is(c, i, flags[k].word)) {
            *flags[k].set = true;
            return 1;
        }
    }
    if (call_arg_is(c, i, "asc"))
        s->order = GEO_NEAREST;
    else if (call_arg_is(c, i, "desc"))
        s->order = GEO_FARTHEST;
    else
        return IS_NO_OPTION;
    return 1;
}

static int read_count(struct call *c, int i, struct geo_search *s)
{
    if (!call_int(c, i + 1, &s->count))
        return IS_ERROR;
    if (s->count > 0)
        return 2;
    reply_error(c, "ERR COUNT must be > 0");
    return IS_ERROR;
}

/* STORE and STOREDIST of GEORADIUS; STOREDIST of GEOSEARCHSTORE. */
static int read_store(const struct call *c, int i, struct geo_search *s)
{
    bool distance = call_arg_is(c, i, "storedist");

    if (s->form == GEO_SEARCH) {
        if (!distance || !s->store)
            return IS_NO_OPTION;
        s->store_distance = true;
        return 1;
    }
    if (i + 1 >= c->argc || s->read_only || (!distance && !call_arg_is(c, i, "store")))
        return IS_NO_OPTION;
    s->store = i + 1;
    s->store_distance = distance;
    return 2;
}

/* Where and how far, for GEOSEARCH. */
static int read_shape(struct call *c, int i, struct geo_search *s, const struct entry *e,
                      struct given *given)
{
    int args = c->argc - i - 1;

    if (call_arg_is(c, i, "frommember") && args >= 1 && !given->place) {
        given->member = true;
        return read_member(c, i + 1, e, &s->shape.center) ? 2 : IS_ERROR;
    }
    if (call_arg_is(c, i, "fromlonlat") && args >= 2 && !given->member) {
        given->place = true;
        return geo_args_place(c, i + 1, &s->shape.center) ? 3 : IS_ERROR;
    }
    if (call_arg_is(c, i, "byradius") && args >= 2 && !given->box) {
        given->radius = true;
        return read_radius(c, i + 1, &s->shape) ? 3 : IS_ERROR;
    }
    if (call_arg_is(c, i, "bybox") && args >= 3 && !given->radius) {
        given->box = true;
        return read_box(c, i + 1, &s->shape) ? 4 : IS_ERROR;
    }
    return IS_NO_OPTION;
}

/* How many arguments the option at i takes, or one of enum parsed_as. */
static int read_option(struct call *c, int i, struct geo_search *s, const struct entry *e,
                       struct given *given)
{
    int n = read_flag(c, i, s);

    if (n == IS_NO_OPTION && call_arg_is(c, i, "count") && i + 1 < c->argc)
        return read_count(c, i, s);
    if (n == IS_NO_OPTION)
        n = read_store(c, i, s);
    if (n == IS_NO_OPTION && s->form == GEO_SEARCH)
        n = read_shape(c, i, s, e, given);
    return n;
}

static bool agrees(struct call *c, const struct geo_search *s, const struct given *given)
{
    bool search = s->form == GEO_SEARCH;
    struct slice name = call_arg(c, 0);

    if (s->store && (s->with_distance || s->with_hash || s->with_place))
        reply_error(c, "ERR %s is not compatible with WITHDIST, WITHHASH and WITHCOORD options",
                    search ? "GEOSEARCHSTORE" : "STORE option in GEORADIUS");
    else if (search && !given->member && !given->place)
        reply_error(c, "ERR exactly one of FROMMEMBER or FROMLONLAT can be specified for %.*s",
                    (int)name.len, name.ptr);
    else if (search && !given->radius && !given->box)
        reply_error(c, "ERR exactly one of BYRADIUS and BYBOX can be specified for %.*s",
                    (int)name.len, name.ptr);
    else if (s->any && !s->count)
        reply_error(c, "ERR the ANY argument requires COUNT argument");
    else
        return true;
    return false;
}

/* What stands before the options; sets where those begin. */
static bool read_head(struct call *c, struct geo_search *s, const struct entry *e, int *options)
{
    switch (s->form) {
    case GEO_RADIUS:
        *options = 6;
        return geo_args_place(c, 2, &s->shape.center) && read_radius(c, 4, &s->shape);
    case GEO_BY_MEMBER:
        *options = 5;
        return !e || (read_member(c, 2, e, &s->shape.center) && read_radius(c, 3, &s->shape));
    case GEO_SEARCH:
        *options = s->source + 1;
        return true;
    }
    return false;
}

bool geo_args_read(struct call *c, struct geo_search *s, const struct entry *e)
{
    struct given given = {0};
    int i, n;

    if (!read_head(c, s, e, &i))
        return false;
    for (; i < c->argc; i += n) {
        n = read_option(c, i, s, e, &given);
        if (n == IS_NO_OPTION)
            return call_syntax_error(c);
        if (n == IS_ERROR)
            return false;
    }
    return agrees(c, s, &given);
}

/* ---- replies --------------------------------------------------------------------------------- */

void geo_reply_place(struct call *c, struct geo_point p)
{
    reply_array(c, 2);
    write_long_double(&c->out, (long double)p.lon);
    write_long_double(&c->out, (long double)p.lat);
}

/* Rounded as a number of ten-thousandths, a half to the even one. */
void geo_reply_distance(struct call *c, double d)
{
    long long n = llrint(d * 10000);
    char text[48];
    int len = snprintf(text, sizeof(text), "%lld.%04lld", n / 10000, n % 10000);

    reply_bulk(c, slice_make(text, (size_t)len));
}
