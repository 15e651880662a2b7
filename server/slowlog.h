/* The slow log: the last commands that took longer than slowlog-log-slower-than. */
#ifndef LK_SERVER_SLOWLOG_H
#define LK_SERVER_SLOWLOG_H

#include "server/call.h"

struct slowlog *slowlog_new(void);
void slowlog_free(struct slowlog *log);
/* The call took `us` microseconds: it is noted if that is slow. Any thread. */
void slowlog_note(struct call *c, uint64_t us);

#endif
