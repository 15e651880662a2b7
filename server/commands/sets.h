/* What the commands on sets share. */
#ifndef LK_SERVER_COMMANDS_SETS_H
#define LK_SERVER_COMMANDS_SETS_H

#include "server/reply.h"
#include "storage/type_set.h"

static inline size_t intset_max(const struct call *c)
{
    return (size_t)c->conf->set_max_intset_entries;
}

static inline void reply_member(struct call *c, const struct set_member *m)
{
    if (m->is_number)
        write_bulk_int(&c->out, m->number);
    else
        write_bulk(&c->out, m->text);
}

/* The member at key i is concerned by what will be stated. */
static inline void touch_member(struct call *c, int i, const struct set_member *m)
{
    char digits[NUM_INT_MAX];

    if (LIKELY(!keyvalue_wanted(c->server)))
        return;
    call_note_touched(
        c, i, m->is_number ? slice_make(digits, num_format_int(digits, m->number)) : m->text);
}

/* All members, as a set. */
static inline void reply_members(struct call *c, const struct entry *e)
{
    struct set_walk w = set_walk(e);
    struct set_member m;

    reply_set(c, (int64_t)set_count(e));
    while (set_walk_next(&w, &m))
        reply_member(c, &m);
}

#endif
