/* storage/log/manifest: reading and writing what Redis 7 reads and writes. */
#include "storage/log/manifest.h"

#include <stdio.h>

#include "tests/lib/tap.h"

/* What is said of it, "" if it is a manifest. */
static const char *said(const char *text)
{
    static char out[200];
    struct manifest m;
    struct buf why = {0};
    bool ok = manifest_parse(&m, slice_str(text), &why);

    snprintf(out, sizeof(out), "%.*s%s", (int)why.len, why.len ? why.ptr : "",
             ok == !why.len ? "" : " and not");
    buf_release(&why);
    manifest_release(&m);
    return out;
}

static void test_whole(void)
{
    static const char text[] = "file appendonly.aof.2.base.rdb seq 2 type b\n"
                               "file appendonly.aof.1.base.rdb seq 1 type h\n"
                               "file appendonly.aof.4.incr.aof seq 4 type i\n"
                               "file \"with blank.5.incr.aof\" seq 5 type i\n";
    struct manifest m, copy;
    struct buf out = {0};

    ok(manifest_parse(&m, slice_str(text), &out), "a manifest");
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
    static const struct {
        const char *text, *said;
    } cases[] = {
        {"file a seq 1\n", "line 1, 'file a seq 1': Invalid AOF manifest file format"},
        {"file a seq x type i\n",
         "line 1, 'file a seq x type i': Invalid AOF manifest file format"},
        {"file a seq 0 type i\n",
         "line 1, 'file a seq 0 type i': Invalid AOF manifest file format"},
        {"file a seq 1 type z\n", "line 1, 'file a seq 1 type z': Unknown AOF file type"},
        {"seq 1 type i\n", "line 1, 'seq 1 type i': Invalid AOF manifest file format"},
        {"file ../a seq 1 type i\n",
         "line 1, 'file ../a seq 1 type i': File can't be a path, just a filename"},
        {"file a seq 1 type b\nfile b seq 2 type b\n",
         "line 2, 'file b seq 2 type b': Found duplicate base file information"},
        {"file a seq 2 type i\nfile b seq 1 type i\n",
         "line 2, 'file b seq 1 type i': Found a non-monotonic sequence number"},
        {"file a seq 1 type i more\n",
         "line 1, 'file a seq 1 type i more': Invalid AOF manifest file format"},
        {"file \"a seq 1 type i\n",
         "line 1, 'file \"a seq 1 type i': Invalid AOF manifest file format"},
        {"# a remark\n\nfile a seq 1 type i\n", "line 2, '': Invalid AOF manifest file format"},
        {"file a seq 1 type i", "line 1, 'file a seq 1 type i': The line has no end"},
        {"", "Found an empty AOF manifest"},
        {"# a remark\nfile a seq 1 type b more than-that\n", ""},
        {"# nothing\n", ""},
        {"type i seq 1  file a\r\n", ""},
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++)
        is_str(said(cases[i].text), cases[i].said, "manifest %zu", i);
}

int main(void)
{
    test_whole();
    test_bad();
    return tap_done();
}
