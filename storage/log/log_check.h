/*
 * Checking a file of the log before anything of it is believed: what of it is sound, and if not all
 * is, whether the rest is a tail, as a crash leaves one, or damage in the middle. Pure.
 *
 * What is sealed (log_items.h) was written here. What is not is a tail, unless it begins with a
 * SELECT in upper case: then a Redis wrote it, and it is taken for what it is, as far as it goes.
 *
 * Damage is in the middle if something behind it is sound and says that the disk had it. (What the
 * disk did not have yet may have come there in any order.)
 */
#ifndef LK_STORAGE_LOG_LOG_CHECK_H
#define LK_STORAGE_LOG_LOG_CHECK_H

#include "storage/log/log_items.h"

enum log_verdict {
    LOG_SOUND,
    LOG_TAIL,    /* what follows `good` is a tail to be cut */
    LOG_DAMAGED, /* what follows `good`, up to `resume`, is damaged */
};

struct log_check {
    enum log_verdict verdict;
    size_t good;              /* so far it is sound */
    size_t wrong;             /* where what is wrong was found */
    size_t resume;            /* LOG_DAMAGED: where it is sound again */
    int resume_db;            /* the database selected there; -1: none is known */
    uint64_t seq, resume_seq; /* of the last group before `good`, and of the last in the next run */
    bool sealed;              /* the last that is good was written here */
    const char *why;
};

/* From `from` on, where a run begins. */
void log_check(struct slice bytes, size_t from, struct log_check *out);

#endif
