/* Commands on strings. */
#include "server/reply.h"

/* GET key */
void cmd_get(struct call *c)
{
    struct entry *e;

    if (call_find(c, 1, TYPE_STRING, &e))
        reply_string(c, e);
}

/* SET key value */
void cmd_set(struct call *c)
{
    int64_t expiry = EXPIRY_NONE;
    int64_t s;
    if (c->argc == 5) {
        if (!call_int(c, 4, &s))
            return;
        expiry = c->now_ms + (call_arg_is(c, 3, "px") ? s : s * 1000);
    }
    call_set_string(c, 1, 2, expiry);
    call_changed(c, 1, EVENT_SET);
    reply_ok(c);
}

/* MSET key value [key value ...] */
void cmd_mset(struct call *c)
{
    if (c->argc % 2 == 0) {
        reply_error(c, "ERR wrong number of arguments for 'mset' command");
        return;
    }
    for (int i = 1; i < c->argc; i += 2) {
        call_set_string(c, i, i + 1, EXPIRY_NONE);
        call_changed(c, i, EVENT_SET);
    }
    reply_ok(c);
}
