/* See wire.h: tables of commands and replies, and the main function that runs them. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/lib/raw.h"
#include "tests/lib/tap.h"
#include "tests/lib/wire.h"

enum { SILENCE_MS = 30 };

struct wire *session_wire(struct session *t, int i)
{
    if (t->connections[i] == NULL) {
        t->connections[i] = wire_open(t->server, t->protocol);
        t->ids[i] = strtoll(wire_call(t->connections[i], "CLIENT ID") + 1, NULL, 10);
    }
    return t->connections[i];
}

static void close_all(struct session *t)
{
    for (int i = 0; i < SESSION_CONNECTIONS; i++) {
        wire_close(t->connections[i]);
        t->connections[i] = NULL;
    }
    wire_close(t->observer);
    t->observer = NULL;
}

void session_reset(struct session *t)
{
    struct wire *w;

    close_all(t);
    memset(t->numbers, 0, sizeof(t->numbers));
    w = wire_open(t->server, 2);
    wire_wait_alone(w);
    if (strcmp(wire_call(w, "FLUSHALL"), "+OK") != 0)
        bail("FLUSHALL is answered by %s", w->last);
    wire_close(w);
}

/* ---- clients that wait ---- */

/* The client bears the flag of those that wait. */
static bool is_waiting(struct session *t, long long id)
{
    char name[32], *list, *at;
    bool waits = false;

    if (t->observer == NULL)
        t->observer = wire_open(t->server, 2);
    list = wire_bulk(t->observer, "CLIENT LIST");
    snprintf(name, sizeof(name), "id=%lld ", id);
    at = list != NULL ? strstr(list, name) : NULL;
    if (at != NULL && (at = strstr(at, " flags=")) != NULL) {
        at += strlen(" flags=");
        waits = memchr(at, 'b', strcspn(at, " ")) != NULL;
    }
    free(list);
    return waits;
}

void session_block(struct session *t, int i, const char *line)
{
    struct wire *w = session_wire(t, i);
    long long end = raw_now_ms() + RAW_TIMEOUT_MS;
    bool waits;

    wire_send(w, line);
    do
        waits = is_waiting(t, t->ids[i]);
    while (!waits && raw_now_ms() < end);
    ok(waits, "%s RESP%d: %s waits", t->family, t->protocol, line);
}

/* ---- replies ---- */

/* Copies a quoted part with its quotes; returns what is behind it. */
static const char *put_quoted(FILE *f, const char *at)
{
    fputc(*at++, f);
    while (*at != '\0' && *at != '\'') {
        if (*at == '\\')
            fputc(*at++, f);
        fputc(*at++, f);
    }
    if (*at == '\'')
        fputc(*at++, f);
    return at;
}

/* A double or a big number becomes a bulk. */
static const char *put_number(FILE *f, const char *at)
{
    size_t len = strcspn(at, " ]}");

    fprintf(f, "'%.*s'", (int)len, at);
    return at + len;
}

/* One token that RESP2 writes in another way; what is behind it. */
static const char *put_resp2(FILE *f, const char *at)
{
    switch (*at) {
    case '\'':
        return put_quoted(f, at);
    case '{':
    case '}':
        fputc(*at == '{' ? '[' : ']', f);
        return at + 1;
    case '>':
    case '~':
        return at + 1;
    case ',':
    case '(':
        return put_number(f, at + 1);
    case '#':
        fputs(at[1] == 't' ? ":1" : ":0", f);
        return at + 2;
    case '=':
        return at + 5;
    default:
        fputc(*at, f);
        return at + 1;
    }
}

/* What RESP2 has instead of this RESP3 reply; caller frees. */
static char *to_resp2(const char *reply)
{
    char *text = NULL;
    size_t size = 0;
    FILE *f;

    if (strchr("+-:/(", *reply) != NULL)
        return strdup(reply);
    f = open_memstream(&text, &size);
    if (f == NULL)
        abort();
    while (*reply != '\0')
        reply = put_resp2(f, reply);
    fclose(f);
    return text;
}

static char *wanted(const struct session *t, const struct wire_case *c)
{
    if (t->protocol == 2)
        return c->resp2 != NULL ? strdup(c->resp2) : to_resp2(c->reply);
    return strdup(c->reply);
}

static char *read_sorted(struct wire *w)
{
    struct answer *a = wire_next(w, RAW_TIMEOUT_MS);
    char *sorted, *text;

    if (a == NULL)
        return strdup("(nothing)");
    sorted = answer_text_sorted(a, w->protocol);
    if (asprintf(&text, "%%%s", sorted) < 0)
        abort();
    free(sorted);
    answer_free(a);
    return text;
}

/* ---- numbers that are remembered ---- */

static char *slot(struct session *t, char letter)
{
    return letter >= 'a' && letter <= 'z' ? t->numbers[letter - 'a'] : NULL;
}

/* The text with every remembered $x replaced; caller frees. */
static char *with_numbers(struct session *t, const char *text)
{
    char *out = NULL;
    size_t size = 0;
    FILE *f = open_memstream(&out, &size);

    if (f == NULL)
        abort();
    while (*text != '\0') {
        char *number = *text == '$' ? slot(t, text[1]) : NULL;

        if (number != NULL && *number != '\0') {
            fputs(number, f);
            text += 2;
        } else
            fputc(*text++, f);
    }
    fclose(f);
    return out;
}

/* What stands for a number in `want` is there in `got`; $+x are remembered. Caller frees. */
static char *with_new_numbers(struct session *t, const char *want, const char *got)
{
    char *out = NULL;
    size_t size = 0;
    FILE *f = open_memstream(&out, &size);

    if (f == NULL)
        abort();
    while (*want != '\0') {
        bool kept = strncmp(want, "$+", 2) == 0 && slot(t, want[2]) != NULL;
        size_t digits = strspn(got, "0123456789");

        if ((!kept && strncmp(want, "$?", 2) != 0) || digits == 0) {
            fputc(*want++, f);
            got += *got != '\0';
            continue;
        }
        if (kept)
            snprintf(slot(t, want[2]), sizeof(t->numbers[0]), "%.*s", (int)digits, got);
        fprintf(f, "%.*s", (int)digits, got);
        want += kept ? 3 : 2;
        got += digits;
    }
    fclose(f);
    return out;
}

/* The next reply; what is told of locks may come at any time, and is skipped unless wanted. */
static const char *read_beside_locks(struct wire *w, const char *want)
{
    const char *got = wire_read(w);

    while (strncmp(got, ">['lock' ", 9) == 0 && strncmp(want, ">", 1) != 0)
        got = wire_read(w);
    return got;
}

static void check_numbers(struct session *t, struct wire *w, const char *want, const char *label)
{
    const char *got = read_beside_locks(w, want);
    char *expected = with_new_numbers(t, want, got);

    is_str(got, expected, "%s RESP%d: %s", t->family, t->protocol, label);
    free(expected);
}

static void check_reply(struct session *t, struct wire *w, const struct wire_case *c)
{
    char *written = wanted(t, c), *want = with_numbers(t, written), *sorted = NULL;
    const char *label = *c->line != '\0' ? c->line : "(next)";

    free(written);

    if (strcmp(want, "(silence)") == 0)
        ok(w->at == w->len && raw_expect_silence(w->fd, SILENCE_MS), "%s RESP%d: %s: silence",
           t->family, t->protocol, label);
    else if (*want == '/')
        is_like(read_beside_locks(w, want + 1), want + 1, "%s RESP%d: %s", t->family, t->protocol,
                label);
    else if (*want == '%')
        is_str(sorted = read_sorted(w), want, "%s RESP%d: %s", t->family, t->protocol, label);
    else
        check_numbers(t, w, want, label);
    free(sorted);
    free(want);
}

static void run_case(struct session *t, const struct wire_case *c)
{
    const char *line = c->line;
    int connection = *line == '@' ? line[1] - '0' : 0;
    struct wire *w;
    char *words;

    if (*line == '~') {
        raw_sleep_ms(atoi(line + 1));
        return;
    }
    w = session_wire(t, connection);
    if (*line == '@')
        line += 2;
    line += strspn(line, " ");
    words = with_numbers(t, line);
    if (strcmp(c->reply, "(waits)") == 0)
        session_block(t, connection, words);
    else if (*words != '\0')
        wire_send(w, words);
    free(words);
    if (strcmp(c->reply, "(waits)") == 0)
        return;
    if (*c->reply != '\0')
        check_reply(t, w, c);
}

void session_cases_as_it_is(struct session *t, const struct wire_case *cases, size_t n)
{
    for (size_t i = 0; i < n; i++)
        run_case(t, &cases[i]);
    close_all(t);
}

void session_cases(struct session *t, const char *group, const struct wire_case *cases, size_t n)
{
    diag("%s: %s (RESP%d, threads %d)", t->family, group, t->protocol, t->threads);
    session_reset(t);
    session_cases_as_it_is(t, cases, n);
}

/* ---- main ---- */

static void run_group(struct session *t, const struct group *g)
{
    if (g->latchkey_only && !wire_is_latchkey(t->server))
        skip("the server does not have it", "%s RESP%d: %s", t->family, t->protocol, g->name);
    else if (g->cases != NULL)
        session_cases(t, g->name, g->cases, g->n);
    else {
        diag("%s: %s (RESP%d, threads %d)", t->family, g->name, t->protocol, t->threads);
        session_reset(t);
        g->run(t);
        close_all(t);
    }
}

static void run_with(const char *family, const char *args, int threads, const struct group *groups)
{
    struct session t = {.family = family, .threads = threads};

    t.server = threads > 0 ? server_run_threads(threads, args) : server_run(args);
    for (t.protocol = 2; t.protocol <= 3; t.protocol++) {
        for (const struct group *g = groups; g->name != NULL; g++)
            run_group(&t, g);
    }
    server_stop(t.server);
}

/* A Redis is the same whatever the number, so it runs once. */
static bool has_threads(void)
{
    const char *binary = server_under_test(), *slash = strrchr(binary, '/');

    return getenv("LATCHKEY_THREADS") == NULL &&
           strcmp(slash != NULL ? slash + 1 : binary, "redis-server") != 0;
}

void session_family(const char *family, const char *args, const int *threads,
                    const struct group *groups)
{
    if (threads == NULL || !has_threads())
        run_with(family, args, 0, groups);
    else
        for (; *threads > 0; threads++)
            run_with(family, args, *threads, groups);
}

int session_main(const char *family, const char *args, const int *threads,
                 const struct group *groups)
{
    session_family(family, args, threads, groups);
    return tap_done();
}
