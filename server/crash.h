/* The last words of a process that a bug ends: where it was, in the log. */
#ifndef LK_SERVER_CRASH_H
#define LK_SERVER_CRASH_H

#include "conf/conf.h"

#include <signal.h>

/* Reports fatal signals, or stops doing so, as crash-log-enabled says. */
void crash_reports(const struct conf *conf);

/*
 * Signals are the main thread's business: blocks them for the calling thread and those it starts,
 * but for the fatal ones, which concern the thread that causes them. `old` is what was blocked.
 */
void crash_block_signals(sigset_t *old);

#endif
