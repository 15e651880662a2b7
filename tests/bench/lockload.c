/*
 * lockload PORT pairs KIND CLIENTS PIPELINE PAIRS
 *     so many times a free lock is acquired and released, by clients one after the other
 * lockload PORT hold KIND COUNT
 *     acquires so many locks, says "held", and keeps them until its stdin ends
 * lockload PORT wait KIND CLIENTS MS
 *     one holds a lock and so many wait for it, for so long
 * lockload PORT handover WAITERS TIMES
 *     microseconds from a release to the reply of the next holder: median, 99 %, most
 * lockload PORT poll MS TIMES
 *     the same for one waiter that asks a Redis every so many milliseconds
 *
 * KIND latchkey has LOCK.ACQUIRE and LOCK.RELEASE; redis has what libraries do there: SET NX PX
 * with a random value, and a script that deletes the key if it has that value.
 */
#include "wire.h"

#include <sys/resource.h>

enum { CLIENTS_MAX = 2000, NAMES = 1000000, TEXT = 512, POLL_MS = 50 };

static const char delete_if_equal[] = "if redis.call('get',KEYS[1])==ARGV[1] then "
                                      "return redis.call('del',KEYS[1]) else return 0 end";

struct client {
    struct wire w;
    char sha[41];
};

static struct client *clients;
static bool redis;

/* ---- single requests ---- */

static long long number_reply(struct wire *w)
{
    char type = wire_byte(w), line[256];

    wire_line(w, line, sizeof(line));
    if (type != ':') {
        fprintf(stderr, "no integer: %c%s\n", type, line);
        exit(1);
    }
    return strtoll(line, NULL, 10);
}

static char *put_acquire(char *at, const char *end, unsigned name, unsigned long long value)
{
    if (redis)
        return put(at, end,
                   "*6\r\n$3\r\nSET\r\n$11\r\nlock:%06u\r\n$16\r\n%016llx\r\n$2\r\nNX\r\n"
                   "$2\r\nPX\r\n$5\r\n30000\r\n",
                   name, value);
    return put(at, end,
               "*4\r\n$12\r\nLOCK.ACQUIRE\r\n$11\r\nlock:%06u\r\n$5\r\nLEASE\r\n$5\r\n30000\r\n",
               name);
}

static char *put_release(const struct client *c, char *at, const char *end, unsigned name,
                         unsigned long long value)
{
    char digits[24];

    if (redis)
        return put(at, end,
                   "*5\r\n$7\r\nEVALSHA\r\n$40\r\n%s\r\n$1\r\n1\r\n$11\r\nlock:%06u\r\n"
                   "$16\r\n%016llx\r\n",
                   c->sha, name, value);
    snprintf(digits, sizeof(digits), "%llu", value);
    return put(at, end, "*3\r\n$12\r\nLOCK.RELEASE\r\n$11\r\nlock:%06u\r\n$%zu\r\n%s\r\n", name,
               strlen(digits), digits);
}

static void load_script(struct client *c)
{
    char request[TEXT];
    char *end = put(request, request + sizeof(request),
                    "*3\r\n$6\r\nSCRIPT\r\n$4\r\nLOAD\r\n$%zu\r\n%s\r\n", strlen(delete_if_equal),
                    delete_if_equal);
    char line[64];

    wire_send(&c->w, request, (size_t)(end - request));
    wire_byte(&c->w);
    wire_line(&c->w, line, sizeof(line));
    wire_line(&c->w, c->sha, sizeof(c->sha));
}

static void open_clients(int port, int n)
{
    struct rlimit files;

    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
    clients = calloc((size_t)n, sizeof(*clients));
    if (n > CLIENTS_MAX || clients == NULL)
        wire_die("too many clients");
    for (int i = 0; i < n; i++) {
        wire_open(&clients[i].w, port);
        if (redis)
            load_script(&clients[i]);
    }
}

/* ---- pairs ---- */

struct grants {
    unsigned name;
    unsigned long long value;
};

static uint64_t state = 88172645463325252u;

static void send_acquires(struct client *c, struct grants *g, int n)
{
    static char out[TEXT * 64];
    char *at = out;

    for (int i = 0; i < n; i++) {
        g[i].name = (unsigned)(next_random(&state) % NAMES);
        g[i].value = next_random(&state);
        at = put_acquire(at, out + sizeof(out), g[i].name, g[i].value);
    }
    wire_send(&c->w, out, (size_t)(at - out));
}

static void send_releases(struct client *c, struct grants *g, int n)
{
    static char out[TEXT * 64];
    char *at = out;

    for (int i = 0; i < n; i++)
        at = put_release(c, at, out + sizeof(out), g[i].name, g[i].value);
    wire_send(&c->w, out, (size_t)(at - out));
}

/* A name that another has just now is not worth a word: it is one of a million. */
static void read_acquires(struct client *c, struct grants *g, int n)
{
    for (int i = 0; i < n; i++) {
        char type = wire_byte(&c->w), line[256];

        wire_line(&c->w, line, sizeof(line));
        if (type == '-')
            wire_die(line);
        if (!redis)
            g[i].value = type == ':' ? strtoull(line, NULL, 10) : 0;
    }
}

static void read_releases(struct client *c, int n)
{
    char line[256];

    for (int i = 0; i < n; i++) {
        wire_byte(&c->w);
        wire_line(&c->w, line, sizeof(line));
    }
}

static void run_pairs(int port, int n, int pipeline, long pairs)
{
    static struct grants g[100][64];

    if (n > 100 || pipeline > 64)
        exit(2);
    open_clients(port, n);
    for (long done = 0; done < pairs; done += (long)n * pipeline) {
        for (int i = 0; i < n; i++)
            send_acquires(&clients[i], g[i], pipeline);
        for (int i = 0; i < n; i++)
            read_acquires(&clients[i], g[i], pipeline);
        for (int i = 0; i < n; i++)
            send_releases(&clients[i], g[i], pipeline);
        for (int i = 0; i < n; i++)
            read_releases(&clients[i], pipeline);
    }
}

/* ---- holding ---- */

static void run_hold(int port, unsigned count)
{
    enum { BATCH = 50 };
    static struct grants g[BATCH];
    char byte;

    open_clients(port, 1);
    for (unsigned i = 0; i < count; i += BATCH) {
        static char out[TEXT * BATCH];
        char *at = out;

        for (unsigned j = i; j < i + BATCH; j++)
            at = put_acquire(at, out + sizeof(out), j, next_random(&state));
        wire_send(&clients[0].w, out, (size_t)(at - out));
        read_acquires(&clients[0], g, BATCH);
    }
    printf("held\n");
    fflush(stdout);
    while (read(STDIN_FILENO, &byte, 1) > 0)
        ;
}

/* ---- waiting ---- */

static void ask_to_wait(struct client *c)
{
    static const char request[] =
        "*4\r\n$12\r\nLOCK.ACQUIRE\r\n$4\r\nlock\r\n$4\r\nWAIT\r\n$2\r\n-1\r\n";

    wire_send(&c->w, request, sizeof(request) - 1);
}

static void try_once(struct client *c)
{
    static const char request[] = "*6\r\n$3\r\nSET\r\n$4\r\nlock\r\n$1\r\nx\r\n$2\r\nNX\r\n"
                                  "$2\r\nPX\r\n$5\r\n90000\r\n";

    wire_send(&c->w, request, sizeof(request) - 1);
}

static void sleep_ns(uint64_t ns)
{
    struct timespec t = {(time_t)(ns / 1000000000), (long)(ns % 1000000000)};

    nanosleep(&t, NULL);
}

/* Polling clients are spread over the time between two of their requests. */
static void run_wait(int port, int n, int ms)
{
    uint64_t end = now_ns() + (uint64_t)ms * 1000000, step = POLL_MS * 1000000 / (uint64_t)n;
    uint64_t next = now_ns();

    open_clients(port, n + 1);
    if (!redis) {
        for (int i = 0; i <= n; i++)
            ask_to_wait(&clients[i]);
        number_reply(&clients[0].w);
        sleep_ns(end - now_ns());
        return;
    }
    for (int i = 0; now_ns() < end; i = (i + 1) % (n + 1)) {
        try_once(&clients[i]);
        wire_reply(&clients[i].w);
        next += step;
        if (next > now_ns())
            sleep_ns(next - now_ns());
    }
}

/* ---- handing over ---- */

static int by_size(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

    return (x > y) - (x < y);
}

static void print_delays(uint64_t *ns, int n)
{
    qsort(ns, (size_t)n, sizeof(*ns), by_size);
    printf("%.1f %.1f %.1f\n", (double)ns[n / 2] / 1000, (double)ns[n * 99 / 100] / 1000,
           (double)ns[n - 1] / 1000);
}

static void send_release(struct client *c, long long token)
{
    char request[TEXT], digits[24];
    char *end;

    snprintf(digits, sizeof(digits), "%lld", token);
    end = put(request, request + sizeof(request),
              "*3\r\n$12\r\nLOCK.RELEASE\r\n$4\r\nlock\r\n$%zu\r\n%s\r\n", strlen(digits), digits);
    wire_send(&c->w, request, (size_t)(end - request));
}

/* Whoever has released waits again, so that they stay as many. */
static void run_handover(int port, int waiters, int times)
{
    uint64_t *delays = calloc((size_t)times, sizeof(*delays));
    long long token;

    if (delays == NULL)
        wire_die("calloc");
    open_clients(port, waiters + 1);
    for (int i = 0; i <= waiters; i++) {
        ask_to_wait(&clients[i]);
        sleep_ns(100000);
    }
    token = number_reply(&clients[0].w);
    for (int i = 0; i < times; i++) {
        struct client *old = &clients[i % (waiters + 1)], *next = &clients[(i + 1) % (waiters + 1)];
        uint64_t before = now_ns();

        send_release(old, token);
        token = number_reply(&next->w);
        delays[i] = now_ns() - before;
        number_reply(&old->w);
        ask_to_wait(old);
    }
    print_delays(delays, times);
    free(delays);
}

/* The holder lets go at any moment between two looks of the waiter. */
static void run_poll(int port, int ms, int times)
{
    uint64_t *delays = calloc((size_t)times, sizeof(*delays)), period = (uint64_t)ms * 1000000;
    static const char del[] = "*2\r\n$3\r\nDEL\r\n$4\r\nlock\r\n";

    if (delays == NULL)
        wire_die("calloc");
    redis = true;
    open_clients(port, 2);
    for (int i = 0; i < times; i++) {
        uint64_t released, part = next_random(&state) % period;

        try_once(&clients[0]);
        wire_reply(&clients[0].w);
        try_once(&clients[1]);
        wire_reply(&clients[1].w);
        sleep_ns(part);
        released = now_ns();
        wire_send(&clients[0].w, del, sizeof(del) - 1);
        wire_reply(&clients[0].w);
        sleep_ns(period - part);
        try_once(&clients[1]);
        wire_reply(&clients[1].w);
        delays[i] = now_ns() - released;
        wire_send(&clients[1].w, del, sizeof(del) - 1);
        wire_reply(&clients[1].w);
    }
    print_delays(delays, times);
    free(delays);
}

static int argument(char **argv, int argc, int i)
{
    return i < argc ? atoi(argv[i]) : 0;
}

int main(int argc, char **argv)
{
    const char *what = argc > 3 ? argv[2] : "";
    int port = argument(argv, argc, 1), three = argument(argv, argc, 3);
    int four = argument(argv, argc, 4), five = argument(argv, argc, 5);

    redis = argc > 3 && strcmp(argv[3], "redis") == 0;
    if (strcmp(what, "pairs") == 0)
        run_pairs(port, four, five, argument(argv, argc, 6));
    else if (strcmp(what, "hold") == 0)
        run_hold(port, (unsigned)four);
    else if (strcmp(what, "wait") == 0)
        run_wait(port, four, five);
    else if (strcmp(what, "handover") == 0)
        run_handover(port, three, four);
    else if (strcmp(what, "poll") == 0)
        run_poll(port, three, four);
    else
        return 2;
    return 0;
}
