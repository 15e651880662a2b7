/* See tap.h. The state is the two counters below; test programs print from one thread. */
#include "tests/lib/tap.h"

#include "base/rng.h"

#include <regex.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int checked;
static int failed;
static uint64_t seed;

/* What a test draws can be drawn again: TEST_SEED, which a failure tells. */
__attribute__((constructor)) static void draw_seed(void)
{
    const char *given = getenv("TEST_SEED");

    seed = given ? strtoull(given, NULL, 10) : rng_entropy() >> 32;
    rng_seed(seed);
}

static void line(bool passed, const char *name, va_list ap)
{
    checked++;
    if (!passed)
        failed++;
    printf("%sok %d - ", passed ? "" : "not ", checked);
    vprintf(name, ap);
}

/* One whole line, flushed, so that a crash later loses none of it. */
static void line_end(void)
{
    putchar('\n');
    fflush(stdout);
}

bool ok(bool passed, const char *name, ...)
{
    va_list ap;

    va_start(ap, name);
    line(passed, name, ap);
    va_end(ap);
    line_end();
    return passed;
}

static void show(const char *label, const char *text)
{
    enum { SHOWN_MAX = 2000 };

    if (text == NULL)
        diag("%s (none)", label);
    else if (strlen(text) > SHOWN_MAX)
        diag("%s %.*s… (%zu bytes)", label, SHOWN_MAX, text, strlen(text));
    else
        diag("%s %s", label, text);
}

bool is_str(const char *got, const char *want, const char *name, ...)
{
    bool same = got != NULL && want != NULL ? strcmp(got, want) == 0 : got == want;
    va_list ap;

    va_start(ap, name);
    line(same, name, ap);
    va_end(ap);
    line_end();
    if (!same) {
        show("  got:", got);
        show(" want:", want);
    }
    return same;
}

bool is_int(long long got, long long want, const char *name, ...)
{
    va_list ap;

    va_start(ap, name);
    line(got == want, name, ap);
    va_end(ap);
    line_end();
    if (got != want)
        diag("  got: %lld\n want: %lld", got, want);
    return got == want;
}

static bool matches(const char *text, const char *regex)
{
    regex_t re;
    bool found;

    if (regcomp(&re, regex, REG_EXTENDED | REG_NOSUB) != 0)
        bail("bad regular expression in a test: %s", regex);
    found = text != NULL && regexec(&re, text, 0, NULL, 0) == 0;
    regfree(&re);
    return found;
}

bool is_like(const char *got, const char *regex, const char *name, ...)
{
    bool found = matches(got, regex);
    va_list ap;

    va_start(ap, name);
    line(found, name, ap);
    va_end(ap);
    line_end();
    if (!found) {
        show("  got:", got);
        show(" like:", regex);
    }
    return found;
}

void skip(const char *reason, const char *name, ...)
{
    va_list ap;

    va_start(ap, name);
    line(true, name, ap);
    va_end(ap);
    printf(" # SKIP %s", reason);
    line_end();
}

void diag(const char *text, ...)
{
    char *all = NULL, *rest, *one;
    va_list ap;

    va_start(ap, text);
    if (vasprintf(&all, text, ap) < 0)
        abort();
    va_end(ap);
    rest = all;
    while ((one = strsep(&rest, "\n")) != NULL)
        printf("# %s\n", one);
    fflush(stdout);
    free(all);
}

void bail(const char *why, ...)
{
    va_list ap;

    va_start(ap, why);
    line(false, why, ap);
    va_end(ap);
    line_end();
    exit(1);
}

int tap_done(void)
{
    if (checked == 0)
        bail("nothing was checked");
    if (failed)
        diag("TEST_SEED=%llu", (unsigned long long)seed);
    return failed != 0;
}
