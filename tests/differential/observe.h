/*
 * Events: one connection of each twin is subscribed to all keyspace notifications, and to a
 * channel of marks. A mark is published behind each command by the command's own connection, so
 * what comes before it belongs to the command. Events that carry the value must tell the same.
 */
#ifndef TESTS_DIFFERENTIAL_OBSERVE_H
#define TESTS_DIFFERENTIAL_OBSERVE_H

#include "tests/differential/twin.h"

/* Turns the notifications on and subscribes. */
void observe_start(struct twin *t);
/* From here on there are no events with values, which observe_read() leaves out. */
void observe_no_values(struct twin *t);

void observe_encode_mark(struct buf *out, unsigned long mark);

/*
 * The events up to that mark, sorted, into `out` (which is emptied first). False if the mark does
 * not come.
 */
bool observe_read(struct twin *t, unsigned long mark, struct buf *out);
/* The same in the order in which they came. */
bool observe_read_in_order(struct twin *t, unsigned long mark, struct buf *out);

#endif
