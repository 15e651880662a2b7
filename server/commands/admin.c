/*
 * Commands about the server itself that need no more than a few lines: SHUTDOWN, TIME, ROLE,
 * LOLWUT.
 */
#include "base/clock.h"
#include "base/rng.h"
#include "base/version.h"
#include "server/reply.h"

/* ---- SHUTDOWN ------------------------------------------------------------------------------- */

enum shutdown_flags {
    SHUTDOWN_NOSAVE = 1 << 0,
    SHUTDOWN_SAVE = 1 << 1,
    SHUTDOWN_NOW = 1 << 2,
    SHUTDOWN_FORCE = 1 << 3,
    SHUTDOWN_ABORT = 1 << 4,
};

/* The bit of a word, 0 if it is none of them. */
static int shutdown_flag(struct slice word)
{
    static const char *const words[] = {"nosave", "save", "now", "force", "abort"};

    for (size_t i = 0; i < COUNT_OF(words); i++) {
        if (slice_is(word, words[i]))
            return 1 << i;
    }
    return 0;
}

static bool shutdown_flags(struct call *c, int *flags)
{
    *flags = 0;
    for (int i = 1; i < c->argc; i++) {
        int flag = shutdown_flag(call_arg(c, i));

        if (!flag)
            return call_syntax_error(c);
        *flags |= flag;
    }
    if ((*flags & SHUTDOWN_NOSAVE && *flags & SHUTDOWN_SAVE) ||
        (*flags & SHUTDOWN_ABORT && *flags != SHUTDOWN_ABORT))
        return call_syntax_error(c);
    return true;
}

/*
 * SHUTDOWN [NOSAVE | SAVE] [NOW] [FORCE] [ABORT]
 *
 * There are no replicas to wait for, so that nothing can be aborted once it has begun. The client
 * gets no reply, unless the data cannot be saved; its connection ends with the process, and not
 * before the port is free again.
 */
struct ending {
    struct server *server;
    int how; /* enum server_end */
    bool good;
};

static void prepare_end(void *arg)
{
    struct ending *e = arg;

    e->good = server_prepare_end(e->server, e->how);
}

void cmd_shutdown(struct call *c)
{
    struct ending e = {.server = c->server};
    int flags;

    if (!shutdown_flags(c, &flags))
        return;
    if (flags & SHUTDOWN_ABORT) {
        reply_error(c, "ERR No shutdown in progress.");
        return;
    }
    e.how = (flags & SHUTDOWN_SAVE ? END_SAVE : 0) | (flags & SHUTDOWN_NOSAVE ? END_NO_SAVE : 0) |
            (flags & SHUTDOWN_FORCE ? END_FORCE : 0);
    server_main_call(c->server, prepare_end, &e);
    c->conf = c->server->conf;
    if (!e.good) {
        reply_error(c, "ERR Errors trying to SHUTDOWN. Check logs.");
        return;
    }
    c->conn->flags |= CONN_BLOCKED;
    server_shutdown(c->server, 0);
}

/* ---- TIME, ROLE ----------------------------------------------------------------------------- */

/* TIME */
void cmd_time(struct call *c)
{
    int64_t us = clock_wall_us();

    reply_array(c, 2);
    write_bulk_int(&c->out, us / 1000000);
    write_bulk_int(&c->out, us % 1000000);
}

/* ROLE */
void cmd_role(struct call *c)
{
    reply_array(c, 3);
    reply_cstr(c, "master");
    reply_int(c, 0); /* the replication offset */
    reply_array(c, 0);
}

/* ---- LOLWUT --------------------------------------------------------------------------------- */

enum { CUTS_DEFAULT = 16, CUTS_MAX = 60, DEPTHS = 3 };

/* A key for a lock that nobody has: each cut goes as deep as chance will have it. */
static void draw_key(struct buf *out, int cuts)
{
    static const char *const bow[2 + DEPTHS] = {
        "   .---.  ", "  /     \\_", " |  ( )   ", "  \\     / ", "   '---'  ",
    };
    int depth[CUTS_MAX];

    for (int i = 0; i < cuts; i++)
        depth[i] = (int)rng_below(DEPTHS + 1);
    for (int row = 0; row < 2 + DEPTHS; row++) {
        buf_append_str(out, bow[row]);
        for (int i = 0; i < cuts && row > 0; i++)
            buf_append_str(out, row == 1 ? "__" : row - 2 < DEPTHS - depth[i] ? "##" : "  ");
        buf_append_str(out, row == 1 ? "\n" : row == 2 ? "#>\n" : "\n");
    }
}

/* The number that argument i is, within bounds; `initial` where there is none. */
static int picture_arg(const struct call *c, int i, int initial)
{
    int64_t n;

    if (i >= c->argc || !num_parse_int(call_arg(c, i), &n))
        return initial;
    return n < 1 ? 1 : n > CUTS_MAX ? CUTS_MAX : (int)n;
}

/* LOLWUT [VERSION version] [cuts] */
void cmd_lolwut(struct call *c)
{
    bool has_version = c->argc >= 3 && call_arg_is(c, 1, "version");
    struct buf out = {0};
    int64_t version;

    if (has_version && !call_int(c, 2, &version))
        return;
    draw_key(&out, picture_arg(c, has_version ? 3 : 1, CUTS_DEFAULT));
    buf_printf(&out, "\nA key to nothing in particular. Redis ver. %s, Latchkey ver. %s\n",
               REDIS_VERSION, LATCHKEY_VERSION);
    reply_verbatim(c, "txt", buf_slice(&out));
    buf_release(&out);
}
