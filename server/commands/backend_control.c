/* BACKEND: see server/backend/. */
#include "base/clock.h"
#include "server/backend/drain.h"
#include "server/backend/fetching.h"
#include "server/later.h"
#include "server/reply.h"

/* False, and answered, without one. */
static bool has_backend(struct call *c)
{
    if (c->server->home)
        return true;
    reply_error(c, "ERR there is no backend");
    return false;
}

static void reply_field(struct call *c, const char *name, int64_t v)
{
    reply_cstr(c, name);
    reply_int(c, v);
}

static void reply_text(struct call *c, const char *name, const char *text)
{
    reply_cstr(c, name);
    reply_cstr(c, text);
}

/* BACKEND STATUS */
void cmd_backend_status(struct call *c)
{
    struct home *h = c->server->home;
    struct backend_error error;
    struct dirty_totals dirty;
    int64_t since;

    if (!has_backend(c))
        return;
    dirty = dirty_totals(h);
    since = home_behind_since_ms(h);
    error = home_error(h);
    reply_map(c, 8);
    reply_text(c, "url", h->url.shown);
    reply_text(c, "state", home_state_name(home_state(h)));
    reply_text(c, "mode", h->through ? "write-through" : "write-behind");
    reply_text(c, "error", error.text);
    reply_field(c, "lag-records", (int64_t)dirty.keys);
    reply_field(c, "lag-ms", dirty.keys && since ? clock_mono_ms() - since : 0);
    reply_field(c, "rows-written", (int64_t)atomic_load(&h->rows_written));
    reply_field(c, "rejected", (int64_t)atomic_load(&h->rejected));
}

/* BACKEND FLUSH, with the world stopped */
void cmd_backend_flush(struct call *c)
{
    if (has_backend(c))
        drain_flush(c->server->home, later_begin(c));
}

/* BACKEND REFRESH key */
void cmd_backend_refresh(struct call *c)
{
    if (!has_backend(c))
        return;
    if (c->db)
        reply_error(c, "ERR the backend has database 0 alone");
    else
        fetching_refresh(c, 2);
}

/* BACKEND RETRY */
void cmd_backend_retry(struct call *c)
{
    if (!has_backend(c))
        return;
    home_wake(c->server->home);
    reply_ok(c);
}

/* BACKEND HELP */
void cmd_backend_help(struct call *c)
{
    static const char *const lines[] = {
        "FLUSH",
        "    Wait until all that has been changed by now is in the table.",
        "REFRESH <key>",
        "    Read a key from the table, and have it in memory as it is there.",
        "RETRY",
        "    Try at once to reach a database that is down.",
        "STATUS",
        "    Tell the state of the backend, and how far the table is behind.",
        NULL,
    };

    reply_help(c, lines);
}
