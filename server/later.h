/*
 * Commands whose answer comes from another thread, which does not know whether the client is still
 * there: the connection does nothing else until it is answered.
 */
#ifndef LK_SERVER_LATER_H
#define LK_SERVER_LATER_H

#include "server/call.h"

struct later;

/* The call will be answered later; not as part of a transaction. */
struct later *later_begin(struct call *c);
/* Its answer, in the form that it is sent in. Frees it. Any thread. */
void later_answer(struct later *l, const char *reply);

#endif
