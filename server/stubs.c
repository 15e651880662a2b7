#include "server/eviction.h"
#include "server/monitor.h"
void monitor_feed(struct call *c) { (void)c; }
bool eviction_make_room(struct worker *w) { (void)w; return true; }
