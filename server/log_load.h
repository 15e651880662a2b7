/*
 * Loading the log of changes: its files are checked (storage/log/log_check.h), and then what they
 * say is done once more (log_apply.h).
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
    bool repaired;    /* something that it told is missing */
};

/* Of the configuration, as it is when loading begins. */
struct log_options {
    bool cuts_tail; /* aof-load-truncated */
    int repair;     /* enum conf_repair */
};

struct loading_job;

/*
 * All of the log in that folder. False, and said to the server's log, where it cannot be loaded.
 * On the thread of the job, outside of the world.
 */
bool log_load(struct loading_job *job, struct log_dir *dir, const struct log_options *options,
              struct log_loaded *out);

#endif
