/* What all drivers have in common, see backend_inner.h. */
#include "storage/backend/backend_inner.h"

#include "base/mem.h"

#include <stdarg.h>
#include <stdio.h>

void backend_init(struct backend *b, const struct backend_options *options)
{
    b->options = *options;
    b->options.who = mem_strdup(options->who ? options->who : "");
}

void backend_release(struct backend *b)
{
    mem_free((char *)b->options.who);
}

const struct backend_error *backend_error_of(const struct backend *b)
{
    return &b->error;
}

enum backend_status backend_say(struct backend_error *error, enum backend_status status,
                                const char *fmt, ...)
{
    char text[sizeof(error->text)];
    va_list args;
    size_t len;

    /* What is said may quote what was said before. */
    va_start(args, fmt);
    vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);
    len = strlen(text);
    while (len && (unsigned char)text[len - 1] <= ' ')
        len--;
    text[len] = '\0';
    for (size_t i = 0; i < len; i++) {
        if ((unsigned char)text[i] < ' ')
            text[i] = ' ';
    }
    memcpy(error->text, text, len + 1);
    return status;
}
