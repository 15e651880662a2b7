/*
 * maxmemory-clients: who is closed when connections take too much memory, and who is not.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/lib/raw.h"
#include "tests/lib/tap.h"
#include "tests/lib/wire.h"

enum { KB = 1024 };

static struct wire *admin;

/* A connection that has announced an argument of so many bytes, and sent the first of them. */
static int holder(struct session *t, size_t bytes)
{
    int fd = server_connect(t->server);
    char text[64];

    snprintf(text, sizeof(text), "*2\r\n$4\r\nECHO\r\n$%zu\r\n0123456789", bytes);
    raw_send_str(fd, text);
    return fd;
}

/* Whether it is open after a moment. */
static bool stays(int fd)
{
    return raw_expect_silence(fd, 50);
}

static long long info_field(const char *section, const char *field)
{
    char line[64], *info, *at;
    long long n = -1;

    snprintf(line, sizeof(line), "INFO %s", section);
    info = wire_bulk(admin, line);
    at = strstr(info, field);
    if (at)
        n = atoll(at + strlen(field) + 1);
    free(info);
    return n;
}

static long long evicted(void)
{
    return info_field("stats", "evicted_clients");
}

static void begin(struct session *t)
{
    admin = session_wire(t, 0);
    wire_call(admin, "CLIENT NO-EVICT ON");
    wire_call(admin, "CONFIG RESETSTAT");
}

static void end(void)
{
    is_str(wire_call(admin, "CONFIG SET maxmemory-clients 0 maxmemory 0"), "+OK", "no limit");
}

static void largest_first(struct session *t)
{
    static const size_t sizes[] = {100, 2000, 400, 1000, 200};
    int fds[5];

    begin(t);
    for (int i = 0; i < 5; i++)
        fds[i] = holder(t, sizes[i] * KB);
    ok(stays(fds[1]), "no limit at first");
    for (int i = 0; i < 300 && info_field("memory", "mem_clients_normal") < 3700 * KB; i++)
        raw_sleep_ms(10);
    ok(info_field("memory", "mem_clients_normal") >= 3700 * KB, "INFO tells what they take");
    is_str(wire_call(admin, "CONFIG SET maxmemory-clients 1500kb"), "+OK", "a limit");
    ok(raw_expect_close(fds[1]), "the largest is closed");
    ok(raw_expect_close(fds[3]), "and the next one, since that was not enough");
    ok(stays(fds[0]) && stays(fds[2]) && stays(fds[4]), "the others stay");
    is_int(evicted(), 2, "INFO counts them");
    is_str(wire_call(admin, "CONFIG SET maxmemory-clients 500kb"), "+OK", "a lower limit");
    ok(raw_expect_close(fds[2]), "the largest of those left is closed");
    ok(stays(fds[0]) && stays(fds[4]), "the rest stays");
    is_int(evicted(), 3, "INFO counts that one");
    is_str(wire_call(admin, "CONFIG RESETSTAT"), "+OK", "until the statistics are reset");
    is_int(evicted(), 0, "when it begins again");
    end();
    for (int i = 0; i < 5; i++)
        close(fds[i]);
}

static void growing_input(struct session *t)
{
    int small, large;

    begin(t);
    is_str(wire_call(admin, "CONFIG SET maxmemory-clients 1mb"), "+OK", "a limit");
    small = holder(t, 300 * KB);
    ok(stays(small), "below it");
    large = holder(t, 2000 * KB);
    ok(raw_expect_close(large), "who goes beyond it is closed");
    ok(stays(small), "the other is not");
    end();
    close(small);
    close(large);
}

/* Whether CLIENT LIST comes to have such a text. */
static bool listed(const char *text)
{
    bool found = false;

    for (int i = 0; i < 300 && !found; i++) {
        char *list = wire_bulk(admin, "CLIENT LIST");

        found = strstr(list, text) != NULL;
        free(list);
        raw_sleep_ms(found ? 0 : 10);
    }
    return found;
}

/* CLIENT LIST tells how much of an argument has come, however long it will be. */
static void unfinished_input(struct session *t)
{
    char rest[500];
    int fd;

    begin(t);
    fd = holder(t, 200 * KB);
    ok(listed(" qbuf=10 "), "what has come of a long argument is in qbuf");
    memset(rest, 'x', sizeof(rest));
    raw_send(fd, rest, sizeof(rest));
    ok(listed(" qbuf=510 "), "and grows as more comes");
    close(fd);
}

static void spared(struct session *t)
{
    struct wire *w;
    int large;

    begin(t);
    w = session_wire(t, 1);
    is_str(wire_call(w, "CLIENT NO-EVICT ON"), "+OK", "one is spared");
    is_str(wire_call(admin, "CONFIG SET maxmemory-clients 1mb"), "+OK", "a limit");
    raw_send_str(w->fd, "*2\r\n$4\r\nECHO\r\n$900000\r\n0123456789");
    large = holder(t, 500 * KB);
    ok(raw_expect_close(large), "its memory counts for the others");
    ok(stays(w->fd), "but it stays");
    end();
    close(large);
}

/* Messages to somebody who does not read. */
static void growing_output(struct session *t)
{
    struct wire *reader = session_wire(t, 1);
    char *text = malloc(100 * KB + 1), *line = malloc(101 * KB);
    long long receivers = 1;

    begin(t);
    memset(text, 'x', 100 * KB);
    text[100 * KB] = '\0';
    snprintf(line, 101 * KB, "PUBLISH news %s", text);
    is_str(wire_call(admin, "CONFIG SET maxmemory-clients 2mb"), "+OK", "a limit");
    wire_call(reader, "SUBSCRIBE news");
    for (int i = 0; i < 200 && receivers > 0; i++)
        receivers = wire_int(admin, line);
    is_int(receivers, 0, "a subscriber that does not read is closed");
    is_int(evicted(), 1, "for its memory");
    end();
    free(text);
    free(line);
}

/* Commands that wait for EXEC. */
static void growing_queue(struct session *t)
{
    struct wire *w = session_wire(t, 1);
    char *line = malloc(101 * KB);
    const char *reply = "";

    begin(t);
    memset(line, 'x', 100 * KB);
    line[100 * KB] = '\0';
    memcpy(line, "ECHO ", 5);
    is_str(wire_call(admin, "CONFIG SET maxmemory-clients 1mb"), "+OK", "a limit");
    wire_call(w, "MULTI");
    for (int i = 0; i < 30 && strcmp(reply, "(closed)") != 0; i++)
        reply = wire_call(w, line);
    is_str(reply, "(closed)", "a transaction that is too large ends");
    is_int(evicted(), 1, "with its client");
    end();
    free(line);
}

static void percentages(struct session *t)
{
    int fd;

    begin(t);
    is_str(wire_call(admin, "CONFIG SET maxmemory-clients 5%"), "+OK", "a percentage");
    is_str(wire_call(admin, "CONFIG GET maxmemory-clients"),
           t->protocol == 3 ? "{'maxmemory-clients' '5%'}" : "['maxmemory-clients' '5%']",
           "is told as such");
    fd = holder(t, 6000 * KB);
    ok(stays(fd), "of no maxmemory it is no limit");
    is_str(wire_call(admin, "CONFIG SET maxmemory 100mb"), "+OK", "of 100 MB");
    ok(raw_expect_close(fd), "it is 5 MB");
    close(fd);
    fd = holder(t, 4000 * KB);
    ok(stays(fd), "which is enough for 4");
    close(fd);
    is_str(wire_call(admin, "CONFIG SET maxmemory-clients 101%"),
           "-ERR CONFIG SET failed (possibly related to argument 'maxmemory-clients') - percentage "
           "argument must be less or equal to 100",
           "not more than all");
    end();
}

/* With the least that can be said everybody could be locked out. */
static void least_limit(struct session *t)
{
    struct wire *w;

    begin(t);
    is_str(wire_call(admin, "CONFIG SET maxmemory-clients 1"), "+OK", "hardly any memory");
    w = session_wire(t, 1);
    is_str(wire_call(w, "PING"), "+PONG", "still leaves room for small clients");
    end();
}

int main(void)
{
    static const int threads[] = {1, 4, 0};
    static const struct group groups[] = {
        TEST(largest_first),  TEST(growing_input),    TEST(spared),
        TEST(growing_output), TEST(growing_queue),    TEST(percentages),
        TEST(least_limit),    TEST(unfinished_input), {0},
    };

    return session_main("client_limit", "", threads, groups);
}
