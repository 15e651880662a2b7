/*
 * The wire itself, in bytes: inline requests, arrays of bulks, what is no request, limits, pieces
 * and pipelines.
 *
 * Each case is run over the unix socket with RESP2 and over TCP with RESP3: nothing here depends on
 * the protocol.
 */
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/lib/raw.h"
#include "tests/lib/tap.h"
#include "tests/lib/wire.h"

struct bytes_case {
    const char *name;
    const char *request;
    const char *reply;
    bool closes;
};

static const struct bytes_case inline_requests[] = {
    {"inline", "PING\r\n", "+PONG\r\n"},
    {"inline, LF alone", "PING\n", "+PONG\r\n"},
    {"inline, blanks around", "  SET  k   v \r\nGET k\r\n", "+OK\r\n$1\r\nv\r\n"},
    {"inline, a tab between", "ECHO\tx\r\n", "$1\r\nx\r\n"},
    {"inline, double quotes", "ECHO \"a b\\x41\\n\\\"\" \r\n", "$6\r\na bA\n\"\r\n"},
    {"inline, all escapes", "ECHO \"\\n\\r\\t\\b\\a\\\\\\q\\xZZ\"\r\n",
     "$10\r\n\n\r\t\b\a\\qxZZ\r\n"},
    {"inline, single quotes", "ECHO 'a\\'b\\n'\r\n", "$5\r\na'b\\n\r\n"},
    {"inline, empty word", "ECHO \"\"\r\n", "$0\r\n\r\n"},
    {"quotes never closed", "SET k \"abc\r\n",
     "-ERR Protocol error: unbalanced quotes in request\r\n", true},
    {"single quotes never closed", "SET k 'abc\r\n",
     "-ERR Protocol error: unbalanced quotes in request\r\n", true},
    {"text behind a closing quote", "SET k \"abc\"def\r\nPING\r\n",
     "-ERR Protocol error: unbalanced quotes in request\r\n", true},
    {"empty lines", "\r\n\r\n\n  \r\nPING\r\n", "+PONG\r\n"},
    {"an empty command name", "\"\" a\r\n",
     "-ERR unknown command '', with args beginning with: 'a' \r\n"},
    {"a blank before the array", " *1\r\nPING\r\n",
     "-ERR unknown command '*1', with args beginning with: \r\n+PONG\r\n"},
    {"QUIT ends a pipeline", "PING\r\nQUIT\r\nPING\r\n", "+PONG\r\n+OK\r\n", true},
    {"a POST over HTTP", "POST / HTTP/1.1\r\nHost: x\r\n\r\nPING\r\n", "", true},
};

static const struct bytes_case array_requests[] = {
    {"array", "*1\r\n$4\r\nPING\r\n", "+PONG\r\n"},
    {"array, empty bulk", "*2\r\n$4\r\nECHO\r\n$0\r\n\r\n", "$0\r\n\r\n"},
    {"array, CRLF in a bulk", "*2\r\n$4\r\nECHO\r\n$4\r\n\r\n\r\n\r\n", "$4\r\n\r\n\r\n\r\n"},
    {"array, lower case", "*2\r\n$4\r\neChO\r\n$1\r\nx\r\n", "$1\r\nx\r\n"},
    {"array, other bytes for the last CRLF", "*1\r\n$4\r\nPINGXX", "+PONG\r\n"},
    {"empty array", "*0\r\nPING\r\n", "+PONG\r\n"},
    {"null array", "*-1\r\nPING\r\n", "+PONG\r\n"},
    {"negative array", "*-100\r\nPING\r\n", "+PONG\r\n"},
    {"empty lines between arrays", "*1\r\n$4\r\nPING\r\n\r\n\r\n*1\r\n$4\r\nPING\r\n",
     "+PONG\r\n+PONG\r\n"},
    {"arrays and lines mixed", "*1\r\n$4\r\nPING\r\nECHO a\r\n*2\r\n$4\r\nECHO\r\n$1\r\nb\r\n",
     "+PONG\r\n$1\r\na\r\n$1\r\nb\r\n"},
    {"array of nothing but an empty name", "*1\r\n$0\r\n\r\n",
     "-ERR unknown command '', with args beginning with: \r\n"},
    {"QUIT as an array", "*1\r\n$4\r\nQUIT\r\n", "+OK\r\n", true},
};

static const struct bytes_case broken_requests[] = {
    {"array length is a word", "*abc\r\nPING\r\n",
     "-ERR Protocol error: invalid multibulk length\r\n", true},
    {"array length is missing", "*\r\nPING\r\n",
     "-ERR Protocol error: invalid multibulk length\r\n", true},
    {"array length has a plus", "*+1\r\n$4\r\nPING\r\n",
     "-ERR Protocol error: invalid multibulk length\r\n", true},
    {"array length begins with 0", "*01\r\n$4\r\nPING\r\n",
     "-ERR Protocol error: invalid multibulk length\r\n", true},
    {"array length has a blank", "* 1\r\n$4\r\nPING\r\n",
     "-ERR Protocol error: invalid multibulk length\r\n", true},
    {"array length ends with LF alone", "*1\n$4\r\nPING\r\n",
     "-ERR Protocol error: invalid multibulk length\r\n", true},
    {"array length over 31 bits", "*2147483648\r\n",
     "-ERR Protocol error: invalid multibulk length\r\n", true},
    {"an integer for a bulk", "*1\r\n:5\r\n", "-ERR Protocol error: expected '$', got ':'\r\n",
     true},
    {"a line for a bulk", "*2\r\n$4\r\nECHO\r\nhello\r\n",
     "-ERR Protocol error: expected '$', got 'h'\r\n", true},
    {"a null bulk", "*1\r\n$-1\r\n", "-ERR Protocol error: invalid bulk length\r\n", true},
    {"bulk length is a word", "*1\r\n$abc\r\n", "-ERR Protocol error: invalid bulk length\r\n",
     true},
    {"bulk length is missing", "*1\r\n$\r\n", "-ERR Protocol error: invalid bulk length\r\n", true},
    {"bulk length over 512 MB", "*1\r\n$536870913\r\n",
     "-ERR Protocol error: invalid bulk length\r\n", true},
    {"what came before is answered", "PING\r\nECHO a\r\n*1\r\n:5\r\nPING\r\n",
     "+PONG\r\n$1\r\na\r\n-ERR Protocol error: expected '$', got ':'\r\n", true},
};

static const struct bytes_case unknown_commands[] = {
    {"unknown command", "nocommand\r\n",
     "-ERR unknown command 'nocommand', with args beginning with: \r\n"},
    {"unknown command with arguments", "NoCommand a b\r\n",
     "-ERR unknown command 'NoCommand', with args beginning with: 'a' 'b' \r\n"},
    {"unknown command with line ends", "foo \"a\\r\\nb\" c\r\n",
     "-ERR unknown command 'foo', with args beginning with: 'a  b' 'c' \r\n"},
    {"a subcommand as one word", "client|list\r\n",
     "-ERR unknown command 'client|list', with args beginning with: \r\n"},
    {"unknown subcommand", "config bogus\r\n",
     "-ERR unknown subcommand 'bogus'. Try CONFIG HELP.\r\n"},
    {"missing subcommand", "config\r\n", "-ERR wrong number of arguments for 'config' command\r\n"},
    {"too many arguments", "PING a b\r\n", "-ERR wrong number of arguments for 'ping' command\r\n"},
    {"too few for a subcommand", "config get\r\n",
     "-ERR wrong number of arguments for 'config|get' command\r\n"},
};

static int open_raw(const struct session *t)
{
    char reply[4096];
    int on = 1, fd = t->protocol == 2 ? server_connect_unix(t->server) : server_connect(t->server);

    if (t->protocol == 2)
        return fd;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    raw_send_str(fd, "HELLO 3\r\n");
    if (raw_read_some(fd, reply, sizeof(reply), RAW_TIMEOUT_MS) <= 0 || reply[0] != '%')
        bail("HELLO 3 over TCP has no answer");
    return fd;
}

/* Sent in one piece; then nothing but what is expected has come. */
static bool answers_exactly(const struct session *t, const struct bytes_case *c)
{
    int fd = open_raw(t);
    bool good = raw_send_str(fd, c->request) && raw_expect_str(fd, c->reply);

    if (good && c->closes)
        good = raw_expect_close(fd);
    else if (good)
        good = raw_send_str(fd, "ECHO still-there\r\n") &&
               raw_expect_str(fd, "$11\r\nstill-there\r\n");
    close(fd);
    return good;
}

static void run_bytes(struct session *t, const struct bytes_case *cases, size_t n)
{
    for (size_t i = 0; i < n; i++)
        ok(answers_exactly(t, &cases[i]), "protocol RESP%d: %s", t->protocol, cases[i].name);
}

#define BYTES(t, cases) run_bytes(t, cases, sizeof(cases) / sizeof(cases[0]))

static void requests(struct session *t)
{
    BYTES(t, inline_requests);
    BYTES(t, array_requests);
    BYTES(t, broken_requests);
    BYTES(t, unknown_commands);
}

/* A line that never ends is refused when it has 64 KB. */
static void endless_lines(struct session *t)
{
    static const struct {
        const char *start, *reply;
    } lines[] = {
        {"A", "-ERR Protocol error: too big inline request\r\n"},
        {"*1", "-ERR Protocol error: too big mbulk count string\r\n"},
        {"*1\r\n$1", "-ERR Protocol error: too big bulk count string\r\n"},
    };
    static char more[70000];

    memset(more, '1', sizeof(more));
    for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
        int fd = open_raw(t);

        raw_send_str(fd, lines[i].start);
        raw_send(fd, more, sizeof(more));
        ok(raw_expect_str(fd, lines[i].reply), "protocol RESP%d:%.*s", t->protocol,
           (int)strcspn(lines[i].reply + 20, "\r"), lines[i].reply + 20);
        close(fd);
    }
}

/* Unknown names and arguments are shown up to 128 bytes. */
static void long_unknown_command(struct session *t)
{
    char request[400], reply[400], name[301];
    int fd = open_raw(t);

    memset(name, 'z', 300);
    name[300] = '\0';
    snprintf(request, sizeof(request), "%s b\r\n", name);
    snprintf(reply, sizeof(reply),
             "-ERR unknown command '%.128s', with args beginning with: 'b' \r\n", name);
    raw_send_str(fd, request);
    ok(raw_expect_str(fd, reply), "protocol RESP%d: long unknown name", t->protocol);
    snprintf(request, sizeof(request), "foo %.300s b\r\n", name);
    snprintf(reply, sizeof(reply),
             "-ERR unknown command 'foo', with args beginning with: '%.128s' \r\n", name);
    raw_send_str(fd, request);
    ok(raw_expect_str(fd, reply), "protocol RESP%d: long argument", t->protocol);
    close(fd);
}

static const char mixed[] = "*3\r\n$3\r\nSET\r\n$3\r\nkey\r\n$10\r\nval\r\n12345\r\n"
                            "GET key\r\n"
                            "*2\r\n$4\r\nINCR\r\n$1\r\nn\r\n"
                            "\r\n"
                            "ECHO \"a b\"\r\n"
                            "*0\r\n"
                            "*3\r\n$4\r\nMGET\r\n$3\r\nkey\r\n$3\r\nkey\r\n"
                            "*2\r\n$3\r\nDEL\r\n$1\r\nn\r\n";
static const char mixed_replies[] = "+OK\r\n$10\r\nval\r\n12345\r\n:1\r\n$3\r\na b\r\n"
                                    "*2\r\n$10\r\nval\r\n12345\r\n$10\r\nval\r\n12345\r\n:1\r\n";

/* Two pieces with a pause between, so that the server reads them apart, at every byte. */
static void split_at_any_byte(struct session *t)
{
    int fd = open_raw(t);
    size_t broken = 0;

    for (size_t at = 1; at < sizeof(mixed) - 1; at++) {
        raw_send(fd, mixed, at);
        raw_sleep_ms(1);
        raw_send(fd, mixed + at, sizeof(mixed) - 1 - at);
        if (broken == 0 && !raw_expect_str(fd, mixed_replies))
            broken = at;
        if (broken != 0)
            break;
    }
    is_int((long long)broken, 0, "protocol RESP%d: requests split at any byte", t->protocol);
    close(fd);
}

static void byte_by_byte(struct session *t)
{
    int fd = open_raw(t);

    for (size_t at = 0; at < sizeof(mixed) - 1; at++) {
        raw_send(fd, mixed + at, 1);
        raw_sleep_ms(1);
    }
    ok(raw_expect_str(fd, mixed_replies), "protocol RESP%d: requests byte by byte", t->protocol);
    close(fd);
}

/* 10,000 requests in one go, replies in order, also when the reader is late. */
static void long_pipeline(struct session *t)
{
    enum { REQUESTS = 10000 };
    char *request = NULL, *reply = NULL;
    size_t request_len = 0, reply_len = 0;
    FILE *out = open_memstream(&request, &request_len), *in = open_memstream(&reply, &reply_len);
    int fd = open_raw(t);

    for (int i = 0; i < REQUESTS; i++) {
        fprintf(out, "*2\r\n$4\r\nINCR\r\n$7\r\ncounter\r\nSET key:%d value:%d\r\nGET key:%d\r\n",
                i % 100, i, i % 100);
        fprintf(in, ":%d\r\n+OK\r\n$%d\r\nvalue:%d\r\n", i + 1, snprintf(NULL, 0, "value:%d", i),
                i);
    }
    fclose(out);
    fclose(in);
    ok(raw_send(fd, request, request_len) && raw_expect(fd, reply, reply_len),
       "protocol RESP%d: a pipeline of 30,000 requests", t->protocol);
    free(request);
    free(reply);
    close(fd);
}

static void send_in_pieces(int fd, const char *bytes, size_t len)
{
    static const size_t pieces[] = {1, 16383, 7, 32768, 65537, 300000, 2, 999999};

    for (size_t i = 0; len > 0; i++) {
        size_t n = pieces[i % (sizeof(pieces) / sizeof(pieces[0]))];

        n = n < len ? n : len;
        raw_send(fd, bytes, n);
        bytes += n;
        len -= n;
    }
}

/*
 * SET and GET of a value with this many bytes, a request before and one behind in the same pieces.
 */
static bool bulk_goes_and_comes(int fd, size_t len)
{
    char head[64], *request = malloc(len + 200), *value;
    size_t n;
    bool good;

    n = (size_t)snprintf(request, 100, "PING\r\n*3\r\n$3\r\nSET\r\n$3\r\nbig\r\n$%zu\r\n", len);
    value = request + n;
    for (size_t i = 0; i < len; i++)
        value[i] = (char)(i * 2654435761u >> 13);
    n += len;
    n += (size_t)snprintf(request + n, 100, "\r\nSTRLEN big\r\nGET big\r\nPING\r\n");
    send_in_pieces(fd, request, n);
    snprintf(head, sizeof(head), "+PONG\r\n+OK\r\n:%zu\r\n$%zu\r\n", len, len);
    good = raw_expect_str(fd, head) && raw_expect(fd, value, len) &&
           raw_expect_str(fd, "\r\n+PONG\r\n");
    free(request);
    return good;
}

static void bulks_of_any_size(struct session *t)
{
    static const size_t sizes[] = {0,     1,     16384,   32756,   32767, 32768, 32769, 65535,
                                   65536, 65537, 1000000, 1048576, 10,    40000, 3,     64 << 20};
    int fd = open_raw(t);

    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++)
        ok(bulk_goes_and_comes(fd, sizes[i]), "protocol RESP%d: a bulk of %zu bytes in pieces",
           t->protocol, sizes[i]);
    close(fd);
}

static void many_arguments(struct session *t)
{
    enum { KEYS = 100000 };
    char *request = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&request, &len);
    int fd = open_raw(t);

    fprintf(out, "*%d\r\n$4\r\nMSET\r\n", 2 * KEYS + 1);
    for (int i = 0; i < KEYS; i++)
        fprintf(out, "$10\r\nkey:%06d\r\n$6\r\n%06d\r\n", i, i);
    fprintf(out, "DBSIZE\r\nGET key:099999\r\n");
    fclose(out);
    ok(raw_send(fd, request, len) && raw_expect_str(fd, "+OK\r\n:100000\r\n$6\r\n099999\r\n"),
       "protocol RESP%d: MSET of 100,000 keys", t->protocol);
    free(request);
    close(fd);
}

static void client_stops_writing(struct session *t)
{
    int fd = open_raw(t);

    raw_send_str(fd, "PING\r\nECHO x\r\n");
    shutdown(fd, SHUT_WR);
    ok(raw_expect_str(fd, "+PONG\r\n$1\r\nx\r\n") && raw_expect_close(fd),
       "protocol RESP%d: replies reach a client that writes no more", t->protocol);
    close(fd);
}

/* Ends in the middle of a request of every kind; the server serves others. */
static void client_vanishes(struct session *t)
{
    static const char *const parts[] = {"PI", "*", "*3\r\n$3",
                                        "*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$100000\r\nxx",
                                        "*2\r\n$4\r\nECHO\r\n$5\r\nab"};

    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
        int fd = open_raw(t);

        raw_send_str(fd, parts[i]);
        close(fd);
    }
    is_str(wire_call(session_wire(t, 0), "EXISTS k"), ":0", "protocol RESP%d: half requests vanish",
           t->protocol);
}

static void max_bulk_len(struct session *t)
{
    struct wire *w = session_wire(t, 0);
    int fd = open_raw(t);

    is_str(wire_call(w, "CONFIG SET proto-max-bulk-len 1mb"), "+OK", "proto-max-bulk-len is hot");
    ok(bulk_goes_and_comes(fd, 1048576), "a bulk of proto-max-bulk-len");
    raw_send_str(fd, "*2\r\n$4\r\nECHO\r\n$1048577\r\n");
    ok(raw_expect_str(fd, "-ERR Protocol error: invalid bulk length\r\n") && raw_expect_close(fd),
       "one byte more");
    is_str(wire_call(w, "SETRANGE k 1048575 a"), ":1048576", "SETRANGE up to it");
    is_str(wire_call(w, "SETRANGE k 1048575 ab"),
           "-ERR string exceeds maximum allowed size (proto-max-bulk-len)", "SETRANGE over it");
    is_str(wire_call(w, "APPEND k a"),
           "-ERR string exceeds maximum allowed size (proto-max-bulk-len)", "APPEND over it");
    is_str(wire_call(w, "SETBIT k 8388608 1"), "-ERR bit offset is not an integer or out of range",
           "SETBIT over it");
    is_str(wire_call(w, "CONFIG SET proto-max-bulk-len 512mb"), "+OK", "and back");
    close(fd);
}

static void query_buffer_limit(struct session *t)
{
    struct wire *w = session_wire(t, 0);
    int fd = open_raw(t);
    char *bytes = calloc(1, 3000000);

    is_str(wire_call(w, "CONFIG SET client-query-buffer-limit 1mb"), "+OK",
           "client-query-buffer-limit is hot");
    memset(bytes, 'x', 2999999);
    raw_send_str(fd, "*3\r\n$3\r\nSET\r\n$3\r\nbig\r\n$3000000\r\n");
    raw_send(fd, bytes, 2999999);
    ok(raw_expect_close(fd), "a request over client-query-buffer-limit ends the connection");
    is_str(wire_call(w, "EXISTS big"), ":0", "and is not carried out");
    is_str(wire_call(w, "CONFIG SET client-query-buffer-limit 1gb"), "+OK", "and back");
    free(bytes);
    close(fd);
}

static const struct group groups[] = {
    TEST(requests),
    TEST(endless_lines),
    TEST(long_unknown_command),
    TEST(split_at_any_byte),
    TEST(byte_by_byte),
    TEST(long_pipeline),
    TEST(bulks_of_any_size),
    TEST(many_arguments),
    TEST(client_stops_writing),
    TEST(client_vanishes),
    TEST(max_bulk_len),
    TEST(query_buffer_limit),
    {NULL},
};

int main(void)
{
    static const int threads[] = {1, 4, 0};

    return session_main("protocol", "", threads, groups);
}
