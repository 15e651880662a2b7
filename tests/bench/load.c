/*
 * load PORT COUNT VALUE_LEN plain|ttl [FIRST]
 *
 * Sets COUNT keys, "key:%012d" from FIRST on, as redis-benchmark names them, to letters that no
 * server takes for an integer; with ttl each expires in 1,000 to 100,000 seconds. Pipelined: one
 * batch is always on its way while the replies of the one before are read.
 */
#include "wire.h"

enum { BATCH = 500, MAX_VALUE = 1 << 16 };

struct job {
    unsigned long first, count;
    size_t value_len;
    bool ttl;
    uint64_t random;
    char *out;
};

static size_t put_set(const struct job *j, char *out, unsigned long n, uint64_t random)
{
    char *p = out;

    p += sprintf(p, "*%d\r\n$3\r\nSET\r\n$16\r\nkey:%012lu\r\n$%zu\r\n", j->ttl ? 5 : 3, n,
                 j->value_len);
    for (size_t i = 0; i < j->value_len; i++)
        *p++ = (char)('a' + (n + i) % 26);
    p += sprintf(p, "\r\n");
    if (j->ttl) {
        char seconds[16];
        int len = sprintf(seconds, "%d", (int)(1000 + random % 99001));

        p += sprintf(p, "$2\r\nEX\r\n$%d\r\n%s\r\n", len, seconds);
    }
    return (size_t)(p - out);
}

static unsigned long send_batch(struct wire *w, struct job *j, unsigned long done)
{
    unsigned long n = j->count - done < BATCH ? j->count - done : BATCH;
    size_t len = 0;

    for (unsigned long i = 0; i < n; i++)
        len += put_set(j, j->out + len, j->first + done + i, next_random(&j->random));
    wire_send(w, j->out, len);
    return n;
}

static void run(struct wire *w, struct job *j)
{
    unsigned long sent = 0, waiting = 0, n;

    do {
        n = sent < j->count ? send_batch(w, j, sent) : 0;
        sent += n;
        for (; waiting > 0; waiting--)
            wire_reply(w);
        waiting = n;
    } while (waiting > 0);
}

int main(int argc, char **argv)
{
    static struct wire w;
    struct job j = {.random = 88172645463325252u};

    if (argc < 5 || strtoul(argv[3], NULL, 10) > MAX_VALUE) {
        fprintf(stderr, "usage: load PORT COUNT VALUE_LEN plain|ttl [FIRST]\n");
        return 2;
    }
    j.count = strtoul(argv[2], NULL, 10);
    j.value_len = strtoul(argv[3], NULL, 10);
    j.ttl = strcmp(argv[4], "ttl") == 0;
    j.first = argc > 5 ? strtoul(argv[5], NULL, 10) : 0;
    j.out = malloc((j.value_len + 128) * BATCH);
    if (j.out == NULL)
        wire_die("malloc");
    wire_open(&w, atoi(argv[1]));
    run(&w, &j);
    free(j.out);
    return 0;
}
