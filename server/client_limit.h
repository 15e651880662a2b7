/*
 * maxmemory-clients: connections that together take more are closed, the largest first, but for
 * those that are spared (CLIENT NO-EVICT). Each worker knows what its connections take, while there
 * is a limit; who finds that they grew beyond it stops the world, and looks at all of them.
 */
#ifndef LK_SERVER_CLIENT_LIMIT_H
#define LK_SERVER_CLIENT_LIMIT_H

#include "server/worker.h"

/* Of a configuration, in bytes; 0: none. */
size_t client_limit_of(const struct conf *conf);
/* The limit, or what it is a percentage of, has changed. The world is stopped. */
void client_limit_changed(struct server *s);

void client_limit_measure(struct conn *c);

/* Looks at what the connection takes; for where its buffers change. */
static inline void client_limit_note(struct conn *c)
{
    if (UNLIKELY(c->worker->server->client_limit))
        client_limit_measure(c);
}

/* The connection is being freed. */
void client_limit_forget(struct conn *c);

/*
 * The worker's connections take more than before: closes some if there is need. With nothing in
 * hand.
 */
void client_limit_enforce(struct worker *w);

#endif
