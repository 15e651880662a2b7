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

/*
 * The same by a function that changes the copy: false, with the reason, if it cannot. It runs on
 * the main thread, with the world stopped.
 */
typedef bool conf_edit_fn(struct conf *fresh, void *opaque, struct buf *err);
bool reconfigure_edit(struct server *s, conf_edit_fn *edit, void *opaque, struct buf *err);

#endif
