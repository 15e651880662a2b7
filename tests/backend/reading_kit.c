/* A server with a backend, see reading_kit.h. */
#include "tests/backend/reading_kit.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct server *reading_server(const struct place *p, const char *table, const char *options)
{
    char query[128], args[2048];
    struct server *s;
    struct wire *w;

    snprintf(query, sizeof(query), "table=%s&colKey=k&colVal=v", table);
    snprintf(args, sizeof(args), "--backend %s %s", p->url(query), options);
    s = server_run(args);
    w = wire_open(s, 3);
    if (!reading_comes_to(w, "EXISTS is_it_ready", ":0"))
        bail("the backend is not ready: %s", wire_call(w, "INFO backend"));
    wire_close(w);
    return s;
}

struct wire *reading_wire(const struct server *s)
{
    return wire_open(s, 3);
}

long long reading_info(struct wire *w, const char *field)
{
    char *text = wire_bulk(w, "INFO everything"), *at = text;
    size_t len = strlen(field);
    long long n = -1;

    while ((at = strstr(at, field)) != NULL) {
        if (at[-1] == '\n' && at[len] == ':') {
            n = strtoll(at + len + 1, NULL, 10);
            break;
        }
        at += len;
    }
    free(text);
    return n;
}

bool reading_comes_to(struct wire *w, const char *line, const char *reply)
{
    long long end = raw_now_ms() + RAW_TIMEOUT_MS;

    while (raw_now_ms() < end) {
        if (strcmp(wire_call(w, line), reply) == 0)
            return true;
        raw_sleep_ms(5);
    }
    diag("%s: %s", line, wire_call(w, line));
    return false;
}

bool reading_info_comes_to(struct wire *w, const char *field, long long n)
{
    long long end = raw_now_ms() + RAW_TIMEOUT_MS;

    while (raw_now_ms() < end) {
        if (reading_info(w, field) == n)
            return true;
        raw_sleep_ms(5);
    }
    diag("%s is %lld", field, reading_info(w, field));
    return false;
}

void reading_other(const struct place *p, const char *format, ...)
{
    char sql[4096];
    va_list args;

    va_start(args, format);
    vsnprintf(sql, sizeof(sql), format, args);
    va_end(args);
    p->other(sql);
}

const char *reading_ask(const struct place *p, const char *format, ...)
{
    static char sql[4096];
    va_list args;

    va_start(args, format);
    vsnprintf(sql, sizeof(sql), format, args);
    va_end(args);
    return p->ask(sql);
}
