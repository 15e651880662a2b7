/* Loading: all rows of the table into memory, when the server starts with `backend-load all`. */
#ifndef LK_SERVER_BACKEND_LOADER_H
#define LK_SERVER_BACKEND_LOADER_H

#include "server/backend/reading.h"

/*
 * Loads what memory has not, as long as it stays below maxmemory; *complete: all of it is there.
 * False, and logged, if the table cannot be read. On a thread that is outside of the world.
 */
bool loader_run(struct reading *r, bool *complete);

#endif
