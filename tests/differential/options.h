/* The command line of the differential tests. */
#ifndef TESTS_DIFFERENTIAL_OPTIONS_H
#define TESTS_DIFFERENTIAL_OPTIONS_H

#include "tests/differential/rules.h"

struct options {
    unsigned long seed, count;
    int threads; /* 0: with 1 and with 4 */
    struct family *family;
    bool events_only;
};

/* Ends the program on a mistake. `count` is what is done without --count. */
struct options options_parse(int argc, char **argv, unsigned long count);

/* Calls `run` for each number of threads that is asked for. */
void options_each(const struct options *o, void (*run)(const struct options *o, int threads));

#endif
