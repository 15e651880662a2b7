/*
 * What SCAN, HSCAN, SSCAN and ZSCAN have in common: their arguments, and a reply that begins with
 * the cursor to go on from.
 */
#ifndef LK_SERVER_SCAN_ARGS_H
#define LK_SERVER_SCAN_ARGS_H

#include "server/call.h"

struct scan_args {
    struct slice pattern;
    bool all; /* every name fits the pattern */
    int64_t count;
    const struct slice *type; /* SCAN_TYPE: only keys of it; NULL for all */
    bool no_values;           /* SCAN_NO_VALUES: names alone */
};

/* Options that only some of the commands have. */
enum scan_option { SCAN_TYPE = 1 << 0, SCAN_NO_VALUES = 1 << 1 };

/* The cursor at argument i. False, and "ERR invalid cursor" answered, if it is none. */
bool scan_args_cursor(struct call *c, int i, uint64_t *cursor);
/* The options from argument i on. False, and answered, if they make no sense. */
bool scan_args_read(struct call *c, int i, unsigned options, struct scan_args *args);
/* Those of a command without any. */
struct scan_args scan_args_none(void);

void scan_args_pattern(struct scan_args *args, struct slice pattern);
/* Whether the name fits the pattern. */
bool scan_args_fit(const struct scan_args *args, struct slice name);

/* Puts the cursor before the `shown` elements that were written since write_begin(). */
void scan_reply(struct call *c, size_t begin, uint64_t cursor, int64_t shown);
/* "Nothing, and that was all." */
void scan_reply_empty(struct call *c);

#endif
