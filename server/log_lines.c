/* Lines of the log, see log_lines.h. */
#include "server/log_lines.h"

#include "base/log.h"
#include "base/mem.h"
#include "base/num.h"
#include "server/locks/lock_log.h"
#include "server/locks/lock_restore.h"
#include "server/policy_log.h"
#include "storage/log/records.h"

struct line {
    struct server *server;
    const struct slice *argv;
    int argc;
};

static bool number(const struct line *l, int i, int64_t *out)
{
    return i < l->argc && num_parse_int(l->argv[i], out);
}

/* ---- reading --------------------------------------------------------------------------------- */

static bool split(struct log_notes *n)
{
    struct slice text = buf_slice(&n->text);

    n->argc = 0;
    n->bytes.len = 0;
    /* The bytes do not move any more: no argument is longer decoded than encoded. */
    buf_reserve(&n->bytes, text.len + 1);
    while (text.len) {
        size_t at = n->bytes.len;

        if (!note_next_arg(&text, &n->bytes))
            return false;
        if ((size_t)n->argc == n->cap) {
            n->cap = n->cap ? n->cap * 2 : 16;
            n->argv = mem_realloc(n->argv, n->cap * sizeof(*n->argv));
        }
        n->argv[n->argc++] = slice_make(n->bytes.ptr + at, n->bytes.len - at);
    }
    return n->argc > 0;
}

/* Its word, a blank or a sign, and arguments. */
enum log_note log_notes_add(struct log_notes *n, struct slice line)
{
    static const char head[] = "#LK:";
    enum { HEAD = sizeof(head) - 1 };
    size_t word = HEAD;
    bool whole;

    if (line.len < HEAD || memcmp(line.ptr, head, HEAD) != 0)
        return LOG_NOTE_NONE;
    while (word < line.len && line.ptr[word] >= 'a' && line.ptr[word] <= 'z')
        word++;
    if (word == line.len || (line.ptr[word] != ' ' && line.ptr[word] != '+'))
        return LOG_NOTE_NONE;
    if (!n->text.len) {
        buf_append(&n->text, line.ptr + HEAD, word - HEAD);
        buf_append_char(&n->text, ' ');
    }
    buf_append(&n->text, line.ptr + word + 1, line.len - word - 1);
    if (line.ptr[word] == '+')
        return LOG_NOTE_PART;
    whole = split(n);
    n->text.len = 0;
    return whole ? LOG_NOTE_WHOLE : LOG_NOTE_WRONG;
}

void log_notes_release(struct log_notes *n)
{
    buf_release(&n->text);
    buf_release(&n->bytes);
    mem_free(n->argv);
}

/* ---- versions -------------------------------------------------------------------------------- */

/* at LAST */
static bool at(const struct line *l)
{
    int64_t last;

    if (!number(l, 1, &last) || last < 0)
        return false;
    versions_load_at(&l->server->keyspace, (uint64_t)last);
    return true;
}

/* v OFF [N] */
static bool off(const struct line *l)
{
    int64_t by, n = 1;

    if (!number(l, 1, &by) || (l->argc > 2 && (!number(l, 2, &n) || n < 1 || n > UINT32_MAX)))
        return false;
    versions_load_off(&l->server->keyspace, by, (uint32_t)n);
    return true;
}

/* is OFF | same */
static bool is(const struct line *l)
{
    int64_t by = 0;
    bool same = l->argc > 1 && slice_is(l->argv[1], "same");

    if (!same && !number(l, 1, &by))
        return false;
    versions_load_hold(&l->server->keyspace, by, same);
    return true;
}

/* floor N [all] */
static bool floor_of(const struct line *l)
{
    int64_t n;

    if (!number(l, 1, &n) || n < 0)
        return false;
    versions_load_floor(&l->server->keyspace, (uint64_t)n, l->argc > 2);
    return true;
}

/* ver DB N KEY; the key has gone again if it is not there */
static bool version_of(const struct line *l)
{
    struct keyspace *ks = &l->server->keyspace;
    int64_t db, n;
    uint64_t hash;
    struct found f;

    if (l->argc != 4 || !number(l, 1, &db) || !number(l, 2, &n) || n <= 0)
        return false;
    if (db < 0 || db >= ks->databases)
        return true;
    hash = hash_bytes(l->argv[3]);
    n = (int64_t)versions_loaded(ks, (uint64_t)n);
    lock_take(&ks->shards[shard_of(hash)].lock);
    f = space_find(keyspace_space(ks, (int)db, shard_of(hash)), hash, l->argv[3]);
    if (f.entry)
        f.entry->version = (uint64_t)n;
    lock_release(&ks->shards[shard_of(hash)].lock);
    return true;
}

/* ---- all ------------------------------------------------------------------------------------- */

static const struct {
    const char *word;
    bool (*apply)(const struct line *l);
} words[] = {
    {"v", off}, {"at", at}, {"is", is}, {"ver", version_of}, {"floor", floor_of},
};

bool log_line_needs_world(struct slice word)
{
    return lock_restores(word) || policy_restores(word) || slice_is(word, "floor");
}

bool log_line_apply(struct server *s, const struct slice *argv, int argc)
{
    struct line l = {s, argv, argc};

    if (lock_restores(argv[0]))
        return lock_restore(s, argv, argc);
    if (policy_restores(argv[0]))
        return policy_restore(s, argv, argc);
    for (size_t i = 0; i < COUNT_OF(words); i++) {
        if (slice_is(argv[0], words[i].word))
            return words[i].apply(&l);
    }
    return true;
}

static bool apply_one(struct server *s, struct log_notes *n, struct slice line)
{
    enum log_note what = log_notes_add(n, line);

    return what == LOG_NOTE_PART || (what == LOG_NOTE_WHOLE && log_line_apply(s, n->argv, n->argc));
}

void log_lines_apply(struct server *s, struct slice lines)
{
    struct log_notes n = {0};

    while (lines.len) {
        const char *end = memchr(lines.ptr, '\n', lines.len);
        size_t len = end ? (size_t)(end - lines.ptr) : lines.len;
        size_t text = len - (len && lines.ptr[len - 1] == '\r');

        if (!apply_one(s, &n, slice_make(lines.ptr, text)))
            log_warning("A line of the snapshot makes no sense: %.*s", (int)text, lines.ptr);
        len += end != NULL;
        lines = slice_make(lines.ptr + len, lines.len - len);
    }
    log_notes_release(&n);
}

void log_lines_applied(struct server *s)
{
    lock_restored(s);
    policy_restored(s);
}

/* ---- writing --------------------------------------------------------------------------------- */

struct buf log_lines_all(struct server *s)
{
    struct records r = {0};

    lock_log_all(s, &r);
    policy_log_all(s, &r);
    return r.bytes;
}
