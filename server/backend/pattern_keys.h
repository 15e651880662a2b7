/*
 * Keys that no argument names, but the patterns of SORT with the elements of its key: they must be
 * in memory, too, before it runs.
 */
#ifndef LK_SERVER_BACKEND_PATTERN_KEYS_H
#define LK_SERVER_BACKEND_PATTERN_KEYS_H

#include "server/call.h"

typedef void pattern_key_fn(struct call *c, struct slice key, void *opaque);

/*
 * The keys of a call that is a SORT, or carries one; nothing for others. They are borrowed until
 * the visitor returns. The world is stopped.
 */
void pattern_keys(struct call *c, pattern_key_fn *visit, void *opaque);

#endif
