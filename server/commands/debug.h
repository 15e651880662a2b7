/* DEBUG's subcommands beyond debug.c. All of them run with the world stopped. */
#ifndef LK_SERVER_COMMANDS_DEBUG_H
#define LK_SERVER_COMMANDS_DEBUG_H

#include "server/call.h"

/* debug_data.c: keys and tables. */
void debug_object(struct call *c);
void debug_listpack(struct call *c);
void debug_quicklist(struct call *c);
void debug_digest(struct call *c);
void debug_digest_value(struct call *c);
void debug_htstats(struct call *c);
void debug_htstats_key(struct call *c);
void debug_populate(struct call *c);

/* debug_locks.c: locks of clients. */
void debug_locks(struct call *c);

/* debug_waiting.c: clients that wait. */
void debug_waiting(struct call *c);

/* save.c: saves all, and loads it again. */
void debug_reload(struct call *c);

/* debug_protocol.c: a reply of each kind. */
void debug_protocol(struct call *c);

#endif
