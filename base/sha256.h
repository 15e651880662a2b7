/* SHA-256 (FIPS 180-4). For passwords that are told as their digest, not for speed. */
#ifndef LK_BASE_SHA256_H
#define LK_BASE_SHA256_H

#include "base/slice.h"

enum { SHA256_HEX = 64 };

/* SHA256_HEX lower-case digits and a NUL. */
void sha256_hex(struct slice s, char *out);

#endif
