/* Setting strings on conditions and for a time, and deleting them on a condition. */
#include "server/commands/string_set.h"
#include "server/reply.h"

enum condition { ALWAYS, IF_MISSING, IF_PRESENT, IF_EQUAL, IF_DIFFERENT };

struct set_options {
    enum condition condition;
    int compared; /* IF_EQUAL, IF_DIFFERENT: the argument to compare with */
    bool get, get_version;
    struct expiry_args expiry;
};

/* Whether `e`, which may be NULL, allows the command. Only strings can be compared. */
static bool is_met(const struct call *c, enum condition condition, int compared,
                   const struct entry *e)
{
    char digits[NUM_INT_MAX];

    switch (condition) {
    case ALWAYS:
        return true;
    case IF_MISSING:
        return !e;
    case IF_PRESENT:
        return e;
    case IF_EQUAL:
        return e && slice_eq(call_string(e, digits), call_arg(c, compared));
    case IF_DIFFERENT:
        return !e || !slice_eq(call_string(e, digits), call_arg(c, compared));
    }
    return false;
}

static bool compares(enum condition condition)
{
    return condition == IF_EQUAL || condition == IF_DIFFERENT;
}

/* NX, XX at argument i; a condition may be repeated, but not be joined by another. */
static bool read_existence(struct call *c, int i, enum condition *condition)
{
    enum condition next = call_arg_is(c, i, "NX")   ? IF_MISSING
                          : call_arg_is(c, i, "XX") ? IF_PRESENT
                                                    : ALWAYS;

    if (next == ALWAYS || (*condition != ALWAYS && *condition != next))
        return false;
    *condition = next;
    return true;
}

/* IFEQ value, IFNE value at argument *i. */
static bool read_comparison(struct call *c, int *i, enum condition *condition, int *compared)
{
    enum condition next = call_arg_is(c, *i, "IFEQ")   ? IF_EQUAL
                          : call_arg_is(c, *i, "IFNE") ? IF_DIFFERENT
                                                       : ALWAYS;

    if (next == ALWAYS || *condition != ALWAYS || *i + 1 >= c->argc)
        return false;
    *condition = next;
    *compared = ++*i;
    return true;
}

/* ---- SET ------------------------------------------------------------------------------------ */

static bool read_set_options(struct call *c, struct set_options *o)
{
    for (int i = 3; i < c->argc; i++) {
        if (call_arg_is(c, i, "GET"))
            o->get = true;
        else if (call_arg_is(c, i, "GETVERSION"))
            o->get_version = true;
        else if (!read_existence(c, i, &o->condition) &&
                 !read_comparison(c, &i, &o->condition, &o->compared) &&
                 !expiry_args_read(c, &i, EXPIRY_WORD_KEEPTTL, &o->expiry))
            return call_syntax_error(c);
    }
    return true;
}

/* What was set, and whatever the conditions were; with the time by the calendar. */
static void log_set(struct call *c, int i, int value, const struct expiry_args *x, int64_t expiry)
{
    char digits[NUM_INT_MAX];
    struct slice argv[] = {SLICE("SET"), call_arg(c, i), call_arg(c, value), SLICE("PXAT"), {0}};

    if (LIKELY(!call_logs(c)))
        return;
    argv[4] = slice_make(digits, num_format_int(digits, expiry));
    if (x->word == EXPIRY_WORD_KEEPTTL)
        argv[3] = SLICE("KEEPTTL");
    call_log(c, argv, expiry_args_timed(x) ? 5 : x->word == EXPIRY_WORD_KEEPTTL ? 4 : 3);
}

void string_set_for_a_time(struct call *c, int i, int value, const struct expiry_args *x,
                           int64_t expiry, const struct entry *kept)
{
    if (x->word == EXPIRY_WORD_KEEPTTL && kept)
        expiry = entry_expiry(kept);
    call_set_string(c, i, value, expiry);
    call_changed(c, i, EVENT_SET);
    log_set(c, i, value, x, expiry);
    if (expiry_args_timed(x))
        call_event(c, i, EVENT_EXPIRE);
}

static void set_with_options(struct call *c)
{
    struct set_options o = {0};
    int64_t expiry;
    struct entry *e;
    bool found;

    if (!read_set_options(c, &o) || !expiry_args_time(c, &o.expiry, &expiry))
        return;
    if (o.get)
        found = call_find(c, 1, TYPE_STRING, &e);
    else
        found = call_find_write(c, 1, compares(o.condition) ? TYPE_STRING : TYPE_ANY, &e);
    if (!found)
        return;
    if (o.get && o.get_version)
        reply_array(c, 2);
    if (o.get)
        reply_string(c, e);
    if (!is_met(c, o.condition, o.compared, e)) {
        if (!o.get || o.get_version)
            reply_null(c);
        return;
    }
    string_set_for_a_time(c, 1, 2, &o.expiry, expiry, e);
    if (o.get_version)
        reply_int(c, (int64_t)call_version(c, 1, call_peek(c, 1)));
    else if (!o.get)
        reply_ok(c);
}

/*
 * SET key value [NX | XX | IFEQ value | IFNE value] [GET] [GETVERSION] [EX s | PX ms | EXAT s |
 * PXAT ms | KEEPTTL]
 */
void cmd_set(struct call *c)
{
    if (UNLIKELY(c->argc > 3)) {
        set_with_options(c);
        return;
    }
    call_set_string(c, 1, 2, EXPIRY_NONE);
    call_changed(c, 1, EVENT_SET);
    reply_ok(c);
}

/* SETNX key value */
void cmd_setnx(struct call *c)
{
    struct entry *e;

    call_find_write(c, 1, TYPE_ANY, &e);
    if (!e) {
        call_set_string(c, 1, 2, EXPIRY_NONE);
        call_changed(c, 1, EVENT_SET);
    }
    reply_int(c, !e);
}

static void set_with_expiry(struct call *c, enum expiry_word word)
{
    struct expiry_args x = {.word = word, .arg = 2};
    int64_t expiry;

    if (!expiry_args_time(c, &x, &expiry))
        return;
    call_set_string(c, 1, 3, expiry);
    call_changed(c, 1, EVENT_SET);
    log_set(c, 1, 3, &x, expiry);
    call_event(c, 1, EVENT_EXPIRE);
    reply_ok(c);
}

/* SETEX key seconds value */
void cmd_setex(struct call *c)
{
    set_with_expiry(c, EXPIRY_WORD_EX);
}

/* PSETEX key milliseconds value */
void cmd_psetex(struct call *c)
{
    set_with_expiry(c, EXPIRY_WORD_PX);
}

/* ---- MSETEX --------------------------------------------------------------------------------- */

/* Behind which argument the pairs end; false, and answered, if their number makes no sense. */
static bool read_pairs(struct call *c, int *end)
{
    int64_t pairs;

    if (!call_int_between(c, 1, 1, INT_MAX, &pairs, "ERR invalid numkeys value"))
        return false;
    if (pairs > (c->argc - 2) / 2) {
        reply_error(c, "ERR wrong number of key-value pairs");
        return false;
    }
    *end = 2 + (int)pairs * 2;
    return true;
}

static bool read_msetex_options(struct call *c, int from, struct set_options *o)
{
    for (int i = from; i < c->argc; i++) {
        if (!read_existence(c, i, &o->condition) &&
            !expiry_args_read(c, &i, EXPIRY_WORD_KEEPTTL, &o->expiry))
            return call_syntax_error(c);
    }
    return true;
}

/* MSETEX numkeys key value [key value ...] [NX | XX] [EX s | PX ms | EXAT s | PXAT ms | KEEPTTL] */
void cmd_msetex(struct call *c)
{
    struct set_options o = {0};
    struct entry *e;
    int64_t expiry;
    int end;

    if (!read_pairs(c, &end) || !read_msetex_options(c, end, &o) ||
        !expiry_args_time(c, &o.expiry, &expiry))
        return;
    for (int i = 2; i < end; i += 2) {
        call_find_write(c, i, TYPE_ANY, &e);
        if (!is_met(c, o.condition, 0, e)) {
            reply_int(c, 0);
            return;
        }
    }
    for (int i = 2; i < end; i += 2)
        string_set_for_a_time(c, i, i + 1, &o.expiry, expiry, call_peek(c, i));
    reply_int(c, 1);
}

/* ---- GETEX ---------------------------------------------------------------------------------- */

static bool read_getex_options(struct call *c, struct expiry_args *x)
{
    for (int i = 2; i < c->argc; i++) {
        if (!expiry_args_read(c, &i, EXPIRY_WORD_PERSIST, x))
            return call_syntax_error(c);
    }
    return true;
}

static void give_expiry(struct call *c, const struct expiry_args *x, int64_t expiry)
{
    if (expiry_args_absolute(x) && expiry <= c->now_ms) {
        call_delete(c, 1);
        call_removed(c, 1, EVENT_DEL);
        CALL_LOG(c, SLICE("DEL"), call_arg(c, 1));
    } else if (expiry_args_timed(x)) {
        call_set_expiry(c, 1, expiry);
        call_changed(c, 1, EVENT_EXPIRE);
        call_log_expiry(c, 1, expiry);
    } else if (x->word == EXPIRY_WORD_PERSIST && call_peek(c, 1)->has_expiry) {
        call_set_expiry(c, 1, EXPIRY_NONE);
        call_changed(c, 1, EVENT_PERSIST);
        CALL_LOG(c, SLICE("PERSIST"), call_arg(c, 1));
    }
}

/* GETEX key [EX s | PX ms | EXAT s | PXAT ms | PERSIST] */
void cmd_getex(struct call *c)
{
    struct expiry_args x = {0};
    struct entry *e;
    int64_t expiry;

    if (!read_getex_options(c, &x) || !call_find(c, 1, TYPE_STRING, &e))
        return;
    if (!e) {
        reply_null(c);
        return;
    }
    if (!expiry_args_time(c, &x, &expiry))
        return;
    reply_string(c, e);
    give_expiry(c, &x, expiry);
}

/* ---- deleting ------------------------------------------------------------------------------- */

static void delete_if(struct call *c, bool wanted)
{
    if (wanted) {
        call_delete(c, 1);
        call_removed(c, 1, EVENT_DEL);
        CALL_LOG(c, SLICE("DEL"), call_arg(c, 1));
    }
    reply_int(c, wanted);
}

/* DELEX key [IFEQ value | IFNE value] */
void cmd_delex(struct call *c)
{
    enum condition condition = ALWAYS;
    int compared = 0, i = 2;
    struct entry *e;

    if (c->argc > 2 && (c->argc != 4 || !read_comparison(c, &i, &condition, &compared))) {
        call_syntax_error(c);
        return;
    }
    call_find_write(c, 1, TYPE_ANY, &e);
    if (e && compares(condition) && e->type != TYPE_STRING)
        reply_error(c, "ERR Key should be of string type if conditions are specified");
    else
        delete_if(c, e && is_met(c, condition, compared, e));
}

/* DELIFEQ key value */
void cmd_delifeq(struct call *c)
{
    struct entry *e;

    if (call_find_write(c, 1, TYPE_STRING, &e))
        delete_if(c, is_met(c, IF_EQUAL, 2, e));
}
