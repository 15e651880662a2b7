/*
 * The commands of the last while, and the report of a difference with those of them that matter to
 * it.
 */
#ifndef TESTS_DIFFERENTIAL_TRAIL_H
#define TESTS_DIFFERENTIAL_TRAIL_H

#include "tests/differential/drawn.h"

enum { TRAIL_LEN = 8192, TRAIL_NAMES = 128 };

/* Differences by command, so that one bad command does not hide the others. */
struct trail_count {
    char name[32];
    int count;
};

struct trail {
    struct drawn *ring;
    unsigned long added;
    int differences;
    /* Differences by command, so that one bad command does not hide the others. */
    struct {
        char name[32];
        int count;
    } names[TRAIL_NAMES];
};

void trail_init(struct trail *t);
void trail_release(struct trail *t);
void trail_add(struct trail *t, const struct drawn *d);

struct difference {
    const char *what; /* "replies", "events" … */
    struct slice oracle, tested;
};

/*
 * Counts it, and says it in diagnostics unless that command had its share. `where` names the run:
 * its seed and so on.
 */
void trail_report(struct trail *t, const char *where, const struct drawn *d,
                  struct difference found);

#endif
