/* See observe.h. */
#include "tests/differential/observe.h"

#include <stdio.h>

#include "tests/differential/reply_tree.h"
#include "tests/differential/verdict.h"
#include "tests/lib/tap.h"

enum { EVENTS_MAX = 4096 };

#define MARK_CHANNEL "differential-mark"
#define VALUE_PATTERN "__keyvalue@*"

void observe_start(struct twin *t)
{
    struct slice replies[3];

    twin_say(t, "CONFIG SET notify-keyspace-events KEA");
    t->tells_values = twin_say(t, "CONFIG GET keyvalue-max-value-size").len > strlen("*0\r\n");
    twin_send(t, TWIN_OBSERVER,
              SLICE("PSUBSCRIBE __key*__:* " VALUE_PATTERN "\r\nSUBSCRIBE " MARK_CHANNEL "\r\n"));
    if (!twin_read(t, TWIN_OBSERVER, 3, replies))
        bail("%s does not answer PSUBSCRIBE", t->server->binary);
}

void observe_no_values(struct twin *t)
{
    struct slice reply;

    twin_send(t, TWIN_OBSERVER, SLICE("PUNSUBSCRIBE " VALUE_PATTERN "\r\n"));
    twin_read(t, TWIN_OBSERVER, 1, &reply);
}

/* ---- events that carry the value ------------------------------------------------------------- */

/*
 * The server under test tells each change a second time with the value. Both must be the same: a
 * line for each, "<db>__:<key> <event>".
 */
struct stories {
    struct buf events, values;
};

static bool starts_with(struct slice text, struct slice with)
{
    return text.len >= with.len && memcmp(text.ptr, with.ptr, with.len) == 0;
}

static bool ends_with(struct slice text, struct slice with)
{
    return text.len >= with.len && memcmp(text.ptr + text.len - with.len, with.ptr, with.len) == 0;
}

static struct slice behind(struct slice text, struct slice prefix)
{
    return slice_make(text.ptr + prefix.len, text.len - prefix.len);
}

static void append_line(struct buf *out, struct slice subject, struct slice event)
{
    buf_append_slice(out, subject);
    buf_append_char(out, ' ');
    buf_append_slice(out, event);
    buf_append_char(out, '\n');
}

/* What is an event in these messages alone is left out. */
static void append_value(struct stories *s, struct slice subject, struct slice message)
{
    static const char *const own[] = {"grown", "rewritten", "flushed", "swapped"};
    const char *end = memchr(message.ptr, ' ', message.len);
    struct slice event = slice_make(message.ptr, end ? (size_t)(end - message.ptr) : message.len);

    for (size_t i = 0; i < sizeof(own) / sizeof(own[0]); i++) {
        if (slice_eq(event, slice_str(own[i])))
            return;
    }
    append_line(&s->values, subject, event);
}

/* True if the message is one that only the server under test sends. */
static bool hear(struct stories *s, struct slice message)
{
    const struct slice spaces = SLICE("__keyspace@"), values = SLICE("__keyvalue@");
    struct reply *r = reply_parse(message);
    bool own = r->count == 4 && slice_eq(r->items[1].text, SLICE(VALUE_PATTERN));

    if (own)
        append_value(s, behind(r->items[2].text, values), r->items[3].text);
    else if (r->count == 4 && starts_with(r->items[2].text, spaces))
        append_line(&s->events, behind(r->items[2].text, spaces), r->items[3].text);
    reply_free(r);
    return own;
}

/* With the value everything is told, without it only what the options say. */
static bool all_are_told(struct twin *t)
{
    return !t->classes_vary &&
           ends_with(twin_say(t, "CONFIG GET notify-keyspace-events"), SLICE("\nAKE\r\n"));
}

/* What does not fit is shown as if it were an event more. */
static int compare_stories(struct twin *t, struct stories *s, struct buf *events)
{
    bool alike = !t->tells_values || slice_eq(buf_slice(&s->events), buf_slice(&s->values)) ||
                 !all_are_told(t);

    if (!alike) {
        buf_printf(events, "$%zu\r\nwith values: ", s->values.len + strlen("with values: "));
        buf_append_slice(events, buf_slice(&s->values));
        buf_append_str(events, "\r\n");
    }
    buf_release(&s->events);
    buf_release(&s->values);
    return alike ? 0 : 1;
}

/* ---- marks ----------------------------------------------------------------------------------- */

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
    struct stories stories = {0};
    struct buf events = {0};
    struct slice message;
    bool found = false;
    int n = 0;

    while (!found && n < EVENTS_MAX && twin_read(t, TWIN_OBSERVER, 1, &message)) {
        found = is_mark(message, mark);
        if (!found && !hear(&stories, message)) {
            buf_append_slice(&events, message);
            n++;
        }
    }
    n += compare_stories(t, &stories, &events);
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
