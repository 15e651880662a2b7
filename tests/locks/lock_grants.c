/* Who gets a lock: alone, shared, by permits, again, several at once; and its token. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/lib/tap.h"
#include "tests/lib/wire.h"

static const struct wire_case attempts[] = {
    {"LOCK.ACQUIRE a", ":$+a"},
    {"LOCK.CHECK a $a", ":1"},
    {"@1 LOCK.ACQUIRE a", "nil"},
    {"@1 LOCK.ACQUIRE a WAIT 0", "nil"},
    {"@1 LOCK.ACQUIRE a WAIT 20", "nil"},
    {"@1 LOCK.ACQUIRE b", ":$+b"},
    {"LOCK.ACQUIRE a", "nil"},
    {"LOCK.ACQUIRE a WAIT 10", "/^(nil|-DEADLOCK .*)$"},
    {"LOCK.RELEASE a $a", ":1"},
    {"LOCK.CHECK a $a", ":0"},
    {"@1 LOCK.ACQUIRE a WAIT 20", ":$+c"},
    {"@1 LOCK.CHECK a $a", ":0"},
    {"@1 LOCK.CHECK a $c", ":1"},
    {"@1 LOCK.CHECK b $b", ":1"},
    {"@1 LOCK.CHECK nobody $b", ":0"},
    {"@1 LOCK.RELEASE a $c", ":1"},
    {"@1 LOCK.RELEASE b $b", ":1"},
    {"LOCK.ACQUIRE '' ", ":$+a"},
    {"LOCK.RELEASE '' $a", ":1"},
    {"LOCK.ACQUIRE \"\\x00\\xff \\r\\n\"", ":$+a"},
    {"@1 LOCK.ACQUIRE \"\\x00\\xff \\r\\n\"", "nil"},
    {"LOCK.RELEASE \"\\x00\\xff \\r\\n\" $a", ":1"},
};

static const struct wire_case waits[] = {
    {"LOCK.ACQUIRE a", ":$+a"},
    {"@1 LOCK.ACQUIRE a WAIT -1", "(waits)"},
    {"@2 LOCK.ACQUIRE a WAIT 60000", "(waits)"},
    {"@3 LOCK.ACQUIRE a", "nil"},
    {"LOCK.RELEASE a $a", ":1"},
    {"@1", ":$+b"},
    {"@2", "(silence)"},
    {"@3 LOCK.ACQUIRE a", "nil"},
    {"@1 LOCK.RELEASE a $b", ":1"},
    {"@2", ":$+c"},
    {"@2 LOCK.RELEASE a $c", ":1"},
};

static const struct wire_case sharers[] = {
    {"LOCK.ACQUIRE a SHARED", ":$+a"}, {"@1 LOCK.ACQUIRE a SHARED", ":$+b"},
    {"@2 LOCK.ACQUIRE a", "nil"},      {"LOCK.CHECK a $a", ":1"},
    {"LOCK.CHECK a $b", ":1"},         {"LOCK.RELEASE a $a", ":1"},
    {"@2 LOCK.ACQUIRE a", "nil"},      {"@1 LOCK.RELEASE a $b", ":1"},
    {"@2 LOCK.ACQUIRE a", ":$+c"},     {"@1 LOCK.ACQUIRE a SHARED", "nil"},
    {"@2 LOCK.RELEASE a $c", ":1"},
};

/* Who reads comes behind a writer that waits, and readers behind it come together. */
static const struct wire_case writers_first[] = {
    {"LOCK.ACQUIRE a SHARED", ":$+a"},
    {"@1 LOCK.ACQUIRE a WAIT -1", "(waits)"},
    {"@2 LOCK.ACQUIRE a SHARED", "nil"},
    {"@2 LOCK.ACQUIRE a SHARED WAIT 10", "nil"},
    {"@2 LOCK.ACQUIRE a SHARED WAIT -1", "(waits)"},
    {"@3 LOCK.ACQUIRE a SHARED WAIT -1", "(waits)"},
    {"@4 LOCK.ACQUIRE a WAIT -1", "(waits)"},
    {"@5 LOCK.ACQUIRE a SHARED WAIT -1", "(waits)"},
    {"LOCK.RELEASE a $a", ":1"},
    {"@1", ":$+b"},
    {"@2", "(silence)"},
    {"@1 LOCK.RELEASE a $b", ":1"},
    {"@2", ":$+c"},
    {"@3", ":$+d"},
    {"@4", "(silence)"},
    {"@5", "(silence)"},
    {"@2 LOCK.RELEASE a $c", ":1"},
    {"@4", "(silence)"},
    {"@3 LOCK.RELEASE a $d", ":1"},
    {"@4", ":$+e"},
    {"@4 LOCK.RELEASE a $e", ":1"},
    {"@5", ":$+f"},
    {"@5 LOCK.RELEASE a $f", ":1"},
};

/* A writer that no longer waits is in nobody's way. */
static const struct wire_case writer_gives_up[] = {
    {"LOCK.ACQUIRE a SHARED", ":$+a"},
    {"@1 LOCK.ACQUIRE a WAIT 100", "(waits)"},
    {"@2 LOCK.ACQUIRE a SHARED WAIT -1", "(waits)"},
    {"@1", "nil"},
    {"@2", ":$+b"},
    {"@2 LOCK.RELEASE a $b", ":1"},
    {"LOCK.RELEASE a $a", ":1"},
};

static const struct wire_case semaphores[] = {
    {"LOCK.ACQUIRE s PERMITS 2 OF 3", ":$+a"},
    {"@1 LOCK.ACQUIRE s PERMITS 1 OF 3", ":$+b"},
    {"@2 LOCK.ACQUIRE s PERMITS 1 OF 3", "nil"},
    {"@2 LOCK.ACQUIRE s PERMITS 2 OF 3 WAIT -1", "(waits)"},
    {"@3 LOCK.ACQUIRE s PERMITS 1 OF 3 WAIT -1", "(waits)"},
    {"@1 LOCK.RELEASE s $b", ":1"},
    {"@2", "(silence)"},
    {"@3", "(silence)"},
    {"LOCK.RELEASE s $a", ":1"},
    {"@2", ":$+c"},
    {"@3", ":$+d"},
    {"LOCK.ACQUIRE s PERMITS 1 OF 3", "nil"},
    {"@2 LOCK.RELEASE s $c", ":1"},
    {"@3 LOCK.RELEASE s $d", ":1"},
    {"LOCK.ACQUIRE s PERMITS 3 OF 3", ":$+a"},
    {"LOCK.RELEASE s $a", ":1"},
    {"LOCK.ACQUIRE s PERMITS 4 OF 3", "/^-ERR "},
    {"LOCK.ACQUIRE s PERMITS 0 OF 3", "/^-ERR "},
    {"LOCK.ACQUIRE s PERMITS -1 OF 3", "/^-ERR "},
    {"LOCK.ACQUIRE s PERMITS 1 OF x", "/^-ERR "},
    {"LOCK.ACQUIRE s PERMITS 1", "/^-ERR "},
};

/* The only writer is named to who comes second. */
static const struct wire_case single_writer[] = {
    {"LOCK.ACQUIRE w PERMITS 1 OF 1 OWNER alpha", ":$+a"},
    {"@1 LOCK.ACQUIRE w PERMITS 1 OF 1", "/^-LOCKED .*alpha"},
    {"@1 LOCK.ACQUIRE w PERMITS 1 OF 1 WAIT 10", "nil"},
    {"LOCK.RELEASE w $a", ":1"},
    {"@1 LOCK.ACQUIRE w PERMITS 1 OF 1 OWNER beta", ":$+b"},
    {"LOCK.ACQUIRE w PERMITS 1 OF 1", "/^-LOCKED .*beta"},
    {"@1 LOCK.RELEASE w $b", ":1"},
};

static const struct wire_case reentrance[] = {
    {"LOCK.ACQUIRE a REENTRANT", ":$+a"},
    {"LOCK.ACQUIRE a REENTRANT", ":$a"},
    {"LOCK.ACQUIRE a REENTRANT WAIT -1", ":$a"},
    {"@1 LOCK.ACQUIRE a REENTRANT", "nil"},
    {"LOCK.RELEASE a $a", ":0"},
    {"LOCK.RELEASE a $a", ":0"},
    {"@1 LOCK.ACQUIRE a", "nil"},
    {"LOCK.CHECK a $a", ":1"},
    {"LOCK.RELEASE a $a", ":1"},
    {"LOCK.RELEASE a $a", "/^-(NOTHELD|FENCED) "},
    {"@1 LOCK.ACQUIRE a", ":$+b"},
    {"@1 LOCK.RELEASE a $b", ":1"},
    {"LOCK.ACQUIRE a", ":$+a"},
    {"LOCK.ACQUIRE a", "nil"},
    {"LOCK.RELEASE a $a", ":1"},
};

/* Who has not seen the reply asks again. */
static const struct wire_case asked_again[] = {
    {"LOCK.ACQUIRE d LEASE 60000 DETACHED OWNER job", ":$+a"},
    {"QUIT", "+OK"},
    {"@1 LOCK.ACQUIRE d LEASE 60000 DETACHED REENTRANT OWNER other", "nil"},
    {"@1 LOCK.ACQUIRE d LEASE 60000 DETACHED REENTRANT OWNER job", ":$a"},
    {"@1 LOCK.RELEASE d $a", ":0"},
    {"@1 LOCK.RELEASE d $a", ":1"},
};

static const struct wire_case several_names[] = {
    {"LOCK.ACQUIRE a b c", "[:$+a :$+b :$+c]"},
    {"@1 LOCK.ACQUIRE d b", "/^nil"},
    {"@1 LOCK.ACQUIRE d", ":$+d"},
    {"@1 LOCK.RELEASE d $d", ":1"},
    {"@1 LOCK.ACQUIRE c e WAIT 10", "/^nil"},
    {"@1 LOCK.ACQUIRE d a WAIT -1", "(waits)"},
    {"LOCK.RELEASE b $b", ":1"},
    {"@2 LOCK.ACQUIRE b", ":$+b"},
    {"LOCK.RELEASE c $c", ":1"},
    {"@1", "(silence)"},
    {"LOCK.RELEASE a $a", ":1"},
    {"@1", "[:$+d :$+a]"},
    {"@1 LOCK.CHECK d $d", ":1"},
    {"@1 LOCK.CHECK a $a", ":1"},
    {"@1 LOCK.RELEASE a $a", ":1"},
    {"@1 LOCK.RELEASE d $d", ":1"},
    {"@2 LOCK.RELEASE b $b", ":1"},
    {"LOCK.ACQUIRE a b SHARED", "[:$+a :$+b]"},
    {"@1 LOCK.ACQUIRE b a SHARED", "[:$+c :$+d]"},
    {"@2 LOCK.ACQUIRE b", "nil"},
};

/* All or nothing: who waits for two holds neither, but nobody overtakes it. */
static const struct wire_case nothing_of_several[] = {
    {"LOCK.ACQUIRE a", ":$+a"},
    {"@1 LOCK.ACQUIRE b a WAIT -1", "(waits)"},
    {"@2 LOCK.LIST MATCH b", "/^\\[(.*holders' \\[\\].*)?\\]$"},
    {"@3 LOCK.ACQUIRE b WAIT -1", "(waits)"},
    {"LOCK.RELEASE a $a", ":1"},
    {"@1", "[:$+b :$+a]"},
    {"@3", "(silence)"},
    {"@1 LOCK.RELEASE b $b", ":1"},
    {"@3", ":$+c"},
};

static const struct wire_case arguments[] = {
    {"LOCK.ACQUIRE", "/^-ERR wrong number of arguments"},
    {"LOCK.ACQUIRE a LEASE", "/^-ERR "},
    {"LOCK.ACQUIRE a LEASE x", "/^-ERR "},
    {"LOCK.ACQUIRE a LEASE 0", "/^-ERR "},
    {"LOCK.ACQUIRE a LEASE -5", "/^-ERR "},
    {"LOCK.ACQUIRE a WAIT", "/^-ERR "},
    {"LOCK.ACQUIRE a WAIT -2", "/^-ERR "},
    {"LOCK.ACQUIRE a WAIT x", "/^-ERR "},
    {"LOCK.ACQUIRE a DETACHED", "/^-ERR "},
    {"LOCK.ACQUIRE a SHARED PERMITS 1 OF 2", "/^-ERR "},
    {"LOCK.ACQUIRE a WAIT 5 QUEUE", "/^-ERR "},
    {"LOCK.RELEASE", "/^-ERR wrong number of arguments"},
    {"LOCK.RELEASE a", "/^-ERR wrong number of arguments"},
    {"LOCK.RELEASE a x", "/^-ERR "},
    {"LOCK.RELEASE a 1 SET", "/^-ERR "},
    {"LOCK.RELEASE a 1 NONSENSE", "/^-ERR "},
    {"LOCK.RENEW a 1", "/^-ERR "},
    {"LOCK.RENEW a 1 LEASE x", "/^-ERR "},
    {"LOCK.RENEW a 1 LEASE 0", "/^-ERR "},
    {"LOCK.CHECK a", "/^-ERR wrong number of arguments"},
    {"LOCK.CHECK a x", "/^-ERR "},
    {"LOCK.INFO", "/^-ERR wrong number of arguments"},
    {"LOCK.LIST MATCH", "/^-ERR "},
    {"LOCK.LIST NONSENSE a", "/^-ERR "},
    {"LOCK.BREAK", "/^-ERR wrong number of arguments"},
    {"LOCK.BREAK a DELAY", "/^-ERR "},
    {"LOCK.BREAK a DELAY -1", "/^-ERR "},
    {"LOCK.CANCEL a", "/^-ERR wrong number of arguments"},
    {"LOCK.CANCEL a x", "/^-ERR "},
    {"LOCK.SESSION s GRACE", "/^-ERR "},
    {"LOCK.SESSION s GRACE -1", "/^-ERR "},
    /* An option's name ends the names. */
    {"lock.acquire a wait 0 owner me", ":$+a"},
    {"Lock.Release a $a", ":1"},
};

/* ---- tokens ---- */

enum { GRANTS = 300 };

/* Of any number of connections, and of locks that nobody remembers between two grants. */
static void tokens_grow(struct session *t)
{
    long long last = 0;
    bool grow = true;

    for (int i = 0; i < GRANTS && grow; i++) {
        struct wire *w = session_wire(t, i % SESSION_CONNECTIONS);
        long long token = wire_int(w, "LOCK.ACQUIRE growing WAIT -1");

        grow = token > last && token < 1LL << 53;
        last = token;
        if (i % 3 == 0)
            is_str(wire_callf(w, "LOCK.RELEASE growing %lld", token), ":1", "released");
        else {
            wire_close(w);
            t->connections[i % SESSION_CONNECTIONS] = NULL;
        }
    }
    ok(grow, "tokens only grow, and stay below 2^53: the last is %lld", last);
}

/* What FLUSHALL empties, and SWAPDB turns round, are databases. */
static void tokens_grow_over_flushes(struct session *t)
{
    struct wire *w = session_wire(t, 0);
    long long first = wire_int(w, "LOCK.ACQUIRE flushed"), second;

    wire_callf(w, "LOCK.RELEASE flushed %lld", first);
    wire_call(w, "FLUSHALL");
    wire_call(w, "SWAPDB 0 1");
    second = wire_int(w, "LOCK.ACQUIRE flushed");
    ok(second > first, "a token after FLUSHALL and SWAPDB is larger: %lld, %lld", first, second);
    wire_call(w, "FLUSHALL");
    is_str(wire_callf(w, "LOCK.CHECK flushed %lld", second), ":1", "FLUSHALL takes no lock away");
}

/* Across restarts and crashes too. */
static void tokens_grow_over_crashes(struct session *t)
{
    long long last = 0;

    for (int i = 0; i < 4; i++) {
        struct server *s = server_run_threads(1 + i % 2, "");
        struct wire *w = wire_open(s, t->protocol);
        long long token = wire_int(w, "LOCK.ACQUIRE restarted");

        ok(token > last, "a server started anew gives larger tokens: %lld, %lld", last, token);
        last = token;
        wire_close(w);
        if (i % 2 == 0)
            server_discard(s);
        else
            server_stop(s);
    }
}

static const struct group groups[] = {
    NEW_TABLE(attempts),
    NEW_TABLE(waits),
    NEW_TABLE(sharers),
    NEW_TABLE(writers_first),
    NEW_TABLE(writer_gives_up),
    NEW_TABLE(semaphores),
    NEW_TABLE(single_writer),
    NEW_TABLE(reentrance),
    NEW_TABLE(asked_again),
    NEW_TABLE(several_names),
    NEW_TABLE(nothing_of_several),
    NEW_TABLE(arguments),
    NEW_TEST(tokens_grow),
    NEW_TEST(tokens_grow_over_flushes),
    NEW_TEST(tokens_grow_over_crashes),
    {NULL, NULL, 0, NULL, false},
};

int main(void)
{
    static const int threads[] = {1, 4, 0};

    return session_main("lock grants", "", threads, groups);
}
