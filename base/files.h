/*
 * Files that hold data: all that is done with them goes through one table of functions, which tests
 * exchange for one whose n-th call fails, does less, or ends the process.
 *
 * Every function returns 0 or what it says, or -errno. Any thread; they wait for the disk.
 */
#ifndef LK_BASE_FILES_H
#define LK_BASE_FILES_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct file_ops {
    int (*open)(const char *path, int flags, int mode); /* the descriptor */
    ssize_t (*read)(int fd, void *to, size_t len);
    ssize_t (*write)(int fd, const void *from, size_t len);
    int (*sync)(int fd); /* its data are on the disk then */
    int (*truncate)(int fd, int64_t len);
    int (*close)(int fd);
    int (*rename)(const char *from, const char *to);
    int (*unlink)(const char *path);
    int (*make_folder)(const char *path, int mode);
    int (*sync_folder)(const char *path); /* names that were made or changed in it are, too */
};

/* Those of the system. */
extern const struct file_ops file_ops_system;
/* Those in use. Exchanged before any other thread uses files. */
extern const struct file_ops *file_ops;

/* ---- what is made of these ------------------------------------------------------------------- */

/* All of it, or an error. */
int file_write_all(int fd, const void *from, size_t len);
/* As many bytes as there are, `len` at most: less at the end of the file only. */
ssize_t file_read_all(int fd, void *to, size_t len);
/* The size, or an error. */
int64_t file_size(int fd);
/* The folder of `path` is on the disk. */
int file_sync_folder_of(const char *path);

/* ---- for tests ------------------------------------------------------------------------------- */

/*
 * Makes the call number `n` from now on, from 1, go wrong as `how` says:
 *
 *   fail   EIO; with "fails" all that follow, too, but for closing
 *   full   ENOSPC; with "fulls" all that follow, too
 *   short  it does half, and says so
 *   slow   it takes its time; with "slows" all that follow, too
 *   stuck  that and all that follow wait as long as there is a file "stuck" in the current folder
 *   crash  the process ends there, half of a write is done; the machine goes on
 *   lost   so does the machine: data that were not synced are gone, and so are names that were made
 *          or changed in folders that were not
 *   zeros  what was not synced is zeros; the names are there
 *   part   a part of what was not synced is there, and those names that were first
 *   holes  some blocks of it are zeros and later ones there, and any of the names
 *   count  nothing
 *
 * False for another word. Before any other thread uses files, or for 0, which counts nothing any
 * more, at any time.
 */
_Bool file_faults(uint64_t n, const char *how);
/* The same for "N HOW" or "N HOW SEED", by which what a crash takes is drawn. */
_Bool file_faults_parse(const char *text);
/* How many calls there were since. */
uint64_t file_calls(void);

#endif
