/*
 * The arguments of WHEN: conditions, and behind DO the command that depends on them. For its row
 * (server/command.h), and for its handler.
 */
#ifndef LK_SERVER_WHEN_ARGS_H
#define LK_SERVER_WHEN_ARGS_H

#include "server/command.h"

enum when_condition { WHEN_HELD, WHEN_VERSION, WHEN_EXISTS, WHEN_ABSENT, WHEN_EQ, WHEN_CONDITIONS };

/* The condition at argument i, and how many arguments it has; WHEN_CONDITIONS if there is none. */
enum when_condition when_condition_at(const struct slice *argv, int argc, int i, int *args);

/* For the row: where the command is, and which keys the conditions concern. */
int when_inner(const struct slice *argv, int argc);
int when_find_keys(const struct slice *argv, int argc, struct key_position *out, int max);

#endif
