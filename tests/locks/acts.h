/*
 * The history of a run: what clients asked of the locks, when, and what they were answered; and
 * what an onlooker saw and what the guarded lists held in the end. judge.h says whether such a
 * history may be that of correct locks.
 *
 * All times are nanoseconds of one monotonic clock of the program that asks. An act began when its
 * request was about to be sent and ended when its reply had been read: whatever the server did for
 * it lies between. An act that never ended may have taken effect at any time since.
 */
#ifndef TESTS_LOCKS_ACTS_H
#define TESTS_LOCKS_ACTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum deed {
    ACQUIRE,
    RELEASE,
    COMMIT, /* a release with a write: the token is the value */
    RENEW,
    CHECK,
    WRITE, /* an element for the list of the lock, if the token is held */
    READ,  /* of what was committed last, by a holder */
    CUT    /* the link is about to be closed, or killed by somebody else */
};

enum outcome {
    OPEN,    /* nobody has answered, though the link was open to the end */
    DONE,    /* CHECK: the token is held */
    NOTHING, /* a null: the wait ran out; CHECK: the token is not held */
    REFUSED, /* an error */
    UNKNOWN  /* the link was closed before the reply */
};

enum mode { EXCLUSIVE, SHARED, PERMITS };

enum { FOREVER = -1, NO_LEASE = 0, NAMES_MAX = 16 };

/* One for each name of a request; those of one request have its number. */
struct act {
    enum deed deed;
    enum outcome outcome;
    int request; /* its number, unique and over 0 */
    int link;    /* the connection's number, unique; 0 at CUT: all holders of the name */
    int name;    /* 0 to NAMES_MAX - 1 */
    enum mode mode;
    int permits, max; /* of PERMITS */
    bool detached;
    long lease_ms;                /* of ACQUIRE and RENEW; NO_LEASE: as long as the link */
    int64_t token;                /* granted, or shown */
    int64_t value;                /* READ: what was found, 0 for nothing */
    int64_t began, ended, queued; /* queued: it was certainly in the queue at this time, or 0 */
    char error[16];               /* REFUSED: its code */
};

/* The waiters of a name as LOCK.INFO showed them, in order. */
enum { SIGHTED_MAX = 32 };

struct sighting {
    int name;
    int64_t ended;
    int exclusive_holders, holders;
    int count;
    int requests[SIGHTED_MAX];
};

/* What is in the list of a name's accepted writes at the end. */
struct written {
    int name;
    int64_t token;
    int request;
};

struct history {
    struct act *acts;
    size_t n, room;
    struct sighting *sightings;
    size_t sighted, sightings_room;
    struct written *written; /* those of a name in their order */
    size_t lines, lines_room;
    bool ended_early; /* the lists could not be read */
};

void history_release(struct history *h);
/* Zeroed, at the end; borrowed until the next of its kind is added. */
struct act *history_act(struct history *h);
struct sighting *history_sighting(struct history *h);
struct written *history_written(struct history *h);

/* Appends all of the other. */
void history_append(struct history *h, const struct history *other);

#endif
