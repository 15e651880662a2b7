/*
 * Where the write side meets the read side, as long as that is not there: what it does not define
 * yet is left out.
 */
#ifndef LK_SERVER_BACKEND_READING_SEAM_H
#define LK_SERVER_BACKEND_READING_SEAM_H

#include "server/backend/home.h"

#define WEAK __attribute__((weak))
WEAK struct reading *reading_new(struct server *s, const struct backend_driver *driver,
                                 const struct backend_url *url,
                                 const struct backend_options *options);
WEAK void reading_free(struct reading *r);
WEAK bool reading_start(struct reading *r, bool all);
WEAK void reading_stop(struct reading *r);
WEAK void reading_emptied(struct reading *r);
WEAK void reading_part(struct reading *r, struct shard *shard);
WEAK void purge_run(struct home *h, struct backend *b);

#undef WEAK

static inline void home_reading_new(struct home *h)
{
    if (reading_new)
        h->reading = reading_new(h->server, h->driver, &h->url, &h->options);
}
static inline void home_reading_free(struct home *h)
{
    if (h->reading)
        reading_free(h->reading);
}
static inline bool home_reading_start(struct home *h)
{
    return !h->reading || reading_start(h->reading, h->all);
}
static inline void home_reading_stop(struct home *h)
{
    if (h->reading)
        reading_stop(h->reading);
}
static inline void home_reading_emptied(struct home *h)
{
    if (h->reading)
        reading_emptied(h->reading);
}
static inline void home_reading_part(struct home *h, struct shard *shard)
{
    if (h->reading)
        reading_part(h->reading, shard);
}
static inline void home_purge(struct home *h)
{
    if (purge_run)
        purge_run(h, h->b);
}

#endif
