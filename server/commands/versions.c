/*
 * Versions of keys: asking for them, and waiting for another one than is known. A key that is not
 * there has version 0.
 */
#include "server/reply.h"
#include "server/waiting.h"

/* SINCE n, WAIT ms. */
struct since {
    bool given, waits;
    int64_t version, ms; /* -1 ms: for ever */
};

static bool read_wait(struct call *c, int i, struct since *s)
{
    s->waits = true;
    return call_int_between(c, i, -1, INT64_MAX, &s->ms,
                            "ERR timeout is not an integer or out of range");
}

/* Argument i and the one behind it; there may be none of either. */
static bool read_option(struct call *c, int i, struct since *s)
{
    bool is_since = !s->given && call_arg_is(c, i, "since");

    if ((!is_since && (s->waits || !call_arg_is(c, i, "wait"))) || i + 1 == c->argc)
        return call_syntax_error(c);
    if (!is_since)
        return read_wait(c, i + 1, s);
    s->given = true;
    return call_int_between(c, i + 1, 0, INT64_MAX, &s->version, NULL);
}

static bool read_since(struct call *c, struct since *s)
{
    *s = (struct since){0};
    for (int i = 2; i < c->argc; i += 2) {
        if (!read_option(c, i, s))
            return false;
    }
    return true;
}

/* Nobody else has changed the key, whose version is this; WAIT alone is for the next change. */
static bool is_unchanged(const struct call *c, const struct since *s, uint64_t version)
{
    if (c->come)
        return false;
    return s->given ? version == (uint64_t)s->version : s->waits;
}

/* The key is as it is known to be: waits until it is not, or answers that it is. */
static void wait_for_change(struct call *c, const struct since *s, uint64_t version,
                            void (*in_vain)(struct call *c))
{
    struct wait wait = {
        .what = WAIT_FOR_CHANGE,
        .first = 1,
        .count = 1,
        .since = version,
        .until_us = s->ms > 0 ? wait_until_us(s->ms) : 0,
        .in_vain = in_vain,
    };

    if (!s->waits || s->ms == 0 || !wait_begin(c, &wait))
        in_vain(c);
}

/* VERSION key [SINCE version] [WAIT milliseconds] */
void cmd_version(struct call *c)
{
    struct since s;
    uint64_t version;

    if (!read_since(c, &s))
        return;
    version = call_version(c, 1, call_peek(c, 1));
    if (s.waits && is_unchanged(c, &s, version))
        wait_for_change(c, &s, version, reply_null);
    else
        reply_int(c, (int64_t)call_version(c, 1, call_look(c, 1)));
}

/* VGET key [SINCE version] [WAIT milliseconds] */
void cmd_vget(struct call *c)
{
    struct since s;
    struct entry *e;
    uint64_t version;

    if (!read_since(c, &s))
        return;
    e = call_peek(c, 1);
    version = call_version(c, 1, e);
    if ((!e || e->type == TYPE_STRING) && is_unchanged(c, &s, version)) {
        wait_for_change(c, &s, version, reply_null_array);
        return;
    }
    if (!call_find(c, 1, TYPE_STRING, &e))
        return;
    reply_array(c, 2);
    reply_int(c, (int64_t)version);
    reply_string(c, e);
}

/* MVERSION key [key ...] */
void cmd_mversion(struct call *c)
{
    reply_array(c, c->argc - 1);
    for (int i = 1; i < c->argc; i++)
        reply_int(c, (int64_t)call_version(c, i, call_look(c, i)));
}
