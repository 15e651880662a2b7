/* Glob patterns as KEYS, SCAN, PSUBSCRIBE and CONFIG GET take them. */
#ifndef LK_BASE_GLOB_H
#define LK_BASE_GLOB_H

#include "base/slice.h"

/* `*`, `?`, `[a-z]`, `[^a]` and `\x`; the whole of `text` must match. Time is bounded by
 * len(pattern) * len(text). */
bool glob_match(struct slice pattern, struct slice text, bool nocase);

#endif
