/*
 * Loading the log of changes: its files are checked (storage/log/log_check.h), and then what they
 * say is done once more, each request by its own handler. No time passes meanwhile: a key that has
 * reached its time by now was there when the next record was made.
 */
#ifndef LK_SERVER_LOG_LOAD_H
#define LK_SERVER_LOG_LOAD_H

#include "server/server.h"
#include "storage/log/log_dir.h"

struct log_loaded {
    uint64_t seq;     /* of the last group */
    int db;           /* selected at the end */
    bool append;      /* the last file can be written on */
    bool unversioned; /* there is something of which the log tells no version */
    uint64_t records, refused;
};

/*
 * All of the log in that folder. False, and said to the server's log, where it cannot be loaded.
 * On the main thread, before any other runs.
 */
bool log_load(struct server *s, struct log_dir *dir, struct log_loaded *out);

#endif
