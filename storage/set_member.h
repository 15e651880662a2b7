/*
 * A member of a set: bytes, or the number that they are the canonical spelling of. The same member
 * is always told in the same way.
 */
#ifndef LK_STORAGE_SET_MEMBER_H
#define LK_STORAGE_SET_MEMBER_H

#include "storage/pack.h"

struct set_member {
    struct slice text; /* borrowed; unless it is a number */
    int64_t number;
    bool is_number;
};

static inline struct set_member set_member_int(int64_t n)
{
    return (struct set_member){.number = n, .is_number = true};
}

static inline struct set_member set_member(struct slice s)
{
    struct set_member m = {.text = s};

    m.is_number = num_parse_int(s, &m.number);
    return m;
}

/* Of an element of packed ones. */
static inline struct set_member set_member_packed(const char *at)
{
    struct set_member m = {0};

    m.is_number = pack_int(at, &m.number);
    if (!m.is_number)
        m.text = pack_text(at, NULL);
    return m;
}

static inline struct pack_value set_member_value(const struct set_member *m)
{
    return m->is_number ? pack_value_int(m->number) : pack_value_text(m->text);
}

/* The bytes; those of a number are written to `digits`. */
static inline struct slice set_member_text(const struct set_member *m, char digits[NUM_INT_MAX])
{
    return m->is_number ? slice_make(digits, num_format_int(digits, m->number)) : m->text;
}

#endif
