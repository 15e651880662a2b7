/*
 * Changes of the configuration while the server runs. They happen on the main thread, one after the
 * other, with the world stopped; so a thread that is inside the world sees one snapshot.
 */
#ifndef LK_SERVER_RECONFIGURE_H
#define LK_SERVER_RECONFIGURE_H

#include "server/server.h"

/*
 * CONFIG SET: all pairs of name and value, or none of them. False with the error reply, without
 * its "ERR ", in `err`. Called by a worker's thread, which leaves the world while it waits: what it
 * read of the configuration is to be read anew.
 */
bool reconfigure(struct server *s, const struct slice *pairs, size_t pairs_len, bool local_client,
                 struct buf *err);

/* CONFIG REWRITE: 0 or -errno. Called as reconfigure is. */
int reconfigure_rewrite(struct server *s);

#endif
