/* Rows whose time is over, and that are not in memory: they leave the table, with their events. */
#ifndef LK_SERVER_BACKEND_PURGE_H
#define LK_SERVER_BACKEND_PURGE_H

#include "server/backend/home.h"

/* Called by the thread that has the lease, with its connection; does something once a second. */
void purge_run(struct home *h, struct backend *b);

#endif
