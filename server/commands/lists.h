/*
 * What the commands on lists have in common with those that wait for one: popping and moving, which
 * answer, change and say so. Keys are arguments of the call, whatever its command is.
 */
#ifndef LK_SERVER_COMMANDS_LISTS_H
#define LK_SERVER_COMMANDS_LISTS_H

#include "server/call.h"
#include "storage/type_list.h"

static inline struct list_limits list_limits_of(const struct call *c)
{
    return list_limits(c->conf->list_max_listpack_size);
}

/* The change that was just stated is one of `n` elements. */
static inline void list_count_changes(struct call *c, uint64_t n)
{
    c->worker->stats.dirty += n - 1;
}

/*
 * `n` elements go off this end of the list at key i, which stays: what stands for it then. The
 * change is the caller's to state.
 */
struct entry *list_take_off(struct call *c, int i, struct entry *e, enum list_end from, uint64_t n);

/* Elements from number `first` on as bulks. */
void list_reply_range(struct call *c, const struct entry *e, uint64_t first, uint64_t n);

/* False, and answered, if an argument from number `from` on is more than an element may be. */
bool list_elements_fit(struct call *c, int from);

/* LEFT or RIGHT; "ERR syntax error" for another word. */
bool list_end_arg(struct call *c, int i, enum list_end *out);

/* Replies the element at this end of the list `e`, which was found at key i, and takes it off. */
void list_pop_one(struct call *c, int i, struct entry *e, enum list_end from);
/* The same for up to `count` elements, in the order in which they go, as an array. */
void list_pop_some(struct call *c, int i, struct entry *e, enum list_end from, uint64_t count);

/*
 * Takes the element at one end of the list `e`, which was found at key i, puts it to one of the
 * list at key j, which may be the same or missing, and replies it. WRONGTYPE, and nothing done, if
 * that is no list.
 */
void list_move(struct call *c, int i, struct entry *e, enum list_end from, int j, enum list_end to);

/* numkeys key [key ...] LEFT|RIGHT [COUNT count] */
struct list_mpop {
    int first, keys; /* arguments that are keys */
    enum list_end from;
    int64_t count;
};

/* Argument `at` is numkeys. What is wrong is answered. */
bool list_mpop_args(struct call *c, int at, struct list_mpop *out);
/* Argument i, and what `e` gives of its elements, as LMPOP replies it. */
void list_mpop_reply(struct call *c, int i, struct entry *e, const struct list_mpop *m);

#endif
