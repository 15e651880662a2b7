/* Passwords, see auth.h. */
#include "server/auth.h"

#include "server/reply.h"

/*
 * Takes as long whatever of the password is right; how long it depends on is what the client sent.
 */
static bool same_secret(struct slice given, struct slice secret)
{
    unsigned char differs = given.len != secret.len;

    for (size_t i = 0; i < given.len; i++)
        differs |= (unsigned char)(given.ptr[i] ^ secret.ptr[secret.len ? i % secret.len : 0]);
    return !differs;
}

bool auth_log_in(struct call *c, struct slice user, struct slice password)
{
    struct slice secret = c->conf->requirepass;
    bool known = slice_eq(user, SLICE("default"));

    if (!known || (secret.len && !same_secret(password, secret))) {
        reply_error(c, "WRONGPASS invalid username-password pair or user is disabled.");
        return false;
    }
    c->conn->gates &= ~(uint32_t)CONN_GATE_AUTH;
    return true;
}

void auth_log_out(struct conn *c)
{
    if (auth_required(c->worker->server->conf))
        c->gates |= CONN_GATE_AUTH;
    else
        c->gates &= ~(uint32_t)CONN_GATE_AUTH;
}

/* HELLO: the name and the password behind AUTH. */
static bool is_hello_secret(const struct call *c, int i)
{
    for (int at = 2; at + 2 < c->argc; at++) {
        if (call_arg_is(c, at, "setname"))
            at++;
        else if (call_arg_is(c, at, "auth"))
            return i == at + 1 || i == at + 2;
    }
    return false;
}

/* CONFIG SET: the value behind the name of such an option. */
static bool is_option_secret(const struct call *c, int i)
{
    const struct option *o = i % 2 && i >= 3 ? conf_find(call_arg(c, i - 1)) : NULL;

    return o && option_is_secret(o);
}

bool auth_is_secret(const struct call *c, int i)
{
    if (LIKELY(!(c->cmd->flags & CMD_TOUCHES_ARGS)) || i == 0)
        return false;
    if (c->cmd->run == cmd_auth)
        return true;
    return c->cmd->run == cmd_hello ? is_hello_secret(c, i) : is_option_secret(c, i);
}
