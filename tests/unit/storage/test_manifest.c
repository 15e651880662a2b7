/* storage/log/manifest: reading and writing what Redis 7 reads and writes. */
#include "storage/log/manifest.h"

#include "tests/lib/tap.h"

static bool parses(const char *text, int *line)
{
    struct manifest m;
    bool ok = manifest_parse(&m, slice_str(text), line);

    manifest_release(&m);
    return ok;
}

static void test_whole(void)
{
    static const char text[] = "file appendonly.aof.2.base.rdb seq 2 type b\n"
                               "file appendonly.aof.1.base.rdb seq 1 type h\n"
                               "file appendonly.aof.4.incr.aof seq 4 type i\n"
                               "file \"with blank.5.incr.aof\" seq 5 type i\n";
    struct manifest m, copy;
    struct buf out = {0};
    int line;

    ok(manifest_parse(&m, slice_str(text), &line), "a manifest");
    is_int((long long)m.len, 4, "has parts");
    is_int((long long)manifest_base(&m)->seq, 2, "a base");
    is_int((long long)manifest_last(&m)->seq, 5, "a last increment");
    is_int((long long)manifest_max(&m, LOG_HISTORY), 1, "history");
    manifest_copy(&copy, &m);
    manifest_format(&copy, &out);
    ok(slice_eq(buf_slice(&out), slice_str(text)), "and is written as it was");
    buf_release(&out);
    manifest_release(&copy);
    manifest_release(&m);
}

static void test_bad(void)
{
    static const char *const bad[] = {
        "file a seq 1\n",
        "file a seq x type i\n",
        "file a seq 1 type z\n",
        "seq 1 type i\n",
        "file ../a seq 1 type i\n",
        "file a seq 1 type b\nfile b seq 2 type b\n",
        "file a seq 2 type i\nfile b seq 1 type i\n",
        "file a seq 1 type i more\n",
        "file \"a seq 1 type i\n",
    };
    int line;

    for (size_t i = 0; i < COUNT_OF(bad); i++)
        ok(!parses(bad[i], &line), "no manifest: %zu", i);
    ok(!parses("# a remark\n\nfile a seq 1 type q\n", &line) && line == 3, "the line is told");
    ok(parses("# a remark\n\nfile a seq 1 type b more than-that\n", &line),
       "remarks, empty lines, and words that are not known");
    ok(parses("", &line), "nothing");
}

int main(void)
{
    test_whole();
    test_bad();
    return tap_done();
}
