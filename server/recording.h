/*
 * Recording: what commands change becomes records of the log (storage/log/), under the locks under
 * which it changes. A command that changed something is recorded as it came, unless its handler
 * states what does the same again at any time (call_log() in call.h): what it drew at random, how a
 * time from now on is told by the calendar. What goes by itself, by its time or for memory, is
 * recorded where it goes.
 *
 * What is recorded between recording_begin() and the recording_end() that belongs to it is one
 * group, which is loaded as a whole or not at all.
 */
#ifndef LK_SERVER_RECORDING_H
#define LK_SERVER_RECORDING_H

#include "base/slice.h"
#include "storage/log/records.h"

struct call;
struct worker;

/* Of a worker. */
struct recording {
    struct records records; /* of the group in hand */
    int depth;              /* how many have begun one, each within the other */
    bool stated;            /* the command in hand has said what is to be recorded of it */
    bool plain;             /* nothing in the group is said otherwise than it came */
    bool single;            /* the group that was given last was of one request */
    uint64_t aside;         /* changes counted since the start that are no command's own */
};

void recording_begin(struct worker *w);
/*
 * Gives the group to the log, with all shards locked that it concerns; and then, its number, of
 * which durability.h is to be told; 0 if there is nothing in it, or it is a part of another one.
 */
uint64_t recording_end(struct worker *w);
/* The same where it concerns one shard, with what follows. */
void recording_end_in(struct worker *w, unsigned shard);
/* A key has got a version that is to be in the log. Its shard is locked. */
void recording_version(struct worker *w, int db, struct slice key, uint64_t version);

/* Runs the call's handler, and records what it changes, in a group that has begun. */
void recording_run(struct call *c);

/* The key is about to go by itself. Its shard is locked; a group has begun. */
void recording_drop(struct worker *w, int db, struct slice key);
/* A field of its hash goes by itself; and then: the hash is changed, or gone. The same. */
void recording_drop_field(struct worker *w, int db, struct slice key, struct slice field);
void recording_dropped_fields(struct worker *w, int db, struct slice key, bool gone);

#endif
