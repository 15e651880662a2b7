/*
 * Both servers get the same commands, and what they answer is compared: the replies, where it is
 * observed the events too, and on demand all that they hold.
 *
 * After a difference both servers are emptied and configured anew, so that one difference does not
 * make the next ones.
 */
#ifndef TESTS_DIFFERENTIAL_CONTEST_H
#define TESTS_DIFFERENTIAL_CONTEST_H

#include "tests/differential/trail.h"
#include "tests/differential/twin.h"

enum { BATCH_MAX = 64, BATCH_SPACE = BATCH_MAX + 12, ORACLE = 0, TESTED = 1 };

struct contest {
    struct twin twins[2];
    struct trail trail;
    bool observing;      /* events are compared after every command */
    char where[160];     /* for reports: the seed, the threads */
    unsigned long index; /* of the next command */
    unsigned long marks;
    struct buf out;
    struct slice replies[2][2 * BATCH_SPACE]; /* of the last exchange, without those to marks */
};

void contest_start(struct contest *c, int threads);
/* With these options, split at blanks, for both. */
void contest_start_with(struct contest *c, int threads, const char *args);
void contest_stop(struct contest *c);

/* Empties both servers, sets their options to the start's values, connects anew. */
void contest_renew(struct contest *c);

/*
 * Sends the commands to both, through the connection that each of them names (all the same). True
 * if alike.
 */
bool contest_exchange(struct contest *c, struct drawn *batch, int count);

/* Compares everything that is stored. */
bool contest_compare_keyspaces(struct contest *c);

/* Lets keys expire and compares the events; only while events are observed. */
bool contest_compare_expiring(struct contest *c);

#endif
