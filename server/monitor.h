/*
 * MONITOR: every command, when it has run, to the connections that asked for it. What they are
 * shown goes the way of pub/sub messages (pubsub.h).
 */
#ifndef LK_SERVER_MONITOR_H
#define LK_SERVER_MONITOR_H

#include "server/call.h"

void monitor_begin(struct conn *c);
/* Nothing if it was none. */
void monitor_end(struct conn *c);

/* Notes the call, whose arguments may be gone when it has run. */
void monitor_note(struct call *c);
/* Shows what was noted to everybody in MONITOR, on whatever worker. */
void monitor_show(struct call *c);

#endif
