/*
 * Columns of a table that do not hold everything: what they cannot is refused before it is done.
 */
#ifndef LK_SERVER_BACKEND_NARROW_H
#define LK_SERVER_BACKEND_NARROW_H

#include "server/call.h"

/*
 * False, and answered, if a key or a value that the call brings, or what it makes of the value that
 * is there, may be longer than the column. What is made of other keys (SUNIONSTORE), bit by bit
 * (BITFIELD), or within a transaction, is not looked at: the table rejects that. No shard is
 * locked.
 */
bool narrow_fits(struct call *c);

#endif
