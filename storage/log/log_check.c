/* Checking files of the log, see log_check.h. */
#include "storage/log/log_check.h"

struct checking {
    struct log_cursor cursor;
    struct log_check *out;
    size_t run;  /* where the run in hand begins */
    size_t unit; /* behind the last request of it that is not within MULTI */
    bool in_multi;
    bool foreign;     /* the run was not written here */
    bool ever_sealed; /* something in the file was */
    bool behind_seal; /* the run in hand follows one that was written here */
};

/* ---- going on behind what is wrong ---------------------------------------------------------- */

/* The next line that may be a seal, from `from` on; its place, or SIZE_MAX. */
static size_t find_seal(struct slice bytes, size_t from)
{
    const char *at =
        from < bytes.len ? memmem(bytes.ptr + from, bytes.len - from, "\n#LK:sum ", 9) : NULL;

    return at ? (size_t)(at + 1 - bytes.ptr) : SIZE_MAX;
}

/* A seal at `at` that fits what is before it, and begins at or behind `after`. */
static bool sealed_run(struct slice bytes, size_t at, size_t after, struct log_seal *s)
{
    struct log_cursor c = {.bytes = bytes, .pos = at};

    if (log_next(&c) != LOG_LINE || !log_seal_read(c.line, s))
        return false;
    return s->len <= at && at - s->len >= after &&
           log_seal_fits(s, slice_make(bytes.ptr + at - s->len, s->len), c.line);
}

/* Whether there is a sound run behind `after` that knows of more than `after` on the disk. */
static bool find_sound(struct log_check *out, struct slice bytes, size_t after)
{
    struct log_seal s;
    size_t first = SIZE_MAX;

    for (size_t at = find_seal(bytes, after); at != SIZE_MAX; at = find_seal(bytes, at)) {
        if (!sealed_run(bytes, at, after + 1, &s))
            continue;
        if (first == SIZE_MAX) {
            first = out->resume = at - s.len;
            out->resume_db = s.db;
            out->resume_seq = s.seq;
        }
        if (s.synced > after)
            return true;
    }
    return false;
}

/* In a file of Redis, where nothing is sealed: whether requests go on to the end from somewhere. */
static bool find_requests(struct log_check *out, struct slice bytes, size_t after)
{
    enum { ATTEMPTS_MAX = 1000 };
    size_t at = after;

    for (int i = 0; i < ATTEMPTS_MAX; i++) {
        const char *next =
            at + 1 < bytes.len ? memmem(bytes.ptr + at + 1, bytes.len - at - 1, "\n*", 2) : NULL;
        struct log_cursor c = {.bytes = bytes};
        enum log_item what;
        int items = 0;

        if (!next)
            return false;
        at = c.pos = (size_t)(next + 1 - bytes.ptr);
        while ((what = log_next(&c)) == LOG_REQUEST || what == LOG_LINE)
            items++;
        log_cursor_release(&c);
        if (items && what == LOG_END) {
            out->resume = at;
            out->resume_db = -1;
            return true;
        }
    }
    return false;
}

/* ---- the verdict ---------------------------------------------------------------------------- */

static void judge(struct checking *k, const char *why, bool is_short)
{
    struct log_check *out = k->out;
    struct slice bytes = k->cursor.bytes;

    out->why = why;
    out->wrong = k->cursor.start;
    out->good = k->foreign || !k->ever_sealed ? k->unit : k->run;
    out->sealed = k->behind_seal && out->good == k->run;
    out->verdict = LOG_TAIL;
    if (find_sound(out, bytes, out->good))
        out->verdict = LOG_DAMAGED;
    else if (!k->ever_sealed && !is_short && find_requests(out, bytes, k->cursor.start))
        out->verdict = LOG_DAMAGED;
}

static void take_request(struct checking *k)
{
    struct slice name = k->cursor.argv[0];

    if (k->cursor.start == k->run && slice_eq(name, SLICE("SELECT")))
        k->foreign = true;
    if (slice_is(name, "multi"))
        k->in_multi = true;
    else if (slice_is(name, "exec"))
        k->in_multi = false;
    if (!k->in_multi)
        k->unit = k->cursor.pos;
}

/* False if it is a seal that does not fit. */
static bool take_line(struct checking *k)
{
    struct slice bytes = k->cursor.bytes;
    struct log_seal s;

    if (!log_seal_read(k->cursor.line, &s)) {
        if (!k->in_multi)
            k->unit = k->cursor.pos;
        return true;
    }
    if (!log_seal_fits(&s, slice_make(bytes.ptr + k->run, k->cursor.start - k->run),
                       k->cursor.line))
        return false;
    k->run = k->unit = k->cursor.pos;
    k->foreign = k->in_multi = false;
    k->ever_sealed = k->behind_seal = true;
    k->out->seq = s.seq;
    return true;
}

/* All could be read. */
static void finish(struct checking *k)
{
    struct log_check *out = k->out;

    out->sealed = k->run == k->cursor.pos && k->behind_seal;
    out->good = k->unit;
    if (k->run == k->cursor.pos || ((k->foreign || !k->ever_sealed) && !k->in_multi))
        return;
    k->cursor.start = k->cursor.pos;
    judge(k, k->in_multi ? "a transaction without an end" : "the checksum at the end is missing",
          true);
}

void log_check(struct slice bytes, size_t from, struct log_check *out)
{
    struct checking k = {
        .cursor = {.bytes = bytes, .pos = from}, .out = out, .run = from, .unit = from};
    enum log_item what;

    *out = (struct log_check){.verdict = LOG_SOUND, .good = from, .resume_db = -1};
    k.ever_sealed = find_seal(bytes, from) != SIZE_MAX;
    while ((what = log_next(&k.cursor)) == LOG_REQUEST || what == LOG_LINE) {
        if (what == LOG_REQUEST) {
            take_request(&k);
        } else if (!take_line(&k)) {
            judge(&k, "the checksum does not fit", false);
            break;
        }
    }
    if (what == LOG_END)
        finish(&k);
    else if (what == LOG_SHORT)
        judge(&k, "the last of it is cut off", true);
    else if (what == LOG_BAD)
        judge(&k, "what is there is no request", false);
    log_cursor_release(&k.cursor);
}
