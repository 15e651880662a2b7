/*
 * Writing the base of a log: a snapshot, as Redis' binary format has it or as the requests that
 * make it.
 */
#ifndef LK_STORAGE_LOG_LOG_BASE_H
#define LK_STORAGE_LOG_LOG_BASE_H

#include "storage/rdb/rdb_writer.h"
#include "storage/snapshot.h"

struct log_base_options {
    char *folder, *filename; /* of the log */
    const char *temp_name;   /* what it is called in that folder, until it has its place */
    bool as_requests;
    bool step_by_step; /* it goes to the disk while it is written */
};

/* Writes and syncs it. 0 or -errno; there is no file then. */
int log_base_write(struct snapshot *snapshot, const struct rdb_header *header,
                   const struct log_base_options *o);
/* Makes it the base of a log that is not being written, and of nothing else. */
int log_base_place(const struct log_base_options *o, const char *temp_name);

#endif
