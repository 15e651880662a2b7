/* Loading the log of changes, see log_load.h. */
#include "server/log_load.h"

#include "base/files.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/world.h"
#include "server/call.h"
#include "server/dispatch.h"
#include "server/effects.h"
#include "server/loading.h"
#include "server/log_lines.h"
#include "storage/log/log_check.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    LINES_A_FILE = 10,     /* of what was refused, that are shown */
    BYTES_A_LOOK = 1 << 24 /* worked off between two looks at the clock */
};

struct loading {
    struct server *server;
    struct worker *worker;
    struct conn conn; /* a stand-in for what handlers may ask of one */
    struct buf reply;
    struct log_notes notes;
    bool in_group; /* between MULTI and EXEC */
    struct log_loaded *out;

    /* The file in hand. */
    const char *name;
    struct slice bytes;
    bool is_last;
    bool repaired;   /* something is missing */
    bool drops_rest; /* a repair has cut the log */
    bool is_cut;     /* and that was before the file in hand */
    size_t kept;     /* files up to there */
    int shown;
    int64_t told_ms;
};

static bool load_runs(struct loading *l, const char *path, size_t from);

/* ---- files ---------------------------------------------------------------------------------- */

static int map(const char *path, struct slice *out)
{
    int fd = file_ops->open(path, O_RDONLY, 0), status = fd < 0 ? fd : 0;
    struct stat st = {0};
    void *at = NULL;

    *out = SLICE("");
    if (!status && fstat(fd, &st) < 0)
        status = -errno;
    if (!status && st.st_size)
        at = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
    if (at == MAP_FAILED)
        status = -errno;
    else if (at)
        *out = slice_make(at, (size_t)st.st_size);
    if (fd >= 0)
        file_ops->close(fd);
    return status;
}

static void unmap(struct slice bytes)
{
    if (bytes.len)
        munmap((void *)(uintptr_t)bytes.ptr, bytes.len);
}

static int cut_file(const char *path, size_t len)
{
    int fd = file_ops->open(path, O_WRONLY, 0), status;

    if (fd < 0)
        return fd;
    status = file_ops->truncate(fd, (int64_t)len);
    if (!status)
        status = file_ops->sync(fd);
    file_ops->close(fd);
    return status;
}

/* ---- requests ------------------------------------------------------------------------------- */

static void show_refused(struct loading *l, size_t at, struct slice name)
{
    size_t len = l->reply.len > 3 ? l->reply.len - 3 : 0;

    l->out->refused++;
    if (l->shown++ < LINES_A_FILE)
        log_warning("%s, offset %zu: %.*s was refused: %.*s", l->name, at, (int)name.len, name.ptr,
                    (int)len, l->reply.ptr + 1);
}

/* Times counted from now on are in no log that is written here, or by a Redis of these days. */
static bool counts_from_now(const struct slice *argv, int argc)
{
    static const char *const names[] = {"expire", "pexpire", "setex", "psetex", "expireat"};

    for (size_t i = 0; i < COUNT_OF(names); i++) {
        if (slice_is(argv[0], names[i]))
            return true;
    }
    for (int i = 3; i + 1 < argc && slice_is(argv[0], "set"); i++) {
        if (slice_is(argv[i], "ex") || slice_is(argv[i], "px"))
            return true;
    }
    return false;
}

/* False if there is no such command, so that this is no log of Redis. */
static bool run(struct loading *l, size_t at, const struct slice *argv, int argc)
{
    struct server *s = l->server;
    struct call c = {
        .worker = l->worker,
        .server = s,
        .conn = &l->conn,
        .conf = s->conf,
        .cmd = command_of_request(s->commands, argv, argc),
        .argv = argv,
        .argc = argc,
        .db = l->conn.db,
        .now_ms = counts_from_now(argv, argc) ? l->worker->now_ms : 0,
        .out = {.buf = &l->reply},
        .world = true,
        .holds_shards = true,
        .at_once = true,
    };

    if (!c.cmd || !c.cmd->run || !command_arity_fits(c.cmd, (size_t)argc)) {
        log_warning("%s, offset %zu: there is no command '%.*s' with %d arguments", l->name, at,
                    (int)argv[0].len, argv[0].ptr, argc - 1);
        return false;
    }
    if (c.cmd->first_key && c.cmd->first_key < argc)
        c.first_hash = hash_bytes(argv[c.cmd->first_key]);
    l->reply.len = 0;
    c.cmd->run(&c);
    effect_settle(l->worker);
    l->out->records++;
    if (UNLIKELY(l->reply.len && l->reply.ptr[0] == '-'))
        show_refused(l, at, argv[0]);
    return true;
}

/*
 * A request, and what is around it: a group has versions as one. What selects in capitals is of a
 * Redis, which knows of none.
 */
static bool apply(struct loading *l, size_t at, const struct slice *argv, int argc)
{
    struct keyspace *ks = &l->server->keyspace;
    bool begins = slice_is(argv[0], "multi"), ends = slice_is(argv[0], "exec");
    bool ok = true, selects = slice_is(argv[0], "select");

    if (selects && argv[0].ptr[0] == 'S')
        versions_load_unknown(ks);
    if (begins || (!l->in_group && !ends && !selects))
        versions_load_group(ks);
    l->in_group = (l->in_group || begins) && !ends;
    if (!begins && !ends)
        ok = run(l, at, argv, argc);
    if (!l->in_group && !selects)
        versions_load_group_end(ks);
    return ok;
}

/* ---- notes ---------------------------------------------------------------------------------- */

static bool apply_note(struct loading *l, size_t at)
{
    const struct log_notes *n = &l->notes;
    bool change = n->argc > 1 && slice_is(n->argv[0], "cmd");

    if (change && apply(l, at, n->argv + 1, n->argc - 1))
        return true;
    if (!change && log_line_apply(l->server, n->argv, n->argc))
        return true;
    log_warning("%s, offset %zu: this line makes no sense", l->name, at);
    return false;
}

static bool apply_line(struct loading *l, size_t at, struct slice line)
{
    switch (log_notes_add(&l->notes, line)) {
    case LOG_NOTE_WHOLE:
        return apply_note(l, at);
    case LOG_NOTE_WRONG:
        log_warning("%s, offset %zu: this is no line of a log", l->name, at);
        return false;
    default:
        return true;
    }
}

/* ---- a file --------------------------------------------------------------------------------- */

static void tell_progress(struct loading *l, size_t pos)
{
    worker_read_clocks(l->worker);
    world_reclaim();
    mem_flush();
    if (l->worker->mono_ms - l->told_ms < 1000)
        return;
    l->told_ms = l->worker->mono_ms;
    log_notice("Loading %s: %zu %%", l->name, pos * 100 / l->bytes.len);
}

static bool apply_range(struct loading *l, size_t from, size_t to)
{
    struct log_cursor c = {.bytes = slice_make(l->bytes.ptr, to), .pos = from};
    size_t look = from + BYTES_A_LOOK;
    enum log_item what;
    bool ok = true;

    while (ok && ((what = log_next(&c)) == LOG_REQUEST || what == LOG_LINE)) {
        ok = what == LOG_LINE ? apply_line(l, c.start, c.line) : apply(l, c.start, c.argv, c.argc);
        if (UNLIKELY(c.pos > look)) {
            tell_progress(l, c.pos);
            look = c.pos + BYTES_A_LOOK;
        }
    }
    log_cursor_release(&c);
    return ok;
}

static bool refuse_tail(const struct loading *l, const struct log_check *check)
{
    log_warning("%s ends at offset %zu with %zu bytes that are not whole: %s. %s", l->name,
                check->good, l->bytes.len - check->good, check->why,
                l->is_last ? "aof-load-truncated does not allow to cut them off."
                           : "It is not the last file of the log, so something is missing.");
    return false;
}

static bool cut_tail(struct loading *l, const char *path, const struct log_check *check)
{
    int status;

    if (!l->is_last || !l->server->conf->aof_load_truncated)
        return refuse_tail(l, check);
    status = cut_file(path, check->good);
    if (status) {
        log_warning("%s cannot be cut at offset %zu: %s", l->name, check->good, strerror(-status));
        return false;
    }
    log_warning("%s: %zu bytes from offset %zu on are not whole, as a crash leaves them, and were "
                "cut off: %s (at offset %zu)",
                l->name, l->bytes.len - check->good, check->good, check->why, check->wrong);
    return true;
}

static bool refuse_damage(const struct loading *l, const struct log_check *check)
{
    log_warning("%s is damaged at offset %zu: %s. The %zu bytes from offset %zu to %zu cannot be "
                "loaded, what follows them can. --repair skip leaves them out, --repair cut drops "
                "all that follows, too.",
                l->name, check->wrong, check->why, check->resume - check->good, check->good,
                check->resume);
    return false;
}

/* ---- repairing ------------------------------------------------------------------------------ */

/* Writes the file anew, but for the bytes between. */
static int leave_out(const struct loading *l, const char *path, size_t from, size_t to)
{
    struct buf temp = {0};
    int fd, status;

    buf_printf(&temp, "%s.repaired", path);
    buf_append_char(&temp, '\0');
    fd = status = file_ops->open(temp.ptr, O_WRONLY | O_CREAT | O_TRUNC, 0644);
    if (fd >= 0) {
        status = file_write_all(fd, l->bytes.ptr, from);
        if (!status)
            status = file_write_all(fd, l->bytes.ptr + to, l->bytes.len - to);
        if (!status)
            status = file_ops->sync(fd);
        file_ops->close(fd);
    }
    if (!status)
        status = file_ops->rename(temp.ptr, path);
    if (!status)
        status = file_sync_folder_of(path);
    buf_release(&temp);
    return status;
}

static bool say_repair(const struct loading *l, int status, size_t from, size_t to,
                       const struct log_check *check)
{
    if (status) {
        log_warning("%s cannot be repaired: %s", l->name, strerror(-status));
        return false;
    }
    log_warning("%s was repaired: %zu bytes from offset %zu to %zu were dropped (%s, at offset "
                "%zu); the last group before them is number %llu%s",
                l->name, to - from, from, to, check->why, check->wrong,
                (unsigned long long)check->seq,
                to == l->bytes.len ? ", and nothing follows them" : "");
    return true;
}

/* What cannot be loaded is dropped, with all that follows or without. */
static bool repair(struct loading *l, const char *path, const struct log_check *check)
{
    bool cuts = l->server->conf->repair == CONF_REPAIR_CUT || check->verdict == LOG_TAIL;
    size_t to = cuts ? l->bytes.len : check->resume;
    int status =
        cuts ? cut_file(path, check->good) : leave_out(l, path, check->good, check->resume);

    if (!say_repair(l, status, check->good, to, check))
        return false;
    l->repaired = true;
    l->drops_rest = l->server->conf->repair == CONF_REPAIR_CUT;
    return true;
}

/* ---- runs ----------------------------------------------------------------------------------- */

static void note_end(struct loading *l, const struct log_check *check)
{
    if (check->seq > l->out->seq)
        l->out->seq = check->seq;
    l->out->append = check->sealed;
}

/* One repair changes where things are, so the file is looked at anew behind it. */
static bool load_repaired(struct loading *l, const char *path, const struct log_check *check)
{
    if (!repair(l, path, check))
        return false;
    unmap(l->bytes);
    if (map(path, &l->bytes) < 0)
        return false;
    if (check->resume_db >= 0)
        l->conn.db = check->resume_db;
    return l->drops_rest || check->verdict == LOG_TAIL || load_runs(l, path, check->good);
}

static bool load_runs(struct loading *l, const char *path, size_t from)
{
    bool repairs = l->server->conf->repair != CONF_REPAIR_NO;
    struct log_check check;

    log_check(l->bytes, from, &check);
    note_end(l, &check);
    if (check.verdict == LOG_DAMAGED && !repairs)
        return refuse_damage(l, &check);
    if (!apply_range(l, from, check.good))
        return false;
    if (check.verdict == LOG_DAMAGED || (check.verdict == LOG_TAIL && repairs && !l->is_last))
        return load_repaired(l, path, &check);
    return check.verdict == LOG_SOUND || cut_tail(l, path, &check);
}

static bool load_snapshot(struct loading *l, const char *path, size_t *behind)
{
    int64_t end;
    struct buf lines = {0};
    bool ok;

    world_resume(); /* several threads load it */
    world_leave();
    ok = loading_base(l->server, path, &end, &lines);
    world_enter();
    world_stop();
    worker_read_clocks(l->worker);
    log_lines_apply(l->server, buf_slice(&lines));
    buf_release(&lines);
    *behind = (size_t)end;
    return ok;
}

static bool load_part(struct loading *l, const struct log_dir *dir, const struct log_part *part)
{
    char *path = log_dir_path(dir, part->name);
    int status = map(path, &l->bytes);
    bool ok = false;
    size_t from;

    l->name = part->name;
    l->shown = 0;
    l->in_group = false;
    versions_load_unknown(&l->server->keyspace);
    l->conn.db = 0;
    if (status)
        log_warning("%s cannot be read: %s", path, strerror(-status));
    else if (l->bytes.len >= 5 && memcmp(l->bytes.ptr, "REDIS", 5) == 0)
        ok = load_snapshot(l, path, &from) && load_runs(l, path, from);
    else
        ok = load_runs(l, path, 0);
    l->out->db = l->conn.db;
    unmap(l->bytes);
    mem_free(path);
    return ok;
}

/* ---- the log -------------------------------------------------------------------------------- */

static bool load_kind(struct loading *l, const struct log_dir *dir, enum log_kind kind)
{
    const struct manifest *m = &dir->manifest;
    const struct log_part *last = manifest_last(m);

    if (!last)
        last = manifest_base(m);
    for (size_t i = 0; i < m->len; i++) {
        l->is_last = &m->parts[i] == last;
        if (m->parts[i].kind == (char)kind && !l->drops_rest && !load_part(l, dir, &m->parts[i]))
            return false;
        if (m->parts[i].kind == (char)kind && (!l->drops_rest || l->is_cut != l->drops_rest))
            l->kept++;
        l->is_cut = l->drops_rest;
    }
    return true;
}

/* The files behind one that was cut are no part of the log any more. */
static bool drop_rest(const struct loading *l, struct log_dir *dir)
{
    struct manifest m;
    size_t kept = 0;
    int status;

    manifest_copy(&m, &dir->manifest);
    for (size_t i = 0; i < m.len; i++) {
        if (m.parts[i].kind == LOG_HISTORY || ++kept <= l->kept)
            continue;
        log_warning("%s, which follows, was dropped altogether", m.parts[i].name);
        m.parts[i].kind = LOG_HISTORY;
    }
    status = log_dir_commit(dir, &m);
    manifest_release(&m);
    if (status)
        log_warning("The manifest cannot be written: %s", strerror(-status));
    return !status;
}

bool log_load(struct server *s, struct log_dir *dir, struct log_loaded *out)
{
    struct loading l = {
        .server = s,
        .worker = &s->workers[0],
        .conn = {.worker = &s->workers[0], .fd = -1},
        .out = out,
        .told_ms = clock_mono_ms(),
    };
    int64_t start = clock_mono_ms();
    bool ok;

    *out = (struct log_loaded){0};
    world_enter();
    world_stop();
    versions_load_begin(&s->keyspace);
    worker_read_clocks(l.worker);
    ok = load_kind(&l, dir, LOG_BASE) && load_kind(&l, dir, LOG_INCR) &&
         (!l.drops_rest || drop_rest(&l, dir));
    log_lines_applied(s);
    out->unversioned = versions_load_end(&s->keyspace) || l.repaired;
    out->append = out->append && manifest_last(&dir->manifest);
    if (ok && dir->manifest.len)
        log_notice("The log of changes is loaded: %llu records in %.3f seconds, %llu of them "
                   "refused",
                   (unsigned long long)out->records, (double)(clock_mono_ms() - start) / 1000,
                   (unsigned long long)out->refused);
    world_resume();
    world_leave();
    buf_release(&l.reply);
    log_notes_release(&l.notes);
    return ok;
}
