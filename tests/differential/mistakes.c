/*
 * See mistakes.h. A place that holds a time gets no ordinary word, and a time gets no other place:
 * a spoilt command must not set an expiry that comes while the test runs.
 */
#include "tests/differential/mistakes.h"

#include "base/rng.h"
#include "tests/differential/generators.h"

static int draw_place(const struct drawn *d)
{
    return 1 + (int)rng_below((uint64_t)d->count - 1);
}

static void replace_one(struct drawn *d)
{
    int i = draw_place(d);

    if (d->words[i].kind == WORD_TIME)
        drawn_replace(d, i, junk_time_draw(), WORD_TIME);
    else
        drawn_replace(d, i, junk_draw(), d->words[i].kind);
}

static void swap_two(struct drawn *d)
{
    int i = draw_place(d), j = draw_place(d);

    if (d->words[i].kind != WORD_TIME && d->words[j].kind != WORD_TIME)
        drawn_swap(d, i, j);
}

void mistakes_make(struct drawn *d)
{
    if (rng_below(20) != 0)
        return;
    switch (rng_below(d->count > 1 ? 5 : 1)) {
    case 0:
        drawn_add(d, junk_draw(), WORD_VALUE);
        break;
    case 1:
        drawn_remove(d, d->count - 1);
        break;
    case 2:
        swap_two(d);
        break;
    default:
        replace_one(d);
        break;
    }
}
