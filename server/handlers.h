/* The prototypes of all handlers, from the rows. */
#ifndef LK_SERVER_HANDLERS_H
#define LK_SERVER_HANDLERS_H

struct call;

#define COMMAND(handler, ...) void handler(struct call *c);
#define SUBCOMMAND(handler, ...) void handler(struct call *c);
#define CONTAINER(...)
#include "server/commands/all.def"
#undef COMMAND
#undef SUBCOMMAND
#undef CONTAINER

#endif
