/* What is to be on the disk before it is answered, and waiting for it. */
#include "server/dispatch.h"
#include "server/durability.h"
#include "server/handlers.h"
#include "server/reply.h"
#include "server/waiting.h"
#include "storage/log/journal.h"

/* DURABLE always | everysec | no command [arg ...] */
void cmd_durable(struct call *c)
{
    enum durability d;

    if (!durability_read(c, 1, false, &d) || !durability_possible(c, d))
        return;
    dispatch_inner(c);
    /* Of several in a transaction, which is answered at once, the strongest counts. */
    if (c->conn->durable_once < (uint8_t)d)
        c->conn->durable_once = (uint8_t)d;
}

/* CLIENT DURABILITY [always | everysec | no | default] */
void cmd_client_durability(struct call *c)
{
    enum durability d;

    if (c->argc > 3) {
        call_syntax_error(c);
        return;
    }
    if (c->argc == 2) {
        reply_bulk(c, slice_str(durability_name((enum durability)c->conn->durability)));
        return;
    }
    if (!durability_read(c, 2, true, &d) || !durability_possible(c, d))
        return;
    durability_set(c->conn, d);
    reply_ok(c);
}

/* ---- WAITAOF -------------------------------------------------------------------------------- */

static bool has_come(const struct call *c, uint64_t since)
{
    return journal_durable(c->server->journal) >= since;
}

/* Replicas there are none. What is asked for last is what the wait began with. */
static void reply_synced(struct call *c, uint64_t since)
{
    reply_array(c, 2);
    reply_int(c, server_gate(c->server, GATE_LOGGED) && has_come(c, since));
    reply_int(c, 0);
}

static void time_is_up(struct call *c)
{
    reply_synced(c, c->conn && c->conn->waiter ? waiting_since(c->conn) : 0);
}

static bool read_numbers(struct call *c, int64_t *local, int64_t *replicas, int64_t *until_us)
{
    int64_t ms;

    if (!call_int_between(c, 1, 0, 1, local,
                          "ERR value is out of range, must be between 0 and 1") ||
        !call_int_between(c, 2, 0, INT64_MAX, replicas,
                          "ERR value is out of range, must be positive") ||
        !call_int_between(c, 3, INT64_MIN, INT64_MAX, &ms,
                          "ERR timeout is not an integer or out of range"))
        return false;
    if (ms < 0) {
        reply_error(c, "ERR timeout is negative");
        return false;
    }
    *until_us = wait_until_us(ms);
    return true;
}

/* WAITAOF numlocal numreplicas timeout */
void cmd_waitaof(struct call *c)
{
    struct wait wait = {.in_vain = time_is_up, .since = journal_seq(c->server->journal)};
    int64_t local, replicas;

    if (!read_numbers(c, &local, &replicas, &wait.until_us))
        return;
    if (local && !server_gate(c->server, GATE_LOGGED)) {
        reply_error(c, "ERR WAITAOF cannot be used when numlocal is set but appendonly is "
                       "disabled.");
        return;
    }
    if (!replicas)
        wait.ready = has_come;
    if ((!replicas && (!local || has_come(c, wait.since))) || !wait_begin(c, &wait)) {
        reply_synced(c, wait.since);
        return;
    }
    durability_await(c->worker, wait.since);
}
