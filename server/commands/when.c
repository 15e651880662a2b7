/*
 * WHEN: a command that runs if conditions hold. The keys of both are locked together, so it is one
 * step. The first condition that does not hold is answered with a code of its own.
 */
#include "server/dispatch.h"
#include "server/locks/latch.h"
#include "server/reply.h"
#include "server/when_args.h"

/* ---- conditions: of the key at argument i and the operand behind it -------------------------- */

static bool is_held(struct call *c, int i)
{
    int64_t token;

    if (!call_int(c, i + 1, &token))
        return false;
    if (latch_is_held(&c->server->keyspace, call_arg(c, i), call_hash(c, i), (uint64_t)token,
                      c->worker->mono_ms * 1000))
        return true;
    reply_error(c, "FENCED the lock is not held with that token");
    return false;
}

static bool is_version(struct call *c, int i)
{
    uint64_t version = call_version(c, i, call_peek(c, i));
    int64_t wanted;

    if (!call_int(c, i + 1, &wanted))
        return false;
    if (wanted >= 0 && version == (uint64_t)wanted)
        return true;
    reply_error(c, "VERSION %llu is the version of the key", (unsigned long long)version);
    return false;
}

static bool exists(struct call *c, int i)
{
    if (call_peek(c, i))
        return true;
    reply_error(c, "EXISTS the key does not exist");
    return false;
}

static bool is_absent(struct call *c, int i)
{
    if (!call_peek(c, i))
        return true;
    reply_error(c, "ABSENT the key exists");
    return false;
}

static bool is_equal(struct call *c, int i)
{
    char digits[NUM_INT_MAX];
    struct entry *e;

    if (!call_find_write(c, i, TYPE_STRING, &e))
        return false;
    if (e && slice_eq(call_string(e, digits), call_arg(c, i + 1)))
        return true;
    reply_error(c, "NOTEQUAL the key has another value");
    return false;
}

/* ---- WHEN ------------------------------------------------------------------------------------ */

/* False, and answered, if it does not hold. */
static bool holds(struct call *c, enum when_condition condition, int i)
{
    switch (condition) {
    case WHEN_HELD:
        return is_held(c, i);
    case WHEN_VERSION:
        return is_version(c, i);
    case WHEN_EXISTS:
        return exists(c, i);
    case WHEN_ABSENT:
        return is_absent(c, i);
    case WHEN_EQ:
        return is_equal(c, i);
    default:
        return call_syntax_error(c);
    }
}

/* Numbers are looked at before anything else is. */
static bool are_sensible(struct call *c)
{
    enum when_condition condition;
    int64_t n;

    if (!when_inner(c->argv, c->argc))
        return call_syntax_error(c);
    for (int i = 1, args;; i += args) {
        condition = when_condition_at(c->argv, c->argc, i, &args);
        if (condition == WHEN_CONDITIONS)
            return true;
        if ((condition == WHEN_VERSION || condition == WHEN_HELD) &&
            !call_int_between(c, i + 2, 0, INT64_MAX, &n, NULL))
            return false;
    }
}

/*
 * WHEN HELD lock token | VERSION key version | EXISTS key | ABSENT key | EQ key value [...] DO
 * command [arg ...]
 */
void cmd_when(struct call *c)
{
    enum when_condition condition;

    if (!are_sensible(c))
        return;
    for (int i = 1, args;; i += args) {
        condition = when_condition_at(c->argv, c->argc, i, &args);
        if (condition == WHEN_CONDITIONS)
            break;
        if (!holds(c, condition, i + 1))
            return;
    }
    dispatch_inner(c);
}
