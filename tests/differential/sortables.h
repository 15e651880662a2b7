/* For SORT: the keys of what is sorted, elements, and the keys that they are sorted by. */
#ifndef TESTS_DIFFERENTIAL_SORTABLES_H
#define TESTS_DIFFERENTIAL_SORTABLES_H

#include "base/slice.h"

/* All are borrowed until the next is drawn. */
struct slice sortables_draw_list(void);
struct slice sortables_draw_set(void);
struct slice sortables_draw_zset(void);
/* A list whose elements are no numbers. */
struct slice sortables_draw_word_list(void);
/* A number, however spelt. */
struct slice sortables_draw_value(void);
/* A string "w<number>" and a hash "h<number>". */
struct slice sortables_draw_weight(void);
struct slice sortables_draw_rated(void);

#endif
