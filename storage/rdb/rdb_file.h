/*
 * A file that a snapshot is written into, under a temporary name until all of it is on the disk.
 */
#ifndef LK_STORAGE_RDB_RDB_FILE_H
#define LK_STORAGE_RDB_RDB_FILE_H

#include "base/slice.h"

struct rdb_file {
    int fd;
    const char *path; /* what it is to be called; borrowed */
    char temporary[64];
    bool step_by_step; /* it goes to the disk while it is written, not all at once at the end */
    uint64_t unsynced;
};

/* All return 0 or -errno. */
int rdb_file_create(struct rdb_file *f, const char *path, bool step_by_step);
/* A sink, see rdb_writer.h; `arg` is the file. */
int rdb_file_sink(void *arg, const char *bytes, size_t len);
/* It gets its name when it is on the disk; is removed where that fails, or `status` is an error. */
int rdb_file_finish(struct rdb_file *f, int status);

#endif
