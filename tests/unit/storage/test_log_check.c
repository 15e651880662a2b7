/* storage/log/log_check: tails cut at every byte, of zeros, of garbage; bits that flip. */
#include "storage/log/log_check.h"

#include "base/rng.h"
#include "storage/log/records.h"
#include "tests/lib/tap.h"

enum { RUNS = 8, SYNCED_RUNS = 5 };

/* A log of some runs; at[i] is where run i begins, at[RUNS] its end. */
struct log {
    struct buf bytes;
    size_t at[RUNS + 1];
};

static void add_requests(struct records *r)
{
    static const struct slice argv[] = {{"SET", 3}, {"key\n#LK:sum 1 2 3 4 0", 21}, {"v", 1}};
    int n = 1 + (int)rng_below(4);

    for (int i = 0; i < n; i++)
        records_add(r, (int)rng_below(2), argv, 3);
    records_begin_note(r, r->db);
    records_note_arg(r, SLICE("HPERSIST"));
    records_end_note(r);
}

/* As much as is synced is what the last run knows of. */
static void make(struct log *l)
{
    *l = (struct log){0};
    for (int i = 0; i < RUNS; i++) {
        struct log_seal seal = {.seq = (uint64_t)i + 1,
                                .synced = l->at[i < SYNCED_RUNS ? i : SYNCED_RUNS]};
        struct records r = {0};

        add_requests(&r);
        buf_append(&l->bytes, r.bytes.ptr, r.bytes.len);
        log_seal_put(&l->bytes, &seal,
                     slice_make(l->bytes.ptr + l->at[i], l->bytes.len - l->at[i]));
        l->at[i + 1] = l->bytes.len;
        records_release(&r);
    }
}

static int run_of(const struct log *l, size_t pos)
{
    int i = 0;

    while (i < RUNS && l->at[i + 1] <= pos)
        i++;
    return i;
}

static struct log_check checked(const void *bytes, size_t len)
{
    struct log_check check;

    log_check(slice_make(bytes, len), 0, &check);
    return check;
}

static void test_sound(struct log *l)
{
    struct log_check c = checked(l->bytes.ptr, l->bytes.len);

    ok(c.verdict == LOG_SOUND && c.good == l->bytes.len, "a log is sound");
    ok(c.sealed && c.seq == RUNS, "and its last number is known");
    c = checked("", 0);
    ok(c.verdict == LOG_SOUND && c.good == 0, "an empty one is");
}

static void test_cut(struct log *l)
{
    size_t wrong = 0;

    for (size_t len = 0; len < l->bytes.len; len++) {
        struct log_check c = checked(l->bytes.ptr, len);
        size_t begin = l->at[run_of(l, len)];

        wrong += c.good != begin || c.verdict != (len == begin ? LOG_SOUND : LOG_TAIL);
    }
    is_int((long long)wrong, 0, "cut at every byte, it ends with the last whole run");
}

static void test_filled(struct log *l, bool zeros)
{
    size_t wrong = 0;

    for (size_t len = 0; len < l->bytes.len; len++) {
        struct buf b = {0};
        struct log_check c;

        buf_append(&b, l->bytes.ptr, len);
        for (int i = 0; i < 600; i++)
            buf_append_char(&b, zeros ? 0 : (char)rng_below(256));
        c = checked(b.ptr, b.len);
        wrong += c.verdict != LOG_TAIL || c.good != l->at[run_of(l, len)];
        buf_release(&b);
    }
    is_int((long long)wrong, 0, zeros ? "followed by zeros" : "followed by garbage");
}

static void test_flips(struct log *l)
{
    size_t missed = 0, misjudged = 0;

    for (size_t at = 0; at < l->bytes.len; at++) {
        int run = run_of(l, at);
        struct log_check c;
        char was = l->bytes.ptr[at];

        l->bytes.ptr[at] = (char)(was ^ (1 << rng_below(8)));
        c = checked(l->bytes.ptr, l->bytes.len);
        missed += c.verdict == LOG_SOUND || c.good != l->at[run];
        if (run < SYNCED_RUNS)
            misjudged += c.verdict != LOG_DAMAGED || c.resume != l->at[run + 1];
        else
            misjudged += c.verdict != LOG_TAIL;
        l->bytes.ptr[at] = was;
    }
    is_int((long long)missed, 0, "every bit that flips is found");
    is_int((long long)misjudged, 0,
           "as damage where the disk was known to have it, else as a tail");
}

static const char by_redis[] = "*2\r\n$6\r\nSELECT\r\n$1\r\n0\r\n"
                               "*3\r\n$3\r\nSET\r\n$1\r\na\r\n$1\r\n1\r\n"
                               "*1\r\n$5\r\nMULTI\r\n"
                               "*3\r\n$3\r\nSET\r\n$1\r\na\r\n$1\r\n2\r\n"
                               "*1\r\n$4\r\nEXEC\r\n";
enum { REDIS_PLAIN = 23 + 27, REDIS_LEN = sizeof(by_redis) - 1 };

static void test_of_redis(void)
{
    size_t wrong = 0;

    for (size_t len = 0; len <= REDIS_LEN; len++) {
        struct log_check c = checked(by_redis, len);
        size_t good = len == REDIS_LEN     ? REDIS_LEN
                      : len >= REDIS_PLAIN ? REDIS_PLAIN
                      : len >= 23          ? 23
                                           : 0;

        wrong += c.good != good || c.verdict != (len == good ? LOG_SOUND : LOG_TAIL) || c.sealed;
    }
    is_int((long long)wrong, 0, "a log of Redis, cut at every byte, ends with a whole request");
}

static void test_redis_behind(struct log *l)
{
    struct buf b = {0};
    struct log_check c;

    buf_append(&b, l->bytes.ptr, l->bytes.len);
    buf_append(&b, by_redis, REDIS_LEN);
    c = checked(b.ptr, b.len);
    ok(c.verdict == LOG_SOUND && c.good == b.len && !c.sealed,
       "what a Redis wrote behind is taken");
    c = checked(b.ptr, b.len - 3);
    ok(c.verdict == LOG_TAIL && c.good == l->bytes.len + REDIS_PLAIN, "as far as it is whole");
    buf_release(&b);
}

static void test_damaged_redis(void)
{
    char bytes[REDIS_LEN];
    struct log_check c;

    memcpy(bytes, by_redis, REDIS_LEN);
    bytes[24] = 'x';
    c = checked(bytes, REDIS_LEN);
    ok(c.verdict == LOG_DAMAGED && c.good == 23, "damage in the middle of a log of Redis");
}

static void seal_run(struct buf *b, const char *run, size_t synced)
{
    struct log_seal s = {.seq = 1, .synced = synced};
    size_t at = b->len;

    buf_append_str(b, run);
    log_seal_put(b, &s, slice_make(b->ptr + at, b->len - at));
}

/* What is dropped is never nothing, or it would be dropped again and again. */
static void test_sealed_garbage(void)
{
    struct buf b = {0};
    struct log_check c;

    buf_append_str(&b, "*2\r\n$6\r\nSELECT\r\n$1\r\n0\r\n#a seal that is none: #");
    seal_run(&b, "", 0);
    seal_run(&b, "garbage\r\n", 0);
    seal_run(&b, "*2\r\n$3\r\nDEL\r\n$1\r\nk\r\n", b.len);
    c = checked(b.ptr, b.len);
    is_int(c.verdict, LOG_DAMAGED, "garbage that is sealed is damage");
    ok(c.resume > c.good, "and more than nothing is left out");
    buf_release(&b);
}

int main(void)
{
    struct log l;

    rng_seed(20260103);
    make(&l);
    test_sound(&l);
    test_cut(&l);
    test_filled(&l, true);
    test_filled(&l, false);
    test_flips(&l);
    test_of_redis();
    test_redis_behind(&l);
    test_damaged_redis();
    test_sealed_garbage();
    buf_release(&l.bytes);
    return tap_done();
}
