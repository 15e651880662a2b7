/* Shared by the tests of the configuration, see conf_kit.h. */
#include "tests/unit/conf/conf_kit.h"

#include "conf/conf_file.h"
#include "tests/lib/tap.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static struct buf text;
static char dir[64];

static const char *finish(void)
{
    buf_append_char(&text, '\0');
    return text.ptr;
}

const char *kit_get(const struct conf *c, const char *name)
{
    const struct option *o = conf_find(slice_str(name));

    text.len = 0;
    if (o)
        conf_format(c, o, &text);
    else
        buf_append_str(&text, "(none)");
    return finish();
}

const char *kit_set(struct conf *c, const char *name, const char *value)
{
    struct slice pair[2] = {slice_str(name), slice_str(value)};
    bool done;

    text.len = 0;
    done = conf_set_pairs(c, pair, 2, false, &text);
    if (done != (text.len == 0))
        bail("conf_set_pairs says %d with an error of %zu bytes", done, text.len);
    return finish();
}

enum conf_result kit_try(const char *const *args, const char **said)
{
    struct conf_notes notes = {0};
    struct conf *c = conf_new();
    enum conf_result result;
    int argc = 0;

    while (args[argc])
        argc++;
    result = conf_load(c, argc, (char *const *)(uintptr_t)args, &notes);
    text.len = 0;
    buf_append_slice(&text, buf_slice(result == CONF_OK ? &notes.warnings : &notes.error));
    *said = finish();
    conf_notes_release(&notes);
    conf_free(c);
    return result;
}

struct conf *kit_load(const char *const *args)
{
    struct conf_notes notes = {0};
    struct conf *c = conf_new();
    int argc = 0;

    while (args[argc])
        argc++;
    if (conf_load(c, argc, (char *const *)(uintptr_t)args, &notes) != CONF_OK)
        bail("not loaded: %.*s", (int)notes.error.len, notes.error.ptr);
    conf_notes_release(&notes);
    return c;
}

static void remove_dir(void)
{
    char command[128];

    snprintf(command, sizeof(command), "rm -rf '%s'", dir);
    if (system(command) != 0)
        diag("%s is left behind", dir);
}

const char *kit_dir(void)
{
    if (dir[0])
        return dir;
    snprintf(dir, sizeof(dir), "/tmp/latchkey-conf-XXXXXX");
    if (!mkdtemp(dir))
        bail("no temporary folder");
    atexit(remove_dir);
    return dir;
}

const char *kit_path(const char *name)
{
    static char paths[4][256];
    static int next;
    char *path = paths[next++ % 4];

    snprintf(path, sizeof(paths[0]), "%s/%s", kit_dir(), name);
    return path;
}

void kit_write(const char *name, const char *content)
{
    FILE *f = fopen(kit_path(name), "w");

    if (!f || fputs(content, f) < 0 || fclose(f) != 0)
        bail("cannot write %s", name);
}

const char *kit_read(const char *name)
{
    text.len = 0;
    if (conf_read_all(kit_path(name), &text) != 0)
        bail("cannot read %s", name);
    return finish();
}
