/* The slow side of the mutex, and the assertion of ranks; see lock.h. */
#include "base/lock.h"

#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { SPINS = 200 };

#if defined(__x86_64__)
#define PAUSE_CPU() __builtin_ia32_pause()
#elif defined(__aarch64__)
#define PAUSE_CPU() __asm__ volatile("yield")
#else
#define PAUSE_CPU() ((void)0)
#endif

bool lock_spin(struct lock *l)
{
    for (int i = 0; i < SPINS; i++) {
        uint32_t free_word = 0;

        if (atomic_load_explicit(&l->word, memory_order_relaxed) == 0 &&
            atomic_compare_exchange_strong_explicit(&l->word, &free_word, 1, memory_order_acquire,
                                                    memory_order_relaxed))
            return true;
        PAUSE_CPU();
    }
    return false;
}

void lock_sleep(struct lock *l)
{
    if (lock_spin(l))
        return;
    while (atomic_exchange_explicit(&l->word, 2, memory_order_acquire) != 0)
        syscall(SYS_futex, &l->word, FUTEX_WAIT_PRIVATE, 2, NULL, NULL, 0);
}

void lock_wake(struct lock *l)
{
    syscall(SYS_futex, &l->word, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
}

#ifdef LK_DEBUG
enum { HELD_MAX = 2048 };

static _Thread_local struct lock *held[HELD_MAX];
static _Thread_local int held_count;

static uint32_t position(const struct lock *l)
{
    return (uint32_t)l->rank << 16 | l->order;
}

void lock_note_tried(struct lock *l)
{
    INVARIANT(held_count < HELD_MAX);
    held[held_count++] = l;
}

void lock_note_taken(struct lock *l)
{
    for (int i = 0; i < held_count; i++)
        INVARIANT(position(held[i]) < position(l));
    lock_note_tried(l);
}

void lock_note_released(struct lock *l)
{
    int i = held_count;

    while (i > 0 && held[i - 1] != l)
        i--;
    INVARIANT(i > 0);
    for (held_count--; i <= held_count; i++)
        held[i - 1] = held[i];
}
#endif
