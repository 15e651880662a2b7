/* All databases of a test, see place.h. */
#include "tests/backend/places.h"

static struct place all[3];

const struct place *places_start(size_t *n)
{
    place_sqlite_start();
    all[0] = place_sqlite;
    *n = 1;
    return all;
}

void places_stop(void)
{
    place_sqlite_stop();
}
