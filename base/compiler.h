/* Words for the compiler, and the assertions of debug builds. */
#ifndef LK_BASE_COMPILER_H
#define LK_BASE_COMPILER_H

#include <stddef.h>

#define LIKELY(x) __builtin_expect(!!(x), 1)
#define UNLIKELY(x) __builtin_expect(!!(x), 0)
#define PREFETCH(p) __builtin_prefetch(p)
#define PRINTF_LIKE(fmt, args) __attribute__((format(printf, fmt, args)))
#define NORETURN __attribute__((noreturn))
#define NOINLINE __attribute__((noinline))
#define ALWAYS_INLINE static inline __attribute__((always_inline))

enum { CACHE_LINE = 64 };
#define CACHE_ALIGNED _Alignas(64)

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))
#define CONTAINER_OF(ptr, type, member) ((type *)(void *)((char *)(ptr)-offsetof(type, member)))

/* A broken promise inside the program: says where, and ends the process. Always on. */
#define INVARIANT(cond) (LIKELY(cond) ? (void)0 : invariant_broken(#cond, __FILE__, __LINE__))
NORETURN void invariant_broken(const char *what, const char *file, int line);

/* The same for what is too costly or too sure to be looked at in a release. */
#ifdef LK_DEBUG
#define DEBUG_ASSERT(cond) INVARIANT(cond)
#else
#define DEBUG_ASSERT(cond) ((void)sizeof(cond))
#endif

#endif
