/* The title of the process, see title.h. */
#include "server/title.h"

#include "base/mem.h"

#include <unistd.h>

static struct {
    char *start;
    size_t len;    /* room, with the NUL */
    char *program; /* what the first argument was */
} area;

static void extend(const char *string)
{
    if (string == area.start + area.len)
        area.len += strlen(string) + 1;
}

static void move_environment(void)
{
    size_t n = 0;
    char **copy;

    while (environ[n])
        n++;
    copy = mem_zalloc((n + 1) * sizeof(*copy));
    for (size_t i = 0; i < n; i++) {
        extend(environ[i]);
        copy[i] = mem_strdup(environ[i]);
    }
    environ = copy;
}

void title_init(int argc, char **argv)
{
    if (argc < 1)
        return;
    area.start = argv[0];
    area.program = mem_strdup(argv[0]);
    for (int i = 0; i < argc; i++)
        extend(argv[i]);
    move_environment();
}

static void append_address(const struct conf *conf, struct buf *out)
{
    const char *address = conf->bind.len ? conf->bind.addresses[0] : "*";

    if (conf->port)
        buf_printf(out, "%s:%d", address, (int)conf->port);
    else
        buf_printf(out, "unixsocket:%s", conf->unixsocket);
}

static void append_variable(const struct conf *conf, struct slice name, struct buf *out)
{
    if (slice_is(name, "title"))
        buf_append_str(out, area.program);
    else if (slice_is(name, "listen-addr"))
        append_address(conf, out);
    else if (slice_is(name, "port"))
        buf_printf(out, "%d", (int)conf->port);
    else if (slice_is(name, "tls-port"))
        buf_printf(out, "%d", (int)conf->tls_port);
    else if (slice_is(name, "unixsocket"))
        buf_append_str(out, conf->unixsocket);
    else if (slice_is(name, "config-file"))
        buf_append_str(out, conf->file ? conf->file : "");
}

/* The template was looked at when it was set: every '{' opens a variable. */
static void expand(const struct conf *conf, struct buf *out)
{
    const char *at = conf->proc_title_template;

    while (*at) {
        const char *end = *at == '{' ? strchr(at, '}') : NULL;

        if (end)
            append_variable(conf, slice_make(at + 1, (size_t)(end - at - 1)), out);
        else
            buf_append_char(out, *at);
        at = end ? end + 1 : at + 1;
    }
    while (out->len && out->ptr[out->len - 1] == ' ')
        out->len--;
}

void title_set(const struct conf *conf)
{
    struct buf title = {0};

    if (!area.start)
        return;
    expand(conf, &title);
    if (title.len >= area.len)
        title.len = area.len - 1;
    memset(area.start, 0, area.len);
    if (title.ptr)
        memcpy(area.start, title.ptr, title.len);
    buf_release(&title);
}
