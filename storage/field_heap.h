/*
 * The fields of one hash that have a time, the next to go first: a heap of times and fields, each
 * of which knows its place, so that any of them can be taken out.
 *
 * Items lie in chunks, so that growing moves nothing.
 */
#ifndef LK_STORAGE_FIELD_HEAP_H
#define LK_STORAGE_FIELD_HEAP_H

#include "storage/field.h"

/* 6 bytes of time, 6 of address. */
struct field_due {
    uint8_t bytes[12];
};

struct field_heap {
    struct field_due **chunks;
    uint32_t len, chunks_len;
    uint32_t first; /* items of the first chunk: fewer while the heap is small */
};

/* A field that has a time. */
void field_heap_add(struct field_heap *h, struct field *f);
void field_heap_remove(struct field_heap *h, const struct field *f);
/* The field, which is in the heap, was given another time. */
void field_heap_moved(struct field_heap *h, const struct field *f);

/* The next to go; NULL if none has a time. */
struct field *field_heap_first(const struct field_heap *h);
/* Its time, EXPIRY_NONE if none has one. */
int64_t field_heap_due(const struct field_heap *h);
/* How many go by this time; looks at no others but their neighbours. */
uint32_t field_heap_count(const struct field_heap *h, int64_t until);

/* Any that goes later than that; NULL if none does. Looks at all if need be. */
struct field *field_heap_later(const struct field_heap *h, int64_t time);

size_t field_heap_memory(const struct field_heap *h);
void field_heap_release(struct field_heap *h);

#endif
