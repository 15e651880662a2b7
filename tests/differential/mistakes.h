/* Spoils a command now and then: wrong arity, a word of another kind, words in the wrong order. */
#ifndef TESTS_DIFFERENTIAL_MISTAKES_H
#define TESTS_DIFFERENTIAL_MISTAKES_H

#include "tests/differential/drawn.h"

/* At most one mistake, in about one of twenty commands. The name of the command stays. */
void mistakes_make(struct drawn *d);

#endif
