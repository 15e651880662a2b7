/* Setting strings for a time, for the commands that do so among others. */
#ifndef LK_SERVER_COMMANDS_STRING_SET_H
#define LK_SERVER_COMMANDS_STRING_SET_H

#include "server/expiry_args.h"

/*
 * Sets key i to argument `value`, says so, and logs it; `kept` is the entry, or NULL, whose time to
 * live it inherits, where the options say so.
 */
void string_set_for_a_time(struct call *c, int i, int value, const struct expiry_args *x,
                           int64_t expiry, const struct entry *kept);

#endif
