/*
 * Which bytes are text that any SQL database takes, and what others are written as instead.
 */
#ifndef LK_STORAGE_ROWS_TEXT_H
#define LK_STORAGE_ROWS_TEXT_H

#include "base/buf.h"

/* Valid UTF-8 without NUL: no surrogates, nothing longer than need be or above U+10FFFF. */
bool text_is_valid(struct slice s);

void text_put_base64(struct buf *out, struct slice bytes);
/* False, with `out` as it was, if it is none; it must be padded. */
bool text_get_base64(struct slice text, struct buf *out);

/* The bytes, which are text, between quotes as JSON has them. */
void text_put_json(struct buf *out, struct slice text);

#endif
