/*
 * Conversations with a server, written as tables: a command line and the reply in the text form of
 * answer.h.
 *
 * A table is run on RESP2 and on RESP3. Its replies are written as RESP3 has them; for RESP2 they
 * are turned into what it has instead (maps, sets and pushes into arrays, doubles and verbatim
 * strings into bulks, booleans into integers). Where that is not it, a row says the RESP2 reply
 * itself.
 *
 * A command line is split at blanks; 'x' is taken as it is, in "x" count \n \r \t \\ \" \xNN.
 * Before it may stand
 *   @2 ...   connection 2 of 10 (0 without it), opened when first used
 *   @2       alone, or an empty line: no command, only the next reply (a push, a message)
 *   ~30      no command: a pause of 30 ms, nothing is read
 * A reply may also be
 *   ""           nothing is read
 *   /regex       a POSIX extended regular expression for the text
 *   %[a b]       the items in any order: written sorted by their text
 *   (closed)     the connection ends
 *   (silence)    nothing comes for a little while
 *   (waits)      nothing is read; the server says that one more client waits
 * In a reply $? stands for any number, and $+t for one that is remembered: in what follows, in
 * commands and in replies, $t is that number. A letter from a to z.
 */
#ifndef TESTS_LIB_WIRE_H
#define TESTS_LIB_WIRE_H

#include <stdbool.h>
#include <stddef.h>

#include "tests/lib/answer.h"
#include "tests/lib/server.h"

/* ---- one connection ---- */

struct wire {
    int fd;
    int protocol;
    char *bytes; /* received and not yet read as replies: from at to len */
    size_t at, len, size;
    char *last; /* the text that was returned last */
};

/* Over the unix socket; RESP3 by HELLO 3. */
struct wire *wire_open(const struct server *s, int protocol);
struct wire *wire_attach(int fd, int protocol);
void wire_close(struct wire *w);

/* Sends one command as an array of bulks, without reading. */
void wire_send(struct wire *w, const char *line);
void wire_send_args(struct wire *w, size_t n, const char *const *args, const size_t *lens);

/* The next reply; NULL when the connection ends or nothing comes in time. Caller frees. */
struct answer *wire_next(struct wire *w, int timeout_ms);

/*
 * The text of the next reply, "(closed)" or "(silence)"; borrowed until the next call for this
 * connection.
 */
const char *wire_read(struct wire *w);
const char *wire_call(struct wire *w, const char *line);

/* wire_call() with a printf format. */
const char *wire_callf(struct wire *w, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* The integer of a ":n" reply; the program ends with a failed check when the reply is another. */
long long wire_int(struct wire *w, const char *line);

/* The payload of a bulk or verbatim reply; caller frees. */
char *wire_bulk(struct wire *w, const char *line);

/*
 * Until the server has seen that all other connections are closed: it needs a moment, and a test
 * may ask who is there.
 */
void wire_wait_alone(struct wire *w);

/* It is Latchkey and not a Redis. */
bool wire_is_latchkey(const struct server *s);

/* ---- tables ---- */

/* Rows leave out what they do not need. */
#pragma GCC diagnostic ignored "-Wmissing-field-initializers"

struct wire_case {
    const char *line;
    const char *reply;
    const char *resp2;
};

enum { SESSION_CONNECTIONS = 10 };

struct session {
    struct server *server;
    int protocol;
    int threads;
    const char *family;
    struct wire *connections[SESSION_CONNECTIONS];
    long long ids[SESSION_CONNECTIONS]; /* that the server has given them */
    struct wire *observer;              /* for (waits), opened when first used */
    char numbers[26][24];               /* that are remembered, by letter */
};

/* Closes what is open, FLUSHALL, then every row in turn, one check each. */
void session_cases(struct session *t, const char *group, const struct wire_case *cases, size_t n);
/* Only the rows, whatever there is; and closes what they have opened. */
void session_cases_as_it_is(struct session *t, const struct wire_case *cases, size_t n);
#define CASES(t, group, ...)                                                                       \
    do {                                                                                           \
        static const struct wire_case cases_[] = {__VA_ARGS__};                                    \
        session_cases(t, group, cases_, sizeof(cases_) / sizeof(cases_[0]));                       \
    } while (0)

/* Closes what is open and empties the databases. */
void session_reset(struct session *t);

/* Connection number i, opened when first used. */
struct wire *session_wire(struct session *t, int i);

/*
 * Sends a command on connection i, and returns when the server says that this client waits: what
 * others send next comes behind it. Not how many wait, since one that has gone may still count.
 */
void session_block(struct session *t, int i, const char *line);

/* One part of a test program: a table or a function. */
struct group {
    const char *name;
    const struct wire_case *cases;
    size_t n;
    void (*run)(struct session *t);
    bool latchkey_only; /* the oracle does not have it */
};

#define TABLE(table)                                                                               \
    {                                                                                              \
#table, table, sizeof(table) / sizeof(table[0]), NULL, false                               \
    }
#define NEW_TABLE(table)                                                                           \
    {                                                                                              \
#table, table, sizeof(table) / sizeof(table[0]), NULL, true                                \
    }
#define TEST(function)                                                                             \
    {                                                                                              \
#function, NULL, 0, function, false                                                        \
    }
#define NEW_TEST(function)                                                                         \
    {                                                                                              \
#function, NULL, 0, function, true                                                         \
    }

/*
 * A test program's main: each group (the last has no name) on RESP2 and on RESP3 against one server
 * with these arguments; and that for each number of threads in the list (ended by 0, NULL for the
 * server's own choice), unless LATCHKEY_THREADS says another or the server has none.
 */
int session_main(const char *family, const char *args, const int *threads,
                 const struct group *groups);

/*
 * The same for one family within a program that has several: no exit value, tap_done() is the
 * caller's.
 */
void session_family(const char *family, const char *args, const int *threads,
                    const struct group *groups);

#endif
