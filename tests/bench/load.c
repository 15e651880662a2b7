/*
 * load PORT COUNT VALUE_LEN plain|ttl [FIRST]
 *
 * Sets COUNT keys, "key:%012d" from FIRST on, as redis-benchmark names them, to letters that no
 * server takes for an integer; with ttl each expires in 10,000 to 99,999 seconds. Pipelined: one
 * batch is always on its way while the replies of the one before are read.
 */
#include "wire.h"

enum { BATCH = 500, MAX_VALUE = 1 << 16 };

struct job {
    unsigned long first, count;
    size_t value_len;
    bool ttl;
    uint64_t random;
    char *out, *end;
};

static char *put_set(const struct job *j, char *p, unsigned long n, uint64_t random)
{
    p = put(p, j->end, "*%d\r\n$3\r\nSET\r\n$16\r\nkey:%012lu\r\n$%zu\r\n", j->ttl ? 5 : 3, n,
            j->value_len);
    for (size_t i = 0; i < j->value_len; i++)
        *p++ = (char)('a' + (n + i) % 26);
    p = put(p, j->end, "\r\n");
    if (j->ttl) /* always five digits, since the length comes first */
        p = put(p, j->end, "$2\r\nEX\r\n$5\r\n%d\r\n", (int)(10000 + random % 90000));
    return p;
}

static unsigned long send_batch(struct wire *w, struct job *j, unsigned long done)
{
    unsigned long n = j->count - done < BATCH ? j->count - done : BATCH;
    char *p = j->out;

    for (unsigned long i = 0; i < n; i++)
        p = put_set(j, p, j->first + done + i, next_random(&j->random));
    wire_send(w, j->out, (size_t)(p - j->out));
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
    j.end = j.out + (j.value_len + 128) * BATCH;
    wire_open(&w, atoi(argv[1]));
    run(&w, &j);
    free(j.out);
    return 0;
}
