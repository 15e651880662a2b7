/*
 * zipf PORT KEYS EXPONENT WARM_UP ACCESSES VALUE_LEN
 *
 * A cache in front of KEYS items whose popularity falls as 1 / rank^EXPONENT: GET, and SET what
 * was missing. Prints the share of hits after the first WARM_UP accesses. The sequence is the
 * same in every run.
 */
#include "wire.h"

#include <math.h>

enum { BATCH = 50 };

struct cache {
    struct wire w;
    double *below; /* below[i]: the chance of a rank up to i */
    unsigned long keys;
    size_t value_len;
    uint64_t random;
    char *value;
    char *out, *end;
};

static void fill_chances(struct cache *c, double exponent)
{
    double sum = 0;

    for (unsigned long i = 0; i < c->keys; i++) {
        sum += 1 / pow((double)i + 1, exponent);
        c->below[i] = sum;
    }
    for (unsigned long i = 0; i < c->keys; i++)
        c->below[i] /= sum;
}

static unsigned long pick(struct cache *c)
{
    double x = (double)(next_random(&c->random) >> 11) / 9007199254740992.0;
    unsigned long low = 0, high = c->keys - 1;

    while (low < high) {
        unsigned long middle = (low + high) / 2;

        if (c->below[middle] > x)
            high = middle;
        else
            low = middle + 1;
    }
    return low;
}

static void set_missing(struct cache *c, const unsigned long *missing, int n)
{
    char *p = c->out;

    for (int i = 0; i < n; i++)
        p = put(p, c->end, "*3\r\n$3\r\nSET\r\n$16\r\nkey:%012lu\r\n$%zu\r\n%s\r\n", missing[i],
                c->value_len, c->value);
    wire_send(&c->w, c->out, (size_t)(p - c->out));
    while (n-- > 0)
        wire_reply(&c->w);
}

static int access_batch(struct cache *c)
{
    unsigned long asked[BATCH];
    char *p = c->out;
    int missing = 0;

    for (int i = 0; i < BATCH; i++) {
        asked[i] = pick(c);
        p = put(p, c->end, "*2\r\n$3\r\nGET\r\n$16\r\nkey:%012lu\r\n", asked[i]);
    }
    wire_send(&c->w, c->out, (size_t)(p - c->out));
    for (int i = 0; i < BATCH; i++) {
        if (!wire_reply(&c->w))
            asked[missing++] = asked[i];
    }
    set_missing(c, asked, missing);
    return BATCH - missing;
}

int main(int argc, char **argv)
{
    static struct cache c = {.random = 88172645463325252u};
    unsigned long warm_up, accesses, hits = 0;

    if (argc != 7) {
        fprintf(stderr, "usage: zipf PORT KEYS EXPONENT WARM_UP ACCESSES VALUE_LEN\n");
        return 2;
    }
    c.keys = strtoul(argv[2], NULL, 10);
    c.value_len = strtoul(argv[6], NULL, 10);
    warm_up = strtoul(argv[4], NULL, 10);
    accesses = strtoul(argv[5], NULL, 10);
    c.below = calloc(c.keys, sizeof(*c.below));
    c.value = calloc(1, c.value_len + 1);
    c.out = malloc(BATCH * (c.value_len + 128));
    if (c.below == NULL || c.value == NULL || c.out == NULL)
        wire_die("malloc");
    c.end = c.out + BATCH * (c.value_len + 128);
    memset(c.value, 'v', c.value_len);
    fill_chances(&c, strtod(argv[3], NULL));
    wire_open(&c.w, atoi(argv[1]));
    for (unsigned long done = 0; done < warm_up; done += BATCH)
        access_batch(&c);
    for (unsigned long done = 0; done < accesses; done += BATCH)
        hits += (unsigned long)access_batch(&c);
    printf("%.4f\n", (double)hits / (double)accesses);
    return 0;
}
