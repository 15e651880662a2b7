/*
 * Loading the snapshot when the server starts: a thread reads it and others fill the keyspace,
 * while clients are told that it is loading.
 */
#ifndef LK_SERVER_LOADING_H
#define LK_SERVER_LOADING_H

#include "server/server.h"

struct loading_job;

/*
 * Begins, if there is a file. The workers do not run yet. When it is over `done(s, ok)` runs on the
 * main thread; false, and nothing comes, if there is nothing to load. NULL and *status -errno where
 * it cannot be read.
 */
struct loading_job *loading_begin(struct server *s, void (*done)(struct server *s, bool ok),
                                  int *status);
/* The lines that it had, when it is over (log_lines.h). */
struct slice loading_lines(const struct loading_job *l);
/* Ends it if it is still going on. On the main thread. */
void loading_free(struct loading_job *l);

/* Loads the file now, in this thread, with the world stopped. False, and logged, if it cannot. */
bool loading_now(struct server *s, bool replace);

/*
 * The snapshot with which a file of the log begins, by several threads, which run in the world.
 * False, and logged, if it cannot be loaded; *end is what follows it, and `lines` those that it has
 * (log_lines.h).
 */
bool loading_base(struct server *s, const char *path, int64_t *end, struct buf *lines);

struct loading_facts {
    int64_t began_s;
    uint64_t total, loaded;
};
/* Any thread. */
struct loading_facts loading_facts(const struct loading_job *l);
/* Says in the log how far it is, now and then. On the main thread, at regular intervals. */
void loading_tick(struct loading_job *l);

#endif
