/* Numbers to text and back, see num.h. */
#include "base/num.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

bool num_parse_uint(struct slice s, uint64_t *out)
{
    uint64_t v = 0;

    if (s.len == 0 || s.len > 20)
        return false;
    for (size_t i = 0; i < s.len; i++) {
        unsigned d = (unsigned char)s.ptr[i] - '0';

        if (d > 9 || v > (UINT64_MAX - d) / 10)
            return false;
        v = v * 10 + d;
    }
    *out = v;
    return true;
}

bool num_parse_int(struct slice s, int64_t *out)
{
    bool negative = s.len > 0 && s.ptr[0] == '-';
    struct slice digits = slice_make(s.ptr + negative, s.len - negative);
    uint64_t v;

    if (digits.len == 0 || digits.len > 19 || digits.ptr[0] < '0' || digits.ptr[0] > '9')
        return false;
    if (digits.ptr[0] == '0' && (digits.len > 1 || negative))
        return false;
    if (!num_parse_uint(digits, &v) || v > (uint64_t)INT64_MAX + negative)
        return false;
    *out = negative ? (int64_t)(0 - v) : (int64_t)v;
    return true;
}

size_t num_format_int(char *out, int64_t value)
{
    static const char pairs[] = "0001020304050607080910111213141516171819"
                                "2021222324252627282930313233343536373839"
                                "4041424344454647484950515253545556575859"
                                "6061626364656667686970717273747576777879"
                                "8081828384858687888990919293949596979899";
    uint64_t v = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
    char digits[2 * NUM_INT_MAX], *end = digits + NUM_INT_MAX, *p = end;

    for (; v >= 100; v /= 100)
        memcpy(p -= 2, pairs + v % 100 * 2, 2);
    if (v >= 10)
        memcpy(p -= 2, pairs + v * 2, 2);
    else
        *--p = (char)('0' + v);
    if (value < 0)
        *--p = '-';
    memcpy(out, p, NUM_INT_MAX); /* of a fixed length, which is quicker than of the right one */
    return (size_t)(end - p);
}

/* strtod and its kin need a NUL behind the number and skip blanks before it. */
static bool to_cstr(struct slice s, char *tmp, size_t cap)
{
    if (s.len == 0 || s.len >= cap || isspace((unsigned char)s.ptr[0]))
        return false;
    memcpy(tmp, s.ptr, s.len);
    tmp[s.len] = '\0';
    return true;
}

bool num_parse_double(struct slice s, double *out)
{
    char tmp[NUM_DOUBLE_MAX], *end;
    double v;

    if (!to_cstr(s, tmp, sizeof(tmp)))
        return false;
    errno = 0;
    v = strtod(tmp, &end);
    if (end != tmp + s.len || isnan(v) ||
        (errno == ERANGE && (isinf(v) || fpclassify(v) == FP_ZERO)))
        return false;
    *out = v;
    return true;
}

bool num_parse_long_double(struct slice s, long double *out)
{
    char tmp[NUM_DOUBLE_MAX], *end;
    long double v;

    if (!to_cstr(s, tmp, sizeof(tmp)))
        return false;
    errno = 0;
    v = strtold(tmp, &end);
    if (end != tmp + s.len || isnan(v) ||
        (errno == ERANGE && (isinf(v) || fpclassify(v) == FP_ZERO)))
        return false;
    *out = v;
    return true;
}

static size_t format_special(char *out, size_t cap, bool inf, bool negative)
{
    return (size_t)snprintf(out, cap, "%s", !inf ? "nan" : negative ? "-inf" : "inf");
}

size_t num_format_double(char *out, size_t cap, double value)
{
    if (isnan(value) || isinf(value))
        return format_special(out, cap, isinf(value), value < 0);
    return (size_t)snprintf(out, cap, "%.17g", value);
}

size_t num_format_long_double(char *out, size_t cap, long double value)
{
    size_t n;

    if (isnan(value) || isinf(value))
        return format_special(out, cap, isinf(value), value < 0);
    n = (size_t)snprintf(out, cap, "%.17Lf", value);
    if (memchr(out, '.', n)) {
        while (out[n - 1] == '0')
            n--;
        if (out[n - 1] == '.')
            n--;
    }
    if (n == 2 && out[0] == '-' && out[1] == '0') {
        out[0] = '0';
        n = 1;
    }
    return n;
}

bool num_parse_memory(struct slice s, int64_t *out)
{
    static const struct {
        const char *unit;
        int64_t factor;
    } units[] = {{"", 1},        {"b", 1},        {"k", 1000},       {"kb", 1024},
                 {"m", 1000000}, {"mb", 1 << 20}, {"g", 1000000000}, {"gb", 1 << 30}};
    size_t digits = 0;
    int64_t v;

    while (digits < s.len && (isdigit((unsigned char)s.ptr[digits]) || s.ptr[digits] == '-'))
        digits++;
    if (!num_parse_int(slice_make(s.ptr, digits), &v))
        return false;
    for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
        if (slice_is(slice_make(s.ptr + digits, s.len - digits), units[i].unit))
            return !__builtin_mul_overflow(v, units[i].factor, out);
    }
    return false;
}
