/*
 * The log of changes in the life of the server: beginning it when it has been loaded, turning it on
 * and off, new bases for it, and what happens when it cannot be written.
 */
#ifndef LK_SERVER_LOGGING_H
#define LK_SERVER_LOGGING_H

#include "server/server.h"
#include "storage/log/journal.h"

struct log_loaded;

/* Reads which files there are. False, and said why, if it cannot; *dir is to be released. */
bool logging_open(const struct conf *conf, struct log_dir *dir);
/*
 * The log in this folder, which is taken over, has been loaded: from now on it is written. False,
 * and said why, if it cannot be. On the main thread, the world is stopped.
 */
bool logging_begin(struct server *s, struct log_dir *dir, const struct log_loaded *loaded);
/* All threads have ended: what is left is written. */
void logging_end(struct server *s);

struct journal *logging_new(struct server *s);

/* Whether changes are logged, or will be when there is a base. */
bool logging_is_on(const struct server *s);
/*
 * There is a new base, or it could not be made. On the main thread, the world is stopped. True if
 * the log is complete now.
 */
bool logging_rebased(struct server *s, bool ok);
/* The configuration is about to become `to`. On the main thread, the world is stopped. */
bool logging_configure(struct server *s, const struct conf *to, struct buf *why);

#endif
