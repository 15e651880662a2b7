/*
 * New bases for the log of changes: what is in memory at one moment, written by a thread of its own
 * while others change it (storage/snapshot.h); from that moment on changes go to a new file of the
 * log. BGREWRITEAOF asks for one, growth of the log does, turning the log on, and a log that cannot
 * be written any more.
 */
#ifndef LK_SERVER_REWRITING_H
#define LK_SERVER_REWRITING_H

#include "server/server.h"

struct rewriting;

struct rewriting *rewriting_new(struct server *s);
void rewriting_free(struct rewriting *r);

enum rewriting_result {
    REWRITING_BEGUN,
    REWRITING_SCHEDULED,
    REWRITING_BUSY,
    REWRITING_FAILED,
};

/* Begins one, or has it begin when the snapshot in hand is over. The world is stopped. */
enum rewriting_result rewriting_begin(struct server *s);
/* Has the one that is being written end soon. The world is stopped. */
void rewriting_cancel(struct server *s);
bool rewriting_runs(const struct server *s);

/* On the main thread, outside of the world: */

/* Growth of the log counts from its size now on. */
void rewriting_measure(struct server *s);
/* What was scheduled, what growth asks for, and what is broken; called at regular intervals. */
void rewriting_tick(struct server *s);
/* Ends the one that is being written, without a result. */
void rewriting_stop(struct server *s);

/* What INFO tells. The world is stopped. */
struct rewriting_facts {
    bool running, scheduled, ok;
    int64_t last_took_s, running_s; /* -1 for never */
    uint64_t done, failures;        /* failures in a row */
};
struct rewriting_facts rewriting_facts(const struct server *s);

#endif
