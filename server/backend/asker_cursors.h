/*
 * Where iterations over the table have got to: numbers that stand for "behind this key". There is
 * room for so many; the oldest is forgotten first. One thread's.
 */
#ifndef LK_SERVER_BACKEND_ASKER_CURSORS_H
#define LK_SERVER_BACKEND_ASKER_CURSORS_H

#include "base/buf.h"

#include <stdint.h>

enum { ASKER_CURSORS_MAX = 4096 };

struct asker_place {
    bool encoded;     /* the second part of an iteration with a pattern */
    struct buf after; /* the text of the last key; empty: from the beginning */
};

struct asker_cursors {
    struct {
        uint64_t number; /* 0: none */
        struct asker_place place;
    } all[ASKER_CURSORS_MAX];
    uint64_t next; /* number, but for ASKER_CURSOR_BIT */
};

/* Copies the place; its number, which is not 0. */
uint64_t asker_cursors_add(struct asker_cursors *c, const struct asker_place *place);
/* NULL if it is not known, or not any more. Borrowed until the next is added. */
const struct asker_place *asker_cursors_find(const struct asker_cursors *c, uint64_t number);
void asker_cursors_release(struct asker_cursors *c);

#endif
