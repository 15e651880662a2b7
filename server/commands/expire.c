/* Commands on the time to live of keys. */
#include "server/reply.h"

enum unit { UNIT_MS, UNIT_SECONDS };
enum condition { IF_NONE = 1 << 0, IF_ANY = 1 << 1, IF_LATER = 1 << 2, IF_EARLIER = 1 << 3 };

/* ---- setting -------------------------------------------------------------------------------- */

static bool condition_of(struct call *c, int i, unsigned *conditions)
{
    static const struct {
        const char *word;
        enum condition condition;
    } words[] = {{"nx", IF_NONE}, {"xx", IF_ANY}, {"gt", IF_LATER}, {"lt", IF_EARLIER}};
    struct slice arg = call_arg(c, i);

    for (size_t w = 0; w < COUNT_OF(words); w++) {
        if (slice_is(arg, words[w].word)) {
            *conditions |= words[w].condition;
            return true;
        }
    }
    reply_error(c, "ERR Unsupported option %.*s", (int)arg.len, arg.ptr);
    return false;
}

static bool conditions_of(struct call *c, unsigned *conditions)
{
    *conditions = 0;
    for (int i = 3; i < c->argc; i++) {
        if (!condition_of(c, i, conditions))
            return false;
    }
    if (*conditions & IF_NONE && *conditions & ~(unsigned)IF_NONE) {
        reply_error(c, "ERR NX and XX, GT or LT options at the same time are not compatible");
        return false;
    }
    if (*conditions & IF_LATER && *conditions & IF_EARLIER) {
        reply_error(c, "ERR GT and LT options at the same time are not compatible");
        return false;
    }
    return true;
}

/*
 * The last of all times means "never" inside; who asks for it gets the one before, told as the
 * last.
 */
enum { LAST_IS_TOLD_LATER = 1 };

/* The time that argument 2 means, counted from `from`, on the wall clock. */
static bool time_of(struct call *c, enum unit unit, int64_t from, int64_t *out)
{
    int64_t at;

    if (!call_int(c, 2, &at))
        return false;
    if ((unit == UNIT_SECONDS && __builtin_mul_overflow(at, 1000, &at)) ||
        (at > 0 && at > INT64_MAX - from)) {
        reply_error(c, "ERR invalid expire time in '%s' command", c->cmd->full_name);
        return false;
    }
    at += from;
    *out = at == EXPIRY_NONE ? at - LAST_IS_TOLD_LATER : at;
    return true;
}

/* A key without a time to live lives forever, which no time is later than. */
static bool applies(unsigned conditions, int64_t has, int64_t at)
{
    if (conditions & IF_NONE && has != EXPIRY_NONE)
        return false;
    if (conditions & IF_ANY && has == EXPIRY_NONE)
        return false;
    if (conditions & IF_LATER && at <= has)
        return false;
    return !(conditions & IF_EARLIER) || at < has;
}

static void expire(struct call *c, enum unit unit, int64_t from)
{
    unsigned conditions;
    struct entry *e;
    int64_t at;

    if (!conditions_of(c, &conditions) || !time_of(c, unit, from, &at))
        return;
    call_find_write(c, 1, TYPE_ANY, &e);
    if (!e || !applies(conditions, entry_expiry(e), at)) {
        reply_int(c, 0);
        return;
    }
    if (at <= c->now_ms) {
        call_delete(c, 1);
        call_removed(c, 1, EVENT_DEL);
        CALL_LOG(c, SLICE("DEL"), call_arg(c, 1));
    } else {
        call_set_expiry(c, 1, at);
        call_changed(c, 1, EVENT_EXPIRE);
        call_log_expiry(c, 1, at);
    }
    reply_int(c, 1);
}

/* EXPIRE key seconds [NX | XX | GT | LT] */
void cmd_expire(struct call *c)
{
    expire(c, UNIT_SECONDS, c->now_ms);
}

/* PEXPIRE key milliseconds [NX | XX | GT | LT] */
void cmd_pexpire(struct call *c)
{
    expire(c, UNIT_MS, c->now_ms);
}

/* EXPIREAT key unix-time-seconds [NX | XX | GT | LT] */
void cmd_expireat(struct call *c)
{
    expire(c, UNIT_SECONDS, 0);
}

/* PEXPIREAT key unix-time-milliseconds [NX | XX | GT | LT] */
void cmd_pexpireat(struct call *c)
{
    expire(c, UNIT_MS, 0);
}

/* PERSIST key */
void cmd_persist(struct call *c)
{
    struct entry *e;

    call_find_write(c, 1, TYPE_ANY, &e);
    if (!e || !e->has_expiry) {
        reply_int(c, 0);
        return;
    }
    call_set_expiry(c, 1, EXPIRY_NONE);
    call_changed(c, 1, EVENT_PERSIST);
    reply_int(c, 1);
}

/* ---- asking --------------------------------------------------------------------------------- */

static void tell(struct call *c, enum unit unit, int64_t since)
{
    struct entry *e = call_look(c, 1);
    int64_t ms;

    if (!e || !e->has_expiry) {
        reply_int(c, e ? -1 : -2);
        return;
    }
    ms = entry_expiry(e);
    if (ms == EXPIRY_NONE - LAST_IS_TOLD_LATER)
        ms = EXPIRY_NONE;
    ms -= since;
    reply_int(c, unit == UNIT_MS ? ms : ms / 1000 + (ms % 1000 >= 500));
}

/* TTL key */
void cmd_ttl(struct call *c)
{
    tell(c, UNIT_SECONDS, c->now_ms);
}

/* PTTL key */
void cmd_pttl(struct call *c)
{
    tell(c, UNIT_MS, c->now_ms);
}

/* EXPIRETIME key */
void cmd_expiretime(struct call *c)
{
    tell(c, UNIT_SECONDS, 0);
}

/* PEXPIRETIME key */
void cmd_pexpiretime(struct call *c)
{
    tell(c, UNIT_MS, 0);
}
