/*
 * Words of a line as configuration files and inline commands have them: parted by blanks, with
 * "double quotes" (escapes \n \r \t \b \a \xHH, and \ before any other character for itself) and
 * 'single quotes' (where only \' is an escape). A closing quote ends the word, and a blank or the
 * end must follow it.
 */
#ifndef LK_BASE_WORDS_H
#define LK_BASE_WORDS_H

#include "base/buf.h"

struct words {
    struct slice *items; /* into text */
    size_t len, cap;
    struct buf text;
};

/*
 * Splits `line`, whose end may also be a NUL, into `out`, all zero or used before. False if quotes
 * are not closed properly. Released by words_release in either case.
 */
bool words_split(struct words *out, struct slice line);
void words_release(struct words *w);

/* Appends `s` in double quotes, so that words_split reads it back as one word of the same bytes. */
void words_quote(struct buf *out, struct slice s);

#endif
