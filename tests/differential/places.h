/* Longitudes, latitudes and lengths: most near a few towns, some at the edges of the map. */
#ifndef TESTS_DIFFERENTIAL_PLACES_H
#define TESTS_DIFFERENTIAL_PLACES_H

#include "base/slice.h"

/* Borrowed until the next of them is drawn. */
struct slice place_draw_lon(void);
struct slice place_draw_lat(void);
/* Metres, kilometres, anything. */
struct slice place_draw_length(void);

#endif
