/*
 * Moments that are to be noticed, the next one first: a heap of what lies within other structs,
 * each of which knows its place in it, so that any of them can be taken out.
 */
#ifndef LK_SERVER_LOCKS_DEADLINES_H
#define LK_SERVER_LOCKS_DEADLINES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DEADLINE_NEVER INT64_MAX

/* All zero: in no heap. */
struct deadline {
    int64_t at_us;  /* monotonic */
    uint32_t place; /* in the heap, from 1; 0: in none */
    uint32_t kind;  /* what it lies in; its owner's */
};

struct deadlines {
    struct deadline **v;
    uint32_t len, cap;
};

/* Puts it in, or moves it if it is in already. */
void deadlines_set(struct deadlines *d, struct deadline *item, int64_t at_us);
/* Harmless if it is in none. */
void deadlines_remove(struct deadlines *d, struct deadline *item);
/* NULL if there is none. */
static inline struct deadline *deadlines_first(const struct deadlines *d)
{
    return d->len ? d->v[0] : NULL;
}
/* DEADLINE_NEVER if there is none. */
static inline int64_t deadlines_next(const struct deadlines *d)
{
    return d->len ? d->v[0]->at_us : DEADLINE_NEVER;
}
void deadlines_release(struct deadlines *d);

#endif
