/*
 * Questions about the whole of database 0 (KEYS, SCAN, DBSIZE, RANDOMKEY) while not all of its keys
 * are in memory: a thread with a connection of its own has what is dirty written first, and then
 * asks the table. The command waits meanwhile.
 */
#ifndef LK_SERVER_BACKEND_ASKER_H
#define LK_SERVER_BACKEND_ASKER_H

#include "server/backend/reading.h"
#include "server/scan_args.h"

enum asked_for { ASKED_KEYS, ASKED_SCAN, ASKED_COUNT, ASKED_RANDOM };

/*
 * A cursor of SCAN that stands for a place in the table, not in memory. Where the one is given
 * instead of the other the iteration begins anew.
 */
#define ASKER_CURSOR_BIT ((uint64_t)1 << 52)

/*
 * False if memory can answer. Else the call will be answered later, or is, with an error. `args`
 * are of KEYS and SCAN, and `cursor` of SCAN.
 */
bool asker_takes(struct call *c, enum asked_for what, const struct scan_args *args,
                 uint64_t cursor);

struct asker *asker_new(struct reading *r);
void asker_free(struct asker *a);
/* Begins, and ends, its thread. What has been asked and not answered is answered with an error. */
int asker_start(struct asker *a);
void asker_stop(struct asker *a);

#endif
