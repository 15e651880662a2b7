/*
 * storage/log/record_versions, storage/version_source: whatever versions groups have given, a
 * loader that does the groups again gives the same.
 */
#include "storage/log/record_versions.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/rng.h"
#include "storage/keyspace.h"
#include "tests/lib/tap.h"

enum { GROUPS = 20000, CHANGES_MAX = 4, KEYS = 6 };

static struct keyspace ks;

/* ---- the writer ----------------------------------------------------------------------------- */

struct change {
    int key;
    uint64_t version;
};

struct group {
    struct change changes[CHANGES_MAX];
    int n;
    bool plain; /* the loader makes the same changes; else only the last of each key */
};

static uint64_t last; /* that was given, to anybody */

/* Others draw, too, and groups overtake each other. */
static void draw_group(struct group *g)
{
    g->n = rng_below(3) ? 1 : 1 + (int)rng_below(CHANGES_MAX);
    g->plain = rng_below(2);
    for (int i = 0; i < g->n; i++) {
        last += rng_below(8) ? 1 : 1 + rng_below(rng_below(50) ? 5 : 1000000);
        g->changes[i] = (struct change){(int)rng_below(KEYS), last};
    }
}

static struct slice key_of(int key)
{
    static const char *const names[KEYS] = {"a", "b", "", "key", "another key", "a b"};

    return slice_str(names[key]);
}

/* What is said behind the group: which key has which version. */
static void put_each(void *arg, int db, struct slice key, uint64_t version)
{
    buf_printf(arg, "ver %d %llu %.*s\n", db, (unsigned long long)version, (int)key.len, key.ptr);
}

static void write_group(const struct group *g, struct version_line *line, struct buf *before,
                        struct buf *behind)
{
    struct record_versions v = {0};

    for (int i = 0; i < g->n; i++)
        record_versions_add(&v, 0, key_of(g->changes[i].key), g->changes[i].version);
    if (v.count > 1 && v.several && !(g->plain && record_versions_in_turn(&v)))
        record_versions_each(&v, put_each, behind);
    else if (v.count > 1 && !v.several)
        record_versions_same(&v);
    version_line_put(line, before, &v, 100);
    buf_release(&v.keys);
}

/* ---- the loader ----------------------------------------------------------------------------- */

static void read_lines(struct buf *lines)
{
    buf_append_char(lines, '\0');
    for (char *at = lines->ptr, *end; *at; at = end + 1) {
        long long n;
        unsigned count = 1;

        end = strchr(at, '\n');
        if (sscanf(at, "#LK:at %lld", &n) == 1)
            versions_load_at(&ks, (uint64_t)n);
        else if (sscanf(at, "#LK:v %lld %u", &n, &count) >= 1)
            versions_load_off(&ks, n, count);
        else
            bail("an unknown line");
    }
}

/* The versions that the keys of the group have then. */
static void load_group(const struct group *g, const struct buf *behind, uint64_t has[KEYS])
{
    struct slice rest = buf_slice(behind);

    versions_load_group(&ks);
    for (int i = 0; i < g->n; i++) {
        bool later = false;

        for (int k = i + 1; k < g->n; k++)
            later |= g->changes[k].key == g->changes[i].key;
        if (g->plain || !later)
            has[g->changes[i].key] = keyspace_next_version(&ks, &ks.shards[0], 0);
    }
    versions_load_group_end(&ks);
    while (rest.len) {
        const char *end = memchr(rest.ptr, '\n', rest.len);
        size_t len = (size_t)(end - rest.ptr);
        char text[100];
        unsigned long long version;
        int db, at;

        snprintf(text, sizeof(text), "%.*s", (int)len, rest.ptr);
        if (sscanf(text, "ver %d %llu %n", &db, &version, &at) != 2)
            bail("no version");
        for (int key = 0; key < KEYS; key++) {
            if (slice_eq(key_of(key), slice_str(text + at)))
                has[key] = version;
        }
        rest = slice_make(end + 1, rest.len - len - 1);
    }
}

static void test_groups(void)
{
    struct version_line line = {0};
    uint64_t has[KEYS] = {0}, is[KEYS] = {0};
    size_t bytes = 0;
    int wrong = 0;

    last = (uint64_t)1 << 50;
    versions_load_begin(&ks);
    for (int i = 0; i < GROUPS; i++) {
        struct buf before = {0}, behind = {0};
        struct group g;

        if (rng_below(1000) == 0) { /* a new file */
            line.known = false;
            versions_load_unknown(&ks);
        }
        draw_group(&g);
        write_group(&g, &line, &before, &behind);
        bytes += before.len + behind.len;
        read_lines(&before);
        load_group(&g, &behind, has);
        for (int k = 0; k < g.n; k++)
            is[g.changes[k].key] = g.changes[k].version;
        wrong += memcmp(is, has, sizeof(is)) != 0;
        buf_release(&before);
        buf_release(&behind);
    }
    is_int(wrong, 0, "%d groups have the versions that they had", GROUPS);
    ok(!versions_load_end(&ks), "and nothing was without");
    ok(ks.shards[5].seq >= last + VERSIONS_AHEAD, "what comes next is above, by far");
    ok(bytes > 0, "it took %zu bytes", bytes);
}

/* Those that follow each other say nothing but now and then where they are. */
static void test_bytes(void)
{
    struct version_line line = {0};
    struct buf out = {0};

    for (uint64_t i = 1; i <= 1000; i++) {
        struct record_versions v = {0};

        record_versions_add(&v, 0, SLICE("key"), 1000000 + i);
        version_line_put(&line, &out, &v, 100);
        buf_release(&v.keys);
    }
    ok(out.len < 1000, "a thousand changes in turn take %zu bytes", out.len);
    buf_release(&out);
}

static void test_unknown(void)
{
    uint64_t version;

    versions_load_begin(&ks);
    versions_load_group(&ks);
    version = keyspace_next_version(&ks, &ks.shards[0], 0);
    versions_load_group_end(&ks);
    ok(versions_load_end(&ks), "what was told by nobody is noted");
    ok(version == 1, "and is below all others until it gets one");
    versions_load_begin(&ks);
    versions_loaded(&ks, 0);
    versions_load_floor(&ks, 500, false);
    ok(!versions_load_end(&ks), "a floor is one");
    versions_load_begin(&ks);
    versions_load_at(&ks, 7);
    versions_load_hold(&ks, 3, false);
    is_int((long)keyspace_next_version(&ks, &ks.shards[0], 0), 10, "a version that is held");
    is_int((long)keyspace_next_version(&ks, &ks.shards[9], 4), 10, "by all that follow");
    versions_load_hold(&ks, 0, true);
    is_int((long)keyspace_next_version(&ks, &ks.shards[9], 4), 4, "or a key keeps its own");
    versions_load_end(&ks);
}

static void test_log(void)
{
    uint64_t a, b;

    versions_log(&ks, true);
    a = keyspace_next_version(&ks, &ks.shards[1], 0);
    b = keyspace_next_version(&ks, &ks.shards[2], 0);
    ok(b == a + 1, "while they are logged there is one counter");
    versions_log(&ks, false);
    ok(keyspace_next_version(&ks, &ks.shards[1], 0) == a + 1, "and else one of each shard");
    versions_log(&ks, true);
    ok(keyspace_next_version(&ks, &ks.shards[1], 0) > b, "which goes on above all of them");
}

int main(void)
{
    uint64_t seed = rng_entropy();

    diag("seed %llu", (unsigned long long)seed);
    rng_seed(seed);
    hash_init(1);
    keyspace_init(&ks, 2);
    test_groups();
    test_bytes();
    test_unknown();
    test_log();
    keyspace_release(&ks);
    return tap_done();
}
