/*
 * A lease for databases that have no locks that end with a connection: a note that says who has it
 * and when that one was last seen alive. Whoever reads and writes the note in one transaction, and
 * reads it again in each transaction in which it writes, can be sure of it.
 */
#ifndef LK_STORAGE_BACKEND_LEASE_NOTE_H
#define LK_STORAGE_BACKEND_LEASE_NOTE_H

#include "base/slice.h"

enum { LEASE_ID_LEN = 16, LEASE_PLACE_MAX = 128, LEASE_NOTE_MAX = 512 };

/* Who a connection is. */
struct lease_note {
    char id[LEASE_ID_LEN + 1];
    char place[LEASE_PLACE_MAX]; /* the processes among which our number is one */
};

void lease_note_init(struct lease_note *me);
/* Writes the note that says that this one has the lease now; the length. */
size_t lease_note_format(const struct lease_note *me, const char *who, char out[LEASE_NOTE_MAX]);
/* Whether the note says that this one has the lease. */
bool lease_note_is_mine(const struct lease_note *me, struct slice note);
/* Whether this one may have it: nobody has, or who had it is gone. */
bool lease_note_is_free(const struct lease_note *me, struct slice note);

#endif
