/*
 * The options by which commands give a key its time to live: EX, PX, EXAT, PXAT, and KEEPTTL and
 * PERSIST, which exclude each other.
 */
#ifndef LK_SERVER_EXPIRY_ARGS_H
#define LK_SERVER_EXPIRY_ARGS_H

#include "server/call.h"

enum expiry_word {
    EXPIRY_WORD_NONE,
    EXPIRY_WORD_EX,
    EXPIRY_WORD_PX,
    EXPIRY_WORD_EXAT,
    EXPIRY_WORD_PXAT,
    EXPIRY_WORD_KEEPTTL,
    EXPIRY_WORD_PERSIST,
};

struct expiry_args {
    enum expiry_word word;
    int arg; /* which one holds the time */
};

static inline bool expiry_args_timed(const struct expiry_args *x)
{
    return x->word >= EXPIRY_WORD_EX && x->word <= EXPIRY_WORD_PXAT;
}

/* The time is one of the calendar, which may have passed. */
static inline bool expiry_args_absolute(const struct expiry_args *x)
{
    return x->word == EXPIRY_WORD_EXAT || x->word == EXPIRY_WORD_PXAT;
}

/*
 * Reads an option at argument *i, and moves *i to its last argument. `other` is the word that this
 * command knows beside the four with a time. False, nothing answered, if there is no such option,
 * or none that goes together with the one before.
 */
bool expiry_args_read(struct call *c, int *i, enum expiry_word other, struct expiry_args *x);

/*
 * The time in milliseconds of the clock, EXPIRY_NONE without one. False, and answered, if it is no
 * number ("ERR value is not an integer or out of range") or no time ("ERR invalid expire time in
 * 'set' command").
 */
bool expiry_args_time(struct call *c, const struct expiry_args *x, int64_t *out);

#endif
