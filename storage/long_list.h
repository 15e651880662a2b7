/*
 * A long list: packed elements (pack.h, with trailers) in nodes of some kilobytes, and a ring of
 * these.
 *
 *     ring     [ node, 3 ][ node, 4 ][ node, 2 ]
 *     node     free | element trailer  element trailer  element trailer | free
 *                   begin                                               end     cap
 *
 * A node has room at both ends, so that pushes and pops at either end of the list move nothing. An
 * element that is larger than a node is alone in one of its own size. Two neighbours that
 * removing elements left less than half full together become one.
 *
 * What is in no way limited here is what the elements need. Nothing else takes time in proportion
 * to their number: the ring, a word for each node, is what look-ups read and what insertions move.
 */
#ifndef LK_STORAGE_LONG_LIST_H
#define LK_STORAGE_LONG_LIST_H

#include "storage/node_ring.h"
#include "storage/pack_trail.h"

enum list_end { LIST_HEAD, LIST_TAIL };

/* How large nodes become: bytes of their elements, and number. */
struct list_limits {
    uint32_t bytes, count;
};

/* By list-max-listpack-size: so many elements, or if it is negative 4 KB for -1 to 64 KB for -5. */
struct list_limits list_limits(int64_t max_listpack_size);

struct long_list {
    uint64_t count; /* elements */
    struct node_ring ring;
    struct long_save *saving; /* a snapshot has not saved all of it, see long_save.h; or NULL */
    /*
     * Grows with each snapshot. While one saves the list, nodes of another generation than the
     * list's are those that it has not saved yet, and not to be changed.
     */
    uint32_t generation;
};

struct list_node {
    uint32_t cap, begin, end;
    uint32_t generation; /* of the list when it came into being, or was saved; or one of these: */
    char data[];
};

enum {
    NODE_LEFT = UINT32_MAX,     /* it is in the list no more, and the snapshot's */
    NODE_LENT = UINT32_MAX - 1, /* it is the snapshot's as soon as the list is freed */
};

struct long_list *long_list_new(void);
/* These are the type's row in value_types.c. */
void long_list_free(void *l);
size_t long_list_effort(const void *l);
void *long_list_copy(const void *l);
size_t long_list_memory(const void *l, size_t samples);

/* Makes an element of `size` bytes at an end, and returns where it is to be written. */
char *long_list_push(struct long_list *l, enum list_end end, size_t size, struct list_limits max);
/* Takes `n` elements off an end; there are as many. */
void long_list_drop(struct long_list *l, enum list_end end, size_t n, struct list_limits max);

/*
 * The nodes of which nothing stays when `n` elements are taken off an end, as a list of their own
 * which the caller frees, where they are many; NULL, and nothing done, where they are few.
 */
struct long_list *long_list_cut(struct long_list *l, enum list_end end, size_t n);

/* Makes an element of `size` bytes number `index`, and returns where it is to be written. */
char *long_list_insert(struct long_list *l, uint64_t index, size_t size, struct list_limits max);
/* Element number `index`, which is there, becomes this one. */
void long_list_set(struct long_list *l, uint64_t index, const struct pack_value *v,
                   struct list_limits max);
/*
 * Takes out elements that are this one, from number `from` on, which is there, at most `most`.
 * Returns how many they were.
 */
uint64_t long_list_remove(struct long_list *l, const struct pack_value *v, uint64_t from,
                          uint64_t most, struct list_limits max);

/* The first and the last element; there are any. */
static inline const char *long_list_end(const struct long_list *l, enum list_end end)
{
    const struct list_node *n = node_ring_node(&l->ring, end == LIST_HEAD ? 0 : l->ring.len - 1U);

    return end == LIST_HEAD ? n->data + n->begin : trail_prev(n->data + n->end);
}

/* Bytes of all elements with their trailers, if they are in one node; else more than there are. */
static inline size_t long_list_bytes(const struct long_list *l)
{
    const struct list_node *n = node_ring_node(&l->ring, 0);

    return l->ring.len == 1 ? n->end - n->begin : SIZE_MAX;
}

/* A place among the elements: within node number `node`. */
struct list_place {
    const char *at;
    size_t node, within;
};

/* Of element number `index`, which is there. */
struct list_place long_list_find(const struct long_list *l, uint64_t index);

#endif
