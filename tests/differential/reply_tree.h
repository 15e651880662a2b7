/* Replies of RESP2 and RESP3: where they end, and what they hold. */
#ifndef TESTS_DIFFERENTIAL_REPLY_TREE_H
#define TESTS_DIFFERENTIAL_REPLY_TREE_H

#include "base/slice.h"

enum { REPLY_BROKEN = -2, REPLY_PARTIAL = -1 };

/*
 * The length of the reply that the bytes begin with, REPLY_PARTIAL if more is needed, REPLY_BROKEN
 * if it is none.
 */
long reply_length(struct slice bytes);

struct reply {
    char type;           /* the first byte; of nil in any form '_' */
    struct slice whole;  /* as it came */
    struct slice text;   /* of bulks, lines and numbers: without the wire's signs */
    struct reply *items; /* of a map: keys and values in turn */
    size_t count;
};

/* A whole reply as a tree; its slices are borrowed from the bytes. Freed with reply_free(). */
struct reply *reply_parse(struct slice bytes);
void reply_free(struct reply *r);

static inline bool reply_is_error(struct slice whole)
{
    return whole.len > 0 && (whole.ptr[0] == '-' || whole.ptr[0] == '!');
}

#endif
