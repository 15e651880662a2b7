/*
 * Making listpacks, in which Redis 7 has its small collections:
 *
 *     bytes in all (4)  elements (2)  element … element  ff
 *     element:          head [text]   its size, to be read backwards
 */
#ifndef LK_STORAGE_RDB_LISTPACK_OUT_H
#define LK_STORAGE_RDB_LISTPACK_OUT_H

#include "base/buf.h"

struct listpack_out {
    struct buf bytes; /* the caller releases it */
    size_t count;
};

/* Empties it, for another one. */
void listpack_begin(struct listpack_out *lp);
void listpack_put_int(struct listpack_out *lp, int64_t n);
/* Bytes that spell no number of 64 bits. */
void listpack_put_text(struct listpack_out *lp, struct slice s);
/* Either. */
void listpack_put(struct listpack_out *lp, struct slice s);
/* An element of our own packed ones, but a double. */
void listpack_put_packed(struct listpack_out *lp, const char *at);
/* Finishes it: all of its bytes, borrowed until it begins again. */
struct slice listpack_end(struct listpack_out *lp);

#endif
