/*
 * Places on earth as numbers of 52 bits, and which of those numbers lie near a place.
 *
 * Longitude and latitude are halved 26 times each, and their bits interleaved, so that cells which
 * share leading bits are near each other: a cell of `step` halvings is a range of numbers, and a
 * search is a look into the ranges of the cell around its centre and of that cell's neighbours.
 * The numbers are the scores of a sorted set; an ordinary one may be read as places too.
 */
#ifndef LK_STORAGE_GEOHASH_H
#define LK_STORAGE_GEOHASH_H

#include <stdbool.h>
#include <stdint.h>

enum { GEO_TEXT_LEN = 11, GEO_RANGES_MAX = 9 };

#define GEO_LON_MAX 180.0
#define GEO_LAT_MAX 85.05112878 /* where Web Mercator's square map ends */

struct geo_point {
    double lon, lat; /* degrees */
};

/* Where to look: a circle, or a rectangle along the parallels and meridians. */
struct geo_shape {
    struct geo_point center;
    bool is_box;
    double radius;        /* of a circle */
    double width, height; /* of a rectangle */
    double unit;          /* metres in one of what the lengths are given in */
};

/* Scores from min to before max. */
struct geo_range {
    double min, max;
};

static inline bool geo_point_valid(struct geo_point p)
{
    return p.lon >= -GEO_LON_MAX && p.lon <= GEO_LON_MAX && p.lat >= -GEO_LAT_MAX &&
           p.lat <= GEO_LAT_MAX;
}

/* The number of a valid place. */
double geo_score(struct geo_point p);
/* The middle of the smallest cell with that number; some valid place for any score. */
struct geo_point geo_place(double score);
/* The customary text of a valid place, with latitudes up to the poles; no NUL. */
void geo_text(struct geo_point p, char out[GEO_TEXT_LEN]);

/* In metres, on a sphere. */
double geo_distance(struct geo_point a, struct geo_point b);
/* Whether the place is within, and how many metres from the centre. */
bool geo_within(const struct geo_shape *s, struct geo_point p, double *distance);

/*
 * All places of the shape are in these ranges, which are disjoint but for huge shapes, and in the
 * order in which they are to be searched. Returns how many.
 */
int geo_ranges(const struct geo_shape *s, struct geo_range out[GEO_RANGES_MAX]);

#endif
