/*
 * What a command found, where that takes more than its reply: the rest of an iteration; whether a
 * random key exists.
 */
#ifndef TESTS_DIFFERENTIAL_ITERATE_H
#define TESTS_DIFFERENTIAL_ITERATE_H

#include "tests/differential/drawn.h"
#include "tests/differential/twin.h"

/*
 * Continues after the reply to the command. An iteration that began at the start gives all that it
 * found, sorted, each once; RANDOMKEY whether there was a key, and whether it exists.
 */
void iterate_rest(struct twin *t, const struct drawn *d, struct slice reply, struct buf *found);

#endif
