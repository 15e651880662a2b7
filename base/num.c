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

/* The powers of ten that doubles hold exactly. */
static const double tens[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                              1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
                              1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};

/*
 * Digits with a point perhaps, so few that both the digits and the power of ten by which they are
 * divided are exact: one division then rounds as it should. False for all else.
 */
static bool parse_plain(struct slice s, double *out)
{
    bool negative = s.len > 0 && s.ptr[0] == '-';
    size_t digits = 0, point = 0;
    uint64_t v = 0;

    if (s.len > 18)
        return false;
    for (size_t i = negative; i < s.len; i++) {
        unsigned d = (unsigned char)s.ptr[i] - '0';

        if (d <= 9) {
            v = v * 10 + d;
            digits++;
        } else if (s.ptr[i] == '.' && !point) {
            point = i + 1;
        } else {
            return false;
        }
    }
    if (!digits || v >= (uint64_t)1 << 53)
        return false;
    *out = (negative ? -(double)v : (double)v) / tens[point ? s.len - point : 0];
    return true;
}

bool num_parse_double(struct slice s, double *out)
{
    char tmp[NUM_DOUBLE_MAX], *end;
    double v;

    if (parse_plain(s, out))
        return true;
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

/* v * 10^power / 2^shift, which has 17 digits; rounded to even where it is in the middle. */
static uint64_t scale(uint64_t v, int power, int shift)
{
    unsigned __int128 product = v, half = (unsigned __int128)1 << (shift - 1), rest;
    uint64_t whole;

    for (; power > 0; power--)
        product *= 10;
    whole = (uint64_t)(product >> shift);
    rest = product & (half * 2 - 1);
    return whole + (rest > half || (rest == half && whole & 1));
}

/* 17 digits with the point behind `before` of them, or zeros in front; no zeros at the end. */
static size_t put_point(char *out, const char digits[17], int before)
{
    size_t n = 0, len = 17;

    while (digits[len - 1] == '0')
        len--;
    if (before <= 0) {
        memset(out, '0', 5);
        out[1] = '.';
        n = 2 + (size_t)-before;
        before = 0;
    }
    for (size_t i = 0; i < len; i++) {
        if (i && i == (size_t)before)
            out[n++] = '.';
        out[n++] = digits[i];
    }
    return n;
}

/*
 * A number with a fraction from 0.0001 to 10^17, by exact arithmetic in 128 bits: what printf says,
 * in a tenth of the time.
 */
static size_t format_fraction(char *out, double value)
{
    const uint64_t one = (uint64_t)1 << 52;
    char digits[NUM_INT_MAX];
    uint64_t bits, v, scaled;
    int before = 1, shift;

    memcpy(&bits, &value, sizeof(bits));
    v = (bits & (one - 1)) | one;
    shift = 1023 + 52 - (int)(bits >> 52);
    while (value >= tens[before])
        before++;
    while (before <= 1 && value * tens[1 - before] < 1)
        before--;
    scaled = scale(v, 17 - before, shift);
    /* The product may have been rounded up to 1. */
    if (scaled < (uint64_t)1e16)
        scaled = scale(v, 17 - --before, shift);
    /* And what is rounded up to the next power of ten has a digit more. */
    if (num_format_int(digits, (int64_t)scaled) > 17)
        before++;
    return put_point(out, digits, before);
}

/* A whole number, or one with a fraction, in its plain form; 0 where printf has to do it. */
static size_t format_plain(char *out, double value)
{
    size_t minus = value < 0;

    if (value > -1e17 && value < 1e17 && value == (double)(int64_t)value &&
        !(value == 0 && signbit(value)))
        return num_format_int(out, (int64_t)value);
    value = fabs(value);
    if (!(value >= 1e-4 && value < 1e16))
        return 0;
    out[0] = '-';
    return minus + format_fraction(out + minus, value);
}

size_t num_format_double(char *out, size_t cap, double value)
{
    size_t len;

    if (isnan(value) || isinf(value))
        return format_special(out, cap, isinf(value), value < 0);
    len = cap >= NUM_PLAIN_MAX ? format_plain(out, value) : 0;
    if (len)
        return len;
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
