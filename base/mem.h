/*
 * Allocation: jemalloc behind a count of the bytes in use.
 *
 * Nothing returns NULL: a process that cannot get memory ends here, and what clients can ask for is
 * bounded before it comes to this. The count is kept per thread and carried to a shared sum in
 * steps, so that neither allocating nor reading it touches a line that all threads write.
 */
#ifndef LK_BASE_MEM_H
#define LK_BASE_MEM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

void *mem_alloc(size_t size);
void *mem_zalloc(size_t size);
/* Aligned to a cache line, zeroed. Freed with mem_free. */
void *mem_zalloc_lines(size_t size);
void *mem_realloc(void *ptr, size_t size);
/* NULL is allowed. */
void mem_free(void *ptr);
/* The same as mem_free, quicker: `size` is the size that was asked for. */
void mem_free_sized(void *ptr, size_t size);

/*
 * Bytes that are 0 and stay so, since nobody can write them: they take no memory, and are not
 * counted.
 */
void *mem_zeros(size_t size);
void mem_zeros_free(void *ptr, size_t size);

/* A NUL-terminated copy of `len` bytes; the caller frees it with mem_free. */
char *mem_strndup(const char *ptr, size_t len);
char *mem_strdup(const char *str);

/* How many bytes an allocation of `size` really has. */
size_t mem_good_size(size_t size);
/* How many bytes the allocation at `ptr` has; 0 for NULL. */
size_t mem_size_of(const void *ptr);

/* Bytes in use by the whole process, exact to some 32 KB a thread. */
size_t mem_used(void);
/* Carries this thread's share of the count to the sum; a thread calls it before it ends. */
void mem_flush(void);

/* Resident memory of the process in bytes, 0 if it cannot be told. */
size_t mem_rss(void);

struct mem_allocator_stats {
    size_t allocated, active, resident, mapped, retained;
};
/* What the allocator knows of itself; all zero where it tells nothing. */
void mem_allocator_stats(struct mem_allocator_stats *out);
/* Gives unused pages back to the system. */
void mem_purge(void);
/*
 * Whether a thread of the allocator does so in the course of time. Without it, who frees much and
 * is idle then keeps it. Threads do not survive a fork: to be called behind the last one.
 */
void mem_purge_in_background(bool on);
/* "jemalloc-5.3.0", or "libc" in the sanitizer builds. */
const char *mem_allocator_name(void);
/* A long text of the allocator about itself, for people. The caller frees it with mem_free. */
char *mem_allocator_report(void);

#endif
