/* See request_keys.h. */
#include "server/request_keys.h"

#include "base/compiler.h"

static int times_said(const char *word, const struct slice *argv, int from, int argc)
{
    int n = 0;

    for (int i = from; i < argc; i++)
        n += slice_is(argv[i], word);
    return n;
}

/* How many arguments an option of SORT has; that of STORE may be an option too, as in Redis. */
static int sort_option_args(struct slice word)
{
    if (slice_is(word, "limit"))
        return 2;
    return slice_is(word, "by") || slice_is(word, "get");
}

bool sort_find_key(const struct slice *argv, int argc, struct key_position *out)
{
    bool found = false;

    for (int i = 2; i < argc; i += 1 + sort_option_args(argv[i])) {
        if (slice_is(argv[i], "store") && i + 1 < argc) {
            *out = (struct key_position){i + 1, KEY_OW | KEY_UPDATE};
            found = true;
        }
    }
    return found;
}

/* Of several STOREs the last counts, of which sort_find_key() may think otherwise. */
bool sort_needs_world(const struct slice *argv, int argc)
{
    for (int i = 2; i < argc - 1; i++) {
        if ((slice_is(argv[i], "by") || slice_is(argv[i], "get")) &&
            memchr(argv[i + 1].ptr, '*', argv[i + 1].len))
            return true;
    }
    return times_said("store", argv, 2, argc) > 1;
}

bool georadius_needs_world(const struct slice *argv, int argc)
{
    return times_said("store", argv, 2, argc) > 1 || times_said("storedist", argv, 2, argc) > 1;
}

static bool is_lock_option(struct slice arg)
{
    static const char *const options[] = {"shared",   "permits",   "lease", "wait", "owner",
                                          "detached", "reentrant", "guard", "data", "queue"};

    for (size_t i = 0; i < COUNT_OF(options); i++) {
        if (slice_is(arg, options[i]))
            return true;
    }
    return false;
}

int lock_find_names(const struct slice *argv, int argc, struct key_position *out, int max)
{
    int n = 0;

    for (int i = 2; i < argc && !is_lock_option(argv[i]); i++, n++) {
        if (n < max)
            out[n] = (struct key_position){i, KEY_RW | KEY_LOCK};
    }
    return n;
}

bool lock_renews_all(const struct slice *argv, int argc)
{
    (void)argv;
    return argc == 4;
}
