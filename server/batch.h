/*
 * Working off requests. What several connections have sent is gathered first; then, in batches,
 * requests are parsed, their commands looked up, their first keys hashed and what they need fetched
 * ahead, and only then are they executed one by one: the waiting for memory overlaps across
 * requests, be they of one connection's pipeline or of many connections that send one each.
 */
#ifndef LK_SERVER_BATCH_H
#define LK_SERVER_BATCH_H

#include "server/conn.h"

#include <sys/types.h>

enum { BATCH_READ_MIN = 16 * 1024, BATCH_READ_MAX = 64 * 1024 };
/* Where the next read of a connection may go; NULL while there is no room, until batch_finish(). */
char *batch_read_space(struct worker *w, size_t *len);
/* `n` bytes came for the connection in that space; they are worked off at the end of the round. */
void batch_gather(struct conn *c, size_t n);
/* Works off what was gathered. */
void batch_finish(struct worker *w);

/*
 * Has what the requests in the worker's batch need, which are `c`'s, on its way into the cache, and
 * looks their commands up. For who runs them himself.
 */
void batch_prepare(struct worker *w, struct conn *c);

/* Works off what lies in c->in; releases it when nothing is left. */
void batch_run_incoming(struct conn *c);

#endif
