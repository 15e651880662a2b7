/* Locks in the log, see lock_log.h. */
#include "server/locks/lock_log.h"

#include "base/clock.h"
#include "server/locks/lock_session.h"
#include "server/worker.h"

enum { TOKENS_A_LINE = 1 << 22 };
static_assert((int)TOKENS_A_LINE <= (int)VERSIONS_UNLOGGED_MAX, "few are given untold");

bool lock_is_lasting(const struct holder *h)
{
    return !h->passing && (!h->session || h->session->name_len);
}

/* ---- lines ----------------------------------------------------------------------------------- */

/* A time of the monotonic clock by the calendar; DEADLINE_NEVER is -1. */
static int64_t calendar_ms(int64_t at_us)
{
    if (at_us == DEADLINE_NEVER)
        return -1;
    return clock_wall_ms() + (at_us - clock_mono_us()) / 1000;
}

static void put_name(struct records *r, const char *word, const struct holder *h)
{
    records_begin_line(r, word);
    records_note_arg(r, latch_name(h->latch));
    records_note_number(r, (int64_t)h->token);
}

static void put_lease(struct records *r, const struct holder *h)
{
    records_note_number(r, calendar_ms(h->until_us));
    records_note_number(r, h->lease_us / 1000);
}

static void put_holder(struct records *r, const struct holder *h)
{
    const struct lock_session *s = h->session;
    char words[4];
    size_t n = 0;

    if (h->shared)
        words[n++] = 's';
    if (h->guard)
        words[n++] = 'g';
    if (!n)
        words[n++] = '-';
    put_name(r, "lock", h);
    records_note_number(r, h->count);
    put_lease(r, h);
    records_note_arg(r, slice_make(words, n));
    records_note_number(r, h->permits);
    records_note_number(r, h->latch->permits);
    records_note_number(r, h->guard_db);
    records_note_number(r, h->since_ms);
    records_note_arg(r, s ? lock_session_name(s) : SLICE(""));
    records_note_number(r, s ? s->grace_ms : 0);
    records_note_arg(r, holder_owner(h));
    records_note_arg(r, holder_data(h));
    records_end_note(r);
}

static void put_shut(struct records *r, const struct latch *l, int64_t until_ms)
{
    records_begin_line(r, "shut");
    records_note_arg(r, latch_name(l));
    records_note_number(r, until_ms);
    records_end_note(r);
}

/* ---- the log --------------------------------------------------------------------------------- */

/* NULL if it is not logged. */
static struct records *begin(struct worker *w)
{
    if (LIKELY(!server_gate(w->server, GATE_LOGGED)))
        return NULL;
    recording_begin(w);
    return &w->recording.records;
}

static struct records *begin_of(struct worker *w, const struct holder *h)
{
    return lock_is_lasting(h) ? begin(w) : NULL;
}

static void end(struct worker *w, const struct latch *l)
{
    recording_end_in(w, shard_of(l->hash));
}

/* The only one that draws this number tells of it, so that not too many go untold. */
static void tell_token(struct worker *w, const struct holder *h)
{
    struct records *r = h->token % TOKENS_A_LINE ? NULL : begin(w);

    if (!r)
        return;
    records_begin_line(r, "upto");
    records_note_number(r, (int64_t)h->token);
    records_end_note(r);
    end(w, h->latch);
}

void lock_log_holder(struct worker *w, const struct holder *h)
{
    struct records *r = begin_of(w, h);

    if (LIKELY(!r)) {
        tell_token(w, h);
        return;
    }
    put_holder(r, h);
    end(w, h->latch);
}

void lock_log_lease(struct worker *w, const struct holder *h)
{
    struct records *r = begin_of(w, h);

    if (!r)
        return;
    put_name(r, "lease", h);
    put_lease(r, h);
    records_end_note(r);
    end(w, h->latch);
}

void lock_log_count(struct worker *w, const struct holder *h)
{
    struct records *r = begin_of(w, h);

    if (!r)
        return;
    put_name(r, "count", h);
    records_note_number(r, h->count);
    records_end_note(r);
    end(w, h->latch);
}

void lock_log_free(struct worker *w, const struct holder *h)
{
    struct records *r = begin_of(w, h);

    if (!r)
        return;
    put_name(r, "free", h);
    records_end_note(r);
    end(w, h->latch);
}

void lock_log_shut(struct worker *w, const struct latch *l, int64_t us)
{
    struct records *r = begin(w);

    if (!r)
        return;
    put_shut(r, l, us ? clock_wall_ms() + us / 1000 : 0);
    end(w, l);
}

uint64_t lock_log_grace(struct worker *w, const struct lock_session *s)
{
    struct records *r = begin(w);

    if (!r)
        return 0;
    records_begin_line(r, "grace");
    records_note_arg(r, lock_session_name(s));
    records_note_number(r, s->grace_ms);
    records_end_note(r);
    return recording_end(w);
}

/* ---- snapshots ------------------------------------------------------------------------------- */

static void put_latch(void *item, void *opaque)
{
    const struct latch *l = item;
    struct records *r = opaque;

    if (l->reopens.place)
        put_shut(r, l, calendar_ms(l->reopens.at_us));
    LIST_EACH (h, &l->holders, struct holder, in_latch) {
        if (lock_is_lasting(h))
            put_holder(r, h);
    }
}

void lock_log_all(struct server *s, struct records *out)
{
    for (unsigned i = 0; i < SHARDS; i++) {
        if (s->keyspace.shards[i].locks)
            table_each(&s->keyspace.shards[i].locks->table, put_latch, out);
    }
}
