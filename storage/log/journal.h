/*
 * The log of changes as it is written. Workers append groups of records under the locks of the
 * shards that they concern, so that the records of a key are in order, and each group gets a
 * number. A thread of its own writes them to the file, seals each run, and syncs; nobody else waits
 * for the disk.
 *
 *     off --journal_start()--> writing --a write or sync fails--> broken <--journal_start_anew()--
 *      ^--journal_stop()----------'                                 |
 *                  ^--journal_rebase()-- waiting <--journal_rotate()-'
 *
 * A file is not written to any more once that has failed. What happens then is not kept until a new
 * file is begun, which is trusted when it has a base: all that was in memory when it was begun.
 */
#ifndef LK_STORAGE_LOG_JOURNAL_H
#define LK_STORAGE_LOG_JOURNAL_H

#include "storage/log/log_dir.h"
#include "storage/log/records.h"

struct journal;

enum journal_sync { JOURNAL_SYNC_NO, JOURNAL_SYNC_EVERYSEC, JOURNAL_SYNC_ALWAYS };
enum journal_state {
    JOURNAL_OFF,
    JOURNAL_WRITING,
    JOURNAL_BROKEN,  /* nothing is kept */
    JOURNAL_WAITING, /* for the base of the new file */
};

/* Told by the log's thread; must not wait. */
struct journal_events {
    void (*durable)(void *arg, uint64_t seq); /* so far all is on the disk */
    void (*failed)(void *arg, int error);
    void *arg;
    /* More waits to be written than may be; or not any more. Locked; any thread. */
    void (*full)(void *arg, bool full);
};

struct journal *journal_new(const struct journal_events *events);
void journal_free(struct journal *j);

/*
 * Begins to write: at the end of the last file, if `append`, with this database selected; else to a
 * new one. `seq` is the number of the last group that there is. Takes the folder over. 0 or -errno.
 */
struct journal_place {
    bool append;
    int db;
    uint64_t seq;
    uint64_t floor; /* what was loaded without a version has this one; 0: there is nothing such */
    bool floor_of_all; /* or really all */
};
int journal_start(struct journal *j, struct log_dir *dir, const struct journal_place *at);
/* The same where nothing of what is in memory is in the log: as if it were broken. */
int journal_start_anew(struct journal *j, struct log_dir *dir);
/* Writes and syncs what there is, and ends the thread. */
void journal_stop(struct journal *j);
void journal_set_sync(struct journal *j, enum journal_sync sync, bool timestamps);
/* It is full above so many bytes, and until it is down to half of them; 0: never. */
void journal_set_limit(struct journal *j, uint64_t bytes);

/* Appends what was gathered, all of it or nothing of it to be loaded. Its number. Any thread. */
uint64_t journal_append(struct journal *j, const struct records *r);
/* Asks for it to be on the disk soon, whatever the mode is. Any thread. */
void journal_want(struct journal *j, uint64_t seq);
uint64_t journal_seq(const struct journal *j);
uint64_t journal_durable(const struct journal *j);
enum journal_state journal_state(const struct journal *j);

/*
 * What is appended from now on goes to a new file. With no shard's lock held by anybody: it is the
 * moment of which the base tells. The number of the last group before it.
 */
uint64_t journal_rotate(struct journal *j);
/*
 * What is appended from now on is in another run than what was before, so that a seal says where
 * this is. The number of the last group before it. With no shard's lock held by anybody.
 */
uint64_t journal_split(struct journal *j);
/*
 * This file, synced, in the log's folder, is the base of what follows the last journal_rotate().
 * Waits for the log's thread. 0 or -errno; it is then removed.
 */
int journal_rebase(struct journal *j, const char *temp_name, bool as_requests);

struct journal_stats {
    uint64_t size, base_size, buffered, delayed_syncs;
    int last_error; /* of a write or sync; 0 when it went well */
    bool syncing;
    int64_t last_sync_us;
};
void journal_stats(struct journal *j, struct journal_stats *out);

#endif
