/*
 * What a crash of the machine may take from files: data that were not synced, and names that were
 * made or changed in folders that were not. Follows all that is done, and undoes it at the "crash".
 * For tests, behind file_faults() in files.h; one thread at a time.
 */
#ifndef LK_BASE_FILES_LOST_H
#define LK_BASE_FILES_LOST_H

#include <stdbool.h>
#include <stdint.h>

enum loss { LOSS_ALL, LOSS_ZEROS, LOSS_PART, LOSS_HOLES };

/* Behind the call; `existed`: it did before. */
void lost_opened(int fd, const char *path, int flags, bool existed);
void lost_synced(int fd);
void lost_made_folder(const char *path);
void lost_synced_folder(const char *path);

/* Instead of the call. */
int lost_truncate(int fd, int64_t len);
int lost_rename(const char *from, const char *to);
int lost_unlink(const char *path);

/* The files become what the disk had. */
void lost_crash(enum loss how, uint64_t seed);

#endif
