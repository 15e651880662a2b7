/* Ranges of bytes or bits as clients of strings give them. */
#ifndef LK_SERVER_RANGE_H
#define LK_SERVER_RANGE_H

#include <stdbool.h>
#include <stdint.h>

/* From `start` to `end`, both included; negative ones count from the end. */
struct range {
    int64_t start, end;
};

/*
 * Makes both ends positions below `len`; false when there is nothing between them. As Redis has it,
 * an end that lies before the beginning is the first position.
 */
static inline bool range_clamp(struct range *r, int64_t len)
{
    if (r->start < 0)
        r->start += len;
    if (r->end < 0)
        r->end += len;
    if (r->start < 0)
        r->start = 0;
    if (r->end < 0)
        r->end = 0;
    if (r->end >= len)
        r->end = len - 1;
    return r->start <= r->end;
}

/* Counted from the end, and backwards: empty whatever the length. */
static inline bool range_is_backwards(struct range r)
{
    return r.start < 0 && r.end < 0 && r.start > r.end;
}

#endif
