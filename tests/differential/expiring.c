/*
 * Keys that expire while nobody looks: both servers tell the same events, each in its own time.
 *
 * The one place where times are short. Nothing is said about when an event comes, only that it
 * does, so a slow machine does no harm.
 */
#include "base/rng.h"
#include "tests/differential/contest.h"
#include "tests/differential/observe.h"
#include "tests/differential/verdict.h"

/* A key's events: it is set, it gets a time, its time is over; each by key and by event. */
enum { KEYS = 200, EVENTS = KEYS * 6 };

static void encode_keys(struct buf *out)
{
    for (int i = 0; i < KEYS; i++) {
        int ms = 1 + (int)rng_below(60);

        if (rng_below(2) == 0)
            buf_printf(out, "SET expiring:%d v PX %d\r\n", i, ms);
        else
            buf_printf(out, "PSETEX expiring:%d %d v\r\n", i, ms);
    }
}

static bool read_events(struct twin *t, struct buf *out)
{
    static struct slice messages[EVENTS], replies[KEYS];
    struct buf all = {0};
    bool complete = twin_read(t, TWIN_INSPECTOR, KEYS, replies);

    complete = twin_read(t, TWIN_OBSERVER, EVENTS, messages) && complete;
    buf_printf(&all, "*%d\r\n", EVENTS);
    for (int i = 0; i < EVENTS; i++)
        buf_append_slice(&all, messages[i]);
    if (complete)
        reply_append_sorted(out, buf_slice(&all));
    buf_release(&all);
    return complete;
}

bool contest_compare_expiring(struct contest *c)
{
    struct buf commands = {0}, events[2] = {{0}, {0}};
    bool complete = true, alike;

    contest_renew(c);
    encode_keys(&commands);
    for (int side = 0; side < 2; side++) {
        observe_no_values(&c->twins[side]);
        twin_send(&c->twins[side], TWIN_INSPECTOR, buf_slice(&commands));
        complete = read_events(&c->twins[side], &events[side]) && complete;
    }
    alike = complete && slice_eq(buf_slice(&events[ORACLE]), buf_slice(&events[TESTED]));
    buf_release(&commands);
    buf_release(&events[ORACLE]);
    buf_release(&events[TESTED]);
    return alike;
}
