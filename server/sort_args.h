/* The arguments of SORT and SORT_RO. */
#ifndef LK_SERVER_SORT_ARGS_H
#define LK_SERVER_SORT_ARGS_H

#include "server/call.h"

struct sort_options {
    bool descending, alpha;
    bool unsorted;         /* BY something that is the same for all elements */
    int by;                /* the argument that is the pattern; 0 for the elements themselves */
    int64_t offset, count; /* count below 0: all */
    int store;             /* the argument that is the destination; 0 for none */
    int *gets;             /* the arguments that are patterns, owned */
    int gets_len;
};

/* What is wrong is answered. To be released in either case. */
bool sort_options_read(struct call *c, bool read_only, struct sort_options *o);
void sort_options_release(struct sort_options *o);

#endif
