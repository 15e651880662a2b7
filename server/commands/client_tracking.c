/* CLIENT TRACKING and its kin: for clients that cache what they read. */
#include "base/mem.h"
#include "server/clients.h"
#include "server/reply.h"
#include "server/tracking.h"

/* ---- CLIENT TRACKING ------------------------------------------------------------------------ */

struct tracking_options {
    uint32_t flags;
    struct conn *to;
    int *prefixes; /* the arguments that they are; argc of them at most */
    int prefixes_len;
};

static bool read_redirect(struct call *c, int i, struct tracking_options *o)
{
    int64_t id;

    if (o->to) {
        reply_error(c, "ERR A client can only redirect to a single other client");
        return false;
    }
    if (!call_int(c, i, &id))
        return false;
    o->to = clients_find(c->server, (uint64_t)id);
    if (!o->to)
        reply_error(c, "ERR The client ID you want redirect to does not exist");
    return o->to != NULL;
}

/* A word alone; 0 if it is none. */
static uint32_t read_mode(const struct call *c, int i)
{
    static const struct {
        const char *word;
        uint32_t flag;
    } modes[] = {
        {"bcast", TRACKER_BROADCAST},
        {"optin", TRACKER_OPTIN},
        {"optout", TRACKER_OPTOUT},
        {"noloop", TRACKER_NOLOOP},
    };

    for (size_t k = 0; k < COUNT_OF(modes); k++) {
        if (call_arg_is(c, i, modes[k].word))
            return modes[k].flag;
    }
    return 0;
}

static bool read_options(struct call *c, struct tracking_options *o)
{
    for (int i = 3; i < c->argc; i++) {
        bool more = i + 1 < c->argc;
        uint32_t mode = read_mode(c, i);

        o->flags |= mode;
        if (mode)
            continue;
        if (more && call_arg_is(c, i, "redirect")) {
            if (!read_redirect(c, ++i, o))
                return false;
        } else if (more && call_arg_is(c, i, "prefix")) {
            o->prefixes[o->prefixes_len++] = ++i;
        } else {
            return call_syntax_error(c);
        }
    }
    return true;
}

/* What does not go together, or not with what is on already; NULL if all is well. */
static const char *conflict(const struct call *c, const struct tracking_options *o)
{
    enum { OPT = TRACKER_OPTIN | TRACKER_OPTOUT };
    uint32_t now = tracking_flags(c->conn), asked = o->flags;

    if (o->prefixes_len && !(asked & TRACKER_BROADCAST))
        return "ERR PREFIX option requires BCAST mode to be enabled";
    if (now && (now ^ asked) & TRACKER_BROADCAST)
        return "ERR You can't switch BCAST mode on/off before disabling tracking for this client, "
               "and then re-enabling it with a different mode.";
    if (asked & TRACKER_BROADCAST && asked & OPT)
        return "ERR OPTIN and OPTOUT are not compatible with BCAST";
    if ((asked & OPT) == OPT)
        return "ERR You can't specify both OPTIN mode and OPTOUT mode";
    if ((asked | now) & TRACKER_OPTIN && (asked | now) & TRACKER_OPTOUT)
        return "ERR You can't switch OPTIN/OPTOUT mode before disabling tracking for this client, "
               "and then re-enabling it with a different mode.";
    return NULL;
}

static bool overlap(struct slice a, struct slice b)
{
    return memcmp(a.ptr, b.ptr, a.len < b.len ? a.len : b.len) == 0;
}

static bool refuse_overlap(struct call *c, struct slice prefix, const char *which,
                           struct slice other)
{
    reply_error(c,
                "ERR Prefix '%.*s' overlaps with %s prefix '%.*s'. Prefixes for a single client "
                "must not overlap.",
                (int)prefix.len, prefix.ptr, which, (int)other.len, other.ptr);
    return false;
}

/* With those that the connection has, and with each other. */
static bool prefixes_fit(struct call *c, const struct tracking_options *o)
{
    const struct tracker *t = tracker_find(c->conn);

    for (int i = 0; i < o->prefixes_len; i++) {
        struct slice prefix = call_arg(c, o->prefixes[i]);

        for (size_t k = 0; t && k < t->prefixes_len; k++) {
            if (overlap(prefix, prefix_name(t->prefixes[k])))
                return refuse_overlap(c, prefix, "an existing", prefix_name(t->prefixes[k]));
        }
        for (int k = i + 1; k < o->prefixes_len; k++) {
            if (overlap(prefix, call_arg(c, o->prefixes[k])))
                return refuse_overlap(c, prefix, "another provided", call_arg(c, o->prefixes[k]));
        }
    }
    return true;
}

static void turn_on(struct call *c, const struct tracking_options *o)
{
    const char *error = conflict(c, o);

    if (error) {
        reply_error(c, "%s", error);
        return;
    }
    if (!prefixes_fit(c, o))
        return;
    tracking_on(c->conn, o->flags, o->to);
    if (o->flags & TRACKER_BROADCAST && !o->prefixes_len)
        tracking_add_prefix(c->conn, SLICE(""));
    for (int i = 0; i < o->prefixes_len; i++)
        tracking_add_prefix(c->conn, call_arg(c, o->prefixes[i]));
    reply_ok(c);
}

/*
 * CLIENT TRACKING ON | OFF [REDIRECT client-id] [PREFIX prefix [PREFIX prefix ...]] [BCAST]
 * [OPTIN] [OPTOUT] [NOLOOP]
 */
void cmd_client_tracking(struct call *c)
{
    struct tracking_options o = {.prefixes = mem_alloc((size_t)c->argc * sizeof(int))};

    if (!read_options(c, &o)) {
        /* answered */
    } else if (call_arg_is(c, 2, "on")) {
        turn_on(c, &o);
    } else if (call_arg_is(c, 2, "off")) {
        tracking_off(c->conn);
        reply_ok(c);
    } else {
        call_syntax_error(c);
    }
    mem_free(o.prefixes);
}

/* ---- the others ------------------------------------------------------------------------------ */

/* CLIENT CACHING YES | NO */
void cmd_client_caching(struct call *c)
{
    uint32_t flags = tracking_flags(c->conn);
    bool yes = call_arg_is(c, 2, "yes");

    if (!flags) {
        reply_error(c, "ERR CLIENT CACHING can be called only when the client is in tracking mode "
                       "with OPTIN or OPTOUT mode enabled");
    } else if (!yes && !call_arg_is(c, 2, "no")) {
        call_syntax_error(c);
    } else if (yes && !(flags & TRACKER_OPTIN)) {
        reply_error(c, "ERR CLIENT CACHING YES is only valid when tracking is enabled in OPTIN "
                       "mode.");
    } else if (!yes && !(flags & TRACKER_OPTOUT)) {
        reply_error(c, "ERR CLIENT CACHING NO is only valid when tracking is enabled in OPTOUT "
                       "mode.");
    } else {
        tracking_caching(c->conn);
        reply_ok(c);
    }
}

/* CLIENT GETREDIR */
void cmd_client_getredir(struct call *c)
{
    reply_int(c, tracking_redirect(c->conn));
}

static void reply_modes(struct call *c)
{
    uint32_t flags = tracking_flags(c->conn);
    const struct {
        bool is;
        const char *name;
    } modes[] = {
        {!flags, "off"},
        {flags & TRACKER_ON, "on"},
        {flags & TRACKER_BROADCAST, "bcast"},
        {flags & TRACKER_OPTIN, "optin"},
        {flags & TRACKER_OPTIN && flags & TRACKER_CACHING, "caching-yes"},
        {flags & TRACKER_OPTOUT, "optout"},
        {flags & TRACKER_OPTOUT && flags & TRACKER_CACHING, "caching-no"},
        {flags & TRACKER_NOLOOP, "noloop"},
        {flags & TRACKER_BROKEN, "broken_redirect"},
    };
    size_t begin = write_begin(&c->out), n = 0;

    for (size_t i = 0; i < COUNT_OF(modes); i++) {
        if (modes[i].is)
            reply_cstr(c, modes[i].name);
        n += modes[i].is;
    }
    write_end_set(&c->out, begin, (int64_t)n);
}

/* CLIENT TRACKINGINFO */
void cmd_client_trackinginfo(struct call *c)
{
    const struct tracker *t = tracker_find(c->conn);
    size_t prefixes = t ? t->prefixes_len : 0;

    reply_map(c, 3);
    reply_cstr(c, "flags");
    reply_modes(c);
    reply_cstr(c, "redirect");
    reply_int(c, tracking_redirect(c->conn));
    reply_cstr(c, "prefixes");
    reply_array(c, (int64_t)prefixes);
    for (size_t i = 0; i < prefixes; i++)
        reply_bulk(c, prefix_name(t->prefixes[i]));
}
