/*
 * Input that cannot be worked off yet, in buffers of the connection's own: an unfinished request,
 * or what is behind one that waits. See struct incoming in conn.h.
 */
#ifndef LK_SERVER_INCOMING_H
#define LK_SERVER_INCOMING_H

#include "server/conn.h"

/* c->in, made if there is none. */
struct incoming *incoming_of(struct conn *c);
void incoming_release(struct conn *c);

/*
 * Keeps data[0...len), which begins with the request that `parser` is about; args[from...from+n)
 * are its arguments so far. `data` may lie in the connection's own buffer already.
 */
void incoming_keep(struct conn *c, char *data, size_t len, const struct request *parser,
                   struct args *args, size_t from, size_t n);

/* More bytes have come. */
void incoming_append(struct incoming *in, const char *ptr, size_t len);

/* The next argument is long: what is there of it moves to an allocation that will hold it all. */
void incoming_begin_long(struct incoming *in);
/* All its bytes are there. */
void incoming_end_long(struct incoming *in);
/* The request that had long arguments is done. */
void incoming_free_blobs(struct incoming *in);

/* Makes the arguments of a request that was kept those of the request in hand. */
void incoming_lend_blobs(struct conn *c, struct blob **blobs, size_t n);
/* If `arg` of the request in hand is an allocation of its own, gives it away; else NULL. */
struct blob *incoming_take_blob(struct conn *c, struct slice arg);

#endif
