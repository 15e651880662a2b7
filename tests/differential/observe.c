/* See observe.h. */
#include "tests/differential/observe.h"

#include <stdio.h>

#include "tests/differential/reply_tree.h"
#include "tests/differential/verdict.h"
#include "tests/lib/tap.h"

enum { EVENTS_MAX = 4096 };

#define MARK_CHANNEL "differential-mark"

void observe_start(struct twin *t)
{
    struct slice replies[2];

    twin_say(t, "CONFIG SET notify-keyspace-events KEA");
    twin_send(t, TWIN_OBSERVER, SLICE("PSUBSCRIBE __key*__:*\r\nSUBSCRIBE " MARK_CHANNEL "\r\n"));
    if (!twin_read(t, TWIN_OBSERVER, 2, replies))
        bail("%s does not answer PSUBSCRIBE", t->server->binary);
}

static int mark_text(char *text, size_t size, unsigned long mark)
{
    return snprintf(text, size, "mark-%lu", mark);
}

void observe_encode_mark(struct buf *out, unsigned long mark)
{
    char text[32];
    int len = mark_text(text, sizeof(text), mark);

    buf_printf(out, "*3\r\n$7\r\nPUBLISH\r\n$%zu\r\n" MARK_CHANNEL "\r\n$%d\r\n%s\r\n",
               strlen(MARK_CHANNEL), len, text);
}

static bool is_mark(struct slice message, unsigned long mark)
{
    struct reply *r = reply_parse(message);
    char text[32];
    bool found;

    mark_text(text, sizeof(text), mark);
    found = r->count == 3 && slice_eq(r->items[1].text, SLICE(MARK_CHANNEL)) &&
            slice_eq(r->items[2].text, slice_str(text));
    reply_free(r);
    return found;
}

bool observe_read_in_order(struct twin *t, unsigned long mark, struct buf *out)
{
    struct buf events = {0};
    struct slice message;
    bool found = false;
    int n = 0;

    while (!found && n < EVENTS_MAX && twin_read(t, TWIN_OBSERVER, 1, &message)) {
        found = is_mark(message, mark);
        if (!found) {
            buf_append_slice(&events, message);
            n++;
        }
    }
    out->len = 0;
    buf_printf(out, "*%d\r\n", n);
    buf_append_slice(out, buf_slice(&events));
    buf_release(&events);
    return found;
}

bool observe_read(struct twin *t, unsigned long mark, struct buf *out)
{
    struct buf events = {0};
    bool found = observe_read_in_order(t, mark, &events);

    out->len = 0;
    reply_append_sorted(out, buf_slice(&events));
    buf_release(&events);
    return found;
}
