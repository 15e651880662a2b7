/*
 * The watcher: a thread with a connection of its own, on which the database tells what others
 * change in the table (changed_there.h). Whenever it has been away, anything may have changed.
 */
#ifndef LK_SERVER_BACKEND_WATCHER_H
#define LK_SERVER_BACKEND_WATCHER_H

#include "server/backend/reading.h"

struct watcher *watcher_new(struct reading *r);
void watcher_free(struct watcher *w);
/* When it returns, nothing that changes escapes. 0, or -errno, and logged. */
int watcher_start(struct watcher *w);
void watcher_stop(struct watcher *w);

#endif
