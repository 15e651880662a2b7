/*
 * A command that is kept to be run later, with its arguments: for EXEC, or until what it waits for
 * comes. One allocation, but for long arguments, which are handed over.
 */
#ifndef LK_SERVER_KEPT_H
#define LK_SERVER_KEPT_H

#include "server/call.h"

struct kept {
    struct kept *next; /* for who keeps several */
    const struct command *cmd;
    uint64_t first_hash; /* as in struct call */
    uint64_t *hashes;    /* the same; room for one of each argument, or NULL */
    struct blob **blobs; /* arguments that are allocations of their own, owned */
    size_t blobs_len;
    size_t memory; /* of all of it */
    int argc;
    struct slice argv[];
};

/* Copies the call's request. Long arguments are borrowed from the result from then on. */
struct kept *kept_new(struct call *c);
/* Only which command it was. */
struct kept *kept_name(const struct call *c);
void kept_free(struct kept *k);

#endif
