/*
 * The server's log for people: one line an event, in the shape that Redis made customary, to
 * standard output or a file, and to syslog when asked. Any thread may call it; lines do not mix.
 */
#ifndef LK_BASE_LOG_H
#define LK_BASE_LOG_H

#include "base/compiler.h"

#include <stdbool.h>

enum log_level { LOG_LEVEL_DEBUG, LOG_LEVEL_VERBOSE, LOG_LEVEL_NOTICE, LOG_LEVEL_WARNING };

/* NULL or "" means standard output. 0, or -errno when the file cannot be opened for appending. */
int log_to_file(const char *path);
void log_set_level(enum log_level level);
/* Sends lines to syslog too, under `ident` (copied); NULL stops it. */
void log_to_syslog(const char *ident, int facility);
void log_line(enum log_level level, const char *fmt, ...) PRINTF_LIKE(2, 3);

#define log_debug(...) log_line(LOG_LEVEL_DEBUG, __VA_ARGS__)
#define log_verbose(...) log_line(LOG_LEVEL_VERBOSE, __VA_ARGS__)
#define log_notice(...) log_line(LOG_LEVEL_NOTICE, __VA_ARGS__)
#define log_warning(...) log_line(LOG_LEVEL_WARNING, __VA_ARGS__)

#endif
