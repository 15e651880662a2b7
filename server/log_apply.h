/*
 * Doing once more what the log of changes says. Requests are taken in batches, so that what they
 * need is fetched ahead, and each is run by its handler with the shards of its keys locked, while
 * clients are told that the server is loading. No time passes meanwhile: a key that has reached its
 * time by now was there when the next record was made.
 */
#ifndef LK_SERVER_LOG_APPLY_H
#define LK_SERVER_LOG_APPLY_H

#include "server/loading.h"

struct log_applier;

/* On the thread that loads, as all that follows. */
struct log_applier *log_applier_new(struct loading_job *job);
void log_applier_free(struct log_applier *a);

/* A file begins: what it is called in messages. Nothing is selected but database 0. */
void log_applier_begin(struct log_applier *a, const char *name);
/* Where what is wrong was left out another database may be selected. */
void log_applier_select(struct log_applier *a, int db);
int log_applier_db(const struct log_applier *a);

/*
 * The requests and notes from `from` to `to`, which are known to be whole. False, and said to the
 * server's log, if one of them is none that there is here; or if loading is given up.
 */
bool log_apply(struct log_applier *a, struct slice bytes, size_t from, size_t to);

uint64_t log_applier_records(const struct log_applier *a);
/* How many of them their handlers refused. */
uint64_t log_applier_refused(const struct log_applier *a);

#endif
