/* server/locks/deadlines: the first is the first, whatever is put in, moved and taken out. */
#include "server/locks/deadlines.h"

#include "base/rng.h"
#include "tests/lib/tap.h"

enum { ITEMS = 200, STEPS = 100000 };

static struct deadline items[ITEMS];

static int64_t least(void)
{
    int64_t at = DEADLINE_NEVER;

    for (int i = 0; i < ITEMS; i++) {
        if (items[i].place && items[i].at_us < at)
            at = items[i].at_us;
    }
    return at;
}

static uint32_t count(void)
{
    uint32_t n = 0;

    for (int i = 0; i < ITEMS; i++)
        n += items[i].place != 0;
    return n;
}

/* Each knows its place, and none is before what stands above it. */
static bool is_sound(const struct deadlines *d)
{
    for (uint32_t i = 0; i < d->len; i++) {
        if (d->v[i]->place != i + 1 || (i && d->v[(i - 1) / 2]->at_us > d->v[i]->at_us))
            return false;
    }
    return d->len == count();
}

static void step(struct deadlines *d, uint64_t range)
{
    struct deadline *item = &items[rng_below(ITEMS)];

    if (rng_below(3))
        deadlines_set(d, item, (int64_t)rng_below(range));
    else
        deadlines_remove(d, item);
}

static void run(uint64_t seed)
{
    struct deadlines d = {0};
    int wrong = 0;

    rng_seed(seed);
    for (int i = 0; i < STEPS; i++) {
        step(&d, i < STEPS / 2 ? 50 : 1000000);
        wrong += deadlines_next(&d) != least();
        if (i % 1000 == 0)
            wrong += !is_sound(&d);
    }
    is_int(wrong, 0, "seed %llu", (unsigned long long)seed);
    while (deadlines_first(&d))
        deadlines_remove(&d, deadlines_first(&d));
    is_int(count(), 0, "all are out");
    ok(deadlines_next(&d) == DEADLINE_NEVER, "and none is next");
    deadlines_release(&d);
}

int main(void)
{
    run(1);
    run(rng_entropy() % 1000000);
    return tap_done();
}
