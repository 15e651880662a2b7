/*
 * steady PORT CONNECTIONS RATE BATCH KEYS VALUE_LEN [PREFIX]
 *
 * RATE requests a second over so many connections, BATCH of them at once, until SIGTERM: SET of
 * random keys, or GET if VALUE_LEN is 0. Then one line: the number of requests and their median,
 * 99th, 99.9th, 99.99th percentile and maximum in microseconds, from the time when each was due: a
 * server that stands still delays all that should have been sent meanwhile. It asks for real-time
 * scheduling, so that other clients are not taken for the server's delay.
 */
#include "wire.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>

enum { VALUE_MAX = 4096, CONNECTIONS_MAX = 64 };

static volatile sig_atomic_t stop;

static void on_term(int signal_number)
{
    (void)signal_number;
    stop = 1;
}

struct plan {
    int port, batch;
    uint64_t interval_ns;
    unsigned long keys;
    size_t value_len;
    const char *prefix;
};

struct client {
    pthread_t thread;
    const struct plan *plan;
    uint64_t random, first_ns;
    uint32_t *us; /* tenths of a microsecond each */
    size_t len, room;
    struct wire w;
};

static void add(struct client *c, uint64_t ns)
{
    if (c->len == c->room) {
        c->room = c->room ? c->room * 2 : 1 << 16;
        c->us = realloc(c->us, c->room * sizeof(*c->us));
        if (c->us == NULL)
            wire_die("realloc");
    }
    ns /= 100;
    c->us[c->len++] = ns < UINT32_MAX ? (uint32_t)ns : UINT32_MAX;
}

static void send_batch(struct client *c)
{
    const struct plan *p = c->plan;
    size_t room = (size_t)p->batch * (p->value_len + 128), name = strlen(p->prefix) + 12;
    char *out = wire_alloc(room), *at = out, *end = out + room;

    for (int i = 0; i < p->batch; i++) {
        at = put(at, end, "*%d\r\n$3\r\n%s\r\n$%zu\r\n%s%012lu\r\n", p->value_len ? 3 : 2,
                 p->value_len ? "SET" : "GET", name, p->prefix,
                 (unsigned long)(next_random(&c->random) % p->keys));
        if (!p->value_len)
            continue;
        at = put(at, end, "$%zu\r\n", p->value_len);
        memset(at, 'x', p->value_len);
        at = put(at + p->value_len, end, "\r\n");
    }
    wire_send(&c->w, out, (size_t)(at - out));
    free(out);
}

static void sleep_until(uint64_t ns)
{
    struct timespec at = {(time_t)(ns / 1000000000u), (long)(ns % 1000000000u)};

    while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &at, NULL) == EINTR && !stop)
        ;
}

static void *run(void *arg)
{
    struct client *c = arg;

    prctl(PR_SET_TIMERSLACK, 1);
    for (uint64_t due = c->first_ns; !stop; due += c->plan->interval_ns) {
        if (now_ns() < due)
            sleep_until(due);
        send_batch(c);
        for (int i = 0; i < c->plan->batch; i++) {
            wire_reply(&c->w);
            add(c, now_ns() - due);
        }
    }
    return NULL;
}

static int by_size(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

    return (x > y) - (x < y);
}

static void tell(struct client *clients, int n)
{
    static const double parts[] = {0.5, 0.99, 0.999, 0.9999, 1};
    size_t len = 0, at = 0;
    uint32_t *all;

    for (int i = 0; i < n; i++)
        len += clients[i].len;
    all = wire_alloc((len + 1) * sizeof(*all));
    all[len] = 0;
    for (int i = 0; i < n; i++) {
        memcpy(all + at, clients[i].us, clients[i].len * sizeof(*all));
        at += clients[i].len;
    }
    qsort(all, len, sizeof(*all), by_size);
    printf("%zu", len);
    for (size_t i = 0; i < sizeof(parts) / sizeof(*parts); i++) {
        size_t k = (size_t)((double)len * parts[i]);

        printf(" %.1f", all[k < len || !len ? k : len - 1] / 10.0);
    }
    printf("\n");
    free(all);
}

int main(int argc, char **argv)
{
    static struct client clients[CONNECTIONS_MAX];
    struct sched_param realtime = {.sched_priority = 1};
    struct sigaction action = {.sa_handler = on_term};
    struct plan p = {.prefix = "key:"};
    int n = argc > 2 ? atoi(argv[2]) : 0;

    if (argc < 7 || n < 1 || n > CONNECTIONS_MAX || strtoul(argv[6], NULL, 10) > VALUE_MAX) {
        fprintf(stderr, "usage: steady PORT CONNECTIONS RATE BATCH KEYS VALUE_LEN [PREFIX]\n");
        return 2;
    }
    p.port = atoi(argv[1]);
    p.batch = atoi(argv[4]);
    p.interval_ns = (uint64_t)(1e9 * n * p.batch / atof(argv[3]));
    p.keys = strtoul(argv[5], NULL, 10);
    p.value_len = strtoul(argv[6], NULL, 10);
    p.prefix = argc > 7 ? argv[7] : p.prefix;
    sched_setscheduler(0, SCHED_FIFO, &realtime); /* only root may: a wish */
    sigaction(SIGTERM, &action, NULL);
    for (int i = 0; i < n; i++) {
        clients[i].plan = &p;
        clients[i].random = 88172645463325252u + (uint64_t)i;
        clients[i].first_ns = now_ns() + p.interval_ns / (uint64_t)n * (uint64_t)i;
        wire_open(&clients[i].w, p.port);
        if (pthread_create(&clients[i].thread, NULL, run, &clients[i]))
            wire_die("pthread_create");
    }
    for (int i = 0; i < n; i++)
        pthread_join(clients[i].thread, NULL);
    tell(clients, n);
    return 0;
}
