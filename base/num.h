/* Numbers to text and back, exactly as Redis clients expect them. */
#ifndef LK_BASE_NUM_H
#define LK_BASE_NUM_H

#include "base/slice.h"

enum { NUM_INT_MAX = 24, NUM_PLAIN_MAX = 32, NUM_DOUBLE_MAX = 5 * 1024 };

/*
 * A signed 64-bit integer in its one canonical spelling: no sign but '-', no leading zeros, no
 * blanks. False, with *out untouched, for anything else.
 */
bool num_parse_int(struct slice s, int64_t *out);
/* Digits of an unsigned 64-bit number, the whole of `s`. */
bool num_parse_uint(struct slice s, uint64_t *out);
/* Writes `value` to `out` (at least NUM_INT_MAX bytes), no NUL; returns its length. */
size_t num_format_int(char *out, int64_t value);

/* A floating-point number, the whole of `s`, without blanks; infinity is allowed, NaN is not. */
bool num_parse_double(struct slice s, double *out);
bool num_parse_long_double(struct slice s, long double *out);
/* 17 significant digits as printf's %.17g; "inf", "-inf", "nan". Returns the length. */
size_t num_format_double(char *out, size_t cap, double value);
/* For people: 17 digits behind the point, trailing zeros removed. NUM_DOUBLE_MAX bytes suffice. */
size_t num_format_long_double(char *out, size_t cap, long double value);

/* "1gb", "64kb", "5m": bytes with Redis' units. False if `s` is no such number. */
bool num_parse_memory(struct slice s, int64_t *out);

#endif
