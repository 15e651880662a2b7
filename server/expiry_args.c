/* Options about the time to live, see expiry_args.h. */
#include "server/expiry_args.h"

#include "server/reply.h"

static const char *const words[] = {
    [EXPIRY_WORD_EX] = "EX",           [EXPIRY_WORD_PX] = "PX",
    [EXPIRY_WORD_EXAT] = "EXAT",       [EXPIRY_WORD_PXAT] = "PXAT",
    [EXPIRY_WORD_KEEPTTL] = "KEEPTTL", [EXPIRY_WORD_PERSIST] = "PERSIST",
};

static enum expiry_word find_word(struct slice arg)
{
    for (int word = EXPIRY_WORD_EX; word <= EXPIRY_WORD_PERSIST; word++) {
        if (slice_is(arg, words[word]))
            return (enum expiry_word)word;
    }
    return EXPIRY_WORD_NONE;
}

bool expiry_args_read(struct call *c, int *i, enum expiry_word other, struct expiry_args *x)
{
    struct expiry_args next = {.word = find_word(call_arg(c, *i)), .arg = *i + 1};

    if (next.word == EXPIRY_WORD_NONE || (x->word != EXPIRY_WORD_NONE && x->word != next.word))
        return false;
    if (expiry_args_timed(&next)) {
        if (next.arg >= c->argc)
            return false;
        *i = next.arg;
    } else if (next.word != other) {
        return false;
    }
    *x = next;
    return true;
}

/* False if the time cannot be told in milliseconds. */
static bool to_milliseconds(enum expiry_word word, int64_t now_ms, int64_t *time)
{
    bool seconds = word == EXPIRY_WORD_EX || word == EXPIRY_WORD_EXAT;
    bool relative = word == EXPIRY_WORD_EX || word == EXPIRY_WORD_PX;

    if (*time <= 0 || __builtin_mul_overflow(*time, seconds ? 1000 : 1, time) ||
        __builtin_add_overflow(*time, relative ? now_ms : 0, time))
        return false;
    if (*time == EXPIRY_NONE)
        *time -= 1;
    return true;
}

bool expiry_args_time(struct call *c, const struct expiry_args *x, int64_t *out)
{
    *out = EXPIRY_NONE;
    if (!expiry_args_timed(x))
        return true;
    if (!call_int(c, x->arg, out))
        return false;
    if (to_milliseconds(x->word, c->now_ms, out))
        return true;
    reply_error(c, "ERR invalid expire time in '%s' command", c->cmd->full_name);
    return false;
}
