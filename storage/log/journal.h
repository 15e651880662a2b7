/*
 * The log of changes: what has to be written, in the order of the changes. Workers append groups of
 * records under the locks of the shards that they concern, so that the records of a key are in
 * order, and each group gets a sequence number.
 */
#ifndef LK_STORAGE_LOG_JOURNAL_H
#define LK_STORAGE_LOG_JOURNAL_H

#include "storage/log/records.h"

struct journal;

struct journal *journal_new(void);
void journal_free(struct journal *j);

/* Appends what was gathered, all of it or nothing of it to be loaded. Its number. Any thread. */
uint64_t journal_append(struct journal *j, const struct records *r);

#endif
