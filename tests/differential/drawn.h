/*
 * A command that was drawn at random: its words, and what each word is.
 *
 * The words lie one behind the other in one buffer, so that a command can be kept in the trail and
 * used again without an allocation. A slice of a word is borrowed until the command changes.
 */
#ifndef TESTS_DIFFERENTIAL_DRAWN_H
#define TESTS_DIFFERENTIAL_DRAWN_H

#include "base/buf.h"

enum { DRAWN_WORDS_MAX = 64 };

enum word_kind {
    WORD_LITERAL, /* stands in the grammar: the command's name, an option */
    WORD_VALUE,
    WORD_KEY,
    WORD_TIME, /* never replaced by a small number: a key would expire while the test runs */
};

struct rule;

struct drawn {
    const struct rule *rule;
    struct buf text;
    struct {
        size_t at, len;
        enum word_kind kind;
    } words[DRAWN_WORDS_MAX];
    int count;
    bool chained; /* another command of the same rule follows */
    bool exact;   /* the reply is compared exactly, whatever the rule says */
    unsigned long index;
    int connection;
};

void drawn_clear(struct drawn *d);
void drawn_release(struct drawn *d);
void drawn_copy(struct drawn *to, const struct drawn *from);

/* Words beyond DRAWN_WORDS_MAX are dropped. */
void drawn_add(struct drawn *d, struct slice word, enum word_kind kind);
void drawn_replace(struct drawn *d, int i, struct slice word, enum word_kind kind);
void drawn_remove(struct drawn *d, int i);
void drawn_swap(struct drawn *d, int i, int j);

static inline struct slice drawn_word(const struct drawn *d, int i)
{
    return slice_make(d->text.ptr + d->words[i].at, d->words[i].len);
}

/* Appends the command as clients send it. */
void drawn_encode(const struct drawn *d, struct buf *out);

/* Appends bytes for people: escaped, cut behind `most`. */
void text_append_shown(struct buf *out, struct slice bytes, size_t most);
void drawn_append_shown(const struct drawn *d, struct buf *out);

/*
 * What `earlier` did may matter to `d`: it had a key of the same name, or touched more than keys.
 */
bool drawn_related(const struct drawn *d, const struct drawn *earlier);

#endif
