/* Fields of hashes, their values, and the keys of hashes. */
#ifndef TESTS_DIFFERENTIAL_FIELDS_H
#define TESTS_DIFFERENTIAL_FIELDS_H

#include "base/slice.h"

/* All are borrowed until the next is drawn. */
struct slice fields_draw_key(void);
/* Of hashes that may have many fields. */
struct slice fields_draw_big_key(void);
struct slice fields_draw_name(void);
/* One of a thousand. */
struct slice fields_draw_many(void);
struct slice fields_draw_value(void);

#endif
