/*
 * The process among others: background, pid file, supervisors, and what the kernel may do with it.
 * Called by the main thread.
 */
#ifndef LK_SERVER_PROCESS_H
#define LK_SERVER_PROCESS_H

#include "conf/conf.h"

/* Who supervises, with "auto" decided by the environment. */
enum conf_supervised process_supervisor(const struct conf *conf);

/* Goes into the background; only the child returns. 0 or -errno. */
int process_daemonize(void);
void process_write_pid(const char *path);

/*
 * A file that is not to outlive the process: the pid file, the unix socket. `what` is its name in
 * the log.
 */
void process_keep_file(const char *path, const char *what);
void process_remove_file(const char *path);
/* All of them. Any thread. */
void process_remove_files(void);

/* Tells systemd ("READY=1"), if it asked to be told. */
void process_notify(const char *state);
/* Tells whoever supervises that clients can connect. */
void process_ready(const struct conf *conf);

/*
 * Lets the process have as many files open as that many clients need. How many clients there can
 * be, which is less where the system does not allow it.
 */
int64_t process_reserve_files(int64_t clients);

/* Applies oom-score-adj. 0 or -errno. */
int process_set_oom_score(const struct conf *conf);
/* Applies disable-thp. */
void process_limit_huge_pages(const struct conf *conf);

#endif
