/*
 * Loading a snapshot into a keyspace: one thread reads it and finds where keys begin and end;
 * others make entries of them and insert these, each under the lock of its shard.
 *
 * A key whose value is long is read by the first thread alone, as it comes from the file.
 */
#ifndef LK_STORAGE_RDB_RDB_LOAD_H
#define LK_STORAGE_RDB_RDB_LOAD_H

#include "storage/keyspace.h"
#include "storage/rdb/rdb_decode.h"
#include "storage/rdb/rdb_writer.h"

#include <stdatomic.h>

struct rdb_load {
    /* What is wanted. */
    struct keyspace *keyspace;
    struct rdb_limits limits;
    int threads;           /* that make entries; 1 at least */
    bool checksum;         /* is to be looked at */
    bool skip_unsupported; /* what there is not here is passed over, and `skipped` told of it */
    bool replace;          /* a key that is there already gives way; else that is an error */
    int64_t now_ms; /* what has ended by then is left out; EXPIRY_NONE's opposite for nothing */
    uint64_t versions_ahead; /* so far above those of the snapshot new ones are to be */
    void *arg;
    /* The entry is new, and not in the keyspace yet: its age. Any thread. */
    void (*settle)(void *arg, struct entry *e, struct rdb_age age);
    /* `what` stands in the place of a key that was passed over, "" if it is none. Any thread. */
    void (*skipped)(void *arg, int db, struct slice key, const char *what);
    /* Another field of the snapshot's head. Any thread. */
    void (*aux)(void *arg, struct slice name, struct slice value);

    /* How it goes on; any thread may look. */
    _Atomic uint64_t bytes, keys, expired;
    _Atomic bool cancelled; /* by whoever wants it to end */

    /* What came of it. */
    int version;
    int64_t base; /* where the snapshot begins in the file, and where it ended */
    int64_t end;
    struct buf error; /* for people, where rdb_load() is false; the caller releases it */
};

/*
 * Loads what the file has from where it stands up to its end, which may have something behind it.
 * `size` is that of the whole file. False with an explanation; what was loaded is there then.
 */
bool rdb_load(struct rdb_load *l, int fd, int64_t size);

#endif
