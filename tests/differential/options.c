/* See options.h. */
#include "tests/differential/options.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/rng.h"

enum { USUAL_COMMANDS = 200000 };

static void usage(const char *program)
{
    struct buf names = {0};

    families_append_names(&names);
    fprintf(stderr,
            "usage: %s [--seed N] [--count N] [--threads N] [--family F] [--events]\n"
            "families: %.*s\n",
            program, (int)names.len, names.ptr);
    exit(2);
}

/* The sanitizers' runs ask for less: DIFFERENTIAL_COMMANDS, in proportion. */
static unsigned long count_wanted(unsigned long usual)
{
    const char *text = getenv("DIFFERENTIAL_COMMANDS");

    return text != NULL ? usual * strtoul(text, NULL, 10) / USUAL_COMMANDS : usual;
}

struct options options_parse(int argc, char **argv, unsigned long count)
{
    static const struct option known[] = {
        {"seed", required_argument, NULL, 's'},    {"count", required_argument, NULL, 'c'},
        {"threads", required_argument, NULL, 't'}, {"family", required_argument, NULL, 'f'},
        {"events", no_argument, NULL, 'e'},        {NULL, 0, NULL, 0},
    };
    struct options o = {.seed = rng_entropy() % 1000000000, .count = count_wanted(count)};
    int c;

    while ((c = getopt_long(argc, argv, "", known, NULL)) >= 0) {
        if (c == 's')
            o.seed = strtoul(optarg, NULL, 10);
        else if (c == 'c')
            o.count = strtoul(optarg, NULL, 10);
        else if (c == 't')
            o.threads = atoi(optarg);
        else if (c == 'e')
            o.events_only = true;
        else if (c != 'f' || (o.family = family_find(optarg)) == NULL)
            usage(argv[0]);
    }
    return o;
}

void options_each(const struct options *o, void (*run)(const struct options *o, int threads))
{
    if (o->threads > 0) {
        run(o, o->threads);
        return;
    }
    run(o, 1);
    run(o, 4);
}
