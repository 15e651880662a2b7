/*
 * The drivers of all databases: one table of behaviour, run against a file of SQLite and against
 * real servers of PostgreSQL and MariaDB. What another program does, it does by a connection of its
 * own, without the driver.
 */
#include "tests/backend/driver_kit.h"

static void run(test_fn *const *tests)
{
    for (; *tests; tests++)
        (*tests)();
}

int main(void)
{
    size_t n;
    const struct place *places = places_start(&n);

    for (size_t i = 0; i < n; i++) {
        place = &places[i];
        driver = backend_driver(slice_str(place->scheme));
        run(tests_rows);
        run(tests_shared);
    }
    buf_release(&told);
    places_stop();
    return tap_done();
}
