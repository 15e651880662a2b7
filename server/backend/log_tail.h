/*
 * The log of changes where there is a backend: the table is what its base would be. Loaded is what
 * other databases are, as ever; of database 0 only what the table does not have yet, the log's
 * tail: records behind the position that the table tells of this log. What they concern is fetched
 * from the table first, since it is on that that they were made. A log that the table does not know
 * is loaded as a whole, and all of it is dirty: so data moves into a table.
 *
 * On the thread that loads, outside of the world.
 */
#ifndef LK_SERVER_BACKEND_LOG_TAIL_H
#define LK_SERVER_BACKEND_LOG_TAIL_H

#include "base/slice.h"

#include <stdint.h>

struct log_tail;
struct server;

/* NULL without a backend, and fine for all that follows. */
struct log_tail *log_tail_new(struct server *s);
void log_tail_free(struct log_tail *t);

/* Where the tail begins in these bytes of a file, which begin with a run; `to` if it does not. */
size_t log_tail_from(const struct log_tail *t, struct slice bytes, size_t from, size_t to);
/*
 * What follows is about to be done, with this database selected: fetches what it needs. False, and
 * said, if that cannot be.
 */
bool log_tail_prepare(struct log_tail *t, struct slice bytes, size_t from, size_t to, int db);
/* All is loaded; the number of the last group, which may be one that only the table has seen. */
uint64_t log_tail_end(struct log_tail *t, uint64_t seq);

#endif
