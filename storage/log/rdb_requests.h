/* Keys as the requests that make them, for bases of a log that are no snapshots. */
#ifndef LK_STORAGE_LOG_RDB_REQUESTS_H
#define LK_STORAGE_LOG_RDB_REQUESTS_H

#include "storage/entry.h"
#include "storage/log/records.h"

/* Adds the requests, and notes, that make this entry where there is none. */
void records_of_entry(struct records *r, int db, const struct entry *e);

/* Replaces a snapshot in a file by the requests that make its keys. 0 or -errno. */
int rdb_requests_convert(const char *path, bool step_by_step);

#endif
