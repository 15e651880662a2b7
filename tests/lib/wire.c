/* See wire.h: connections. The tables are in session.c. */
#include "tests/lib/wire.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/lib/raw.h"
#include "tests/lib/tap.h"

enum { ARGS_MAX = 100 };

struct wire *wire_attach(int fd, int protocol)
{
    struct wire *w = calloc(1, sizeof(*w));

    if (w == NULL)
        abort();
    w->fd = fd;
    w->protocol = protocol;
    return w;
}

struct wire *wire_open(const struct server *s, int protocol)
{
    struct wire *w = wire_attach(server_connect_unix(s), protocol);

    if (protocol == 3 && *wire_call(w, "HELLO 3") != '{')
        bail("HELLO 3 is answered by %s", w->last);
    return w;
}

void wire_close(struct wire *w)
{
    if (w == NULL)
        return;
    close(w->fd);
    free(w->bytes);
    free(w->last);
    free(w);
}

/* ---- sending ---- */

void wire_send_args(struct wire *w, size_t n, const char *const *args, const size_t *lens)
{
    char *all = NULL;
    size_t size = 0;
    FILE *f = open_memstream(&all, &size);

    if (f == NULL)
        abort();
    fprintf(f, "*%zu\r\n", n);
    for (size_t i = 0; i < n; i++) {
        fprintf(f, "$%zu\r\n", lens[i]);
        fwrite(args[i], 1, lens[i], f);
        fputs("\r\n", f);
    }
    fclose(f);
    raw_send(w->fd, all, size);
    free(all);
}

/* One escape in a "..." word; *at is behind the backslash. */
static char unescape(const char **at)
{
    static const char names[] = "nrtab", bytes[] = "\n\r\t\a\b";
    const char *name = strchr(names, **at);
    char hex[3] = {0};

    if (**at == 'x') {
        memcpy(hex, *at + 1, 2);
        *at += 3;
        return (char)strtol(hex, NULL, 16);
    }
    (*at)++;
    return name != NULL ? bytes[name - names] : (*at)[-1];
}

/* Reads the word at *at into out, moves *at behind it, returns its length. */
static size_t take_word(const char **at, char *out)
{
    char quote = **at == '"' || **at == '\'' ? *(*at)++ : ' ';
    size_t len = 0;

    while (**at != '\0' && **at != quote) {
        if (quote == '"' && **at == '\\') {
            ++*at;
            out[len++] = unescape(at);
        } else
            out[len++] = *(*at)++;
    }
    if (**at != '\0')
        ++*at;
    return len;
}

void wire_send(struct wire *w, const char *line)
{
    const char *args[ARGS_MAX], *at = line;
    size_t lens[ARGS_MAX], n = 0;
    char *words = malloc(strlen(line) + 1), *out = words;

    if (words == NULL)
        abort();
    for (;;) {
        at += strspn(at, " ");
        if (*at == '\0')
            break;
        if (n == ARGS_MAX)
            bail("too many words in a test: %s", line);
        args[n] = out;
        lens[n] = take_word(&at, out);
        out += lens[n++];
    }
    wire_send_args(w, n, args, lens);
    free(words);
}

/* ---- receiving ---- */

static long receive(struct wire *w, int timeout_ms)
{
    long n;

    if (w->at == w->len)
        w->at = w->len = 0;
    if (w->len == w->size) {
        w->size = w->size * 2 + 4096;
        w->bytes = realloc(w->bytes, w->size);
        if (w->bytes == NULL)
            abort();
    }
    n = raw_read_some(w->fd, w->bytes + w->len, w->size - w->len, timeout_ms);
    if (n > 0)
        w->len += (size_t)n;
    return n;
}

/* > 0 and the reply, 0 for the end, -1 for nothing in time. */
static long next(struct wire *w, int timeout_ms, struct answer **out)
{
    for (;;) {
        long n = 0;

        if (w->len > w->at)
            n = answer_parse(w->bytes + w->at, w->len - w->at, out);
        if (n < 0)
            bail("no RESP: %.*s", (int)(w->len - w->at), w->bytes + w->at);
        if (n > 0) {
            w->at += (size_t)n;
            return n;
        }
        n = receive(w, timeout_ms);
        if (n <= 0)
            return n;
    }
}

struct answer *wire_next(struct wire *w, int timeout_ms)
{
    struct answer *a = NULL;

    return next(w, timeout_ms, &a) > 0 ? a : NULL;
}

const char *wire_read(struct wire *w)
{
    struct answer *a = NULL;
    long n = next(w, RAW_TIMEOUT_MS, &a);

    free(w->last);
    if (n > 0)
        w->last = answer_text(a, w->protocol);
    else
        w->last = strdup(n == 0 ? "(closed)" : "(silence)");
    answer_free(a);
    return w->last;
}

const char *wire_call(struct wire *w, const char *line)
{
    wire_send(w, line);
    return wire_read(w);
}

const char *wire_callf(struct wire *w, const char *format, ...)
{
    const char *reply;
    char *line;
    va_list ap;

    va_start(ap, format);
    if (vasprintf(&line, format, ap) < 0)
        abort();
    va_end(ap);
    reply = wire_call(w, line);
    free(line);
    return reply;
}

long long wire_int(struct wire *w, const char *line)
{
    const char *reply = wire_call(w, line);

    if (*reply != ':')
        bail("%s is answered by %s", line, reply);
    return strtoll(reply + 1, NULL, 10);
}

char *wire_bulk(struct wire *w, const char *line)
{
    struct answer *a;
    char *text;

    wire_send(w, line);
    a = wire_next(w, RAW_TIMEOUT_MS);
    if (a == NULL || a->text == NULL || (a->type != '$' && a->type != '='))
        bail("%s is not answered by a bulk", line);
    text = a->type == '=' ? strdup(a->text + 4) : a->text;
    if (a->type == '$')
        a->text = NULL;
    answer_free(a);
    return text;
}

/* ---- what is on the other side ---- */

void wire_wait_alone(struct wire *w)
{
    for (int tries = 0; tries < 1000; tries++) {
        const char *list = wire_call(w, "CLIENT LIST");
        const char *line_end = strstr(list, "\\n");

        if (line_end == NULL || line_end[2] == '\'')
            return;
        raw_sleep_ms(1);
    }
    diag("connections do not go away");
}

bool wire_is_latchkey(const struct server *s)
{
    struct wire *w = wire_open(s, 2);
    bool found = strstr(wire_call(w, "INFO server"), "latchkey_version:") != NULL;

    wire_close(w);
    return found;
}
