/*
 * Times of fields: HEXPIRE and its kin, HTTL and its kin, HPERSIST; and commands that set, get or
 * remove fields and deal with their times at once: HSETEX, HGETEX, HGETDEL.
 */
#include "server/commands/hashes.h"

enum unit { UNIT_MS, UNIT_SECONDS };

/* What became of a field; the numbers are those of the replies. */
enum outcome { NO_FIELD = -2, NO_TIME = -1, NOT_MET = 0, DONE = 1, REMOVED = 2 };

/* ---- arguments ------------------------------------------------------------------------------ */

/* Fields at arguments. */
struct named_fields {
    int first, end;
};

/* "FIELDS number field …" from argument i to the end; `error` is for what is no number. */
static bool read_fields(struct call *c, int i, const char *error, struct named_fields *f)
{
    int64_t count;

    if (!call_arg_is(c, i, "fields")) {
        reply_error(c, "ERR Mandatory argument FIELDS is missing or not at the right position");
        return false;
    }
    if (!call_int_between(c, i + 1, 1, INT64_MAX, &count, error))
        return false;
    *f = (struct named_fields){i + 2, c->argc};
    if (count == f->end - f->first)
        return true;
    reply_error(c, "ERR The `numfields` parameter must match the number of arguments");
    return false;
}

static const char not_positive[] = "ERR Number of fields must be a positive integer";

/* A time at argument i, counted from `from`, on the wall clock. */
static bool read_time(struct call *c, int i, enum unit unit, int64_t from, int64_t *out)
{
    int64_t at, factor = unit == UNIT_SECONDS ? 1000 : 1;

    if (!call_int(c, i, &at))
        return false;
    if (at < 0) {
        reply_error(c, "ERR invalid expire time, must be >= 0");
        return false;
    }
    if (at > FIELD_TIME_MAX / factor || at * factor > FIELD_TIME_MAX - from) {
        reply_error(c, "ERR invalid expire time in '%s' command", c->cmd->full_name);
        return false;
    }
    *out = at * factor + from;
    return true;
}

/* An option with a time, EX and the like. */
struct timing_word {
    const char *word;
    enum unit unit;
    bool relative;
};

static const struct timing_word *timing_word(struct call *c, int i)
{
    static const struct timing_word words[] = {{"ex", UNIT_SECONDS, true},
                                               {"px", UNIT_MS, true},
                                               {"exat", UNIT_SECONDS, false},
                                               {"pxat", UNIT_MS, false}};

    for (size_t w = 0; w < COUNT_OF(words); w++) {
        if (call_arg_is(c, i, words[w].word))
            return &words[w];
    }
    return NULL;
}

static bool read_word_time(struct call *c, int i, const struct timing_word *w, int64_t *out)
{
    return read_time(c, i, w->unit, w->relative ? c->now_ms : 0, out);
}

/* ---- one field ------------------------------------------------------------------------------- */

struct tally {
    int64_t changed, removed;
};

/* A field that is there goes at that time, which may be past. */
static enum outcome give_time(struct call *c, struct hash_edit *h, struct slice name, int64_t at,
                              struct tally *t)
{
    call_touched(c, 1, name);
    if (at > c->now_ms) {
        hash_set_time(&h->e, name, at);
        hash_log_time(c, name, at);
        t->changed++;
        return DONE;
    }
    hash_remove(&h->e, name);
    CALL_LOG(c, SLICE("HDEL"), call_arg(c, 1), name);
    c->worker->stats.expired_subkeys++;
    t->removed++;
    return REMOVED;
}

static enum outcome take_time(struct call *c, struct hash_edit *h, struct slice name,
                              struct tally *t)
{
    int64_t has;

    if (!hash_time(h->e, name, &has))
        return NO_FIELD;
    if (has == EXPIRY_NONE)
        return NO_TIME;
    hash_set_time(&h->e, name, EXPIRY_NONE);
    call_touched(c, 1, name);
    hash_log_time(c, name, EXPIRY_NONE);
    t->changed++;
    return DONE;
}

/* Says what was done, if anything was. */
static void state(struct call *c, struct hash_edit *h, const struct tally *t,
                  enum key_event changed)
{
    if (t->changed || t->removed)
        hash_edit_removed(c, h, t->removed ? EVENT_HDEL : changed);
}

static void reply_no_fields(struct call *c, const struct named_fields *f)
{
    reply_array(c, f->end - f->first);
    for (int i = f->first; i < f->end; i++)
        reply_int(c, NO_FIELD);
}

/* ---- HEXPIRE and its kin --------------------------------------------------------------------- */

enum condition { ALWAYS, IF_NONE, IF_ANY, IF_LATER, IF_EARLIER };

static enum condition condition_of(struct call *c, int i)
{
    static const char *const words[] = {
        [IF_NONE] = "nx", [IF_ANY] = "xx", [IF_LATER] = "gt", [IF_EARLIER] = "lt"};

    for (int w = IF_NONE; w <= IF_EARLIER; w++) {
        if (call_arg_is(c, i, words[w]))
            return (enum condition)w;
    }
    return ALWAYS;
}

/* A field without a time stays forever, which no time is later than. */
static bool applies(enum condition condition, int64_t has, int64_t at)
{
    switch (condition) {
    case ALWAYS:
        return true;
    case IF_NONE:
        return has == EXPIRY_NONE;
    case IF_ANY:
        return has != EXPIRY_NONE;
    case IF_LATER:
        return at > has;
    case IF_EARLIER:
        return at < has;
    }
    return false;
}

static enum outcome expire_field(struct call *c, struct hash_edit *h, struct slice name,
                                 enum condition condition, int64_t at, struct tally *t)
{
    int64_t has;

    if (hash_is_empty(h->e) || !hash_time(h->e, name, &has))
        return NO_FIELD;
    return applies(condition, has, at) ? give_time(c, h, name, at, t) : NOT_MET;
}

static void expire_fields(struct call *c, enum unit unit, int64_t from)
{
    struct tally t = {0};
    enum condition condition;
    struct named_fields f;
    struct hash_edit h;
    int64_t at;

    if (!hash_edit_find(c, &h) || !read_time(c, 2, unit, from, &at))
        return;
    condition = condition_of(c, 3);
    if (!read_fields(c, condition == ALWAYS ? 3 : 4,
                     "ERR Parameter `numFields` should be greater than 0", &f))
        return;
    if (!h.e) {
        reply_no_fields(c, &f);
        return;
    }
    reply_array(c, f.end - f.first);
    for (int i = f.first; i < f.end; i++)
        reply_int(c, expire_field(c, &h, call_arg(c, i), condition, at, &t));
    state(c, &h, &t, EVENT_HEXPIRE);
}

/* HEXPIRE key seconds [NX | XX | GT | LT] FIELDS number field [field ...] */
void cmd_hexpire(struct call *c)
{
    expire_fields(c, UNIT_SECONDS, c->now_ms);
}

/* HPEXPIRE key milliseconds [NX | XX | GT | LT] FIELDS number field [field ...] */
void cmd_hpexpire(struct call *c)
{
    expire_fields(c, UNIT_MS, c->now_ms);
}

/* HEXPIREAT key unix-time-seconds [NX | XX | GT | LT] FIELDS number field [field ...] */
void cmd_hexpireat(struct call *c)
{
    expire_fields(c, UNIT_SECONDS, 0);
}

/* HPEXPIREAT key unix-time-milliseconds [NX | XX | GT | LT] FIELDS number field [field ...] */
void cmd_hpexpireat(struct call *c)
{
    expire_fields(c, UNIT_MS, 0);
}

/* HPERSIST key FIELDS number field [field ...] */
void cmd_hpersist(struct call *c)
{
    struct tally t = {0};
    struct named_fields f;
    struct hash_edit h;

    if (!hash_edit_find(c, &h) || !read_fields(c, 2, not_positive, &f))
        return;
    if (!h.e) {
        reply_no_fields(c, &f);
        return;
    }
    reply_array(c, f.end - f.first);
    for (int i = f.first; i < f.end; i++)
        reply_int(c, take_time(c, &h, call_arg(c, i), &t));
    state(c, &h, &t, EVENT_HPERSIST);
}

/* ---- asking ---------------------------------------------------------------------------------- */

static int64_t told(const struct entry *e, struct slice name, enum unit unit, int64_t since)
{
    int64_t at;

    if (!hash_time(e, name, &at))
        return NO_FIELD;
    if (at == EXPIRY_NONE)
        return NO_TIME;
    return unit == UNIT_MS ? at - since : (at - since + 999) / 1000;
}

static void tell_times(struct call *c, enum unit unit, int64_t since)
{
    struct named_fields f;
    struct entry *e;

    if (!call_find(c, 1, TYPE_HASH, &e) || !read_fields(c, 2, not_positive, &f))
        return;
    if (!e) {
        reply_no_fields(c, &f);
        return;
    }
    reply_array(c, f.end - f.first);
    for (int i = f.first; i < f.end; i++)
        reply_int(c, told(e, call_arg(c, i), unit, since));
}

/* HTTL key FIELDS number field [field ...] */
void cmd_httl(struct call *c)
{
    tell_times(c, UNIT_SECONDS, c->now_ms);
}

/* HPTTL key FIELDS number field [field ...] */
void cmd_hpttl(struct call *c)
{
    tell_times(c, UNIT_MS, c->now_ms);
}

/* HEXPIRETIME key FIELDS number field [field ...] */
void cmd_hexpiretime(struct call *c)
{
    tell_times(c, UNIT_SECONDS, 0);
}

/* HPEXPIRETIME key FIELDS number field [field ...] */
void cmd_hpexpiretime(struct call *c)
{
    tell_times(c, UNIT_MS, 0);
}

/* ---- HGETEX, HGETDEL ------------------------------------------------------------------------- */

struct getex_options {
    bool persist, timed;
    int64_t at;
    struct named_fields fields;
};

static bool read_getex(struct call *c, struct getex_options *o)
{
    const struct timing_word *w = timing_word(c, 2);
    int fields_at;

    *o = (struct getex_options){.timed = w, .persist = call_arg_is(c, 2, "persist")};
    fields_at = o->timed ? 4 : o->persist ? 3 : 2;
    if (fields_at + 2 >= c->argc) {
        reply_error(c, "ERR wrong number of arguments for '%s' command", c->cmd->full_name);
        return false;
    }
    return (!w || read_word_time(c, 3, w, &o->at)) &&
           read_fields(c, fields_at, not_positive, &o->fields);
}

/* HGETEX key [EX s | PX ms | EXAT s | PXAT ms | PERSIST] FIELDS number field [field ...] */
void cmd_hgetex(struct call *c)
{
    struct getex_options o;
    struct tally t = {0};
    struct hash_edit h;
    int64_t has;

    if (!hash_edit_find(c, &h) || !read_getex(c, &o))
        return;
    reply_array(c, o.fields.end - o.fields.first);
    for (int i = o.fields.first; i < o.fields.end; i++) {
        struct slice name = call_arg(c, i);

        hash_reply_value(c, h.e, name);
        if (o.persist && h.e)
            take_time(c, &h, name, &t);
        else if (o.timed && h.e && hash_time(h.e, name, &has))
            give_time(c, &h, name, o.at, &t);
    }
    state(c, &h, &t, o.persist ? EVENT_HPERSIST : EVENT_HEXPIRE);
}

/* HGETDEL key FIELDS number field [field ...] */
void cmd_hgetdel(struct call *c)
{
    struct named_fields f;
    struct tally t = {0};
    struct hash_edit h;

    if (!hash_edit_find(c, &h) || !read_fields(c, 2, not_positive, &f))
        return;
    reply_array(c, f.end - f.first);
    for (int i = f.first; i < f.end; i++) {
        hash_reply_value(c, h.e, call_arg(c, i));
        if (!h.e || !hash_remove(&h.e, call_arg(c, i)))
            continue;
        call_touched(c, 1, call_arg(c, i));
        CALL_LOG(c, SLICE("HDEL"), call_arg(c, 1), call_arg(c, i));
        t.removed++;
    }
    state(c, &h, &t, EVENT_HDEL);
}

/* ---- HSETEX ---------------------------------------------------------------------------------- */

enum existence { WHATEVER, IF_NO_FIELD, IF_ALL_FIELDS };

struct setex_options {
    enum existence existence;
    bool timed, keep;
    int64_t at;
    struct named_fields pairs;
};

static bool refuse(struct call *c, const char *error)
{
    reply_error(c, "%s", error);
    return false;
}

static bool wrong_arity(struct call *c)
{
    reply_error(c, "ERR wrong number of arguments for '%s' command", c->cmd->full_name);
    return false;
}

/* FIELDS at argument i, behind which there are pairs to the end. */
static bool read_pairs(struct call *c, int i, struct named_fields *pairs)
{
    int64_t count;

    if (i + 3 >= c->argc)
        return wrong_arity(c);
    if (!call_int_between(c, i + 1, 1, INT_MAX, &count, "ERR invalid number of fields"))
        return false;
    *pairs = (struct named_fields){i + 2, c->argc};
    return count * 2 == pairs->end - pairs->first || wrong_arity(c);
}

/* Moves *i to the option's last argument. */
static bool read_setex_time(struct call *c, int *i, const struct timing_word *w,
                            struct setex_options *o)
{
    if (o->timed || o->keep)
        return refuse(c, "ERR Only one of EX, PX, EXAT, PXAT or KEEPTTL arguments can be "
                         "specified");
    o->timed = w;
    o->keep = !w;
    if (!w)
        return true;
    if (++*i >= c->argc)
        return refuse(c, "ERR missing expire time");
    return read_word_time(c, *i, w, &o->at);
}

static bool read_setex_condition(struct call *c, int i, struct setex_options *o)
{
    if (o->existence != WHATEVER)
        return refuse(c, "ERR Only one of FXX or FNX arguments can be specified");
    o->existence = call_arg_is(c, i, "fnx") ? IF_NO_FIELD : IF_ALL_FIELDS;
    return true;
}

static bool read_setex(struct call *c, struct setex_options *o)
{
    *o = (struct setex_options){0};
    for (int i = 2; i < c->argc; i++) {
        const struct timing_word *w = timing_word(c, i);

        if (call_arg_is(c, i, "fields"))
            return read_pairs(c, i, &o->pairs);
        if (w || call_arg_is(c, i, "keepttl")) {
            if (!read_setex_time(c, &i, w, o))
                return false;
        } else if (call_arg_is(c, i, "fxx") || call_arg_is(c, i, "fnx")) {
            if (!read_setex_condition(c, i, o))
                return false;
        } else {
            reply_error(c, "ERR unknown argument: %.*s", (int)call_arg(c, i).len,
                        call_arg(c, i).ptr);
            return false;
        }
    }
    return wrong_arity(c);
}

static bool fields_allow(struct call *c, const struct entry *e, const struct setex_options *o)
{
    int64_t has;

    for (int i = o->pairs.first; o->existence != WHATEVER && i < o->pairs.end; i += 2) {
        if (hash_time(e, call_arg(c, i), &has) != (o->existence == IF_ALL_FIELDS))
            return false;
    }
    return true;
}

static void set_pairs(struct call *c, struct hash_edit *h, const struct setex_options *o,
                      struct tally *t)
{
    const struct hash_limits limits = hash_limits(c);
    bool past = o->timed && o->at <= c->now_ms;
    int64_t time = o->timed && !past ? o->at : o->keep ? FIELD_TIME_KEEP : EXPIRY_NONE;

    for (int i = o->pairs.first; i < o->pairs.end; i += 2) {
        hash_set(&h->e, call_arg(c, i), call_arg(c, i + 1), time, &limits);
        hash_log_set(c, h, i, call_arg(c, i + 1));
        if (past)
            give_time(c, h, call_arg(c, i), o->at, t);
        else
            call_touched(c, 1, call_arg(c, i));
    }
}

static void touch_pairs(struct call *c, const struct setex_options *o)
{
    for (int i = o->pairs.first; i < o->pairs.end; i += 2)
        call_touched(c, 1, call_arg(c, i));
}

/* They were set; and then their times, which may be past. */
static void state_set(struct call *c, const struct setex_options *o, const struct tally *t)
{
    call_changed(c, 1, EVENT_HSET);
    if (!o->timed)
        return;
    touch_pairs(c, o);
    call_event(c, 1, t->removed ? EVENT_HDEL : EVENT_HEXPIRE);
}

/*
 * HSETEX key [FNX | FXX] [EX s | PX ms | EXAT s | PXAT ms | KEEPTTL] FIELDS number field value
 * [field value ...]
 */
void cmd_hsetex(struct call *c)
{
    struct setex_options o;
    struct tally t = {0};
    struct hash_edit h;

    if (!read_setex(c, &o) || !hash_edit_make(c, &h))
        return;
    if (!fields_allow(c, h.e, &o)) {
        hash_edit_undo(&h);
        reply_int(c, 0);
        return;
    }
    set_pairs(c, &h, &o, &t);
    hash_edit_done(c, &h);
    state_set(c, &o, &t);
    if (hash_is_empty(h.e))
        call_emptied(c, 1);
    reply_int(c, 1);
}
