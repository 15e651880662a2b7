/* Packed elements (storage/pack.h) as bulks, straight from where they are into the reply. */
#ifndef LK_SERVER_PACKED_REPLY_H
#define LK_SERVER_PACKED_REPLY_H

#include "server/call.h"

void reply_element(struct call *c, const char *at);

/*
 * The same for `n` elements that lie one behind the other, with trailers (storage/pack_trail.h) if
 * `trailed`. Returns the address behind the last.
 */
const char *reply_elements(struct call *c, const char *at, size_t n, bool trailed);

#endif
