/* Members of sorted sets, their scores, and the ends of ranges. */
#ifndef TESTS_DIFFERENTIAL_SCORED_H
#define TESTS_DIFFERENTIAL_SCORED_H

#include "base/slice.h"

/* All are borrowed until the next is drawn. */
struct slice scored_draw_member(void);
struct slice scored_draw_score(void);
/* "(1.5", "+inf" … */
struct slice scored_draw_score_end(void);
/* "-", "[b" … */
struct slice scored_draw_member_end(void);

#endif
