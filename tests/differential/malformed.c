/*
 * Inline commands, broken requests and requests in pieces, each on a connection of its own: both
 * servers must answer with the same bytes and then close.
 *
 *   malformed [--seed N] [--count N] [--threads N]
 *
 * The client closes its side when it has sent all, so the end of the answer is the end of the
 * connection. Unix sockets, since TCP may drop an answer whose connection is reset.
 *
 * Left out, since Redis does what nobody can want: a NUL within a line, where it waits for ever;
 * and what it takes for HTTP, where it may or may not lose the answers before.
 */
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/compiler.h"
#include "base/rng.h"
#include "tests/differential/contest.h"
#include "tests/differential/options.h"
#include "tests/lib/raw.h"
#include "tests/lib/tap.h"

enum { CONVERSATIONS = 6000, DIFFERENCES_MAX = 20, SHOWN = 700, PIECES_MAX = 6 };

static const struct slice inline_parts[] = {
    SLICE("PING"),
    SLICE("ping hello"),
    SLICE("SET k v"),
    SLICE("GET k"),
    SLICE("ECHO \"a b\""),
    SLICE("ECHO \"\\x41\\n\\t\\\\\\\"\""),
    SLICE("ECHO 'it\\'s'"),
    SLICE("ECHO \"\\xzz\\x4\""),
    SLICE("ECHO \"a\"b"),
    SLICE("ECHO 'a'b"),
    SLICE("ECHO \"a"),
    SLICE("ECHO 'a"),
    SLICE("ECHO a\"b\""),
    SLICE("ECHO \"\""),
    SLICE("ECHO ''"),
    SLICE("  PING  "),
    SLICE("\tPING\t"),
    SLICE(""),
    SLICE(" "),
    SLICE("nosuch a b"),
    SLICE("SET"),
    SLICE("ECHO \xff\xfe"),
    SLICE("QUIT"),
    SLICE("GET"),
    SLICE("DEL k"),
    SLICE("$3"),
    SLICE("+OK"),
    SLICE("SELECT 1"),
    SLICE("ECHO \"\\"),
    SLICE("HELLO 99"),
    SLICE("RESET"),
    SLICE("CLIENT REPLY SKIP\r\nPING"),
    SLICE("CLIENT REPLY OFF"),
    SLICE("CLIENT REPLY ON"),
    SLICE("SUBSCRIBE a b"),
    SLICE("UNSUBSCRIBE a"),
    SLICE("PUBLISH a b"),

    SLICE("GET / HTTP/1.1"),
};

static const struct slice array_parts[] = {
    SLICE("*1\r\n$4\r\nPING\r\n"),
    SLICE("*2\r\n$4\r\nECHO\r\n$3\r\na\r\n\r\n"),
    SLICE("*0\r\n"),
    SLICE("*-1\r\n"),
    SLICE("*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$5\r\nvalue\r\n"),
    SLICE("*2\r\n$3\r\nGET\r\n$1\r\nk\r\n"),
    SLICE("*2\r\n$4\r\nECHO\r\n$0\r\n\r\n"),
    SLICE("*1\r\n$4\r\nQUIT\r\n"),
    SLICE("*abc\r\n"),
    SLICE("*1 \r\n"),
    SLICE("* 1\r\n"),
    SLICE("*+1\r\n"),
    SLICE("*01\r\n"),
    SLICE("*2147483648\r\n"),
    SLICE("*1048577\r\n"),
    SLICE("*9223372036854775808\r\n"),
    SLICE("*1\r\n$-1\r\n"),
    SLICE("*1\r\n$abc\r\n"),
    SLICE("*1\r\n$536870913\r\n"),
    SLICE("*1\r\n$ 4\r\nPING\r\n"),
    SLICE("*1\r\n$04\r\nPING\r\n"),
    SLICE("*1\r\n:4\r\n"),
    SLICE("*1\r\nPING\r\n"),
    SLICE("*1\n$4\nPING\n"),
    SLICE("*1\r\n$4\r\nPINGxx"),
    SLICE("*1\r\n$4\r\nPING\n\n"),
    SLICE("*2\r\n$4\r\nPING\r\n"),
    SLICE("*1\r\n$5\r\nPING\r\n"),
    SLICE("*1\r\n\r\n$4\r\nPING\r\n"),
    SLICE("*\r\n"),
    SLICE("*1\r\n$\r\n"),
    SLICE("*1\r"),
    SLICE("*1\rx$4\r\nPING\r\n"),
    SLICE("*1\r\n$0\r\n\r\n"),
    SLICE("*1\r\n$4\rxPING\r\n"),
    SLICE("*-9\r\n"),
    SLICE("*2\r\n$4\r\nECHO\r\n$9223372036854775807\r\n"),
    SLICE("*4294967297\r\n$4\r\nPING\r\n"),
};

#define DRAW(parts) parts[rng_below(COUNT_OF(parts))]

/*
 * A line without an end, longer than is allowed or nearly so. Nothing follows it: whether an end is
 * seen in time depends on how much a server happens to read at once.
 */
static void append_long(struct buf *out)
{
    static const char *const starts[] = {"", "*", "*1\r\n$", "*1\r\nx"};
    size_t len = rng_below(2) == 0 ? 60000 : 70000;

    buf_append_str(out, starts[rng_below(4)]);
    memset(buf_reserve(out, len), rng_below(2) == 0 ? '1' : 'a', len);
    out->len += len;
}

static void draw_conversation(struct buf *out)
{
    int parts = 1 + (int)rng_below(6);

    out->len = 0;
    for (int i = 0; i < parts; i++) {
        if (rng_below(2) == 0) {
            buf_append_slice(out, DRAW(inline_parts));
            buf_append_str(out, rng_below(3) == 0 ? "\n" : "\r\n");
        } else {
            buf_append_slice(out, DRAW(array_parts));
        }
    }
    if (rng_below(25) == 0) {
        append_long(out);
        return;
    }
    if (out->len > 0 && rng_below(6) == 0)
        out->ptr[rng_below(out->len)] = (char)(1 + rng_below(255));
    if (rng_below(8) == 0)
        out->len = rng_below(out->len + 1);
}

/* The same pieces for both servers; pauses let the server see them one by one. */
struct pieces {
    size_t ends[PIECES_MAX];
    bool pauses[PIECES_MAX];
    int count;
};

static void draw_pieces(struct pieces *p, size_t len)
{
    size_t end = 0;

    p->count = 0;
    while (p->count < PIECES_MAX - 1 && rng_below(2) == 0) {
        end += rng_below(len - end + 1);
        p->ends[p->count] = end;
        p->pauses[p->count++] = rng_below(4) == 0;
    }
    p->ends[p->count] = len;
    p->pauses[p->count++] = false;
}

/* What the server answers until it closes. A server that has closed takes no more: that is fine. */
static bool converse(const struct server *s, struct slice bytes, const struct pieces *p,
                     struct buf *answer)
{
    int fd = server_connect_unix(s);
    size_t at = 0;
    long n = 1;

    answer->len = 0;
    for (int i = 0; i < p->count; i++) {
        if (!raw_send(fd, bytes.ptr + at, p->ends[i] - at))
            break;
        at = p->ends[i];
        if (p->pauses[i])
            raw_sleep_ms(1);
    }
    shutdown(fd, SHUT_WR);
    while (n > 0) {
        n = raw_read_some(fd, buf_reserve(answer, 4096), 4096, RAW_TIMEOUT_MS);
        if (n > 0)
            answer->len += (size_t)n;
    }
    close(fd);
    return n == 0;
}

static void show(const char *label, struct slice bytes)
{
    struct buf line = {0};

    text_append_shown(&line, bytes, SHOWN);
    diag("  %s %.*s", label, (int)line.len, line.ptr);
    buf_release(&line);
}

static bool compare(struct contest *c, const char *where, struct slice bytes,
                    const struct pieces *p)
{
    struct buf answers[2] = {{0}, {0}};
    bool alike = true;

    for (int side = 0; side < 2; side++)
        alike = converse(c->twins[side].server, bytes, p, &answers[side]) && alike;
    alike = alike && slice_eq(buf_slice(&answers[ORACLE]), buf_slice(&answers[TESTED]));
    if (!alike) {
        diag("difference, %s", where);
        show("sent:  ", bytes);
        for (int i = 0; i + 1 < p->count; i++)
            diag("  in pieces: to byte %zu%s", p->ends[i], p->pauses[i] ? ", pause" : "");
        show("oracle:", buf_slice(&answers[ORACLE]));
        show("tested:", buf_slice(&answers[TESTED]));
        contest_renew(c);
    }
    buf_release(&answers[ORACLE]);
    buf_release(&answers[TESTED]);
    return alike;
}

static void run(const struct options *o, int threads)
{
    static struct contest c;
    struct buf bytes = {0};
    int differences = 0;
    char where[100];

    contest_start(&c, threads);
    contest_renew(&c);
    rng_seed(o->seed);
    for (unsigned long i = 0; i < o->count && differences < DIFFERENCES_MAX; i++) {
        struct pieces pieces;

        draw_conversation(&bytes);
        draw_pieces(&pieces, bytes.len);
        snprintf(where, sizeof(where), "--seed %lu --threads %d, conversation %lu", o->seed,
                 threads, i);
        differences += !compare(&c, where, buf_slice(&bytes), &pieces);
    }
    ok(differences == 0, "%lu conversations, threads %d, seed %lu", o->count, threads, o->seed);
    buf_release(&bytes);
    contest_stop(&c);
}

int main(int argc, char **argv)
{
    struct options o = options_parse(argc, argv, CONVERSATIONS);

    options_each(&o, run);
    return tap_done();
}
