/*
 * See generators.h. A generator returns a slice of a constant or of `scratch`, which lives until
 * the next one draws.
 *
 * Numbers keep two promises. No time lies in the near future: the nearest expiry is days away, so
 * a key is there or not, whatever the machine's load. And no offset makes a value of more than
 * some kilobytes, though offsets that servers must refuse are in.
 */
#include "tests/differential/generators.h"

#include <stdio.h>
#include <time.h>

#include "base/compiler.h"
#include "base/rng.h"
#include "tests/differential/fields.h"
#include "tests/differential/places.h"
#include "tests/differential/scored.h"
#include "tests/differential/sketches.h"
#include "tests/differential/sortables.h"

enum { SCRATCH_SIZE = 48 * 1024, SOON_S = 1000000, LATE_S = 900000000 };

struct generator {
    const char *name;
    enum word_kind kind;
    struct slice (*draw)(void);
};

static char scratch[SCRATCH_SIZE];

static struct slice said(const char *format, ...) PRINTF_LIKE(1, 2);

static struct slice said(const char *format, ...)
{
    va_list ap;
    int len;

    va_start(ap, format);
    len = vsnprintf(scratch, sizeof(scratch), format, ap);
    va_end(ap);
    return slice_make(scratch, (size_t)len);
}

static struct slice one_of(const struct slice *all, size_t count)
{
    return all[rng_below(count)];
}

#define ONE_OF(...)                                                                                \
    one_of((const struct slice[]){__VA_ARGS__},                                                    \
           sizeof((const struct slice[]){__VA_ARGS__}) / sizeof(struct slice))

/* Even over [low, high]. */
static long long between(long long low, long long high)
{
    return low + (long long)rng_below((uint64_t)(high - low) + 1);
}

/* ---- strings ---- */

static struct slice bytes(size_t len)
{
    for (size_t i = 0; i < len; i++)
        scratch[i] = (char)rng_next();
    return slice_make(scratch, len);
}

static struct slice letters(size_t len, int alphabet)
{
    for (size_t i = 0; i < len; i++)
        scratch[i] = (char)('a' + rng_below((uint64_t)alphabet));
    return slice_make(scratch, len);
}

static struct slice draw_key(void)
{
    uint64_t n = rng_below(24);

    if (n < 18)
        return said("k%d", (int)n);
    return ONE_OF(
        SLICE(""), SLICE("user:1000"), SLICE("{tag}a"), SLICE("b\0in\r\n\xff"), SLICE("12"),
        SLICE(
            "a key whose name is longer than all the small buffers that a server may have for it, "
            "so that it needs an allocation of its own, as long names do now and then"));
}

/* Apart from the others, so that commands of quadratic cost never meet a long value. */
static struct slice draw_bigkey(void)
{
    return said("big%d", (int)rng_below(3));
}

static struct slice draw_waitkey(void)
{
    return said("w%d", (int)rng_below(5));
}

static struct slice draw_sketchkey(void)
{
    return said("sketch%d", (int)rng_below(5));
}

/* Keys that hold now this and now that. */
static struct slice draw_mixed(void)
{
    return said("m%d", (int)rng_below(12));
}

static struct slice draw_geokey(void)
{
    return said("geo%d", (int)rng_below(5));
}

static struct slice draw_zsetkey(void)
{
    return said("zset%d", (int)rng_below(8));
}

static struct slice draw_lexkey(void)
{
    return said("lex%d", (int)rng_below(4));
}

/* Elements of sets: some of them again and again. */
static struct slice draw_element(void)
{
    if (rng_below(40) == 0)
        return bytes((size_t)between(0, 40));
    return said("%lld", rng_below(4) == 0 ? between(0, 300) : between(0, 1000000));
}

/* Sets have keys of their own, so that there are some. */
static struct slice draw_setkey(void)
{
    return said("set%d", (int)rng_below(7));
}

static struct slice draw_bigsetkey(void)
{
    return said("bigset%d", (int)rng_below(4));
}

/* Integers of all widths, but mostly such as others draw too. */
static struct slice draw_number(void)
{
    switch (rng_below(12)) {
    case 0:
        return said("%lld", between(-40000, 40000));
    case 1:
        return said("%lld", between(-3000000000LL, 3000000000LL));
    case 2:
        return ONE_OF(SLICE("9223372036854775807"), SLICE("-9223372036854775808"),
                      SLICE("2147483647"), SLICE("2147483648"), SLICE("-2147483648"),
                      SLICE("-2147483649"), SLICE("32767"), SLICE("32768"), SLICE("-32768"),
                      SLICE("-32769"), SLICE("70368744177663"), SLICE("70368744177664"),
                      SLICE("-70368744177664"), SLICE("-70368744177665"));
    default:
        return said("%lld", between(-10, 25));
    }
}

/* One of a thousand, for sets that grow beyond the bounds of their encodings. */
static struct slice draw_item(void)
{
    return said("%lld", between(0, 999));
}

static struct slice draw_member(void)
{
    switch (rng_below(12)) {
    case 0:
        return letters((size_t)between(0, 100), 4);
    case 1:
        return ONE_OF(SLICE(""), SLICE("007"), SLICE("-0"), SLICE("+1"), SLICE("1 "), SLICE("1.0"),
                      SLICE("9223372036854775808"), SLICE("-9223372036854775809"), SLICE("\0"),
                      SLICE("1e2"), SLICE("0x1"));
    case 2:
        return bytes((size_t)between(1, 4));
    case 3:
    case 4:
    case 5:
        return letters((size_t)between(1, 2), 5);
    default:
        return draw_number();
    }
}

/* How many to draw at random: less than none is the number itself, which Redis does not bound. */
static struct slice draw_draws(void)
{
    if (rng_below(12) == 0)
        return ONE_OF(SLICE("a"), SLICE("1.5"), SLICE("9223372036854775807"),
                      SLICE("-9223372036854775808"), SLICE("9223372036854775808"), SLICE(""));
    return said("%lld", rng_below(4) == 0 ? between(-2000, 2000) : between(-12, 12));
}

static struct slice draw_text(void)
{
    return letters((size_t)between(0, 40), 4);
}

static struct slice draw_float(void)
{
    switch (rng_below(6)) {
    case 0:
        return said("%lld.%lld", between(-1000, 1000), between(0, 99999));
    case 1:
        return said("%.17g", (double)between(-1000000000, 1000000000) / 7);
    case 2:
        return said("%llde%lld", between(-99, 99), between(-20, 20));
    case 3:
        return said("%lld", between(-100, 100));
    case 4:
        return said("%.3f", (double)between(-5000, 5000) / 1000);
    default:
        return ONE_OF(SLICE("3.0e3"), SLICE(".5"), SLICE("5."), SLICE("-0"), SLICE("0.1"),
                      SLICE("1e17"), SLICE("1e4000"), SLICE("inf"), SLICE("-inf"), SLICE("nan"),
                      SLICE("0x1p3"), SLICE("1e-17"), SLICE(" 1.5"), SLICE("1.5 "), SLICE("1.5a"),
                      SLICE(""), SLICE("123456789012345678901234567890"));
    }
}

static struct slice draw_int(void)
{
    switch (rng_below(8)) {
    case 0:
    case 1:
    case 2:
        return said("%lld", between(-20, 20));
    case 3:
        return said("%lld", between(9990, 10010));
    case 4:
        return said("%lld", between(-1000000000000LL, 1000000000000LL));
    case 5:
        return ONE_OF(SLICE("9223372036854775807"), SLICE("-9223372036854775808"),
                      SLICE("9223372036854775806"), SLICE("2147483647"), SLICE("-2147483648"),
                      SLICE("4294967296"));
    case 6:
        return ONE_OF(SLICE("9223372036854775808"), SLICE("-9223372036854775809"), SLICE("01"),
                      SLICE("+1"), SLICE(" 1"), SLICE("1 "), SLICE("-0"), SLICE("-"), SLICE("1.0"),
                      SLICE("0x10"));
    default:
        return said("%lld", between(0, 100000));
    }
}

static struct slice draw_value(void)
{
    switch (rng_below(9)) {
    case 0:
    case 1:
        return draw_int();
    case 2:
        return draw_float();
    case 3:
        return bytes((size_t)between(0, 60));
    case 4:
        return letters((size_t)between(40, 50), 26); /* on both sides of what is kept in place */
    case 5:
        return letters((size_t)between(18, 23), 26);
    case 6:
        return letters((size_t)between(60, 600), 26);
    default:
        return draw_text();
    }
}

static struct slice draw_bigvalue(void)
{
    return letters((size_t)between(1000, 40000), 26);
}

/* ---- numbers of places ---- */

static struct slice draw_index(void)
{
    switch (rng_below(6)) {
    case 0:
    case 1:
        return said("%lld", between(0, 60));
    case 2:
    case 3:
        return said("%lld", between(-60, -1));
    case 4:
        return said("%lld", between(-1000, 1000));
    default:
        return ONE_OF(SLICE("9223372036854775807"), SLICE("-9223372036854775808"),
                      SLICE("4294967296"), SLICE("-2147483649"), SLICE("536870912"));
    }
}

static struct slice draw_offset(void)
{
    if (rng_below(8) == 0)
        return ONE_OF(SLICE("-1"), SLICE("536870912"), SLICE("9223372036854775807"),
                      SLICE("536870911000"), SLICE("-9223372036854775808"), SLICE("1.5"));
    return said("%lld", rng_below(3) == 0 ? between(0, 1500) : between(0, 60));
}

static struct slice draw_bitoffset(void)
{
    if (rng_below(10) == 0)
        return ONE_OF(SLICE("-1"), SLICE("4294967296"), SLICE("9223372036854775807"), SLICE("#1"),
                      SLICE("x"), SLICE("18446744073709551616"));
    return said("%lld", rng_below(4) == 0 ? between(0, 12000) : between(0, 300));
}

static struct slice draw_fieldoffset(void)
{
    if (rng_below(30) == 0)
        return ONE_OF(SLICE("#-1"), SLICE("#4294967296"), SLICE("#"), SLICE("#x"), SLICE("##1"));
    if (rng_below(3) == 0)
        return said("#%lld", between(0, 30));
    return draw_bitoffset();
}

static struct slice draw_fieldtype(void)
{
    if (rng_below(12) == 0)
        return ONE_OF(SLICE("u64"), SLICE("i65"), SLICE("u0"), SLICE("i0"), SLICE("i"), SLICE("x8"),
                      SLICE("u-1"), SLICE("u8x"), SLICE("I8"), SLICE("U8"), SLICE(""));
    return rng_below(2) == 0 ? said("u%lld", between(1, 63)) : said("i%lld", between(1, 64));
}

static struct slice draw_bit(void)
{
    if (rng_below(15) == 0)
        return ONE_OF(SLICE("2"), SLICE("-1"), SLICE("a"), SLICE("01"), SLICE(""));
    return rng_below(2) == 0 ? SLICE("0") : SLICE("1");
}

static struct slice draw_count(void)
{
    if (rng_below(12) == 0)
        return ONE_OF(SLICE("0"), SLICE("-1"), SLICE("a"), SLICE("9223372036854775807"),
                      SLICE("99999999999999999999"));
    return said("%lld", between(1, 100));
}

static struct slice draw_db(void)
{
    if (rng_below(12) == 0)
        return ONE_OF(SLICE("16"), SLICE("-1"), SLICE("a"), SLICE("9223372036854775807"),
                      SLICE("2147483648"), SLICE("15"));
    return said("%lld", between(0, 3));
}

/* ---- times ---- */

static struct slice bad_time(void)
{
    return ONE_OF(SLICE("0"), SLICE("-1"), SLICE("-9223372036854775808"),
                  SLICE("9223372036854775807"), SLICE("9223372036854775"),
                  SLICE("92233720368547758"), SLICE("a"), SLICE("1.5"), SLICE(""));
}

static struct slice draw_sec(void)
{
    return rng_below(10) == 0 ? bad_time() : said("%lld", between(SOON_S, LATE_S));
}

static struct slice draw_ms(void)
{
    return rng_below(10) == 0 ? bad_time()
                              : said("%lld", between(SOON_S, LATE_S) * 1000 + between(0, 999));
}

static struct slice draw_unixsec(void)
{
    return rng_below(10) == 0 ? bad_time()
                              : said("%lld", (long long)time(NULL) + between(SOON_S, LATE_S));
}

static struct slice draw_unixms(void)
{
    if (rng_below(10) == 0)
        return bad_time();
    return said("%lld", ((long long)time(NULL) + between(SOON_S, LATE_S)) * 1000 + between(0, 999));
}

/* Only times to come, or such as are refused. */
static struct slice draw_nextsec(void)
{
    return rng_below(10) == 0
               ? ONE_OF(SLICE("0"), SLICE("-1"), SLICE("9223372036854775807"), SLICE("a"))
               : said("%lld", (long long)time(NULL) + between(SOON_S, LATE_S));
}

static struct slice draw_nextms(void)
{
    return rng_below(10) == 0
               ? ONE_OF(SLICE("0"), SLICE("-1"), SLICE("a"))
               : said("%lld",
                      ((long long)time(NULL) + between(SOON_S, LATE_S)) * 1000 + between(0, 999));
}

static struct slice draw_gonesec(void)
{
    return said("%lld", between(1, 1500000000));
}

static struct slice draw_gonems(void)
{
    return said("%lld", between(1, 1500000000000));
}

/* ---- names ---- */

static struct slice draw_pattern(void)
{
    return ONE_OF(SLICE("*"), SLICE("k*"), SLICE("k?"), SLICE("k1?"), SLICE("k[0-4]"),
                  SLICE("k[^0-4]"), SLICE("k1[135]"), SLICE("*0*"), SLICE(""), SLICE("?*"),
                  SLICE("**"), SLICE("k\\1*"), SLICE("[kK]*"), SLICE("["), SLICE("k[5"),
                  SLICE("[^"), SLICE("[]"), SLICE("\\"), SLICE("user:*"), SLICE("*long*small*"),
                  SLICE("k[9-0]"), SLICE("k5"), SLICE("{tag}*"), SLICE("*\n*"), SLICE("[a-"),
                  SLICE("k[^"), SLICE("*\\"), SLICE("K*"), SLICE("k[\\0-\\4]"));
}

static struct slice draw_name(void)
{
    return ONE_OF(SLICE("worker"), SLICE("a-name"), SLICE(""), SLICE("two words"),
                  SLICE("line\nfeed"), SLICE("caf\xc3\xa9"), SLICE("x"), SLICE("!~"),
                  SLICE("nul\0"));
}

static struct slice draw_channel(void)
{
    return ONE_OF(SLICE("news"), SLICE("news.sport"), SLICE("chat"), SLICE(""), SLICE("bin\r\n\0"));
}

static struct slice draw_glob(void)
{
    return ONE_OF(SLICE("news*"), SLICE("*"), SLICE("chat"), SLICE("n?ws"), SLICE("news.[sp]*"),
                  SLICE("__key*__:*"), SLICE("__keyevent@0__:*"), SLICE(""), SLICE("[^n]*"),
                  SLICE("news\\.sport"));
}

static struct slice draw_unknown(void)
{
    return ONE_OF(SLICE("FOO"), SLICE(""), SLICE("GETT"), SLICE("se t"), SLICE("no\r\nsuch"),
                  SLICE("\0"), SLICE("get|x"), SLICE("\xff\xfe"), SLICE("HELLOO"),
                  SLICE("a-name-of-a-command-that-is-longer-than-any-command-would-be-and-that-"
                        "therefore-has-to-be-cut-"
                        "when-it-is-shown-in-the-text-of-an-error-or-else-the-error-would-be-"
                        "longer-than-is-good"));
}

static struct slice draw_junk(void)
{
    return junk_draw();
}

struct slice junk_draw(void)
{
    switch (rng_below(4)) {
    case 0:
        return ONE_OF(SLICE("NX"), SLICE("XX"), SLICE("GET"), SLICE("EX"), SLICE("PX"),
                      SLICE("KEEPTTL"), SLICE("PERSIST"), SLICE("GT"), SLICE("LT"), SLICE("COUNT"),
                      SLICE("MATCH"), SLICE("TYPE"), SLICE("ASYNC"), SLICE("LEN"), SLICE("DB"),
                      SLICE("REPLACE"), SLICE("BYTE"), SLICE("BIT"), SLICE("WITHSCORES"),
                      SLICE("LIMIT"));
    case 1:
        return ONE_OF(SLICE(""), SLICE("abc"), SLICE("-1"), SLICE("0"), SLICE("1"), SLICE("1.5"),
                      SLICE("inf"), SLICE("nan"), SLICE("1e3"), SLICE("9223372036854775807"),
                      SLICE("9223372036854775808"), SLICE("-9223372036854775808"), SLICE("\0"),
                      SLICE("\r\n"), SLICE(" 1"), SLICE("+1"), SLICE("0x10"));
    case 2:
        return draw_key();
    default:
        return draw_text();
    }
}

struct slice junk_time_draw(void)
{
    return rng_below(2) == 0
               ? bad_time()
               : ONE_OF(SLICE("abc"), SLICE("EX"), SLICE("NX"), SLICE("1e3"), SLICE("\0"),
                        SLICE("+5"), SLICE(" 5"), SLICE("9223372036854775808"));
}

static const struct generator all[] = {
    {"key", WORD_KEY, draw_key},
    {"bigkey", WORD_KEY, draw_bigkey},
    {"zsetkey", WORD_KEY, draw_zsetkey},
    {"lexkey", WORD_KEY, draw_lexkey},
    {"hashkey", WORD_KEY, fields_draw_key},
    {"bighashkey", WORD_KEY, fields_draw_big_key},
    {"field", WORD_VALUE, fields_draw_name},
    {"manyfields", WORD_VALUE, fields_draw_many},
    {"fieldvalue", WORD_VALUE, fields_draw_value},
    {"scored", WORD_VALUE, scored_draw_member},
    {"score", WORD_VALUE, scored_draw_score},
    {"scoreend", WORD_VALUE, scored_draw_score_end},
    {"memberend", WORD_VALUE, scored_draw_member_end},
    {"waitkey", WORD_KEY, draw_waitkey},
    {"sketchkey", WORD_KEY, draw_sketchkey},
    {"sketch", WORD_VALUE, sketch_draw},
    {"geokey", WORD_KEY, draw_geokey},
    {"mixed", WORD_KEY, draw_mixed},
    {"sortlist", WORD_KEY, sortables_draw_list},
    {"sortset", WORD_KEY, sortables_draw_set},
    {"sortzset", WORD_KEY, sortables_draw_zset},
    {"wordlist", WORD_KEY, sortables_draw_word_list},
    {"sortable", WORD_VALUE, sortables_draw_value},
    {"weight", WORD_KEY, sortables_draw_weight},
    {"rated", WORD_KEY, sortables_draw_rated},
    {"lon", WORD_VALUE, place_draw_lon},
    {"lat", WORD_VALUE, place_draw_lat},
    {"length", WORD_VALUE, place_draw_length},
    {"element", WORD_VALUE, draw_element},
    {"setkey", WORD_KEY, draw_setkey},
    {"bigsetkey", WORD_KEY, draw_bigsetkey},
    {"number", WORD_VALUE, draw_number},
    {"item", WORD_VALUE, draw_item},
    {"member", WORD_VALUE, draw_member},
    {"draws", WORD_VALUE, draw_draws},
    {"text", WORD_VALUE, draw_text},
    {"float", WORD_VALUE, draw_float},
    {"int", WORD_VALUE, draw_int},
    {"value", WORD_VALUE, draw_value},
    {"bigvalue", WORD_VALUE, draw_bigvalue},
    {"index", WORD_VALUE, draw_index},
    {"offset", WORD_VALUE, draw_offset},
    {"bitoffset", WORD_VALUE, draw_bitoffset},
    {"fieldoffset", WORD_VALUE, draw_fieldoffset},
    {"fieldtype", WORD_VALUE, draw_fieldtype},
    {"bit", WORD_VALUE, draw_bit},
    {"count", WORD_VALUE, draw_count},
    {"db", WORD_VALUE, draw_db},
    {"sec", WORD_TIME, draw_sec},
    {"ms", WORD_TIME, draw_ms},
    {"unixsec", WORD_TIME, draw_unixsec},
    {"unixms", WORD_TIME, draw_unixms},
    {"nextsec", WORD_TIME, draw_nextsec},
    {"nextms", WORD_TIME, draw_nextms},
    {"gonesec", WORD_TIME, draw_gonesec},
    {"gonems", WORD_TIME, draw_gonems},
    {"pattern", WORD_VALUE, draw_pattern},
    {"name", WORD_VALUE, draw_name},
    {"channel", WORD_VALUE, draw_channel},
    {"glob", WORD_VALUE, draw_glob},
    {"unknown", WORD_VALUE, draw_unknown},
    {"junk", WORD_VALUE, draw_junk},
};

const struct generator *generator_find(struct slice name)
{
    for (size_t i = 0; i < COUNT_OF(all); i++) {
        if (slice_eq(name, slice_str(all[i].name)))
            return &all[i];
    }
    return NULL;
}

void generator_draw(const struct generator *g, struct drawn *d)
{
    struct slice word = g->draw();

    drawn_add(d, word, g->kind);
}
