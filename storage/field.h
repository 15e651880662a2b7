/*
 * A field of a large hash: its name and its value in one allocation.
 *
 *     0           2          3       4
 *     +-----------+----------+-------+----------------+-----------+-----------+------+-------+
 *     | length of | length   | flags | time (6) and   | length of | length of | name | value |
 *     | the value | of the   |       | place (4), if  | the name  | the value |      |       |
 *     | (2)       | name (1) |       | it has a time  | (4, long) | (4, long) |      |       |
 *     +-----------+----------+-------+----------------+-----------+-----------+------+-------+
 *
 * The place is the field's own among those that have a time, see field_heap.h.
 */
#ifndef LK_STORAGE_FIELD_H
#define LK_STORAGE_FIELD_H

#include "storage/entry.h"

struct field {
    uint16_t value_len;
    uint8_t name_len;
    uint8_t has_time : 1;
    uint8_t long_name : 1;
    uint8_t long_value : 1;
    char data[];
};
static_assert(sizeof(struct field) == 4, "a field's header is 4 bytes");

enum { FIELD_TIME_BYTES = 6, FIELD_PLACE_BYTES = 4 };
/* As in Redis; more than that would fit. */
#define FIELD_TIME_MAX (((int64_t)1 << 46) - 1)

static inline size_t field_name_len(const struct field *f)
{
    uint32_t len = f->name_len;

    if (UNLIKELY(f->long_name))
        memcpy(&len, f->data + f->has_time * (FIELD_TIME_BYTES + FIELD_PLACE_BYTES), sizeof(len));
    return len;
}

static inline size_t field_value_len(const struct field *f)
{
    uint32_t len = f->value_len;

    if (UNLIKELY(f->long_value))
        memcpy(&len,
               f->data + f->has_time * (FIELD_TIME_BYTES + FIELD_PLACE_BYTES) +
                   f->long_name * sizeof(len),
               sizeof(len));
    return len;
}

static inline size_t field_name_offset(const struct field *f)
{
    return f->has_time * (FIELD_TIME_BYTES + FIELD_PLACE_BYTES) +
           ((size_t)f->long_name + f->long_value) * sizeof(uint32_t);
}

static inline struct slice field_name(const struct field *f)
{
    return slice_make(f->data + field_name_offset(f), field_name_len(f));
}

static inline struct slice field_value(const struct field *f)
{
    return slice_make(f->data + field_name_offset(f) + field_name_len(f), field_value_len(f));
}

static inline bool field_is(const void *item, struct slice name)
{
    const struct field *f = item;

    return field_name_len(f) == name.len &&
           bytes_eq(f->data + field_name_offset(f), name.ptr, name.len);
}

/* When it goes, in milliseconds of the wall clock; EXPIRY_NONE if it stays. */
static inline int64_t field_time(const struct field *f)
{
    int64_t at = 0;

    if (LIKELY(!f->has_time))
        return EXPIRY_NONE;
    memcpy(&at, f->data, FIELD_TIME_BYTES);
    return at;
}

/* Of a field that has a time. */
static inline uint32_t field_place(const struct field *f)
{
    uint32_t place;

    memcpy(&place, f->data + FIELD_TIME_BYTES, sizeof(place));
    return place;
}

static inline void field_set_place(struct field *f, uint32_t place)
{
    memcpy(f->data + FIELD_TIME_BYTES, &place, sizeof(place));
}

uint64_t field_hash(const void *item);
size_t field_size(const struct field *f);
struct field *field_new(struct slice name, struct slice value, int64_t time);
void field_free(struct field *f);
/* The value becomes this one where the allocation's size stays the same; else false, unchanged. */
bool field_overwrite(struct field *f, struct slice value);
/* A field that has a time gets another. */
static inline void field_set_time(struct field *f, int64_t time)
{
    memcpy(f->data, &time, FIELD_TIME_BYTES);
}

#endif
