/*
 * Records: changes as they are written to the log, each as the request that makes it. What Redis
 * has no command for stands in annotation lines, which it skips:
 *
 *     #LK:cmd HPEXPIREAT user:7 1735689600000 FIELDS 1 name
 *
 * with arguments between blanks, bytes that are no printable ASCII, '%' and an empty argument as
 * '%' and two digits; a line that would be too long ends with '+' in the place of the blank behind
 * "cmd" and goes on with the next one. Lines of other words are of the same form, but no changes of
 * keys.
 *
 * A group has the versions that its changes have given to keys (record_versions.h).
 *
 * Records of one moment are gathered here and given to the log as one group.
 */
#ifndef LK_STORAGE_LOG_RECORDS_H
#define LK_STORAGE_LOG_RECORDS_H

#include "storage/log/record_versions.h"

enum {
    NOTE_LINE_MAX = 1000, /* Redis 7.0 reads lines of up to 1,024 bytes */
};

struct records {
    struct buf bytes;
    size_t count;     /* requests, and notes of what Redis has none for */
    int first_db, db; /* that of the first record, and of the last */
    size_t line;      /* where the line in hand begins */
    const char *word; /* its */
    struct record_versions versions;
};

/* Begins a request of `argc` arguments, the name among them, in this database. */
void records_begin(struct records *r, int db, int argc);
/* The same for what Redis does not know. records_end_note() is to follow. */
void records_begin_note(struct records *r, int db);
/* A line of another word, which is no change of a key. The same follows. */
void records_begin_line(struct records *r, const char *word);
void records_arg(struct records *r, struct slice arg);
void records_note_arg(struct records *r, struct slice arg);
void records_note_number(struct records *r, int64_t n);
void records_end_note(struct records *r);
/*
 * All that belongs to the group is there. `plain`: to do it once more changes the same keys in the
 * same order.
 */
void records_tell_versions(struct records *r, bool plain);
static inline void records_end_group(struct records *r, bool plain)
{
    if (UNLIKELY(r->versions.count > 1))
        records_tell_versions(r, plain);
}

/* A whole request. */
void records_add(struct records *r, int db, const struct slice *argv, int argc);

/* SELECT as it is written here, in lower case, by which one written by Redis can be told. */
void records_select(struct buf *b, int db);

void records_clear(struct records *r);
void records_release(struct records *r);

/*
 * The argument at the beginning of `text`, decoded behind `out`; what is left. False if it is none.
 */
bool note_next_arg(struct slice *text, struct buf *out);

#endif
