/* Lines of the log, see log_lines.h. */
#include "server/log_lines.h"

#include "base/num.h"

struct line {
    struct server *server;
    const struct slice *argv;
    int argc;
};

static bool number(const struct line *l, int i, int64_t *out)
{
    return i < l->argc && num_parse_int(l->argv[i], out);
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

/* floor N */
static bool floor_of(const struct line *l)
{
    int64_t n;

    if (!number(l, 1, &n) || n < 0)
        return false;
    versions_load_floor(&l->server->keyspace, (uint64_t)n);
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
    f = space_find(keyspace_space(ks, (int)db, shard_of(hash)), hash, l->argv[3]);
    n = (int64_t)versions_loaded(ks, (uint64_t)n);
    if (f.entry)
        f.entry->version = (uint64_t)n;
    return true;
}

/* ---- all ------------------------------------------------------------------------------------- */

static const struct {
    const char *word;
    bool (*apply)(const struct line *l);
} words[] = {
    {"v", off}, {"at", at}, {"is", is}, {"ver", version_of}, {"floor", floor_of},
};

bool log_line_apply(struct server *s, const struct slice *argv, int argc)
{
    struct line l = {s, argv, argc};

    for (size_t i = 0; i < COUNT_OF(words); i++) {
        if (slice_is(argv[0], words[i].word))
            return words[i].apply(&l);
    }
    return true;
}
