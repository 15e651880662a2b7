/*
 * How long commands take. Quick ones of one kind in a row are timed together and share the time
 * evenly, since looking at the clock would cost as much as they do; all others are timed each, and
 * so is everything when the slow log wants to see spans of less than a millisecond.
 */
#ifndef LK_SERVER_TIMING_H
#define LK_SERVER_TIMING_H

#include "server/call.h"

/* Ends the run in hand, and accounts for it. */
void timing_close(struct worker *w);
void timing_switch(struct worker *w, const struct command *cmd);
/*
 * The call just made, alone in its run, is over: accounts for it, slow log and latency monitor too.
 */
void timing_alone(struct call *c);

/*
 * The call waited after `ran_ns`, and was then served in `ns`; it failed, or not. Its worker's.
 */
void timing_served(struct call *c, uint64_t ran_ns, uint64_t ns, bool failed);

/* A run that is interrupted by others. */
struct timing {
    const struct command *cmd;
    uint64_t calls, start, failed;
};

/* Calls between the two are timed on their own, and belong to the run around them all the same. */
void timing_nest(struct worker *w, struct timing *outer);
void timing_unnest(struct worker *w, const struct timing *outer);

/* The call just begun does not run after all. */
void timing_withdraw(struct worker *w);

static inline bool timing_each(const struct conf *conf, const struct command *cmd)
{
    return !(cmd->flags & (CMD_FAST | CMD_QUICK)) || (uint64_t)conf->slowlog_log_slower_than < 1000;
}

static inline void timing_begin(struct worker *w, const struct command *cmd)
{
    if (UNLIKELY(w->run_cmd != cmd))
        timing_switch(w, cmd);
    w->run_calls++;
}

#endif
