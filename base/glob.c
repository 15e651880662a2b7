/*
 * Glob patterns, see glob.h. Instead of a recursion for each `*`, only the last `*` is ever taken
 * up again: a match that needs an earlier one to stretch can always be had by stretching the last.
 */
#include "base/glob.h"

#include <ctype.h>

static inline int fold(char c, bool nocase)
{
    return nocase ? tolower((unsigned char)c) : (unsigned char)c;
}

/* Matches `c` with the class at p ('[' stands before p); *end is behind its ']'. */
static bool match_class(const char *p, const char *pe, const char **end, char c, bool nocase)
{
    bool negate = p < pe && *p == '^', hit = false;
    int want = fold(c, nocase);

    p += negate;
    for (; p < pe && *p != ']'; p++) {
        if (*p == '\\' && pe - p >= 2) {
            p++;
            hit |= fold(*p, false) == (unsigned char)c;
        } else if (pe - p >= 3 && p[1] == '-') {
            int lo = fold(p[0], nocase), hi = fold(p[2], nocase);

            hit |= lo <= hi ? want >= lo && want <= hi : want >= hi && want <= lo;
            p += 2;
        } else {
            hit |= fold(*p, nocase) == want;
        }
    }
    *end = p < pe ? p + 1 : pe;
    return hit != negate;
}

/* Matches one character of text with the element at *p, and moves *p behind it. */
static bool match_one(const char **p, const char *pe, char c, bool nocase)
{
    const char *at = *p;

    switch (*at) {
    case '?':
        *p = at + 1;
        return true;
    case '[':
        return match_class(at + 1, pe, p, c, nocase);
    case '\\':
        if (pe - at >= 2)
            at++;
        break;
    default:
        break;
    }
    *p = at + 1;
    return fold(*at, nocase) == fold(c, nocase);
}

bool glob_match(struct slice pattern, struct slice text, bool nocase)
{
    const char *p = pattern.ptr, *pe = p + pattern.len, *t = text.ptr, *te = t + text.len;
    const char *star = NULL, *star_text = NULL;

    /* As Redis: no star stretches to nothing at all. Who lists everything asks for no pattern. */
    if (t == te)
        return p == pe;
    while (t < te) {
        if (p < pe && *p == '*') {
            star = ++p;
            star_text = t;
        } else if (p < pe && match_one(&p, pe, *t, nocase)) {
            t++;
        } else if (star) {
            p = star;
            t = ++star_text;
        } else {
            return false;
        }
    }
    while (p < pe && *p == '*')
        p++;
    return p == pe;
}
