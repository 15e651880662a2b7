/* See acts.h. */
#include "tests/locks/acts.h"

#include <stdlib.h>
#include <string.h>

/* Room for one item more; the items, perhaps elsewhere. */
static void *grown(void *items, size_t n, size_t *room, size_t size)
{
    if (n < *room)
        return items;
    *room = *room * 2 + 64;
    items = realloc(items, *room * size);
    if (items == NULL)
        abort();
    return items;
}

struct act *history_act(struct history *h)
{
    h->acts = grown(h->acts, h->n, &h->room, sizeof(*h->acts));
    memset(&h->acts[h->n], 0, sizeof(*h->acts));
    return &h->acts[h->n++];
}

struct sighting *history_sighting(struct history *h)
{
    h->sightings = grown(h->sightings, h->sighted, &h->sightings_room, sizeof(*h->sightings));
    memset(&h->sightings[h->sighted], 0, sizeof(*h->sightings));
    return &h->sightings[h->sighted++];
}

struct written *history_written(struct history *h)
{
    h->written = grown(h->written, h->lines, &h->lines_room, sizeof(*h->written));
    memset(&h->written[h->lines], 0, sizeof(*h->written));
    return &h->written[h->lines++];
}

void history_append(struct history *h, const struct history *other)
{
    for (size_t i = 0; i < other->n; i++)
        *history_act(h) = other->acts[i];
    for (size_t i = 0; i < other->sighted; i++)
        *history_sighting(h) = other->sightings[i];
    for (size_t i = 0; i < other->lines; i++)
        *history_written(h) = other->written[i];
}

void history_release(struct history *h)
{
    free(h->acts);
    free(h->sightings);
    free(h->written);
    memset(h, 0, sizeof(*h));
}
