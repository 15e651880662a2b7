/* CLIENT: what there is to know of connections, and to set for one's own. */
#include "server/clients.h"

#include "base/mem.h"
#include "server/reply.h"

#define LOCK_TIMEOUT_MAX_MS ((int64_t)1 << 50)

/* CLIENT ID */
void cmd_client_id(struct call *c)
{
    reply_int(c, (int64_t)c->conn->id);
}

/* ---- texts ---------------------------------------------------------------------------------- */

/* CLIENT GETNAME */
void cmd_client_getname(struct call *c)
{
    if (c->conn->extra && c->conn->extra->name.len)
        reply_bulk(c, c->conn->extra->name);
    else
        reply_null(c);
}

/* CLIENT SETNAME connection-name */
void cmd_client_setname(struct call *c)
{
    if (!call_client_text(c, 2, "Client names"))
        return;
    conn_set_text(c->conn, CONN_NAME, call_arg(c, 2));
    reply_ok(c);
}

/* CLIENT SETINFO LIB-NAME libname | LIB-VER libver */
void cmd_client_setinfo(struct call *c)
{
    bool is_name = call_arg_is(c, 2, "lib-name");

    if (!is_name && !call_arg_is(c, 2, "lib-ver")) {
        reply_error(c, "ERR Unrecognized option '%.*s'", (int)call_arg(c, 2).len,
                    call_arg(c, 2).ptr);
        return;
    }
    if (!call_client_text(c, 3, is_name ? "lib-name" : "lib-ver"))
        return;
    conn_set_text(c->conn, is_name ? CONN_LIB_NAME : CONN_LIB_VER, call_arg(c, 3));
    reply_ok(c);
}

/* ---- modes ---------------------------------------------------------------------------------- */

static void set_flag(struct call *c, enum conn_flags flag)
{
    if (call_arg_is(c, 2, "on")) {
        c->conn->flags |= flag;
        reply_ok(c);
    } else if (call_arg_is(c, 2, "off")) {
        c->conn->flags &= ~(uint32_t)flag;
        reply_ok(c);
    } else {
        call_syntax_error(c);
    }
}

/* CLIENT NO-EVICT ON | OFF */
void cmd_client_no_evict(struct call *c)
{
    set_flag(c, CONN_NO_EVICT);
}

/* CLIENT NO-TOUCH ON | OFF */
void cmd_client_no_touch(struct call *c)
{
    set_flag(c, CONN_NO_TOUCH);
}

/* CLIENT LOCK-TIMEOUT ms: how long commands wait for keys that others guard; -1 is for ever. */
void cmd_client_lock_timeout(struct call *c)
{
    struct conn_extra *x;
    int64_t ms;

    if (!call_int_between(c, 2, -1, LOCK_TIMEOUT_MAX_MS, &ms,
                          "ERR timeout is not an integer or out of range"))
        return;
    x = conn_extra(c->conn);
    x->has_lock_timeout = true;
    x->lock_timeout_ms = ms;
    reply_ok(c);
}

/* CLIENT REPLY ON | OFF | SKIP. The gate drops replies, that of OFF and SKIP included. */
void cmd_client_reply(struct call *c)
{
    struct conn *conn = c->conn;

    if (call_arg_is(c, 2, "on")) {
        conn->flags &= ~(uint32_t)(CONN_REPLY_OFF | CONN_REPLY_SKIP);
        reply_ok(c);
    } else if (call_arg_is(c, 2, "off")) {
        conn->flags |= CONN_REPLY_OFF;
        conn->gates |= CONN_GATE_REPLY;
    } else if (call_arg_is(c, 2, "skip")) {
        if (!(conn->flags & CONN_REPLY_OFF))
            conn->flags |= CONN_REPLY_SKIP_NEXT;
        conn->gates |= CONN_GATE_REPLY;
    } else {
        call_syntax_error(c);
    }
}

/* ---- listing -------------------------------------------------------------------------------- */

/* CLIENT INFO */
void cmd_client_info(struct call *c)
{
    struct buf text = {0};

    client_describe(c->conn, &text);
    reply_verbatim(c, "txt", buf_slice(&text));
    buf_release(&text);
}

static bool list_ids(struct call *c, struct buf *text)
{
    int64_t id;

    for (int i = 3; i < c->argc; i++) {
        if (!call_int_between(c, i, INT64_MIN, INT64_MAX, &id, "ERR Invalid client ID"))
            return false;
    }
    for (int i = 3; i < c->argc; i++) {
        const struct conn *found;

        num_parse_int(call_arg(c, i), &id);
        found = clients_find(c->server, (uint64_t)id);
        if (found)
            client_describe(found, text);
    }
    return true;
}

/* All of the type, or all. */
static void list_type(struct call *c, const enum client_type *type, struct buf *text)
{
    size_t n;
    struct conn **all = clients_all(c->server, &n);

    for (size_t i = 0; i < n; i++) {
        if (!type || client_type(all[i]) == *type)
            client_describe(all[i], text);
    }
    mem_free(all);
}

/* CLIENT LIST [TYPE type | ID id [id ...]] */
void cmd_client_list(struct call *c)
{
    struct buf text = {0};
    enum client_type type;
    bool by_type = c->argc == 4 && call_arg_is(c, 2, "type");
    bool ok = true;

    if (by_type)
        ok = call_client_type(c, 3, &type);
    else if (c->argc > 3 && call_arg_is(c, 2, "id"))
        ok = list_ids(c, &text);
    else if (c->argc != 2)
        ok = call_syntax_error(c);
    if (ok && (by_type || c->argc == 2))
        list_type(c, by_type ? &type : NULL, &text);
    if (ok)
        reply_verbatim(c, "txt", buf_slice(&text));
    buf_release(&text);
}

/* CLIENT HELP */
void cmd_client_help(struct call *c)
{
    static const char *const lines[] = {
        "CACHING (YES|NO)",
        "    Whether keys that the next command reads are remembered.",
        "GETNAME",
        "    Tells the name of this connection.",
        "GETREDIR",
        "    Tells which client is told of changed keys in this one's place.",
        "ID",
        "    Tells the number of this connection.",
        "INFO",
        "    Describes this connection.",
        "KILL <ip:port>",
        "    Closes the connection from this address.",
        "KILL <option> <value> [<option> <value> [...]]",
        "    Closes the connections for which all of these hold:",
        "    * ADDR (<ip:port>|<unixsocket>:0): it comes from there.",
        "    * ID <client-id>: it has this number.",
        "    * LADDR (<ip:port>|<unixsocket>:0): it came in there.",
        "    * MAXAGE <seconds>: it is open for at least as long.",
        "    * SKIPME (YES|NO): whether this one is left out (default: yes).",
        "    * TYPE (NORMAL|MASTER|REPLICA|PUBSUB): it is of this type.",
        "    * USER <username>: it has authenticated as this user.",
        "LIST [TYPE (NORMAL|MASTER|REPLICA|PUBSUB)|ID <client-id> [<client-id> ...]]",
        "    Describes all connections, those of a type, or those with these numbers.",
        "LOCK-TIMEOUT <milliseconds>",
        "    How long commands of this connection wait for keys that others guard by locks;",
        "    0 is not at all, -1 for ever.",
        "NO-EVICT (ON|OFF)",
        "    Spares this connection when clients are closed to free memory.",
        "NO-TOUCH (ON|OFF)",
        "    Lets commands of this connection leave no trace of when keys were used.",
        "PAUSE <timeout> [WRITE|ALL]",
        "    Lets all commands, or only those that write, wait for so many milliseconds.",
        "REPLY (ON|OFF|SKIP)",
        "    Whether this connection gets replies, or none to its next command.",
        "SETINFO (LIB-NAME|LIB-VER) <text>",
        "    Notes which library the client uses.",
        "SETNAME <name>",
        "    Gives this connection a name; an empty one takes it away.",
        "TRACKING (ON|OFF) [REDIRECT <client-id>] [BCAST] [PREFIX <prefix> [...]]",
        "         [OPTIN] [OPTOUT] [NOLOOP]",
        "    Has this connection be told when keys change that it has read.",
        "TRACKINGINFO",
        "    Tells what was said by TRACKING.",
        "UNBLOCK <client-id> [TIMEOUT|ERROR]",
        "    Ends another connection's waiting, as if in time or with an error.",
        "UNPAUSE",
        "    Ends the pause before its time.",
        NULL,
    };

    reply_help(c, lines);
}
