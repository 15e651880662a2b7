/*
 * What `%name` in a template of the grammar stands for. Everything random comes from base/rng.h,
 * so a seed repeats it.
 */
#ifndef TESTS_DIFFERENTIAL_GENERATORS_H
#define TESTS_DIFFERENTIAL_GENERATORS_H

#include "tests/differential/drawn.h"

struct generator;

/* NULL if there is none of that name. */
const struct generator *generator_find(struct slice name);

/* Adds one word to the command. */
void generator_draw(const struct generator *g, struct drawn *d);

/* A word that fits nowhere or just so: empty, huge, not a number, an option's name. */
struct slice junk_draw(void);
/* The same for the place of a time: nothing that would let a key expire while the test runs. */
struct slice junk_time_draw(void);

#endif
