/*
 * The set type: looking into and changing the value of an entry of TYPE_SET. Pure: no replies.
 *
 *     form           raw   what it holds                            encoding, as Redis says it
 *     bytes, empty    -    nothing                                  intset
 *     bytes           1    sorted integers (intset.h)               intset
 *     bytes           0    packed elements in order of arrival      hashtable
 *     outside         -    a table of members (set_table.h)         hashtable
 *
 * A set begins as integers. It is that no more once it is given a member that is none, or more of
 * them than `intset_max` (the option set-max-intset-entries); then it is packed while it is small,
 * since a few elements are found quicker by walking over them, and otherwise a table. It never goes
 * back.
 */
#ifndef LK_STORAGE_TYPE_SET_H
#define LK_STORAGE_TYPE_SET_H

#include "storage/entry.h"
#include "storage/set_member.h"
#include "storage/set_table.h"

enum {
    SET_PACKED_MAX = 64,        /* packed members */
    SET_PACKED_MEMBER_MAX = 64, /* bytes of each */
    SET_PACKED_BYTES_MAX = 1024,
};

size_t set_count(const struct entry *e);
bool set_has(const struct entry *e, const struct set_member *m);
/* Whether it is a set of integers, to OBJECT ENCODING too. */
bool set_is_intset(const struct entry *e);

/* An empty set; not to be left in the keyspace. */
struct entry *set_new(struct slice key, int64_t expiry);
/*
 * These may move the entry, which *e stands for before and behind. False, nothing changed, if the
 * member was there or was not there. The last member may be removed.
 */
bool set_add(struct entry **e, const struct set_member *m, size_t intset_max);
bool set_remove(struct entry **e, const struct set_member *m);
/* The set is one of integers no more, as if it had held something else. */
void set_leave_integers(struct entry **e);

/* A member drawn at random, all being equally likely; there is one. Borrowed. */
struct set_member set_random(const struct entry *e);

/*
 * Going over all members: of integers in ascending order, of packed ones in that of their arrival.
 * What is given is borrowed until the set changes, which it must not meanwhile.
 */
struct set_walk {
    struct table_walk table;
    const struct entry *set;
    const char *at, *end; /* packed */
    size_t index, count;  /* integers */
};

struct set_walk set_walk(const struct entry *e);
bool set_walk_next(struct set_walk *w, struct set_member *m);

/*
 * Going over all members while `wanted` of them are chosen at random, any choice being equally
 * likely. There are at least that many.
 */
struct set_choice {
    struct set_walk walk;
    size_t wanted, left; /* still to be chosen, and to come */
};

struct set_choice set_choice(const struct entry *e, size_t wanted);
bool set_choice_next(struct set_choice *c, struct set_member *m, bool *chosen);

typedef void set_visit_fn(const struct set_member *m, void *opaque);
/*
 * Goes on from a cursor, 0 at first, until about `count` members were visited, and returns the
 * cursor to go on from, 0 at the end: as table_scan() means it. All of a set that is no table is
 * visited at once. The visitor must not change the set.
 */
uint64_t set_scan(const struct entry *e, uint64_t cursor, uint64_t count, set_visit_fn *visit,
                  void *opaque);

/* For the row of the type. */
void set_free(void *object);
size_t set_effort(const void *object);
void *set_copy(const void *object);
size_t set_memory(const void *object, size_t samples);
const char *set_encoding(const struct entry *e);
struct digest set_digest(const struct entry *e);
void set_hint(const void *object, struct slice member, bool deep);

#endif
