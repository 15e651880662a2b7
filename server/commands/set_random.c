/* Members of sets drawn at random: SPOP, SRANDMEMBER. */
#include "server/commands/sets.h"
#include "server/draw_args.h"
#include "server/effects.h"

/* If less than a part in so many stays, that part is moved, and not what goes. */
enum { POP_PART = 5 };

/* ---- SPOP ------------------------------------------------------------------------------------ */

/* Which members go is drawn, so it is recorded which went: those of the SREM that has begun. */
static void log_member(struct call *c, const struct set_member *m)
{
    char digits[NUM_INT_MAX];

    if (UNLIKELY(call_logs(c)))
        call_log_arg(c, m->is_number ? slice_make(digits, num_format_int(digits, m->number))
                                     : m->text);
}

static void log_removal(struct call *c, size_t count)
{
    call_log_begin(c, SLICE("SREM"), 2 + (int)count);
    call_log_arg(c, call_arg(c, 1));
}

static void pop_one(struct call *c, struct entry **e)
{
    struct set_member m = set_random(*e);

    reply_member(c, &m);
    touch_member(c, 1, &m);
    log_member(c, &m);
    set_remove(e, &m);
}

static void pop_all(struct call *c, struct entry *e)
{
    struct set_walk w = set_walk(e);
    struct set_member m;

    reply_set(c, (int64_t)set_count(e));
    while (set_walk_next(&w, &m)) {
        reply_member(c, &m);
        touch_member(c, 1, &m);
    }
    call_changed(c, 1, EVENT_SPOP);
    call_emptied(c, 1);
    CALL_LOG(c, SLICE("DEL"), call_arg(c, 1));
}

static void pop_few(struct call *c, struct entry *e, size_t count)
{
    reply_set(c, (int64_t)count);
    log_removal(c, count);
    while (count--)
        pop_one(c, &e);
    call_moved(c, 1, e);
    call_changed(c, 1, EVENT_SPOP);
}

/* Few stay: they become a new set, of integers where they all are. */
static void pop_most(struct call *c, struct entry *e, size_t count)
{
    struct entry *rest = set_new(call_arg(c, 1), entry_expiry(e));
    struct set_choice choice = set_choice(e, count);
    struct set_member m;
    bool popped;

    reply_set(c, (int64_t)count);
    log_removal(c, count);
    while (set_choice_next(&choice, &m, &popped)) {
        if (!popped) {
            set_add(&rest, &m, intset_max(c));
            continue;
        }
        reply_member(c, &m);
        log_member(c, &m);
        touch_member(c, 1, &m);
    }
    call_put(c, 1, rest);
    call_changed(c, 1, EVENT_SPOP);
}

static void pop_many(struct call *c)
{
    struct entry *e;
    int64_t count;
    size_t there;

    if (!call_int_between(c, 2, 0, INT64_MAX, &count,
                          "ERR value is out of range, must be positive") ||
        !call_find_write(c, 1, TYPE_SET, &e))
        return;
    there = e ? set_count(e) : 0;
    if (!there || !count)
        reply_set(c, 0);
    else if ((uint64_t)count >= there)
        pop_all(c, e);
    else if ((there - (size_t)count) * POP_PART > (size_t)count)
        pop_few(c, e, (size_t)count);
    else
        pop_most(c, e, (size_t)count);
}

/* SPOP key [count] */
void cmd_spop(struct call *c)
{
    struct entry *e;

    if (c->argc > 3) {
        call_syntax_error(c);
        return;
    }
    if (c->argc == 3) {
        pop_many(c);
        return;
    }
    if (!call_find_write(c, 1, TYPE_SET, &e))
        return;
    if (!e) {
        reply_null(c);
        return;
    }
    log_removal(c, 1);
    pop_one(c, &e);
    call_moved(c, 1, e);
    call_changed(c, 1, EVENT_SPOP);
    if (!set_count(e))
        call_emptied(c, 1);
}

/* ---- SRANDMEMBER ----------------------------------------------------------------------------- */

static void draw_repeatedly(struct call *c, const struct entry *e, uint64_t count)
{
    if (!draw_fits(c, count))
        return;
    reply_array(c, (int64_t)count);
    while (count--) {
        struct set_member m = set_random(e);

        reply_member(c, &m);
    }
}

static void draw_all(struct call *c, const struct entry *e)
{
    struct set_walk w = set_walk(e);
    struct set_member m;

    reply_array(c, (int64_t)set_count(e));
    while (set_walk_next(&w, &m))
        reply_member(c, &m);
}

/* All are looked at. */
static void draw_many(struct call *c, const struct entry *e, size_t count)
{
    struct set_choice choice = set_choice(e, count);
    struct set_member m;
    bool drawn;

    reply_array(c, (int64_t)count);
    while (choice.wanted && set_choice_next(&choice, &m, &drawn)) {
        if (drawn)
            reply_member(c, &m);
    }
}

/* What was drawn already is drawn again. */
static void draw_few(struct call *c, const struct entry *e, size_t count)
{
    struct entry *drawn = set_new(SLICE(""), EXPIRY_NONE);

    reply_array(c, (int64_t)count);
    while (set_count(drawn) < count) {
        struct set_member m = set_random(e);

        if (set_add(&drawn, &m, SIZE_MAX))
            reply_member(c, &m);
    }
    effect_discard(c->worker, drawn);
}

static void draw(struct call *c, const struct entry *e, int64_t count)
{
    size_t there = set_count(e);

    if (count < 0)
        draw_repeatedly(c, e, (uint64_t)-count);
    else if ((uint64_t)count >= there)
        draw_all(c, e);
    else if (e->form == FORM_OUTSIDE && (size_t)count < there / DRAW_PART)
        draw_few(c, e, (size_t)count);
    else
        draw_many(c, e, (size_t)count);
}

/* SRANDMEMBER key [count]: fewer than none are drawn anew each time, and may be the same. */
void cmd_srandmember(struct call *c)
{
    struct set_member m;
    struct draw_args args;
    struct entry *e;

    if (!draw_args_read(c, NULL, &args) || !call_find(c, 1, TYPE_SET, &e))
        return;
    if (args.counted && e) {
        draw(c, e, args.count);
    } else if (args.counted) {
        reply_array(c, 0);
    } else if (e) {
        m = set_random(e);
        reply_member(c, &m);
    } else {
        reply_null(c);
    }
}
