/* The last words of a process that a bug ends: where it was, in the log. */
#ifndef LK_SERVER_CRASH_H
#define LK_SERVER_CRASH_H

#include "conf/conf.h"

/* Reports fatal signals, or stops doing so, as crash-log-enabled says. */
void crash_reports(const struct conf *conf);

#endif
