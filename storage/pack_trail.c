/* Packed elements with trailers, see pack_trail.h. */
#include "storage/pack_trail.h"

const char *trail_prev_long(const unsigned char *behind)
{
    size_t size = 0;
    unsigned shift = 0;

    do
        size |= (size_t)(*--behind & TRAIL_ONE) << shift;
    while ((*behind & 0x80) && (shift += 7));
    return (const char *)behind - size;
}
