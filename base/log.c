/* The server's log for people, see log.h. */
#include "base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

static pthread_mutex_t guard = PTHREAD_MUTEX_INITIALIZER; /* file_path, syslog_ident */
static char file_path[4096];
static char syslog_ident[128];
static _Atomic int min_level = LOG_LEVEL_NOTICE;

int log_to_file(const char *path)
{
    int fd;

    if (path && path[0]) {
        fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0644);
        if (fd < 0)
            return -errno;
        close(fd);
    }
    pthread_mutex_lock(&guard);
    snprintf(file_path, sizeof(file_path), "%s", path ? path : "");
    pthread_mutex_unlock(&guard);
    return 0;
}

void log_set_level(enum log_level level)
{
    atomic_store(&min_level, (int)level);
}

void log_to_syslog(const char *ident, int facility)
{
    pthread_mutex_lock(&guard);
    if (syslog_ident[0])
        closelog();
    snprintf(syslog_ident, sizeof(syslog_ident), "%s", ident ? ident : "");
    if (syslog_ident[0])
        openlog(syslog_ident, LOG_PID | LOG_NDELAY | LOG_NOWAIT, facility);
    pthread_mutex_unlock(&guard);
}

/* The file is opened for each line, so that log rotation by renaming needs no signal. */
static void write_line(const char *line, size_t len)
{
    bool to_file = file_path[0] != '\0';
    int fd = to_file ? open(file_path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0644) : 1;

    if (fd < 0)
        return;
    while (len > 0) {
        ssize_t n = write(fd, line, len);

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            break;
        line += n;
        len -= (size_t)n;
    }
    if (to_file)
        close(fd);
}

void log_line(enum log_level level, const char *fmt, ...)
{
    static const char marks[] = ".-*#";
    static const int priorities[] = {LOG_DEBUG, LOG_INFO, LOG_NOTICE, LOG_WARNING};
    char line[2048], when[64], text[1600];
    struct timeval tv;
    struct tm tm;
    va_list args;
    int n;

    if ((int)level < atomic_load_explicit(&min_level, memory_order_relaxed))
        return;
    va_start(args, fmt);
    vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);
    gettimeofday(&tv, NULL);
    localtime_r(&tv.tv_sec, &tm);
    strftime(when, sizeof(when), "%d %b %Y %H:%M:%S", &tm);
    n = snprintf(line, sizeof(line), "%d:M %s.%03d %c %s\n", (int)getpid(), when,
                 (int)(tv.tv_usec / 1000), marks[level], text);
    pthread_mutex_lock(&guard);
    write_line(line, (size_t)n);
    if (syslog_ident[0])
        syslog(priorities[level], "%s", text);
    pthread_mutex_unlock(&guard);
}

void invariant_broken(const char *what, const char *file, int line)
{
    log_warning("=== ASSERTION FAILED ===");
    log_warning("==> %s:%d '%s' is not true", file, line, what);
    abort();
}
