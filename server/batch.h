/*
 * Working off requests: a batch is parsed, its commands are looked up, their first keys hashed and
 * what they need fetched ahead, and only then are they executed one by one.
 */
#ifndef LK_SERVER_BATCH_H
#define LK_SERVER_BATCH_H

#include "server/conn.h"

/* Works off what lies in data, which is the worker's read buffer. Keeps the rest in c->in. */
void batch_run(struct conn *c, char *data, size_t len);
/* Works off what lies in c->in; releases it when nothing is left. */
void batch_run_incoming(struct conn *c);

/* c->in, made if there is none. */
struct incoming *batch_incoming(struct conn *c);
void batch_release_incoming(struct conn *c);

/*
 * If argument `arg` of the request in hand is an allocation of its own, gives it away; else NULL.
 */
struct blob *batch_take_blob(struct conn *c, struct slice arg);

#endif
