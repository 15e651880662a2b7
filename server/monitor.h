/* MONITOR: every command, as it runs, to the connections that asked for it. */
#ifndef LK_SERVER_MONITOR_H
#define LK_SERVER_MONITOR_H

#include "server/call.h"

/* Shows the call to everybody in MONITOR, on whatever worker. */
void monitor_feed(struct call *c);

#endif
