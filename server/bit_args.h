/* Positions of bits, as the commands on strings of bits are given them. */
#ifndef LK_SERVER_BIT_ARGS_H
#define LK_SERVER_BIT_ARGS_H

#include "server/call.h"

/* The bit's place in its byte, the most significant being the first. */
static inline unsigned bit_shift(uint64_t offset)
{
    return 7 - (unsigned)(offset % 8);
}

/*
 * Argument i as the offset of a bit in a string of a permitted length; "#n" is n times `unit`,
 * unless that is 0. False, and "ERR bit offset is not an integer or out of range", if it is none.
 */
bool bit_args_offset(struct call *c, int i, unsigned unit, uint64_t *out);

#endif
