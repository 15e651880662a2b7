/*
 * Lists. A short one is packed elements within its entry, `few` says how many; a long one is an
 * object (long_list.h). A list that has become long is packed again only when very little is left
 * of it, so that none goes to and fro.
 *
 * Functions that take `struct entry **` may move the entry, and leave there what stands for it from
 * then on. Elements are addresses of packed elements, borrowed until the list changes.
 */
#ifndef LK_STORAGE_TYPE_LIST_H
#define LK_STORAGE_TYPE_LIST_H

#include "storage/digest.h"
#include "storage/entry.h"
#include "storage/long_list.h"

enum {
    LIST_PACKED_BYTES = 1024, /* more than these, or more elements, are a long list */
    LIST_PACKED_MAX = 128,
    LIST_AGAIN_BYTES = 256, /* no more than these, and no more elements, are packed again */
    LIST_AGAIN_MAX = 32,
};
static_assert(LIST_PACKED_MAX < (int)FEW_MAX, "the entry knows how many packed elements it has");

/* An element's bytes; pack.h could take more. */
#define LIST_ELEMENT_MAX ((size_t)UINT32_MAX - 1024)

static inline bool lists_is_long(const struct entry *e)
{
    return e->form == FORM_OUTSIDE;
}

static inline struct long_list *lists_long(const struct entry *e)
{
    return entry_object(e);
}

static inline uint64_t lists_len(const struct entry *e)
{
    return lists_is_long(e) ? lists_long(e)->count : e->few;
}

/* A new list of `n` values, as pushing one after the other makes it. */
struct entry *lists_new(struct slice key, enum list_end end, const struct slice *values, size_t n,
                        struct list_limits max);
void lists_push(struct entry **e, enum list_end end, const struct slice *values, size_t n,
                struct list_limits max);
/*
 * Takes `n` elements off an end; more than these are there. Returns what takes long to free, an
 * object of this type that the caller frees, or NULL.
 */
void *lists_drop(struct entry **e, enum list_end end, uint64_t n, struct list_limits max);

/* Takes the element at `at` off, which is that at this end, and not the only one. */
void lists_drop_end(struct entry **e, enum list_end end, const char *at, struct list_limits max);

/* Element number `index`, which is there, becomes this value. */
void lists_set(struct entry **e, uint64_t index, struct slice value, struct list_limits max);
/* Puts a value in front of element number `index`, or behind the last. */
void lists_insert(struct entry **e, uint64_t index, struct slice value, struct list_limits max);
/*
 * Takes out elements that are this one, from number `from` on, which is there, at most `most`.
 * Returns how many they were, all there are if that is what is asked for.
 */
uint64_t lists_remove(struct entry **e, const struct pack_value *v, uint64_t from, uint64_t most,
                      struct list_limits max);

/* The first or the last element; there is one. */
const char *lists_end(const struct entry *e, enum list_end end);

/*
 * Elements that lie one behind the other, with trailers (trail_next) if `trailed`, else without
 * (pack_next).
 */
struct list_run {
    const char *at;
    size_t count;
    bool trailed;
    const struct long_list *l;
    size_t node;
};

/* The next element of a run that has one, which is shorter by it then. */
ALWAYS_INLINE const char *list_run_take(struct list_run *run)
{
    const char *at = run->at;

    run->at = run->trailed ? trail_next(at) : pack_next(at);
    run->count--;
    return at;
}

/* Those from number `index` on, which is there. */
struct list_run lists_run(const struct entry *e, uint64_t index);
/* Those behind; `count` is 0 at the end. */
void list_run_next(struct list_run *run);

/* One element after the other, from number `from` on to the last, or back to the first. */
struct list_walk {
    struct list_run run;
    bool back;
    /* Backwards: */
    uint64_t left;  /* elements that are still to come */
    size_t in_node; /* of a long list: of these in the node, and … */
    const char *behind;
    const char *bytes; /* of a packed one, and where its elements are in them */
    uint16_t offsets[LIST_PACKED_MAX];
};

/* There is an element of this number. */
void lists_walk(struct list_walk *w, const struct entry *e, uint64_t from, bool back);
/* NULL at the end. */
const char *lists_walk_next(struct list_walk *w);

/* The type's row in value_types.c. */
const char *lists_encoding(const struct entry *e);
struct digest lists_digest(const struct entry *e);

#endif
