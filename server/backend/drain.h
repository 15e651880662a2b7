/*
 * The drain: batches of what is dirty (dirty.h) on their way into the table, one at a time, each in
 * one SQL transaction. Whose connection broke is applied again as it is: rows are states, not
 * operations, so that it does not matter whether it had been committed.
 */
#ifndef LK_SERVER_BACKEND_DRAIN_H
#define LK_SERVER_BACKEND_DRAIN_H

#include "server/backend/home.h"

struct drain *drain_new(struct home *h);
void drain_free(struct drain *d);

/* Writes a batch, if there is anything to write. On the home's thread, outside of the world. */
enum backend_status drain_run(struct home *h);
/* Whether there is, or a batch is under way. The home's thread. */
bool drain_has_work(const struct home *h);
/*
 * All that is not in the table is given up, and leaves memory: what waits for it is answered with
 * errors. Any thread that has stopped the world. How many keys that were.
 */
uint64_t drain_give_up(struct home *h);

/* Begin a batch now. Any thread. */
void drain_ask(struct home *h);
/*
 * Waits until all that is dirty by now is in the table; false if that takes longer. A thread that
 * is outside of the world.
 */
bool drain_barrier(struct home *h, int64_t timeout_ms);

/* The same for a command, which is answered +OK or with an error. The world is stopped. */
void drain_flush(struct home *h, struct later *later);
/* Answers those whose time has come. The main thread. */
void drain_answer(struct home *h);

#endif
