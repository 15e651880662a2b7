/*
 * Any bytes as a configuration file: nothing breaks, what is refused is explained, and what loads
 * is the same after CONFIG REWRITE and another start.
 */
#include "conf/conf.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *path(void)
{
    static char name[64];

    if (!name[0])
        snprintf(name, sizeof(name), "/dev/shm/latchkey-fuzz-%d.conf", (int)getpid());
    return name;
}

/* Other files are not part of the input: they may be endless. */
static bool names_a_file(struct slice text)
{
    for (size_t i = 0; i + 7 <= text.len; i++) {
        if (strncasecmp(text.ptr + i, "include", 7) == 0)
            return true;
    }
    return false;
}

static void write_input(const uint8_t *data, size_t size)
{
    int fd = open(path(), O_WRONLY | O_CREAT | O_TRUNC, 0600);

    if (fd < 0 || write(fd, data, size) != (ssize_t)size)
        abort();
    close(fd);
}

static struct conf *load(void)
{
    char *const args[] = {(char *)(uintptr_t)path()};
    struct conf_notes notes = {0};
    struct conf *c = conf_new();
    enum conf_result result = conf_load(c, 1, args, &notes);

    if ((result == CONF_OK) != (notes.error.len == 0))
        abort();
    conf_notes_release(&notes);
    if (result == CONF_OK)
        return c;
    conf_free(c);
    return NULL;
}

static void expect_same(const struct conf *a, const struct conf *b)
{
    if (!b)
        abort();
    for (int id = 0; id < OPTION_COUNT; id++) {
        if (conf_differs(a, b, (enum option_id)id))
            abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct conf *c, *copy, *again;

    if (names_a_file(slice_make((const char *)data, size)))
        return 0;
    write_input(data, size);
    c = load();
    if (!c)
        return 0;
    copy = conf_copy(c);
    if (conf_rewrite(copy) != 0)
        abort();
    again = load();
    expect_same(c, copy);
    expect_same(c, again);
    conf_free(again);
    conf_free(copy);
    conf_free(c);
    unlink(path());
    return 0;
}
