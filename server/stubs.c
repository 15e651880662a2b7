#include "server/eviction.h"
bool eviction_make_room(struct worker *w) { (void)w; return true; }
