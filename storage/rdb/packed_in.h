/*
 * Going over the elements of small collections as Redis packs, or packed, them: listpacks (since
 * 7.0), ziplists (from 2.4 on), zipmaps (hashes before 2.6). None of their bytes is believed.
 */
#ifndef LK_STORAGE_RDB_PACKED_IN_H
#define LK_STORAGE_RDB_PACKED_IN_H

#include "base/num.h"
#include "base/slice.h"

enum packed_form { PACKED_LISTPACK, PACKED_ZIPLIST, PACKED_ZIPMAP };

/* An element; borrowed. */
struct packed_item {
    struct slice text;
    int64_t number; /* if it is one */
    bool is_number;
};

struct packed_in {
    enum packed_form form;
    const unsigned char *at, *end;
    bool is_value; /* of a zipmap: what comes next */
    bool bad;      /* the bytes are not what they should be */
};

/* The first packed_in_next() gives the first element. */
struct packed_in packed_in(enum packed_form form, struct slice bytes);
/* False behind the last, or where the bytes are `bad`. */
bool packed_in_next(struct packed_in *p, struct packed_item *item);

/* Its bytes; those of a number are written to `digits`. */
static inline struct slice packed_item_text(const struct packed_item *item,
                                            char digits[NUM_INT_MAX])
{
    if (item->is_number)
        return slice_make(digits, num_format_int(digits, item->number));
    return item->text;
}

#endif
