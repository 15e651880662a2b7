/* Elements drawn at random from a collection: what HRANDFIELD, SRANDMEMBER, ZRANDMEMBER share. */
#ifndef LK_SERVER_DRAW_ARGS_H
#define LK_SERVER_DRAW_ARGS_H

#include "server/call.h"

enum {
    /* Of more than a part in so many all elements are looked at once; of fewer, each is drawn. */
    DRAW_PART = 3,
    DRAW_REPEATED_MAX = 1 << 27, /* elements of one reply, where there could be any number */
};

struct draw_args {
    int64_t count; /* below 0: so many, and each drawn anew */
    bool counted;  /* a count is given, so the reply is an array */
    bool with;     /* the option is given */
};

/*
 * Reads `[count [option]]` from argument 2 on; NULL for a command without option. False, and
 * answered, if it is anything else.
 */
bool draw_args_read(struct call *c, const char *option, struct draw_args *out);
/* False, and answered, if so many elements, drawn anew each time, are too many for one reply. */
bool draw_fits(struct call *c, uint64_t repeated);

#endif
