/* Allocation, see mem.h. The two allocators differ only in the few functions under `#ifdef`. */
#include "base/mem.h"

#include "base/compiler.h"

#include <malloc.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { FLUSH_STEP = 32 * 1024 };

static _Atomic int64_t used_total;
static _Thread_local int64_t used_delta;

NORETURN static void out_of_memory(size_t size)
{
    fprintf(stderr, "Out of memory allocating %zu bytes\n", size);
    abort();
}

void mem_flush(void)
{
    atomic_fetch_add_explicit(&used_total, used_delta, memory_order_relaxed);
    used_delta = 0;
}

static inline void count(int64_t bytes)
{
    used_delta += bytes;
    if (UNLIKELY(used_delta > FLUSH_STEP || used_delta < -FLUSH_STEP))
        mem_flush();
}

size_t mem_used(void)
{
    int64_t used = atomic_load_explicit(&used_total, memory_order_relaxed) + used_delta;

    return used > 0 ? (size_t)used : 0;
}

#ifndef LK_NO_JEMALLOC
#include <jemalloc/jemalloc.h>

size_t mem_good_size(size_t size)
{
    return nallocx(size ? size : 1, 0);
}

static inline size_t usable(const void *ptr)
{
    return malloc_usable_size((void *)(uintptr_t)ptr);
}

static inline void free_sized(void *ptr, size_t size)
{
    sdallocx(ptr, size ? size : 1, 0);
}

static size_t stat(const char *name)
{
    size_t value = 0, len = sizeof(value);

    return mallctl(name, &value, &len, NULL, 0) ? 0 : value;
}

void mem_allocator_stats(struct mem_allocator_stats *out)
{
    uint64_t epoch = 1;
    size_t len = sizeof(epoch);

    mallctl("epoch", &epoch, &len, &epoch, len);
    out->allocated = stat("stats.allocated");
    out->active = stat("stats.active");
    out->resident = stat("stats.resident");
    out->mapped = stat("stats.mapped");
    out->retained = stat("stats.retained");
}

void mem_purge(void)
{
    char name[64];

    snprintf(name, sizeof(name), "arena.%d.purge", MALLCTL_ARENAS_ALL);
    mallctl(name, NULL, NULL, NULL, 0);
}

void mem_purge_in_background(bool on)
{
    mallctl("background_thread", NULL, NULL, &on, sizeof(on));
}

const char *mem_allocator_name(void)
{
    static char name[32];

    if (!name[0])
        snprintf(name, sizeof(name), "jemalloc-%d.%d.%d", JEMALLOC_VERSION_MAJOR,
                 JEMALLOC_VERSION_MINOR, JEMALLOC_VERSION_BUGFIX);
    return name;
}

static void report_piece(void *opaque, const char *text)
{
    char **report = opaque;
    size_t old = *report ? strlen(*report) : 0, add = strlen(text);

    *report = mem_realloc(*report, old + add + 1);
    memcpy(*report + old, text, add + 1);
}

char *mem_allocator_report(void)
{
    char *report = mem_strdup("");

    malloc_stats_print(report_piece, &report, NULL);
    return report;
}
#else

size_t mem_good_size(size_t size)
{
    return size; /* nothing beyond what was asked for may be used: the sanitizers watch */
}

static inline size_t usable(const void *ptr)
{
    return malloc_usable_size((void *)(uintptr_t)ptr);
}

static inline void free_sized(void *ptr, size_t size)
{
    (void)size;
    free(ptr);
}

void mem_allocator_stats(struct mem_allocator_stats *out)
{
    memset(out, 0, sizeof(*out));
}

void mem_purge(void)
{
    malloc_trim(0);
}

void mem_purge_in_background(bool on)
{
    (void)on;
}

const char *mem_allocator_name(void)
{
    return "libc";
}

char *mem_allocator_report(void)
{
    return mem_strdup("Stats not supported for the current allocator");
}
#endif

void *mem_alloc(size_t size)
{
    void *ptr = malloc(size ? size : 1);

    if (UNLIKELY(!ptr))
        out_of_memory(size);
    count((int64_t)usable(ptr));
    return ptr;
}

void *mem_zalloc(size_t size)
{
    void *ptr = calloc(1, size ? size : 1);

    if (UNLIKELY(!ptr))
        out_of_memory(size);
    count((int64_t)usable(ptr));
    return ptr;
}

void *mem_zalloc_lines(size_t size)
{
    void *ptr = aligned_alloc(CACHE_LINE, (size + CACHE_LINE - 1) / CACHE_LINE * CACHE_LINE);

    if (UNLIKELY(!ptr))
        out_of_memory(size);
    memset(ptr, 0, size);
    count((int64_t)usable(ptr));
    return ptr;
}

void *mem_zeros(size_t size)
{
    void *ptr = mmap(NULL, size, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

    if (UNLIKELY(ptr == MAP_FAILED))
        out_of_memory(size);
    return ptr;
}

void mem_zeros_free(void *ptr, size_t size)
{
    munmap(ptr, size);
}

void *mem_realloc(void *ptr, size_t size)
{
    int64_t before = ptr ? (int64_t)usable(ptr) : 0;
    void *grown = realloc(ptr, size ? size : 1);

    if (UNLIKELY(!grown))
        out_of_memory(size);
    count((int64_t)usable(grown) - before);
    return grown;
}

void mem_free(void *ptr)
{
    if (!ptr)
        return;
    count(-(int64_t)usable(ptr));
    free(ptr);
}

void mem_free_sized(void *ptr, size_t size)
{
    count(-(int64_t)usable(ptr));
    free_sized(ptr, size);
}

char *mem_strndup(const char *ptr, size_t len)
{
    char *copy = mem_alloc(len + 1);

    if (len)
        memcpy(copy, ptr, len);
    copy[len] = '\0';
    return copy;
}

char *mem_strdup(const char *str)
{
    return mem_strndup(str, strlen(str));
}

size_t mem_size_of(const void *ptr)
{
    return ptr ? usable(ptr) : 0;
}

size_t mem_rss(void)
{
    FILE *f = fopen("/proc/self/statm", "r");
    unsigned long pages = 0;
    bool read = f && fscanf(f, "%*u %lu", &pages) == 1;

    if (f)
        fclose(f);
    return read ? pages * (size_t)sysconf(_SC_PAGESIZE) : 0;
}
