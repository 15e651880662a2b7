/*
 * Snapshots in files: SAVE, BGSAVE, the `save` rules, the one at the end.
 *
 * A snapshot is written by a thread of its own (storage/snapshot.h), into a temporary file that
 * takes the place of the old one when it is on the disk; the old one stays where anything fails.
 * The one at the end is written by the main thread, with the world stopped.
 */
#ifndef LK_SERVER_SAVING_H
#define LK_SERVER_SAVING_H

#include "server/later.h"
#include "server/server.h"

struct saving;

struct saving *saving_new(struct server *s);
void saving_free(struct saving *v);

/* One for whatever purpose, and its header. The world is stopped, and no other is being made. */
struct snapshot;
struct rdb_header;
struct snapshot *saving_snapshot(struct server *s, struct rdb_header *header);

/* Why a snapshot cannot begin now. */
enum saving_result { SAVING_BEGUN, SAVING_BUSY, SAVING_FAILED };

/*
 * Begins one; `waits` is answered when it is over, NULL for nobody. The world is stopped.
 */
enum saving_result saving_begin(struct server *s, struct later *waits);
/* Begins one as soon as can be. The world is stopped. */
void saving_schedule(struct server *s);

/* On the main thread, outside of the world: */

/* The save rules, and what was scheduled; called at regular intervals. */
void saving_tick(struct server *s);
/* Ends the one that is being written, if any, without a file. */
void saving_stop(struct server *s);
/* One with the world stopped by the caller, while none is being written. 0 or -errno. */
int saving_now(struct server *s);

/* What INFO tells. The world is stopped. */
struct saving_facts {
    bool running, ok;
    int64_t last_save_s, last_took_s, running_s; /* -1 for never */
    uint64_t saves, changes;                     /* since the last one */
    uint64_t keys, keys_done;
};
struct saving_facts saving_facts(const struct server *s, uint64_t dirty);
/* Any thread. */
int64_t saving_last_s(const struct server *s);
/* The last one failed, and writes are to be refused therefore. */
bool saving_refuses_writes(const struct server *s, const struct conf *conf);
/* Changes are counted from now on. The world is stopped. */
void saving_forget_changes(struct server *s);

/*
 * Writers of the snapshot that is being written have saved more than its thread keeps up with: a
 * worker pauses a little between two rounds. Outside of the world.
 */
void saving_keep_pace(const struct server *s);

#endif
