/*
 * Patterns of SORT: names of keys, or of fields of hashes, that have a place for an element.
 *
 *     weight_*          the string at weight_<element>
 *     object_*->price   the field price of the hash at object_<element>
 *     #                 the element itself
 *
 * For Redis a pattern is a C string where it looks for these marks: they count in front of the
 * first NUL alone.
 */
#ifndef LK_SERVER_SORT_PATTERN_H
#define LK_SERVER_SORT_PATTERN_H

#include "server/call.h"

struct sort_pattern {
    bool is_element;
    bool is_nothing;             /* no place for an element */
    struct slice before, behind; /* of the key's name, around the element; borrowed */
    struct slice field;          /* of a hash; empty for none */
};

/* Whether there is a place for an element. */
bool sort_pattern_varies(struct slice text);
struct sort_pattern sort_pattern(struct slice text);

/*
 * What the pattern means for an element; false if there is nothing. It is borrowed until a key
 * changes, or the digits of a number, which are written to `digits`. The name of the key is made in
 * `name`. The world is stopped, unless the pattern names no key.
 */
bool sort_pattern_find(struct call *c, const struct sort_pattern *p, struct slice element,
                       struct buf *name, char digits[NUM_INT_MAX], struct slice *out);

#endif
