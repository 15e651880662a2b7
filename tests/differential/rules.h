/*
 * The grammar: one row per command (or sequence of commands) in the .def file of its family. A new
 * family is a new .def file and its line in rules.c; a new command is a row.
 */
#ifndef TESTS_DIFFERENTIAL_RULES_H
#define TESTS_DIFFERENTIAL_RULES_H

#include "tests/differential/drawn.h"

/* How the two replies to a command are compared. Errors are always compared exactly. */
enum comparison {
    EXACT,
    ORDERLESS, /* as multisets, at every level */
    PAIRS,     /* as a multiset of names with their values, in a map or one after the other */
    SECONDS,   /* integers of the clock: a little apart */
    MILLIS,
    SHAPE,     /* the same types and lengths, whatever they hold */
    ONE_KEY,   /* RANDOMKEY: nil on both sides, or a key that exists on each side */
    ITERATION, /* SCAN from 0: continued to its end on both sides, what it gave compared as sets */
};

struct node;

struct rule {
    int weight;
    enum comparison how;
    bool mistakes; /* may be spoilt by mistakes.h */
    const char *text;
    struct node *root; /* parsed when it is first drawn */
};

struct family {
    const char *name;
    struct rule *rules;
    size_t count;
};

/* NULL if there is none of that name. */
struct family *family_find(const char *name);
/* Publish and subscribe: for subscribers.c only. */
struct family *family_pubsub(void);
/* Waiting: for waiters.c only. */
struct family *family_waiting(void);
/* Clients that cache: for trackers.c only. */
struct family *family_tracking(void);
/* The names of all, separated by blanks. */
void families_append_names(struct buf *out);

/*
 * Draws from that family, or from all (NULL). Returns the number of commands, at most
 * SEQUENCE_MAX.
 */
int rules_draw(struct family *only, struct drawn *out);

#endif
