/*
 * Lines of the log that are no changes of keys: which versions the changes around them have given
 * (storage/log/record_versions.h), locks (locks/lock_log.h) and policies (policy_log.h). A snapshot
 * has lines, too.
 */
#ifndef LK_SERVER_LOG_LINES_H
#define LK_SERVER_LOG_LINES_H

#include "base/buf.h"
#include "server/server.h"

/* Lines on their way to what they say. All zero at first. */
struct log_notes {
    struct buf text, bytes; /* the note in hand, and its arguments */
    struct slice *argv;     /* its word, and what follows */
    int argc;
    size_t cap;
};

enum log_note {
    LOG_NOTE_NONE,  /* the line is nothing of this kind */
    LOG_NOTE_PART,  /* it goes on with the next one */
    LOG_NOTE_WHOLE, /* argv has it, borrowed until the next call */
    LOG_NOTE_WRONG,
};

/* The next line, without its end. */
enum log_note log_notes_add(struct log_notes *n, struct slice line);
void log_notes_release(struct log_notes *n);

/*
 * Does what a note says, while data is loaded, in the world. False if it makes no sense; one of an
 * unknown word is passed over.
 */
bool log_line_apply(struct server *s, const struct slice *argv, int argc);
/* The same for the lines of a snapshot. The world is stopped, or nothing runs yet. */
void log_lines_apply(struct server *s, struct slice lines);
/* All of them have come. The same. */
void log_lines_applied(struct server *s);
/* Whether the world is to be stopped for a note of this word. */
bool log_line_needs_world(struct slice word);
/* What there is to say at this moment. The world is stopped. The caller releases it. */
struct buf log_lines_all(struct server *s);

#endif
