/* All databases of a test, see place.h. */
#include "tests/backend/places.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "tests/lib/database.h"

static const struct {
    const struct place *place;
    void (*start)(void);
    void (*stop)(void);
} kinds[] = {
    {&place_sqlite, place_sqlite_start, place_sqlite_stop},
    {&place_pgsql, place_pgsql_start, place_pgsql_stop},
    {&place_mysql, place_mysql_start, place_mysql_stop},
};

static struct place all[sizeof(kinds) / sizeof(kinds[0])];

/* $BACKENDS picks some. */
static bool wanted(const char *scheme)
{
    const char *some = getenv("BACKENDS");

    return !some || strstr(some, scheme);
}

const struct place *places_start(size_t *n)
{
    struct buf servers = {0};

    *n = 0;
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        if (wanted(kinds[i].place->scheme) && kinds[i].place->kill) {
            buf_append_str(&servers, servers.len ? " " : "");
            buf_append_str(&servers, kinds[i].place->scheme);
        }
    }
    buf_append_char(&servers, '\0');
    if (servers.len > 1)
        databases_start(servers.ptr);
    buf_release(&servers);
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        if (!wanted(kinds[i].place->scheme))
            continue;
        kinds[i].start();
        all[(*n)++] = *kinds[i].place;
    }
    return all;
}

void places_stop(void)
{
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        if (wanted(kinds[i].place->scheme))
            kinds[i].stop();
    }
    databases_stop();
}
