/* Recording what commands change, see recording.h. */
#include "server/recording.h"

#include "server/call.h"
#include "server/durability.h"
#include "storage/log/journal.h"
#include "storage/log/rdb_requests.h"

static uint64_t give(struct worker *w)
{
    struct records *r = &w->recording.records;
    uint64_t seq = 0;

    w->recording.single = r->count == 1;
    if (LIKELY(r->bytes.len)) {
        records_end_group(r, w->recording.plain);
        seq = journal_append(w->server->journal, r);
    }
    records_clear(r);
    w->recording.plain = true;
    return seq;
}

void recording_begin(struct worker *w)
{
    w->recording.depth++;
}

uint64_t recording_end(struct worker *w)
{
    return --w->recording.depth ? 0 : give(w);
}

void recording_end_in(struct worker *w, unsigned shard)
{
    uint64_t seq = recording_end(w);

    if (seq)
        durability_logged_in(w->server, shard, seq);
}

void recording_version(struct worker *w, int db, struct slice key, uint64_t version)
{
    if (w->recording.depth)
        record_versions_add(&w->recording.records.versions, db, key, version);
}

/* ---- commands ------------------------------------------------------------------------------- */

/* By a command's own: something is another, or has only got another version (LTRIM of nothing). */
void recording_run(struct call *c)
{
    struct worker *w = c->worker;
    struct recording *r = &w->recording;
    uint64_t dirty = w->stats.dirty, drawn = r->records.versions.count, aside = r->aside;

    r->stated = false;
    c->cmd->run(c);
    aside = r->aside - aside;
    if (!r->stated &&
        (w->stats.dirty - dirty != aside || r->records.versions.count - drawn != aside))
        records_add(&r->records, c->db, c->argv, c->argc);
}

static void state(struct recording *r)
{
    r->stated = true;
    r->plain = false;
}

void call_log(struct call *c, const struct slice *argv, int argc)
{
    struct recording *r = &c->worker->recording;

    if (LIKELY(!call_logs(c)))
        return;
    records_add(&r->records, c->db, argv, argc);
    state(r);
}

void call_log_expiry(struct call *c, int i, int64_t expiry)
{
    char digits[NUM_INT_MAX];

    if (UNLIKELY(call_logs(c)))
        CALL_LOG(c, SLICE("PEXPIREAT"), call_arg(c, i),
                 slice_make(digits, num_format_int(digits, expiry)));
}

void call_log_begin(struct call *c, struct slice name, int argc)
{
    struct recording *r = &c->worker->recording;

    if (LIKELY(!call_logs(c)))
        return;
    records_begin(&r->records, c->db, argc);
    records_arg(&r->records, name);
    state(r);
}

void call_log_arg(struct call *c, struct slice arg)
{
    if (UNLIKELY(call_logs(c)))
        records_arg(&c->worker->recording.records, arg);
}

void call_log_entry(struct call *c, const struct entry *e)
{
    struct recording *r = &c->worker->recording;

    if (LIKELY(!call_logs(c)))
        return;
    records_of_entry(&r->records, c->db, e);
    state(r);
}

void call_log_nothing(struct call *c)
{
    c->worker->recording.stated = true;
}

static void note(struct worker *w, int db, const struct slice *argv, int argc)
{
    struct records *r = &w->recording.records;

    records_begin_note(r, db);
    for (int i = 0; i < argc; i++)
        records_note_arg(r, argv[i]);
    records_end_note(r);
}

void call_log_note(struct call *c, const struct slice *argv, int argc)
{
    if (LIKELY(!call_logs(c)))
        return;
    note(c->worker, c->db, argv, argc);
    state(&c->worker->recording);
}

/* ---- what goes by itself -------------------------------------------------------------------- */

void recording_drop(struct worker *w, int db, struct slice key)
{
    struct slice argv[] = {SLICE("DEL"), key};

    records_add(&w->recording.records, db, argv, COUNT_OF(argv));
    w->recording.aside++;
    w->recording.plain = false;
}

void recording_drop_field(struct worker *w, int db, struct slice key, struct slice field)
{
    struct slice argv[] = {SLICE("HDEL"), key, field};

    records_add(&w->recording.records, db, argv, COUNT_OF(argv));
}

void recording_dropped_fields(struct worker *w, int db, struct slice key, bool gone)
{
    if (gone) {
        recording_drop(w, db, key);
        return;
    }
    w->recording.aside++;
    w->recording.plain = false;
}
