/*
 * groups PORT COUNT KEYS
 *
 * Transactions, which redis-benchmark has no way to ask for: COUNT times MULTI, five SETs of random
 * keys among KEYS, EXEC, over 50 connections with 16 transactions on their way on each.
 */
#include "wire.h"

enum { CONNECTIONS = 50, PIPELINE = 16, SETS = 5, GROUP_MAX = 1024 };

static char *put_group(char *p, char *end, unsigned long keys, uint64_t *random)
{
    p = put(p, end, "*1\r\n$5\r\nMULTI\r\n");
    for (int i = 0; i < SETS; i++)
        p = put(p, end, "*3\r\n$3\r\nSET\r\n$16\r\nkey:%012lu\r\n$8\r\nvalue-%02d\r\n",
                (unsigned long)(next_random(random) % keys), i);
    return put(p, end, "*1\r\n$4\r\nEXEC\r\n");
}

/* The replies of one transaction: OK, QUEUED for each, the head of an array, and what is in it. */
static void read_group(struct wire *w)
{
    for (int i = 0; i < 1 + SETS + 1 + SETS; i++)
        wire_reply(w);
}

int main(int argc, char **argv)
{
    static struct wire w[CONNECTIONS];
    static char out[PIPELINE * GROUP_MAX];
    uint64_t random = 88172645463325252u;
    unsigned long count, keys;

    if (argc < 4) {
        fprintf(stderr, "usage: groups PORT COUNT KEYS\n");
        return 2;
    }
    count = strtoul(argv[2], NULL, 10);
    keys = strtoul(argv[3], NULL, 10);
    for (int i = 0; i < CONNECTIONS; i++)
        wire_open(&w[i], atoi(argv[1]));
    for (unsigned long done = 0; done < count; done += CONNECTIONS * PIPELINE) {
        for (int i = 0; i < CONNECTIONS; i++) {
            char *p = out;

            for (int k = 0; k < PIPELINE; k++)
                p = put_group(p, out + sizeof(out), keys, &random);
            wire_send(&w[i], out, (size_t)(p - out));
        }
        for (int i = 0; i < CONNECTIONS; i++) {
            for (int k = 0; k < PIPELINE; k++)
                read_group(&w[i]);
        }
    }
    return 0;
}
