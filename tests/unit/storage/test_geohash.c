/* storage/geohash: against halving by hand, another formula of distance, and searches of all. */
#include "storage/geohash.h"

#include "base/compiler.h"
#include "base/rng.h"
#include "tests/lib/tap.h"

#include <math.h>
#include <string.h>

enum { PLACES = 20000, SHAPES = 3000, STEPS = 26 };

static double uniform(double low, double high)
{
    return low + (high - low) * ((double)rng_below(1ull << 53) / 0x1p53);
}

static struct geo_point random_place(void)
{
    return (struct geo_point){uniform(-GEO_LON_MAX, GEO_LON_MAX),
                              uniform(-GEO_LAT_MAX, GEO_LAT_MAX)};
}

/* Which half, 52 times, east or west first. */
static uint64_t halved(struct geo_point p)
{
    double low[2] = {-GEO_LON_MAX, -GEO_LAT_MAX}, high[2] = {GEO_LON_MAX, GEO_LAT_MAX};
    double at[2] = {p.lon, p.lat};
    uint64_t bits = 0;

    for (int i = 0; i < 2 * STEPS; i++) {
        double middle = (low[i % 2] + high[i % 2]) / 2;
        bool upper = at[i % 2] >= middle;

        bits = bits << 1 | upper;
        *(upper ? &low[i % 2] : &high[i % 2]) = middle;
    }
    return bits;
}

static void test_numbers(void)
{
    int wrong = 0, far = 0, drift = 0;

    for (int i = 0; i < PLACES; i++) {
        struct geo_point p = random_place(), q = geo_place(geo_score(p));

        wrong += geo_score(p) != (double)halved(p);
        far += geo_distance(p, q) > 0.6;
        drift += geo_score(q) != geo_score(p);
    }
    is_int(wrong, 0, "the number of a place is that of its halves");
    is_int(far, 0, "a number's place is less than 60 cm off");
    is_int(drift, 0, "a number's place has that number");
}

static void test_corners(void)
{
    static const struct geo_point corners[] = {
        {GEO_LON_MAX, GEO_LAT_MAX}, {-GEO_LON_MAX, GEO_LAT_MAX}, {GEO_LON_MAX, -GEO_LAT_MAX}};
    static const double scores[] = {-INFINITY, INFINITY, -1, -1e300, 1e300, 0x1p63, 0x1p64, 0.5};

    is_int((long long)geo_score((struct geo_point){-GEO_LON_MAX, -GEO_LAT_MAX}), 0,
           "the first number is in the south-west");
    for (size_t i = 0; i < COUNT_OF(corners); i++)
        ok(geo_point_valid(geo_place(geo_score(corners[i]))), "corner %zu is a place", i);
    for (size_t i = 0; i < COUNT_OF(scores); i++)
        ok(geo_point_valid(geo_place(scores[i])), "%g is the number of a place", scores[i]);
    ok(!geo_point_valid((struct geo_point){0, 85.06}), "no place is near the pole");
    ok(!geo_point_valid((struct geo_point){-180.01, 0}), "no place is beyond the date line");
}

static void test_text(void)
{
    char text[GEO_TEXT_LEN + 1] = "";

    geo_text((struct geo_point){13.361389, 38.115556}, text);
    is_str(text, "sqc8b49rny0", "Palermo");
    geo_text((struct geo_point){-5.60302734375, 42.60498046875}, text);
    ok(memcmp(text, "ezs42", 5) == 0, "Leon begins with ezs42");
}

/* By the angle between vectors. */
static double distance_of_vectors(struct geo_point a, struct geo_point b)
{
    double r = M_PI / 180, x1 = cos(a.lat * r) * cos(a.lon * r),
           x2 = cos(b.lat * r) * cos(b.lon * r);
    double y1 = cos(a.lat * r) * sin(a.lon * r), y2 = cos(b.lat * r) * sin(b.lon * r);
    double z1 = sin(a.lat * r), z2 = sin(b.lat * r);
    double cross =
        sqrt(pow(y1 * z2 - z1 * y2, 2) + pow(z1 * x2 - x1 * z2, 2) + pow(x1 * y2 - y1 * x2, 2));

    return 6372797.560856 * atan2(cross, x1 * x2 + y1 * y2 + z1 * z2);
}

static void test_distances(void)
{
    int wrong = 0;

    for (int i = 0; i < PLACES; i++) {
        struct geo_point a = random_place(), b = random_place();

        if (rng_below(4) == 0)
            b.lon = a.lon;
        wrong += fabs(geo_distance(a, b) - distance_of_vectors(a, b)) > 0.1;
    }
    is_int(wrong, 0, "distances are those of another formula");
}

static struct geo_shape random_shape(double largest)
{
    return (struct geo_shape){.center = {uniform(-170, 170), uniform(-75, 75)},
                              .is_box = rng_below(2),
                              .radius = pow(10, uniform(0, largest)) / 2,
                              .width = pow(10, uniform(0, largest)),
                              .height = pow(10, uniform(0, largest)),
                              .unit = 1};
}

static bool in_ranges(const struct geo_range *r, int n, double score)
{
    for (int i = 0; i < n; i++) {
        if (score >= r[i].min && score < r[i].max)
            return true;
    }
    return false;
}

/* A place of which it is not unlikely that the shape holds it. */
static struct geo_point place_near(const struct geo_shape *s)
{
    double reach = (s->is_box ? fmax(s->width, s->height) / 2 : s->radius) / 111000;
    struct geo_point p = {s->center.lon + uniform(-reach, reach) / cos(s->center.lat * M_PI / 180),
                          s->center.lat + uniform(-reach, reach)};

    return geo_point_valid(p) ? p : s->center;
}

/* Shapes of up to 500 km that do not reach over the date line or the map's edge. */
static void test_ranges(void)
{
    int missed = 0, held = 0, overlaps = 0;

    for (int i = 0; i < SHAPES; i++) {
        struct geo_shape s = random_shape(5.7);
        struct geo_range r[GEO_RANGES_MAX];
        int n = geo_ranges(&s, r);

        for (int k = 0; k < 30; k++) {
            double score = geo_score(place_near(&s)), distance;

            if (geo_within(&s, geo_place(score), &distance)) {
                held++;
                missed += !in_ranges(r, n, score);
            }
        }
        for (int a = 0; a < n; a++) {
            for (int b = 0; b < a; b++)
                overlaps += r[a].min < r[b].max && r[b].min < r[a].max;
        }
    }
    ok(held > SHAPES * 5, "%d places were in the shapes", held);
    is_int(missed, 0, "all of them are in the shapes' ranges");
    is_int(overlaps, 0, "ranges do not overlap");
}

static void test_within(void)
{
    struct geo_shape circle = {.center = {15, 37}, .radius = 200, .unit = 1000};
    struct geo_shape box = {
        .center = {15, 37}, .is_box = true, .width = 400, .height = 100, .unit = 1000};
    double distance = 0;

    ok(geo_within(&circle, (struct geo_point){13.361389, 38.115556}, &distance), "in a circle");
    ok(fabs(distance - 190442) < 2, "how far it is");
    ok(!geo_within(&circle, (struct geo_point){12.361389, 38.115556}, &distance), "not in it");
    ok(!geo_within(&box, (struct geo_point){13.361389, 38.115556}, &distance), "not in a box");
    ok(geo_within(&box, (struct geo_point){13.361389, 37.3}, &distance), "in a box");
    ok(!geo_within(&box, (struct geo_point){12.361389, 37.3}, &distance), "beside a box");
}

int main(void)
{
    uint64_t seed = rng_entropy();

    diag("seed %llu", (unsigned long long)seed);
    rng_seed(seed);
    test_numbers();
    test_corners();
    test_text();
    test_distances();
    test_ranges();
    test_within();
    return tap_done();
}
