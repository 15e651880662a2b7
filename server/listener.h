/*
 * The listener: the main thread's part. It accepts connections, turns away those over maxclients or
 * against protected mode, and hands the rest to the worker with the fewest. However many come at
 * once, it takes them in portions, and no more than the workers can take in; nor does it try again
 * at once when the system has no file left for another one.
 */
#ifndef LK_SERVER_LISTENER_H
#define LK_SERVER_LISTENER_H

#include "server/server.h"

struct event_base;

/*
 * Opens the sockets of the configuration. Logs what cannot be opened; NULL if the server must not
 * start.
 */
struct listener *listener_new(struct server *s, struct event_base *base);
/* Closes the sockets and removes the unix socket's file. */
void listener_free(struct listener *l);
/* For INFO: "tcp:bind=127.0.0.1,port=6379" and the like, line i; NULL behind the last. */
const char *listener_describe(const struct listener *l, int i);
/*
 * Closes the TCP sockets and opens those of `conf`; where that fails, those of before. Main thread.
 */
bool listener_rebind(struct listener *l, const struct conf *conf);

#endif
