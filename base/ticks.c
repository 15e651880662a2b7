/* The rate of the processor's counter, see ticks.h. */
#include "base/ticks.h"

#include <time.h>

double ticks_ns_each = 1.0;

void ticks_init(void)
{
    struct timespec nap = {.tv_nsec = 2000000};
    int64_t ns = clock_mono_ns();
    uint64_t ticks = ticks_now();

    nanosleep(&nap, NULL);
    ns = clock_mono_ns() - ns;
    ticks = ticks_now() - ticks;
    if (ticks > 0)
        ticks_ns_each = (double)ns / (double)ticks;
}
