/*
 * probe PORT KEYS
 *
 * One GET at a time on one connection until SIGTERM, then one line: the number of GETs and their
 * median, 99th, 99.9th percentile and maximum in microseconds. It asks for real-time scheduling,
 * so that the load generator beside it on the same core is not taken for the server's delay.
 */
#include "wire.h"

#include <sched.h>
#include <signal.h>

static volatile sig_atomic_t stop;

static void on_term(int signal_number)
{
    (void)signal_number;
    stop = 1;
}

struct samples {
    uint64_t *ns;
    size_t len, room;
};

static void samples_add(struct samples *s, uint64_t ns)
{
    if (s->len == s->room) {
        s->room = s->room ? s->room * 2 : 1 << 16;
        s->ns = realloc(s->ns, s->room * sizeof(*s->ns));
        if (s->ns == NULL)
            wire_die("realloc");
    }
    s->ns[s->len++] = ns;
}

static int by_size(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

    return (x > y) - (x < y);
}

static double percentile_us(const struct samples *s, double part)
{
    size_t i = (size_t)((double)s->len * part);

    return (double)s->ns[i < s->len ? i : s->len - 1] / 1000;
}

static void get_once(struct wire *w, struct samples *s, unsigned long key)
{
    char request[64];
    char *end =
        put(request, request + sizeof(request), "*2\r\n$3\r\nGET\r\n$16\r\nkey:%012lu\r\n", key);
    uint64_t before = now_ns();

    wire_send(w, request, (size_t)(end - request));
    wire_reply(w);
    samples_add(s, now_ns() - before);
}

int main(int argc, char **argv)
{
    static struct wire w;
    struct samples s = {0};
    struct sched_param realtime = {.sched_priority = 1};
    struct sigaction action = {.sa_handler = on_term, .sa_flags = SA_RESTART};
    uint64_t random = 88172645463325252u;

    if (argc != 3) {
        fprintf(stderr, "usage: probe PORT KEYS\n");
        return 2;
    }
    sched_setscheduler(0, SCHED_FIFO, &realtime); /* only root may: a wish */
    sigaction(SIGTERM, &action, NULL);
    wire_open(&w, atoi(argv[1]));
    do {
        get_once(&w, &s, next_random(&random) % strtoul(argv[2], NULL, 10));
    } while (!stop);
    qsort(s.ns, s.len, sizeof(*s.ns), by_size);
    printf("%zu %.1f %.1f %.1f %.1f\n", s.len, percentile_us(&s, 0.5), percentile_us(&s, 0.99),
           percentile_us(&s, 0.999), percentile_us(&s, 1.0));
    free(s.ns);
    return 0;
}
