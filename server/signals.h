/*
 * SIGINT and SIGTERM. A thread of its own waits for them, so that they are answered whatever the
 * others are doing: the first one asks for the end, and who sends SIGINT while the server is ending
 * does not want to wait for it.
 */
#ifndef LK_SERVER_SIGNALS_H
#define LK_SERVER_SIGNALS_H

#include "server/server.h"

/* Called by the main thread before it starts others. 0 or -errno. */
int signals_start(struct server *s);
/* The server goes on after all, and waits for another signal. */
void signals_go_on(struct server *s);
/* The server is ending, for whatever reason, and is not to be touched by signals any more. */
void signals_ending(void);

#endif
