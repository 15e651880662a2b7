/* What concerns replicas: there are none. */
#include "server/reply.h"
#include "server/waiting.h"

/* In milliseconds; 0 is for ever. */
static bool read_timeout(struct call *c, int i, int64_t *until_us)
{
    int64_t ms;

    if (!call_int_between(c, i, INT64_MIN, INT64_MAX, &ms,
                          "ERR timeout is not an integer or out of range"))
        return false;
    if (ms < 0) {
        reply_error(c, "ERR timeout is negative");
        return false;
    }
    *until_us = wait_until_us(ms);
    return true;
}

static void reply_none(struct call *c)
{
    reply_int(c, 0);
}

/* WAIT numreplicas timeout. No replica ever acknowledges anything; Redis counts them in 32 bits. */
void cmd_wait(struct call *c)
{
    struct wait wait = {.in_vain = reply_none};
    int64_t replicas;

    if (!call_int(c, 1, &replicas) || !read_timeout(c, 2, &wait.until_us))
        return;
    if (replicas <= 0 || (int32_t)replicas <= 0 || !wait_begin(c, &wait))
        reply_none(c);
}
