/*
 * Places as numbers, see geohash.h. Clients see all digits of what is computed here, so the order
 * of floating-point operations is a part of the interface.
 */
#include "storage/geohash.h"

#include "base/compiler.h"

#include <math.h>

enum { STEP_MAX = 26, TEXT_BITS = 5 };

#define EARTH_RADIUS 6372797.560856 /* metres */
#define MERCATOR_MAX 20037726.37    /* half of the map's width */
#define DEGREE (M_PI / 180.0)

struct cell {
    uint32_t x, y; /* which one, from the west and from the south */
    int step;
};

struct area {
    double west, east, south, north; /* degrees */
};

static double radians(double degrees)
{
    return degrees * DEGREE;
}

static double degrees(double rad)
{
    return rad / DEGREE;
}

/* ---- numbers --------------------------------------------------------------------------------- */

/* The bits of v at the even places. */
static uint64_t spread(uint32_t v)
{
    uint64_t b = v;

    b = (b | b << 16) & 0x0000ffff0000ffff;
    b = (b | b << 8) & 0x00ff00ff00ff00ff;
    b = (b | b << 4) & 0x0f0f0f0f0f0f0f0f;
    b = (b | b << 2) & 0x3333333333333333;
    return (b | b << 1) & 0x5555555555555555;
}

static uint32_t gather(uint64_t b)
{
    b &= 0x5555555555555555;
    b = (b | b >> 1) & 0x3333333333333333;
    b = (b | b >> 2) & 0x0f0f0f0f0f0f0f0f;
    b = (b | b >> 4) & 0x00ff00ff00ff00ff;
    b = (b | b >> 8) & 0x0000ffff0000ffff;
    return (uint32_t)(b | b >> 16);
}

static uint64_t cell_bits(struct cell c)
{
    return spread(c.y) | spread(c.x) << 1;
}

/* The outermost east and north belong to a cell beyond the last. */
static struct cell cell_at(struct geo_point p, double lat_max, int step)
{
    double x = (p.lon + GEO_LON_MAX) / (2 * GEO_LON_MAX);
    double y = (p.lat + lat_max) / (2 * lat_max);
    double cells = (double)(1u << step);

    return (struct cell){(uint32_t)(x * cells), (uint32_t)(y * cells), step};
}

static struct area cell_area(struct cell c)
{
    double cells = (double)((uint64_t)1 << c.step);

    return (struct area){
        .west = -GEO_LON_MAX + c.x / cells * (2 * GEO_LON_MAX),
        .east = -GEO_LON_MAX + (c.x + 1.0) / cells * (2 * GEO_LON_MAX),
        .south = -GEO_LAT_MAX + c.y / cells * (2 * GEO_LAT_MAX),
        .north = -GEO_LAT_MAX + (c.y + 1.0) / cells * (2 * GEO_LAT_MAX),
    };
}

/* Any score as 64 bits; what is no whole number of so many is made one as x86 does it. */
static uint64_t score_bits(double score)
{
    if (score >= 0)
        return score < 0x1p64 ? (uint64_t)score : 0;
    return score > -0x1p63 ? (uint64_t)(int64_t)score : (uint64_t)1 << 63;
}

double geo_score(struct geo_point p)
{
    return (double)cell_bits(cell_at(p, GEO_LAT_MAX, STEP_MAX));
}

static double bounded(double v, double max)
{
    return v > max ? max : v < -max ? -max : v;
}

struct geo_point geo_place(double score)
{
    uint64_t bits = score_bits(score);
    struct area a = cell_area((struct cell){gather(bits >> 1), gather(bits), STEP_MAX});

    return (struct geo_point){bounded((a.west + a.east) / 2, GEO_LON_MAX),
                              bounded((a.south + a.north) / 2, GEO_LAT_MAX)};
}

/* 52 bits are ten letters and a bit of the eleventh, which is left out. */
void geo_text(struct geo_point p, char out[GEO_TEXT_LEN])
{
    static const char letters[] = "0123456789bcdefghjkmnpqrstuvwxyz";
    uint64_t bits = cell_bits(cell_at(p, 90, STEP_MAX));

    for (int i = 0; i < GEO_TEXT_LEN - 1; i++)
        out[i] = letters[bits >> (2 * STEP_MAX - (i + 1) * TEXT_BITS) & 31];
    out[GEO_TEXT_LEN - 1] = letters[0];
}

/* ---- distances ------------------------------------------------------------------------------- */

static double distance_north(double a, double b)
{
    return EARTH_RADIUS * fabs(radians(b) - radians(a));
}

/* The haversine formula. */
double geo_distance(struct geo_point a, struct geo_point b)
{
    double v = sin((radians(b.lon) - radians(a.lon)) / 2);
    double from = radians(a.lat), to = radians(b.lat), u;

    if (v == 0.0)
        return distance_north(a.lat, b.lat);
    u = sin((to - from) / 2);
    return 2.0 * EARTH_RADIUS * asin(sqrt(u * u + cos(from) * cos(to) * v * v));
}

static bool within_box(const struct geo_shape *s, struct geo_point p, double *distance)
{
    struct geo_point beside = {s->center.lon, p.lat};

    if (distance_north(p.lat, s->center.lat) > s->height * s->unit / 2 ||
        geo_distance(p, beside) > s->width * s->unit / 2)
        return false;
    *distance = geo_distance(s->center, p);
    return true;
}

bool geo_within(const struct geo_shape *s, struct geo_point p, double *distance)
{
    if (s->is_box)
        return within_box(s, p, distance);
    *distance = geo_distance(s->center, p);
    return !(*distance > s->radius * s->unit);
}

/* ---- ranges ---------------------------------------------------------------------------------- */

static double reach(const struct geo_shape *s)
{
    double w = s->width / 2, h = s->height / 2;

    return (s->is_box ? sqrt(w * w + h * h) : s->radius) * s->unit;
}

/* What the shape can touch; meridians are taken on the parallel nearer to its pole. */
static struct area bounds(const struct geo_shape *s)
{
    double half_height = s->unit * (s->is_box ? s->height / 2 : s->radius);
    double half_width = s->unit * (s->is_box ? s->width / 2 : s->radius);
    double up = degrees(half_height / EARTH_RADIUS);
    double lat = s->center.lat < 0 ? s->center.lat - up : s->center.lat + up;
    double aside = degrees(half_width / EARTH_RADIUS / cos(radians(lat)));

    return (struct area){s->center.lon - aside, s->center.lon + aside, s->center.lat - up,
                         s->center.lat + up};
}

/* The step at which a cell and its neighbours hold everything within that reach, mostly. */
static int estimated_step(double metres, double lat)
{
    int step = 1;

    if (metres == 0)
        return STEP_MAX;
    while (metres < MERCATOR_MAX) {
        metres *= 2;
        step++;
    }
    step -= 2;
    if (fabs(lat) > 66)
        step--;
    if (fabs(lat) > 80)
        step--;
    return step < 1 ? 1 : step > STEP_MAX ? STEP_MAX : step;
}

/* Around the world in both directions. */
static struct cell neighbour(struct cell c, int dx, int dy)
{
    uint32_t mask = (1u << c.step) - 1;

    if (dx)
        c.x = (c.x + (uint32_t)dx) & mask;
    if (dy)
        c.y = (c.y + (uint32_t)dy) & mask;
    return c;
}

/* Whether the cell and its neighbours on the four sides reach as far as the shape does. */
static bool covers(struct cell c, const struct area *b)
{
    return cell_area(neighbour(c, 0, 1)).north >= b->north &&
           cell_area(neighbour(c, 0, -1)).south <= b->south &&
           cell_area(neighbour(c, 1, 0)).east >= b->east &&
           cell_area(neighbour(c, -1, 0)).west <= b->west;
}

/* Nothing that is in reach can be on that side of the cell. */
static bool needless(const struct area *a, const struct area *b, int dx, int dy)
{
    return (dy < 0 && a->south < b->south) || (dy > 0 && a->north > b->north) ||
           (dx < 0 && a->west < b->west) || (dx > 0 && a->east > b->east);
}

static struct geo_range range_of(struct cell c)
{
    uint64_t bits = cell_bits(c);
    int shift = 2 * (STEP_MAX - c.step);

    return (struct geo_range){(double)(bits << shift), (double)((bits + 1) << shift)};
}

int geo_ranges(const struct geo_shape *s, struct geo_range out[GEO_RANGES_MAX])
{
    static const struct {
        int dx, dy;
    } order[GEO_RANGES_MAX] = {{0, 0}, {0, 1},  {0, -1}, {1, 0},  {-1, 0},
                               {1, 1}, {-1, 1}, {1, -1}, {-1, -1}};
    struct area b = bounds(s), a;
    int step = estimated_step(reach(s), s->center.lat), n = 0;
    struct cell c = cell_at(s->center, GEO_LAT_MAX, step);

    if (step > 1 && !covers(c, &b))
        c = cell_at(s->center, GEO_LAT_MAX, --step);
    a = cell_area(c);
    for (unsigned i = 0; i < COUNT_OF(order); i++) {
        if (step >= 2 && needless(&a, &b, order[i].dx, order[i].dy))
            continue;
        out[n] = range_of(neighbour(c, order[i].dx, order[i].dy));
        /* Of the largest cells there are so few that neighbours are the same. */
        if (n < 2 || out[n].min != out[n - 1].min)
            n++;
    }
    return n;
}
