/* See when_args.h. */
#include "server/when_args.h"

static const struct {
    const char *word;
    int args; /* with the word; the first is a key, or a lock */
    int key_flags;
} conditions[WHEN_CONDITIONS] = {
    [WHEN_HELD] = {"held", 3, KEY_RO | KEY_LOCK}, [WHEN_VERSION] = {"version", 3, KEY_RO},
    [WHEN_EXISTS] = {"exists", 2, KEY_RO},        [WHEN_ABSENT] = {"absent", 2, KEY_RO},
    [WHEN_EQ] = {"eq", 3, KEY_RO | KEY_ACCESS},
};

enum when_condition when_condition_at(const struct slice *argv, int argc, int i, int *args)
{
    for (int k = 0; i < argc && k < WHEN_CONDITIONS; k++) {
        *args = conditions[k].args;
        if (slice_is(argv[i], conditions[k].word))
            return i + *args <= argc ? (enum when_condition)k : WHEN_CONDITIONS;
    }
    return WHEN_CONDITIONS;
}

/* The argument behind all conditions. */
static int behind(const struct slice *argv, int argc)
{
    int i = 1, args;

    while (when_condition_at(argv, argc, i, &args) != WHEN_CONDITIONS)
        i += args;
    return i;
}

int when_inner(const struct slice *argv, int argc)
{
    int i = behind(argv, argc);

    return i > 1 && i + 1 < argc && slice_is(argv[i], "do") ? i + 1 : 0;
}

int when_find_keys(const struct slice *argv, int argc, struct key_position *out, int max)
{
    int i = 1, args, n = 0;
    enum when_condition k;

    for (; (k = when_condition_at(argv, argc, i, &args)) != WHEN_CONDITIONS; i += args, n++) {
        if (n < max)
            out[n] = (struct key_position){i + 1, conditions[k].key_flags};
    }
    return n;
}
