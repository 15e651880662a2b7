/*
 * Sorting of pointers, where clients see in which order equal items come: the whole keeps them as
 * they were, a part of it leaves them as quicksort of Bentley and McIlroy ("Engineering a sort
 * function", 1993) does, as long as that is quick.
 */
#ifndef LK_BASE_ORDERING_H
#define LK_BASE_ORDERING_H

#include <stddef.h>

/* Negative, zero or positive, as in qsort(). */
typedef int ordering_compare(const void *a, const void *b, void *arg);

void ordering_sort(void **v, size_t n, ordering_compare *compare, void *arg);
/*
 * Only what belongs at the places from `first` to `last` is there afterwards, in order; the others
 * are before and behind.
 */
void ordering_sort_part(void **v, size_t n, size_t first, size_t last, ordering_compare *compare,
                        void *arg);

#endif
