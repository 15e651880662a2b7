/*
 * The connection with the lease: making it, becoming the one server that writes, what the table
 * remembers of it, and losing it. On the home's thread, outside of the world.
 *
 * The table of the server's own has these notes:
 *
 *     owner      the run of the server that wrote last: whoever finds another one there starts
 *                anew from the table
 *     ceiling    above all versions and tokens that were ever given out
 *     log:ID     how far the log of that id had got when the rows were as they are
 */
#ifndef LK_SERVER_BACKEND_LINK_H
#define LK_SERVER_BACKEND_LINK_H

#include "server/backend/home.h"

enum { LINK_NOTES = 3, LINK_NOTE_LEN = 96 };

/* Goes on towards "ready" as far as it can now. */
void link_advance(struct home *h);
/* What a function of the driver answered, in states that serve: closes what is broken. */
void link_answered(struct home *h, enum backend_status status);
/* Has the main thread load what of the log the table does not have; waits for that. */
enum backend_status link_load_log(struct home *h);
/* Keeps up the lease; true if it is ours. */
bool link_keep(struct home *h);
void link_close(struct home *h);

/* The notes of a batch up to this position. */
size_t link_notes(struct home *h, uint64_t position, struct backend_note *notes,
                  char texts[LINK_NOTES][LINK_NOTE_LEN]);
/* They are in the table. */
void link_noted(struct home *h);
/* The ceiling must be raised soon. */
bool link_ceiling_due(const struct home *h);

#endif
