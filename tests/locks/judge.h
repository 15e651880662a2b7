/*
 * Says whether a history (acts.h) may be that of correct locks.
 *
 * From the acts on a token follows when it was certainly held: from the reply that granted it until
 * its release was asked for, its link was cut or its lease may have ended; and beyond that until
 * the last act that the server accepted for it, since what is lost is lost for ever. What the times
 * leave open is never complained of, so that a complaint is a fault of the server (or of the
 * program that wrote the history).
 */
#ifndef TESTS_LOCKS_JUDGE_H
#define TESTS_LOCKS_JUDGE_H

#include "tests/locks/acts.h"

/* A token that was granted, and all that is known of it. */
struct hold {
    const struct act *grant;
    int64_t from, until;   /* certainly held; empty when until <= from */
    int64_t lost;          /* certainly held no longer since; INT64_MAX when that is open */
    int64_t cut;           /* its link's end began; INT64_MAX when never */
    int64_t release_began; /* of an accepted release, or of one without reply; else INT64_MAX */
};

struct verdict {
    int count;
    enum { COMPLAINTS_KEPT = 10 } kept;
    char *texts[COMPLAINTS_KEPT];
    /* How much there was to judge, so that a run that proves nothing is seen. */
    int grants, handed_over, ordered, writes, refused, proven;
};

/* The complaints are freed by verdict_release(). */
struct verdict judge(const struct history *h);
void verdict_release(struct verdict *v);

/* One complaint more. */
void object(struct verdict *v, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* ---- what judge() is made of ---- */

/* All holds of the history, by name and token; caller frees. */
struct hold *holds_find(const struct history *h, size_t *n);

void judge_tokens(const struct hold *holds, size_t n, struct verdict *v);
void judge_exclusion(const struct hold *holds, size_t n, struct verdict *v);
void judge_order(const struct history *h, struct verdict *v);
void judge_answers(const struct history *h, const struct hold *holds, size_t n, struct verdict *v);
void judge_writes(const struct history *h, struct verdict *v);
void judge_commits(const struct history *h, struct verdict *v);

#endif
