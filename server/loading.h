/*
 * Loading the data when the server starts: the log of changes if that is on, else the snapshot. A
 * thread reads it and others fill the keyspace, while clients are told that it is loading.
 */
#ifndef LK_SERVER_LOADING_H
#define LK_SERVER_LOADING_H

#include "server/server.h"

struct loading_job;

/*
 * Begins, if there is a file. The workers do not run yet. When it is over `done(s, ok)` runs on the
 * main thread; from then on a log is written. NULL, and nothing comes, if there is nothing to load,
 * or it cannot be: *status is -errno; of a log it is said why.
 */
struct loading_job *loading_begin(struct server *s, void (*done)(struct server *s, bool ok),
                                  int *status);
/* Ends it if it is still going on. On the main thread. */
void loading_free(struct loading_job *l);

/* Loads the file now, in this thread, with the world stopped. False, and logged, if it cannot. */
bool loading_now(struct server *s, bool replace);

/* ---- for the thread that loads the log ------------------------------------------------------- */

struct worker *loading_worker(const struct loading_job *l); /* its stand-in for one */
/*
 * The snapshot with which a file of the log begins, by several threads, which run in the world;
 * the caller is outside. False, and logged, if it cannot be loaded; *end is what follows it.
 */
bool loading_base(struct loading_job *l, const char *path, int64_t *end);
/* So much of the file in hand is done, and so many records of all. */
void loading_passed(struct loading_job *l, uint64_t bytes, uint64_t records);
/* All of a file, of so many bytes, is. */
void loading_file_done(struct loading_job *l, uint64_t bytes);
bool loading_is_cancelled(const struct loading_job *l);

/* key-load-delay, in the world; below zero it is that many keys for each microsecond. */
int64_t loading_delay_us(const struct loading_job *l);
/* Waits so long for each of these keys, outside of the world, unless loading is given up. */
void loading_delay(const struct loading_job *l, int64_t us, int keys);

/* ---- what is told ---------------------------------------------------------------------------- */

struct loading_facts {
    int64_t began_s;
    uint64_t total, loaded;
    uint64_t used_memory; /* of who wrote it; 0 if that is not known */
};
/* Whether it is the log that is loaded; false for NULL. */
bool loading_is_of_log(const struct loading_job *l);
/* Any thread. */
struct loading_facts loading_facts(const struct loading_job *l);
/* Says in the log how far it is, now and then. On the main thread, at regular intervals. */
void loading_tick(struct loading_job *l);

#endif
