/*
 * How long one insertion into a table takes at most, while the table grows: growth COUNT. Processor
 * time of this thread, so that being preempted does not count. Prints the number of insertions, and
 * their mean, 99.99th percentile and maximum in microseconds.
 */
#include "base/mem.h"
#include "base/world.h"
#include "storage/table.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static uint64_t hash_of(const void *item)
{
    uint64_t z = *(const uint64_t *)item + 0x9e3779b97f4a7c15;

    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return z ^ (z >> 31);
}

static uint32_t thread_ns(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts);
    return (uint32_t)((uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec);
}

static int ascending(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

    return (x > y) - (x < y);
}

int main(int argc, char **argv)
{
    size_t count = argc > 1 ? strtoull(argv[1], NULL, 10) : 1000000;
    uint64_t *items = mem_alloc(count * sizeof(*items));
    uint32_t *took = mem_alloc(count * sizeof(*took));
    struct table table = {0};
    double sum = 0;

    world_init();
    world_join();
    for (size_t i = 0; i < count; i++) {
        items[i] = i;
        took[i] = 0;
    }
    for (size_t i = 0; i < count; i++) {
        uint32_t start;

        world_enter();
        start = thread_ns();
        table_insert(&table, hash_of(&items[i]), &items[i], hash_of);
        took[i] = thread_ns() - start;
        world_leave();
        sum += took[i];
    }
    qsort(took, count, sizeof(*took), ascending);
    printf("%zu %.3f %.3f %.3f\n", count, sum / (double)count / 1000,
           took[count - count / 10000 - 1] / 1000.0, took[count - 1] / 1000.0);
    return 0;
}
