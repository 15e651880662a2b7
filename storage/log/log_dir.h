/*
 * The folder of a log: its manifest, and the files that this names. One thread at a time. Functions
 * return 0 or -errno.
 */
#ifndef LK_STORAGE_LOG_LOG_DIR_H
#define LK_STORAGE_LOG_LOG_DIR_H

#include "storage/log/manifest.h"

struct log_dir {
    char *path, *filename; /* owned; the filename is what all of its names begin with */
    struct manifest manifest;
};

void log_dir_init(struct log_dir *d, const char *path, const char *filename);
void log_dir_release(struct log_dir *d);

/* The path of a file in it; the caller frees it with mem_free. */
char *log_dir_path(const struct log_dir *d, const char *name);

/* Reads the manifest; nothing is there if there is none. -EINVAL: it is none, `why` is told. */
int log_dir_read(struct log_dir *d, struct buf *why);
/* The folder is made if it is not there. */
int log_dir_make(const struct log_dir *d);
/*
 * Replaces the manifest by `m`, durably, and takes it over. On an error *m stays, unless it has its
 * name already: then it is taken over, too, but a crash may bring back the one before, and what
 * either names must stay.
 */
int log_dir_commit(struct log_dir *d, struct manifest *m);
/* Whether the manifest names that file. */
bool log_dir_has(const struct log_dir *d, const char *name);
/*
 * A log of one file, as before Redis 7, is to be moved into the folder: there is one, and nothing
 * in the folder, or just the manifest of a move that a crash has interrupted.
 */
bool log_dir_is_old(const struct log_dir *d, const char *old);
/* Moves it. */
int log_dir_upgrade(struct log_dir *d, const char *old);

/* What the next files will be called; the caller frees it. */
char *log_dir_next_incr(const struct log_dir *d, uint64_t *seq);
char *log_dir_next_base(const struct log_dir *d, uint64_t *seq, bool as_requests);
/* Removes what the manifest calls history, from the disk and then from it. */
void log_dir_clean(struct log_dir *d);

/* The size of the files that the manifest names, and of its base alone. */
uint64_t log_dir_size(const struct log_dir *d, uint64_t *base);

#endif
