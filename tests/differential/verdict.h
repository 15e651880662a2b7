/* Are two replies to the same command as alike as its rule asks? */
#ifndef TESTS_DIFFERENTIAL_VERDICT_H
#define TESTS_DIFFERENTIAL_VERDICT_H

#include "base/buf.h"
#include "tests/differential/rules.h"

bool replies_alike(enum comparison how, struct slice a, struct slice b);

/* Appends the reply's elements in a canonical order, at every level. */
void reply_append_sorted(struct buf *out, struct slice reply);

#endif
