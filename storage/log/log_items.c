/* Requests and lines of the log, see log_items.h. */
#include "storage/log/log_items.h"

#include "base/mem.h"
#include "base/num.h"
#include "storage/log/crc32c.h"

#include <stdio.h>
#include <stdlib.h>

enum {
    HEADER_MAX = 32,            /* bytes of "$123\r\n" */
    ARGC_MAX = 1024 * 1024 * 8, /* more is damage */
    LINE_MAX = 64 * 1024,
};

/* ---- requests ------------------------------------------------------------------------------- */

/* The number behind `kind`, to the end of its line. */
static enum log_item read_header(struct log_cursor *c, char kind, uint64_t *n)
{
    const char *at = c->bytes.ptr + c->pos, *end = c->bytes.ptr + c->bytes.len;
    const char *limit = end - at > HEADER_MAX ? at + HEADER_MAX : end;
    const char *digit = at + 1;

    if (at == end)
        return LOG_SHORT;
    if (*at != kind)
        return LOG_BAD;
    for (*n = 0; digit < limit && *digit >= '0' && *digit <= '9'; digit++)
        *n = *n * 10 + (uint64_t)(*digit - '0');
    if (digit + 2 > end)
        return digit == end || *digit == '\r' ? LOG_SHORT : LOG_BAD;
    if (digit == at + 1 || digit - at > 20 || digit[0] != '\r' || digit[1] != '\n')
        return LOG_BAD;
    c->pos = (size_t)(digit + 2 - c->bytes.ptr);
    return LOG_REQUEST;
}

static enum log_item read_arg(struct log_cursor *c, struct slice *arg)
{
    uint64_t len;
    enum log_item what = read_header(c, '$', &len);
    size_t left = c->bytes.len - c->pos;
    const char *at = c->bytes.ptr + c->pos;

    if (what != LOG_REQUEST)
        return what;
    if (len > left || left - len < 2)
        return len <= left && left - len == 1 && at[len] != '\r' ? LOG_BAD : LOG_SHORT;
    if (at[len] != '\r' || at[len + 1] != '\n')
        return LOG_BAD;
    *arg = slice_make(at, len);
    c->pos += len + 2;
    return LOG_REQUEST;
}

static void make_room(struct log_cursor *c, size_t argc)
{
    if (c->argv_cap >= argc)
        return;
    c->argv_cap = argc * 2;
    mem_free(c->argv);
    c->argv = mem_alloc(c->argv_cap * sizeof(*c->argv));
}

static enum log_item read_request(struct log_cursor *c)
{
    uint64_t argc;
    enum log_item what = read_header(c, '*', &argc);

    if (what != LOG_REQUEST)
        return what;
    if (!argc || argc > ARGC_MAX)
        return LOG_BAD;
    make_room(c, argc);
    c->argc = (int)argc;
    for (uint64_t i = 0; i < argc && what == LOG_REQUEST; i++)
        what = read_arg(c, &c->argv[i]);
    return what;
}

/* ---- lines ---------------------------------------------------------------------------------- */

static enum log_item read_line(struct log_cursor *c)
{
    const char *at = c->bytes.ptr + c->pos;
    size_t left = c->bytes.len - c->pos, within = left < LINE_MAX ? left : LINE_MAX;
    const char *end = memchr(at, '\n', within);

    if (!end)
        return within < left ? LOG_BAD : LOG_SHORT;
    c->pos = (size_t)(end + 1 - c->bytes.ptr);
    c->line = slice_make(at, (size_t)(end - at) - (end > at && end[-1] == '\r'));
    return LOG_LINE;
}

enum log_item log_next(struct log_cursor *c)
{
    enum log_item what;

    c->start = c->pos;
    if (c->pos == c->bytes.len)
        return LOG_END;
    what = c->bytes.ptr[c->pos] == '#' ? read_line(c) : read_request(c);
    if (what == LOG_SHORT || what == LOG_BAD)
        c->pos = c->start;
    return what;
}

void log_cursor_release(struct log_cursor *c)
{
    mem_free(c->argv);
    c->argv = NULL;
    c->argv_cap = 0;
}

/* ---- seals ---------------------------------------------------------------------------------- */

static const char seal_head[] = "#LK:sum ";
enum { SEAL_HEAD = sizeof(seal_head) - 1, SEAL_LINE_MAX = 160 };

static bool next_number(const char **at, const char *end, uint64_t *n)
{
    const char *from = *at;

    for (*n = 0; *at < end && **at >= '0' && **at <= '9'; (*at)++)
        *n = *n * 10 + (uint64_t)(**at - '0');
    if (*at == from || *at == end || **at != ' ')
        return false;
    (*at)++;
    return true;
}

static bool next_hex(const char **at, const char *end, uint32_t *n)
{
    *n = 0;
    if (end - *at != 8)
        return false;
    for (; *at < end; (*at)++) {
        char c = **at;

        if (c >= '0' && c <= '9')
            *n = *n << 4 | (uint32_t)(c - '0');
        else if (c >= 'a' && c <= 'f')
            *n = *n << 4 | (uint32_t)(c - 'a' + 10);
        else
            return false;
    }
    return true;
}

bool log_seal_read(struct slice line, struct log_seal *s)
{
    const char *at = line.ptr + SEAL_HEAD, *end = line.ptr + line.len;
    uint64_t len, db;

    if (line.len < SEAL_HEAD || memcmp(line.ptr, seal_head, SEAL_HEAD) != 0)
        return false;
    if (!next_number(&at, end, &s->seq) || !next_number(&at, end, &len) ||
        !next_number(&at, end, &s->synced) || !next_number(&at, end, &db))
        return false;
    s->len = len;
    s->db = (int)db;
    s->covered = (size_t)(at - line.ptr);
    return next_hex(&at, end, &s->crc);
}

bool log_seal_fits(const struct log_seal *s, struct slice run, struct slice line)
{
    return s->len == run.len && crc32c(crc32c(0, run.ptr, run.len), line.ptr, s->covered) == s->crc;
}

void log_seal_put(struct buf *out, struct log_seal *s, struct slice run)
{
    char line[SEAL_LINE_MAX];
    int n = snprintf(line, sizeof(line), "%s%llu %zu %llu %d ", seal_head,
                     (unsigned long long)s->seq, run.len, (unsigned long long)s->synced, s->db);

    s->len = run.len;
    s->covered = (size_t)n;
    s->crc = crc32c(crc32c(0, run.ptr, run.len), line, (size_t)n);
    buf_append(out, line, (size_t)n);
    buf_printf(out, "%08x\r\n", s->crc);
}

size_t log_position(struct slice bytes, size_t from, uint64_t seq)
{
    struct log_cursor c = {.bytes = bytes, .pos = from};
    struct log_seal seal;
    enum log_item what;
    size_t at = from;

    while ((what = log_next(&c)) == LOG_REQUEST || what == LOG_LINE) {
        if (what == LOG_REQUEST || !log_seal_read(c.line, &seal))
            continue;
        if (seal.seq > seq)
            break;
        at = c.pos;
    }
    log_cursor_release(&c);
    return at;
}
