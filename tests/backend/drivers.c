/*
 * The drivers of all databases: one table of behaviour, run against a file of SQLite and against
 * real servers of PostgreSQL and MariaDB. What another program does, it does by a connection of its
 * own, without the driver.
 */
#include "base/clock.h"
#include "tests/backend/driver_kit.h"

enum { SLOW_MS = 1000 };

static void run(test_fn *const *tests)
{
    for (int i = 0; tests[i]; i++) {
        int64_t began = clock_mono_ms();

        tests[i]();
        if (clock_mono_ms() - began > SLOW_MS)
            diag("%s: test %d took %lld ms", place->scheme, i,
                 (long long)(clock_mono_ms() - began));
    }
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
        run(tests_failing);
    }
    buf_release(&told);
    places_stop();
    return tap_done();
}
