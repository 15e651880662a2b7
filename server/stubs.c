#include "server/eviction.h"
#include "server/latency.h"
#include "server/monitor.h"
#include "server/slowlog.h"
void monitor_feed(struct call *c) { (void)c; }
bool eviction_make_room(struct worker *w) { (void)w; return true; }
struct slowlog *slowlog_new(void) { return 0; }
void slowlog_free(struct slowlog *log) { (void)log; }
void slowlog_note(struct call *c, uint64_t us) { (void)c; (void)us; }
struct latency *latency_new(void) { return 0; }
void latency_free(struct latency *l) { (void)l; }
void latency_note(struct latency *l, const char *event, int64_t ms, const struct conf *conf) { (void)l; (void)event; (void)ms; (void)conf; }
