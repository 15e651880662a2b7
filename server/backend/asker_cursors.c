/* Numbers that stand for places in the table, see asker_cursors.h. */
#include "server/backend/asker_cursors.h"

#include "base/rng.h"
#include "server/backend/asker.h"

enum { NUMBER_BITS = 51 };

/* Numbers of an earlier run are not to be taken for ours. */
uint64_t asker_cursors_add(struct asker_cursors *c, const struct asker_place *place)
{
    uint64_t number;
    size_t slot;

    if (!c->next)
        c->next = rng_entropy() >> (64 - NUMBER_BITS);
    number = ASKER_CURSOR_BIT | (++c->next & (((uint64_t)1 << NUMBER_BITS) - 1));
    slot = number % ASKER_CURSORS_MAX;
    c->all[slot].number = number;
    c->all[slot].place.encoded = place->encoded;
    c->all[slot].place.after.len = 0;
    buf_append_slice(&c->all[slot].place.after, buf_slice(&place->after));
    return number;
}

const struct asker_place *asker_cursors_find(const struct asker_cursors *c, uint64_t number)
{
    size_t slot = number % ASKER_CURSORS_MAX;

    return number && c->all[slot].number == number ? &c->all[slot].place : NULL;
}

void asker_cursors_release(struct asker_cursors *c)
{
    for (size_t i = 0; i < ASKER_CURSORS_MAX; i++)
        buf_release(&c->all[i].place.after);
}
