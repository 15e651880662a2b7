/*
 * Random commands to a server that logs what they change; then it is restarted, and has to hold
 * what it held before, each key with the version that it had. The rules are those of the other
 * differential tests, so that every command that changes something is among them.
 *
 *   restarts [--seed N] [--count N] [--threads N] [--family F]
 *
 * Now and then a new base is written for the log, of either kind.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/rng.h"
#include "tests/differential/options.h"
#include "tests/differential/twin.h"
#include "tests/lib/tap.h"

enum { COMMANDS = 40000, ROUNDS = 8, BATCH = 16, ROOM = BATCH + 12, DIGESTS = 128 };

/* After a restart the option has its first value, and what it says is seen in the bytes. */
static bool is_left_out(const struct drawn *d)
{
    return d->count > 2 && slice_is(drawn_word(d, 0), "config") &&
           slice_is(drawn_word(d, 2), "hll-sparse-max-bytes");
}

static void draw_batch(struct family *family, struct buf *out, int *count)
{
    static struct drawn batch[ROOM];

    out->len = 0;
    *count = 0;
    while (*count < BATCH) {
        int n = rules_draw(family, batch);

        if (is_left_out(&batch[0]))
            continue;
        for (int i = 0; i < n; i++)
            drawn_encode(&batch[i], out);
        *count += n;
    }
}

/* Connections may be closed by what they send. */
static void send_some(struct twin *t, struct family *family)
{
    static struct slice replies[ROOM];
    int connection = (int)rng_below(TWIN_CLIENTS), count;
    struct buf out = {0};

    draw_batch(family, &out, &count);
    if (!twin_send(t, connection, buf_slice(&out)) || !twin_read(t, connection, count, replies))
        twin_reconnect(t, connection);
    buf_release(&out);
}

/* What has no end set soon; the digest of all that is there, and of its versions. */
static void digest(struct twin *t, char out[DIGESTS])
{
    struct slice reply = twin_say(t, "DEBUG DIGEST");
    int n = snprintf(out, DIGESTS, "%.*s", reply.len < 60 ? (int)reply.len : 60, reply.ptr);

    reply = twin_say(t, "DEBUG DIGEST VERSIONS");
    snprintf(out + n, DIGESTS - (size_t)n, "%.*s", reply.len < 60 ? (int)reply.len : 60, reply.ptr);
}

static void maybe_rewrite(struct twin *t)
{
    static const char *const ways[] = {"CONFIG SET aof-use-rdb-preamble yes",
                                       "CONFIG SET aof-use-rdb-preamble no"};

    if (rng_below(2))
        return;
    twin_say(t, ways[rng_below(2)]);
    twin_say(t, "BGREWRITEAOF");
}

static bool keeps_all(struct twin *t, const struct options *o, unsigned long count, int round)
{
    char before[DIGESTS], after[DIGESTS];
    bool back;

    for (unsigned long sent = 0; sent < count; sent += BATCH) {
        send_some(t, o->family);
        if (rng_below(count / BATCH) == 0)
            maybe_rewrite(t);
    }
    twin_say(t, "CONFIG SET maxmemory 0");
    twin_say(t, "DEBUG SET-ACTIVE-EXPIRE 0");
    digest(t, before);
    twin_say(t, "WAITAOF 1 0 10000");
    back = server_restart(t->server, round % 2 ? SIGKILL : SIGTERM);
    if (!back)
        return ok(false, "the server comes back, round %d, seed %lu", round, o->seed);
    twin_connect(t);
    digest(t, after);
    return is_str(after, before, "all is there again, round %d, threads %d, seed %lu", round,
                  o->threads, o->seed);
}

static void run(const struct options *o, int threads)
{
    static const char args[] = "--appendonly yes --appendfsync everysec --slowlog-log-slower-than "
                               "-1 --enable-debug-command yes";
    struct twin t = {0};
    bool good = true;

    rng_seed(o->seed);
    twin_start(&t, server_run_threads(threads, args));
    for (int round = 0; good && round < ROUNDS; round++)
        good = keeps_all(&t, o, o->count / ROUNDS, round);
    if (!good) {
        char *log = server_log(t.server);

        diag("%s", log);
        free(log);
    }
    twin_stop(&t);
}

int main(int argc, char **argv)
{
    struct options o = options_parse(argc, argv, COMMANDS);

    options_each(&o, run);
    return tap_done();
}
