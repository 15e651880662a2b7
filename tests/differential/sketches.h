/* Strings that are HyperLogLogs, or nearly. */
#ifndef TESTS_DIFFERENTIAL_SKETCHES_H
#define TESTS_DIFFERENTIAL_SKETCHES_H

#include "base/slice.h"

/* Borrowed until the next is drawn. */
struct slice sketch_draw(void);

#endif
