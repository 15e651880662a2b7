/* Moments to be noticed, see deadlines.h. */
#include "server/locks/deadlines.h"

#include "base/mem.h"

static void put(struct deadlines *d, uint32_t i, struct deadline *item)
{
    d->v[i] = item;
    item->place = i + 1;
}

static void sift_up(struct deadlines *d, uint32_t i, struct deadline *item)
{
    while (i && d->v[(i - 1) / 2]->at_us > item->at_us) {
        put(d, i, d->v[(i - 1) / 2]);
        i = (i - 1) / 2;
    }
    put(d, i, item);
}

static void sift_down(struct deadlines *d, uint32_t i, struct deadline *item)
{
    for (;;) {
        uint32_t child = 2 * i + 1;

        if (child + 1 < d->len && d->v[child + 1]->at_us < d->v[child]->at_us)
            child++;
        if (child >= d->len || d->v[child]->at_us >= item->at_us)
            break;
        put(d, i, d->v[child]);
        i = child;
    }
    put(d, i, item);
}

/* What stands at i is to be `item`, whatever its time. */
static void settle(struct deadlines *d, uint32_t i, struct deadline *item)
{
    if (i && d->v[(i - 1) / 2]->at_us > item->at_us)
        sift_up(d, i, item);
    else
        sift_down(d, i, item);
}

void deadlines_set(struct deadlines *d, struct deadline *item, int64_t at_us)
{
    item->at_us = at_us;
    if (item->place) {
        settle(d, item->place - 1, item);
        return;
    }
    if (d->len == d->cap) {
        d->cap = d->cap ? d->cap + d->cap / 2 : 4;
        d->v = mem_realloc(d->v, d->cap * sizeof(*d->v));
    }
    sift_up(d, d->len++, item);
}

void deadlines_remove(struct deadlines *d, struct deadline *item)
{
    uint32_t i = item->place;
    struct deadline *last;

    if (!i)
        return;
    item->place = 0;
    last = d->v[--d->len];
    if (last != item)
        settle(d, i - 1, last);
    if (d->len < d->cap / 4 && d->cap > 16) {
        d->cap /= 2;
        d->v = mem_realloc(d->v, d->cap * sizeof(*d->v));
    }
}

void deadlines_release(struct deadlines *d)
{
    mem_free(d->v);
    *d = (struct deadlines){0};
}
